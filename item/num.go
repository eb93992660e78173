package item

import (
	"bytes"
	"strconv"
	"strings"
)

// Num is a decimal of up to 38 significant digits, zero or of magnitude 1E-130 to 9.99…E+125. It is exact and canonical:
// equal numbers are == equal. The zero Num is not a number; use NumFromInt(0).
//
// Its bytes compare like the numbers, and none is a prefix of another's:
//
//	offset  size  field
//	0       1     sign: 0 negative, 1 zero, 2 positive
//	1       1     exponent of the first digit + 130 (not for zero)
//	2       1-19  the digits in pairs from the first, each pair + 1, the last filled up with 0 (not for zero)
//	…       1     0 (not for zero)
//
// All bytes after the sign are inverted if it is negative.
type Num struct {
	n uint8
	b [22]byte
}

const (
	maxDigits   = 38
	minExponent = -130 // of the first digit
	maxExponent = 125
)

const (
	overflowText  = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	underflowText = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	precisionText = "Attempting to store more than 38 significant digits in a Number"
)

func errNotNumeric(s []byte) error {
	if len(s) == 0 {
		return &ValidationError{"The parameter cannot be converted to a numeric value"}
	}
	return &ValidationError{"The parameter cannot be converted to a numeric value: " + string(s)}
}

// ParseNum reads a decimal: optional sign, digits, optional fraction, optional exponent. Errors are *ValidationError.
func ParseNum(s []byte) (Num, error) {
	p := decimalParser{rest: s}
	if !p.parse() {
		return Num{}, errNotNumeric(s)
	}
	return p.num()
}

// decimalParser collects the significant digits of a decimal.
type decimalParser struct {
	rest   []byte
	neg    bool
	digits [maxDigits + 1]byte // significant ones, no leading zeros; the last is only a witness of too many
	n      int                 // of digits seen from the first significant one, trailing zeros included
	kept   int                 // digits up to the last that is not zero
	point  int                 // exponent of the first significant digit
	seen   bool                // any digit
}

func (p *decimalParser) parse() bool {
	if len(p.rest) > 0 && (p.rest[0] == '-' || p.rest[0] == '+') {
		p.neg = p.rest[0] == '-'
		p.rest = p.rest[1:]
	}
	whole := p.run(true)
	p.point = whole - 1
	if len(p.rest) > 0 && p.rest[0] == '.' {
		p.rest = p.rest[1:]
		p.run(false)
	}
	if !p.seen {
		return false
	}
	if len(p.rest) > 0 && (p.rest[0] == 'e' || p.rest[0] == 'E') {
		return p.exponent(p.rest[1:])
	}
	return len(p.rest) == 0
}

// run reads digits before or after the point and returns how many significant places stand before it.
func (p *decimalParser) run(whole bool) int {
	for len(p.rest) > 0 && p.rest[0] >= '0' && p.rest[0] <= '9' {
		c := p.rest[0] - '0'
		p.rest = p.rest[1:]
		p.seen = true
		if p.n == 0 && c == 0 {
			if !whole {
				p.point--
			}
			continue
		}
		if p.n < len(p.digits) {
			p.digits[p.n] = c
		}
		p.n++
		if c != 0 {
			p.kept = p.n
		}
	}
	return p.n
}

func (p *decimalParser) exponent(s []byte) bool {
	neg := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if len(s) == 0 {
		return false
	}
	e := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
		e = min(e*10+int(c-'0'), 1<<30)
	}
	if neg {
		e = -e
	}
	p.point += e
	return true
}

func (p *decimalParser) num() (Num, error) {
	switch {
	case p.kept == 0:
		return numZero(), nil
	case p.point > maxExponent:
		return Num{}, &ValidationError{overflowText}
	case p.point < minExponent:
		return Num{}, &ValidationError{underflowText}
	case p.kept > maxDigits:
		return Num{}, &ValidationError{precisionText}
	}
	return makeNum(p.neg, p.point, p.digits[:p.kept]), nil
}

func numZero() Num { return Num{n: 1, b: [22]byte{1}} }

