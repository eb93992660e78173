package capacity

func roundUp(n, unit int) float64 { return float64((n + unit - 1) / unit) }

// WriteUnits is the price of one standard write of n bytes: at least one.
func WriteUnits(n int) float64 { return max(1, roundUp(n, 1024)) }

// ReadUnits is the price of reading n bytes together: at least one, half of it if eventually consistent.
func ReadUnits(n int, consistent bool) float64 {
	u := max(1, roundUp(n, 4096))
	if !consistent {
		u /= 2
	}
	return u
}

// Cost is what one request, or one part of it, consumes of a table. All units are multiples of a half.
type Cost struct {
	Table   float64
	Indexes []IndexCost // touched ones only
}

// IndexCost is one index's share.
type IndexCost struct {
	Name   string
	Global bool
	Units  float64
}

// Total is the sum over table and indexes.
func (c Cost) Total() float64 {
	t := c.Table
	for _, i := range c.Indexes {
		t += i.Units
	}
	return t
}

// Doubled is the cost in a transaction: the table's share twice, those of the indexes once.
func (c Cost) Doubled() Cost {
	c.Table *= 2
	return c
}

// own is what the table's own bucket pays: local indexes have none.
func (c Cost) own() float64 {
	t := c.Table
	for _, i := range c.Indexes {
		if !i.Global {
			t += i.Units
		}
	}
	return t
}
