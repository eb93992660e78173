package item

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"
)

// DYNAMODB.md 3.3.
func TestNum(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for in, want := range map[string]string{
		"007": "7", "1.0": "1", "1e3": "1000", "1.50": "1.5", "-0": "0", "0e5": "0", "1e-20": "0.00000000000000000001",
		".5": "0.5", "5.": "5", "-12.340": "-12.34", "+7": "7", "1E+2": "100", "0.05": "0.05", "10.05": "10.05", nines: nines, "0.0e126": "0",
		"1e125":                                "1" + strings.Repeat("0", 125),
		"-1e-130":                              "-0." + strings.Repeat("0", 129) + "1",
		nines + "e88":                          nines + strings.Repeat("0", 88),
		"0." + nines:                           "0." + nines,
		"1" + strings.Repeat("0", 60) + "e-60": "1", // zeros do not count as digits
		"000000.000e999999999999":              "0",
	} {
		n := mustNum(t, in)
		if n.String() != want {
			t.Errorf("%s is %s, not %s", in, n, want)
		}
		if m, used, ok := numFromBytes(n.AppendOrdered(nil)); !ok || m != n || used != int(n.n) {
			t.Errorf("%s: its bytes %x are not read back", in, n.AppendOrdered(nil))
		}
	}
	for in, want := range map[string]string{
		"": "The parameter cannot be converted to a numeric value", "x": "The parameter cannot be converted to a numeric value: x",
		" 1": "The parameter cannot be converted to a numeric value:  1", "1e": "The parameter cannot be converted to a numeric value: 1e",
		"NaN": "The parameter cannot be converted to a numeric value: NaN", "Infinity": "The parameter cannot be converted to a numeric value: Infinity",
		".": "The parameter cannot be converted to a numeric value: .", "--1": "The parameter cannot be converted to a numeric value: --1",
		"1_000": "The parameter cannot be converted to a numeric value: 1_000", "0x10": "The parameter cannot be converted to a numeric value: 0x10",
		"1e126": overflowText, "-1e999999999999999999": overflowText, nines + "9e88": overflowText,
		"1e-131": underflowText, "1e-999999999999999999": underflowText,
		nines + "1": precisionText, "1.00000000000000000000000000000000000001": precisionText,
	} {
		var ve *ValidationError
		if _, err := ParseNum([]byte(in)); !errors.As(err, &ve) || err.Error() != want {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
}

// rat reads a decimal as math/big does.
func rat(t testing.TB, s string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("math/big does not read %q", s)
	}
	return r
}

// Numbers have the value that math/big reads, compare like it, and so do their bytes; none is a prefix of another's.
func TestNumOrder(t *testing.T) {
	r := newRandom(t)
	var texts []string
	for len(texts) < 200 {
		s := r.numText()
		if n, err := ParseNum([]byte(s)); err == nil {
			texts = append(texts, s)
			if rat(t, s).Cmp(rat(t, n.String())) != 0 {
				t.Fatalf("%s is written as %s", s, n)
			}
		}
	}
	for _, s := range texts {
		for _, u := range texts {
			x, y := mustNum(t, s), mustNum(t, u)
			want := rat(t, s).Cmp(rat(t, u))
			bx, by := x.AppendOrdered(nil), y.AppendOrdered(nil)
			if x.Cmp(y) != want || bytes.Compare(bx, by) != want || (x == y) != (want == 0) {
				t.Fatalf("%s and %s compare as %d, their bytes %x and %x as %d; it is %d", s, u, x.Cmp(y), bx, by, bytes.Compare(bx, by), want)
			}
			if want != 0 && bytes.HasPrefix(bx, by) {
				t.Fatalf("the bytes of %s begin with those of %s", s, u)
			}
		}
	}
}

// Sums are exact or refused: more than 38 digits, or out of range.
func TestArithmetic(t *testing.T) {
	r := newRandom(t)
	exact := apd.BaseContext.WithPrecision(600)
	for range 5000 {
		x, y := r.num(), r.num()
		a, _, _ := apd.NewFromString(x.String())
		b, _, _ := apd.NewFromString(y.String())
		for name, op := range map[string]struct {
			do   func(Num, Num) (Num, error)
			want func(d, x, y *apd.Decimal) (apd.Condition, error)
		}{"+": {Num.Add, exact.Add}, "-": {Num.Sub, exact.Sub}} {
			var sum apd.Decimal
			if _, err := op.want(&sum, a, b); err != nil {
				t.Fatal(err)
			}
			want, wantErr := ParseNum([]byte(sum.Text('f')))
			got, err := op.do(x, y)
			if wantErr != nil {
				if err == nil {
					t.Fatalf("%s %s %s = %s, but it is %s", x, name, y, got, sum.String())
				}
				continue
			}
			if err != nil || got != want {
				t.Fatalf("%s %s %s = %s, %v; it is %s", x, name, y, got, err, want)
			}
		}
	}
	big, one := mustNum(t, "1e125"), mustNum(t, "1")
	if _, err := big.Add(one); err == nil || err.Error() != overflowText {
		t.Errorf("1e125 + 1: %v", err)
	}
	if _, err := mustNum(t, "9e125").Add(mustNum(t, "9e125")); err == nil || err.Error() != overflowText {
		t.Errorf("9e125 + 9e125: %v", err)
	}
}

func TestInt64(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "-7": -7, "9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63, "1e3": 1000} {
		if n, ok := mustNum(t, s).Int64(); !ok || n != want {
			t.Errorf("%s: %d %v", s, n, ok)
		}
	}
	for _, s := range []string{"0.5", "9223372036854775808", "1e100"} {
		if n, ok := mustNum(t, s).Int64(); ok {
			t.Errorf("%s: %d", s, n)
		}
	}
	if _, ok := (Num{}).Int64(); ok {
		t.Error("the zero Num is a number")
	}
}

