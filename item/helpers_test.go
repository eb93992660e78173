package item

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

func readItem(s string) (Item, error) {
	return ReadItem(jsontext.NewDecoder(strings.NewReader(s), jsontext.AllowDuplicateNames(true)))
}

func readValue(s string) (Value, error) {
	return ReadValue(jsontext.NewDecoder(strings.NewReader(s), jsontext.AllowDuplicateNames(true)))
}

func mustRead(t testing.TB, s string) Item {
	t.Helper()
	it, err := readItem(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return it
}

func mustNum(t testing.TB, s string) Num {
	t.Helper()
	n, err := ParseNum([]byte(s))
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return n
}

// random draws values of all types; its seed is printed.
type random struct{ *rand.Rand }

func newRandom(t testing.TB) random {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return random{rand.New(rand.NewPCG(seed, 0))}
}

func (r random) bytes(n int) []byte {
	b := make([]byte, r.IntN(n))
	for i := range b {
		b[i] = byte(r.IntN(4)) * 85 // 0, 85, 170, 255: zeros and equal beginnings are frequent
	}
	return b
}

func (r random) text() string {
	return strings.ToValidUTF8(string(r.bytes(6)), "é\"\\\n\x01\u2028")
}

func (r random) numText() string {
	var b strings.Builder
	if r.IntN(2) == 0 {
		b.WriteByte('-')
	}
	digits := 1 + r.IntN(38)
	if r.IntN(3) > 0 {
		digits = 1 + r.IntN(3)
	}
	point := r.IntN(digits + 1)
	for i := range digits {
		if i == point && i > 0 {
			b.WriteByte('.')
		}
		b.WriteByte('0' + byte(r.IntN(10)))
	}
	if r.IntN(2) == 0 {
		b.WriteString([]string{"e", "E", "e+", "e-"}[r.IntN(4)])
		b.WriteString([]string{"0", "1", "2", "5", "60", "80"}[r.IntN(6)])
	}
	return b.String()
}

func (r random) num() Num {
	for {
		if n, err := ParseNum([]byte(r.numText())); err == nil {
			return n
		}
	}
}

func (r random) scalar(k Kind) Value {
	switch k {
	case String:
		return Str(r.text())
	case Number:
		return NumVal(r.num())
	}
	return Bin(r.bytes(6))
}

func (r random) value(depth int) Value {
	kinds := 10
	if depth == 0 {
		kinds = 8
	}
	switch k := Kind(1 + r.IntN(kinds)); k {
	case String, Number, Binary:
		return r.scalar(k)
	case Bool:
		return BoolVal(r.IntN(2) == 0)
	case Null:
		return NullVal()
	case List:
		var es []Value
		for range r.IntN(4) {
			es = append(es, r.value(depth-1))
		}
		return NewList(es)
	case Map:
		return r.item(depth - 1).Map()
	default:
		var es []Value
		for range 1 + r.IntN(4) {
			if e := r.scalar(k.Member()); !slices.ContainsFunc(es, e.Equal) {
				es = append(es, e)
			}
		}
		v, err := NewSet(k, es)
		if err != nil {
			panic(err)
		}
		return v
	}
}

func (r random) item(depth int) Item {
	var fs []Field
	for range r.IntN(6) {
		fs = append(fs, Field{"n" + r.text(), r.value(depth)})
	}
	return NewItem(fs)
}
