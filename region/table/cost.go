package table

// Capacity units of DYNAMODB.md section 6.

func roundUp(n, unit int) float64 { return float64((n + unit - 1) / unit) }

// writeUnits is the price of one standard write of n bytes: at least one.
func writeUnits(n int) float64 { return max(1, roundUp(n, 1024)) }

// readUnits is the price of reading n bytes together: at least one, half of it if eventually consistent.
func readUnits(n int, consistent bool) float64 {
	u := max(1, roundUp(n, 4096))
	if !consistent {
		u /= 2
	}
	return u
}