// FuzzNum: any text is refused, or read as math/big reads it; any bytes are refused, or a number's own.
func FuzzNum(f *testing.F) {
	for _, s := range []string{"1", "-0.5e10", "1e125", "1e-130", "007", ".", "\x02\x83\x02\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if x, used, ok := numFromBytes([]byte(s)); ok {
			if !bytes.Equal(x.AppendOrdered(nil), []byte(s[:used])) || mustNum(t, x.String()) != x {
				t.Fatalf("%x is read as %s, whose bytes are %x", s, x, x.AppendOrdered(nil))
			}
		}
		x, err := ParseNum([]byte(s))
		if err != nil || len(s) > 300 {
			return
		}
		if want, ok := new(big.Rat).SetString(s); x.IsZero() || !ok || want.Cmp(rat(t, x.String())) == 0 {
			return
		}
		t.Fatalf("%q is read as %s", s, x)
	})
}

// The short way for integers comes to the same as decimals do, at its edges too.
func TestSmallArithmetic(t *testing.T) {
	var all []Num
	for _, s := range []string{
		"0", "1", "-1", "7", "10", "99", "100", "-100", "123456789", "999999999999999999", "-999999999999999999", "1000000000000000000",
		"-1000000000000000000", "99999999999999999900", "1e17", "1e18", "1e125", "0.5", "-1.5", "12e3", "1e-130", "123456789012345678901234567890",
	} {
		all = append(all, mustNum(t, s))
	}
	for _, x := range all {
		for _, y := range all {
			sum, err := x.Add(y)
			want, err2 := x.combine(y, exact.Add)
			if sum != want || (err == nil) != (err2 == nil) {
				t.Errorf("%s + %s = %s, not %s", x, y, sum, want)
			}
			difference, err := x.Sub(y)
			want, err2 = x.combine(y, exact.Sub)
			if difference != want || (err == nil) != (err2 == nil) {
				t.Errorf("%s - %s = %s, not %s", x, y, difference, want)
			}
		}
	}
}
