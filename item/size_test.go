package item

import (
	"strings"
	"testing"
)

// DYNAMODB.md 3.4.
func TestSize(t *testing.T) {
	for in, want := range map[string]int{
		`{}`:                           0,
		`{"a":{"S":""}}`:               1,
		`{"é":{"S":"ü😀"}}`:             2 + 6,
		`{"a":{"B":"AAAAAA=="}}`:       1 + 4,
		`{"a":{"BOOL":true}}`:          2,
		`{"a":{"NULL":true}}`:          2,
		`{"a":{"SS":["ab","c"]}}`:      1 + 3,
		`{"a":{"NS":["1","22"]}}`:      1 + 2 + 2,
		`{"a":{"BS":["AAAA"]}}`:        1 + 3,
		`{"a":{"L":[]}}`:               1 + 3,
		`{"a":{"M":{}}}`:               1 + 3,
		`{"a":{"L":[{"S":"x"}]}}`:      1 + 3 + 1 + 1,
		`{"a":{"M":{"kk":{"S":"x"}}}}`: 1 + 3 + 1 + 2 + 1,
		`{"a":{"N":"0"}}`:              1 + 1,
		`{"a":{"N":"1"}}`:              1 + 2,
		`{"a":{"N":"-1"}}`:             1 + 3,
		`{"a":{"N":"100"}}`:            1 + 2,
		`{"a":{"N":"12"}}`:             1 + 2,
		`{"a":{"N":"123"}}`:            1 + 3,
		`{"a":{"N":"0.12"}}`:           1 + 2,
		`{"a":{"N":"1.2"}}`:            1 + 3, // its digits fall on both sides of the point
		`{"a":{"N":"12345678901234567890123456789012345678"}}`: 1 + 20,
	} {
		if n := mustRead(t, in).Size(); n != want {
			t.Errorf("%s: %d bytes, want %d", in, n, want)
		}
	}
}

// naive is the rule written down over a tree.
func naive(v Value) int {
	switch v.Kind() {
	case String, Binary:
		return len(v.Bytes())
	case Bool, Null:
		return 1
	case Number:
		s := strings.TrimLeft(v.Num().String(), "-")
		if s == "0" {
			return 1
		}
		whole, frac, _ := strings.Cut(s, ".")
		if len(whole)%2 == 1 { // pairs of digits are aligned at the point
			whole = "0" + whole
		}
		if len(frac)%2 == 1 {
			frac += "0"
		}
		all := whole + frac
		for strings.HasPrefix(all, "00") {
			all = all[2:]
		}
		for strings.HasSuffix(all, "00") {
			all = all[:len(all)-2]
		}
		n := len(all)/2 + 1
		if strings.HasPrefix(v.Num().String(), "-") {
			n++
		}
		return n
	case List:
		n := 3
		for e := range v.Elems() {
			n += 1 + naive(e)
		}
		return n
	case Map:
		n := 3
		for name, e := range v.Fields() {
			n += 1 + len(name) + naive(e)
		}
		return n
	}
	n := 0
	for e := range v.Elems() {
		n += naive(e)
	}
	return n
}

func TestSizeOfAnything(t *testing.T) {
	r := newRandom(t)
	for range 5000 {
		v := r.value(3)
		if v.Size() != naive(v) {
			t.Fatalf("%s: %d bytes, want %d", v.AppendJSON(nil), v.Size(), naive(v))
		}
	}
}
