package expr

import (
	"bytes"

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
		for _, k := range b.kids[1:] {
			if equal(v, k.value(it)) {
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
	l, r := b.kids[0].value(it), b.kids[1].value(it)
	switch b.op {
	case opEQ:
		return equal(l, r)
	case opNE:
		return !equal(l, r)
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

// size counts bytes of strings and binaries and elements of collections; other types have none.
func size(v item.Value) item.Value {
	switch v.Kind() {
	case item.None, item.Number, item.Bool, item.Null:
		return item.Value{}
	}
	return item.NumVal(item.NumFromInt(int64(v.Len())))
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
		return !first.IsZero() && first.Kind().String() == second.Text()
	case fnBeginsWith:
		k := first.Kind()
		return (k == item.String || k == item.Binary) && k == second.Kind() && bytes.HasPrefix(first.Bytes(), second.Bytes())
	}
	return Contains(first, second)
}

// Contains is the rule of the contains function: part of a string or binary, member of a set, element of a list.
func Contains(v, part item.Value) bool {
	switch k := v.Kind(); {
	case part.IsZero():
		return false
	case k == item.String || k == item.Binary:
		return part.Kind() == k && bytes.Contains(v.Bytes(), part.Bytes())
	case k.IsSet() || k == item.List:
		return v.Has(part)
	}
	return false
}
