package item

import "github.com/cockroachdb/apd/v3"

// exact computes with more digits than any sum of two Nums can have: from 10^125 down to 10^-167.
var exact = apd.BaseContext.WithPrecision(320)

// Add returns x + y, exactly. A result out of range or of more than 38 digits is a *ValidationError.
func (x Num) Add(y Num) (Num, error) {
	if a, ok := x.small(); ok {
		if b, ok := y.small(); ok {
			return NumFromInt(a + b), nil
		}
	}
	return x.combine(y, exact.Add)
}

// Sub returns x - y, as Add.
func (x Num) Sub(y Num) (Num, error) {
	if a, ok := x.small(); ok {
		if b, ok := y.small(); ok {
			return NumFromInt(a - b), nil
		}
	}
	return x.combine(y, exact.Sub)
}

// small is the number as an integer of up to 18 digits, as nearly all that is counted are: two of them make no int64 overflow.
func (x Num) small() (n int64, ok bool) {
	var buf [maxDigits + 1]byte
	neg, exp, digits := x.parts(buf[:0])
	if exp > 17 || exp < len(digits)-1 {
		return 0, false
	}
	for i := range exp + 1 {
		n *= 10
		if i < len(digits) {
			n += int64(digits[i])
		}
	}
	if neg {
		n = -n
	}
	return n, true
}

func (x Num) combine(y Num, op func(d, x, y *apd.Decimal) (apd.Condition, error)) (Num, error) {
	var a, b, sum apd.Decimal
	x.decimal(&a)
	y.decimal(&b)
	if _, err := op(&sum, &a, &b); err != nil {
		return Num{}, &ValidationError{overflowText}
	}
	z, err := ParseNum([]byte(sum.Text('E')))
	if err != nil && err.Error() == precisionText {
		return Num{}, &ValidationError{overflowText}
	}
	return z, err
}

func (x Num) decimal(d *apd.Decimal) {
	var buf [maxDigits + 1]byte
	neg, exp, digits := x.parts(buf[:0])
	if len(digits) == 0 {
		d.SetInt64(0)
		return
	}
	for i := range digits {
		digits[i] += '0'
	}
	d.Coeff.SetString(string(digits), 10)
	d.Exponent = int32(exp - len(digits) + 1)
	d.Negative = neg
}