// makeNum encodes digits (1 to 38, the first and last not zero) with the exponent of the first.
func makeNum(neg bool, exp int, digits []byte) Num {
	var x Num
	x.b[0] = 2
	x.b[1] = byte(exp - minExponent)
	k := 2
	for i := 0; i < len(digits); i += 2 {
		d := digits[i] * 10
		if i+1 < len(digits) {
			d += digits[i+1]
		}
		x.b[k] = d + 1
		k++
	}
	x.n = uint8(k + 1)
	if neg {
		x.b[0] = 0
		for i := 1; i < int(x.n); i++ {
			x.b[i] = ^x.b[i]
		}
	}
	return x
}

// parts takes a number apart: digits are appended to dst.
func (x Num) parts(dst []byte) (neg bool, exp int, digits []byte) {
	if x.b[0] == 1 {
		return false, 0, dst
	}
	var flip byte
	if neg = x.b[0] == 0; neg {
		flip = 0xff
	}
	exp = int(x.b[1]^flip) + minExponent
	for i := 2; i < int(x.n)-1; i++ {
		d := x.b[i] ^ flip - 1
		dst = append(dst, d/10, d%10)
	}
	if dst[len(dst)-1] == 0 {
		dst = dst[:len(dst)-1]
	}
	return neg, exp, dst
}

// IsZero reports whether the number is 0.
func (x Num) IsZero() bool { return x.b[0] == 1 && x.n == 1 }

// Cmp compares by value.
func (x Num) Cmp(y Num) int { return bytes.Compare(x.b[:x.n], y.b[:y.n]) }

// AppendOrdered writes the number's bytes, which compare like numbers.
func (x Num) AppendOrdered(dst []byte) []byte { return append(dst, x.b[:x.n]...) }

// numFromBytes reads a number's bytes, refusing any that are not canonical; used is how many they are.
func numFromBytes(b []byte) (x Num, used int, ok bool) {
	if len(b) == 0 || b[0] > 2 {
		return Num{}, 0, false
	}
	if b[0] == 1 {
		return numZero(), 1, true
	}
	var flip byte
	if b[0] == 0 {
		flip = 0xff
	}
	for i := 2; i < len(b) && i < len(x.b); i++ {
		d := b[i] ^ flip
		if d == 0 {
			if i == 2 || b[2]^flip < 11 || b[i-1]^flip == 1 { // no digits, a leading zero, a last pair of zeros
				return Num{}, 0, false
			}
			x.n = uint8(i + 1)
			copy(x.b[:], b[:i+1])
			return x, i + 1, true
		}
		if d > 100 {
			return Num{}, 0, false
		}
	}
	return Num{}, 0, false
}

// AppendText writes the number in plain decimal, never with an exponent.
func (x Num) AppendText(dst []byte) []byte {
	var buf [maxDigits + 1]byte
	neg, exp, digits := x.parts(buf[:0])
	if len(digits) == 0 {
		return append(dst, '0')
	}
	if neg {
		dst = append(dst, '-')
	}
	if exp < 0 {
		dst = append(dst, '0', '.')
		for range -exp - 1 {
			dst = append(dst, '0')
		}
	}
	for i, d := range digits {
		if i > 0 && i == exp+1 {
			dst = append(dst, '.')
		}
		dst = append(dst, '0'+d)
	}
	for i := len(digits); i <= exp; i++ {
		dst = append(dst, '0')
	}
	return dst
}

func (x Num) String() string { return string(x.AppendText(nil)) }

// NumFromInt makes a number of an integer.
func NumFromInt(i int64) Num {
	x, err := ParseNum(strconv.AppendInt(nil, i, 10))
	if err != nil {
		panic(err) // 19 digits always fit
	}
	return x
}

// Int64 returns the number if it is an integer in the range of int64; the zero Num is none.
func (x Num) Int64() (int64, bool) {
	if x.n == 0 {
		return 0, false
	}
	s := x.String()
	if len(s) > 20 || strings.IndexByte(s, '.') >= 0 {
		return 0, false
	}
	i, err := strconv.ParseInt(s, 10, 64)
	return i, err == nil
}

// size is the number's part in an item's size (DYNAMODB.md 3.4).
func (x Num) size() int {
	if x.IsZero() {
		return 1
	}
	var buf [maxDigits + 1]byte
	neg, exp, digits := x.parts(buf[:0])
	// Base-100 digits are aligned at the decimal point: an even exponent of the first digit leaves it alone in its pair.
	n := len(digits)
	if exp&1 == 0 {
		n++
	}
	n = (n+1)/2 + 1
	if neg {
		n++
	}
	return n
}
