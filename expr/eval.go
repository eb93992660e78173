package expr

import (
	"bytes"
	"unicode/utf8"

	"github.com/meridiandb/meridian/item"
)

// Eval tests an item; the zero Item is one that does not exist. Data of an unfitting type makes a condition false and is
// never an error (DYNAMODB.md 4.5); err is nil today and there for conditions that data can break.
func (c *Condition) Eval(it item.Item) (ok bool, err error) { return c.root.test(it), nil }

// test evaluates a part that says yes or no.
func (b *bound) test(it item.Item) bool {
	switch b.op {
	case opAnd:
		return b.kids[0].test(it) && b.kids[1].test(it)
	case opOr:
		return b.kids[0].test(it) || b.kids[1].test(it)
	case opNot:
		return !b.kids[0].test(it)
	case opFunc:
		return b.call(it)
	case opIn:
		v := b.kids[0].value(it)
		for i := range b.kids[1:] {
			if equal(v, b.kids[1+i].value(it)) {
				return true
			}
		}
		return false
	case opBetween:
		v := b.kids[0].value(it)
		lo, ok1 := item.Compare(b.kids[1].value(it), v)
		hi, ok2 := item.Compare(v, b.kids[2].value(it))
		return ok1 && ok2 && lo <= 0 && hi <= 0
	}
	return b.compare(b.kids[0].value(it), b.kids[1].value(it))
}

func (b *bound) compare(l, r item.Value) bool {
	switch b.op {
	case opEQ:
		return equal(l, r)
	case opNE: // what has no size differs from nothing; what is missing differs from everything
		return !equal(l, r) && !b.kids[0].sizeless(l) && !b.kids[1].sizeless(r)
	}
	c, ok := item.Compare(l, r)
	if !ok {
		return false
	}
	switch b.op {
	case opLT:
		return c < 0
	case opLE:
		return c <= 0
	case opGT:
		return c > 0
	}
	return c >= 0
}

// sizeless reports whether v is the size of what has none.
func (b *bound) sizeless(v item.Value) bool { return b.op == opFunc && v.IsZero() }

// equal is false when either side is missing.
func equal(a, b item.Value) bool { return !a.IsZero() && a.Equal(b) }

// value evaluates a part that stands for a value; zero if it is missing.
func (b *bound) value(it item.Item) item.Value {
	switch b.op {
	case opPath:
		return b.path.get(it)
	case opValue:
		return b.val
	}
	return size(b.kids[0].value(it)) // the only function with a value
}

// size counts the bytes of a binary and the elements of collections; other types have none. A string's are its UTF-16 code
// units: the service counts as Java does.
func size(v item.Value) item.Value {
	n := 0
	switch kind := v.Kind(); {
	case kind == item.None || !sized(kind):
		return item.Value{}
	case kind == item.String:
		n = utf16Len(v.Bytes())
	default:
		n = v.Len()
	}
	return item.NumVal(item.NumFromInt(int64(n)))
}

func utf16Len(s []byte) int {
	n := 0
	for _, c := range s {
		if utf8.RuneStart(c) {
			n++
		}
		if c >= 0xf0 { // four bytes: a pair of surrogates
			n++
		}
	}
	return n
}

func (b *bound) call(it item.Item) bool {
	first := b.kids[0].value(it)
	switch b.fn {
	case fnExists:
		return !first.IsZero()
	case fnNotExists:
		return first.IsZero()
	}
	second := b.kids[1].value(it)
	switch b.fn {
	case fnType:
		return first.Kind().String() == string(second.Bytes()) && !first.IsZero()
	case fnBeginsWith:
		return begins(first.Kind()) && first.Kind() == second.Kind() && bytes.HasPrefix(first.Bytes(), second.Bytes())
	}
	return contains(first, second)
}

// contains is the rule of the function: part of a string or binary, member of a set, element of a list.
func contains(v, part item.Value) bool {
	switch k := v.Kind(); {
	case part.IsZero():
		return false
	case begins(k):
		return part.Kind() == k && bytes.Contains(v.Bytes(), part.Bytes())
	}
	return v.Has(part)
}
