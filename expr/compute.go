package expr

import (
	"bytes"
	"slices"

	"github.com/meridiandb/meridian/item"
)

// compute evaluates what SET assigns.
func (b *bound) compute(old item.Item) (item.Value, error) {
	switch b.op {
	case opValue:
		return b.val, nil
	case opPath:
		if v := b.path.get(old); !v.IsZero() {
			return v, nil
		}
		return item.Value{}, errorf(noOperand)
	}
	if b.fn == fnIfNotExists {
		if v := b.kids[0].path.get(old); !v.IsZero() {
			return v, nil
		}
		return b.kids[1].compute(old)
	}
	left, err := b.kids[0].compute(old)
	if err != nil {
		return left, err
	}
	right, err := b.kids[1].compute(old)
	if err != nil {
		return right, err
	}
	if b.fn == fnListAppend {
		return concat(left, right)
	}
	if left.Kind() != item.Number || right.Kind() != item.Number {
		return item.Value{}, errorf(badOperand)
	}
	if b.op == opMinus {
		return number(left.Num().Sub(right.Num()))
	}
	return number(left.Num().Add(right.Num()))
}

func number(n item.Num, err error) (item.Value, error) {
	if err != nil {
		return item.Value{}, err
	}
	return item.NumVal(n), nil
}

func concat(a, b item.Value) (item.Value, error) {
	if a.Kind() != item.List || b.Kind() != item.List {
		return item.Value{}, errorf(badOperand)
	}
	elems := make([]item.Value, 0, a.Len()+b.Len())
	for e := range a.Elems() {
		elems = append(elems, e)
	}
	for e := range b.Elems() {
		elems = append(elems, e)
	}
	return item.NewList(elems), nil
}

// addTo adds a number, the members of a set or, as only the legacy parameters can, the elements of a list.
func addTo(v, more item.Value) (item.Value, error) {
	switch v.Kind() {
	case item.Number:
		return number(v.Num().Add(more.Num()))
	case item.List:
		return concat(v, more)
	}
	return combine(v, more, true, true)
}

// deleteFrom takes members out of a set; the zero Value if none is left.
func deleteFrom(v, members item.Value) (item.Value, error) { return combine(v, members, false, false) }

// combine makes a set of the members of a that are not in b, those in both if asked, and those of b only if asked. It goes
// through both sets once, as they are in one order; searching one for each member of the other takes minutes where an item
// is nothing but a set.
func combine(a, b item.Value, both, second bool) (item.Value, error) {
	out := make([]item.Value, 0, a.Len()+b.Len())
	rest := slices.AppendSeq(make([]item.Value, 0, b.Len()), b.Elems())
	for e := range a.Elems() {
		for len(rest) > 0 && order(rest[0], e) < 0 {
			if second {
				out = append(out, rest[0])
			}
			rest = rest[1:]
		}
		shared := len(rest) > 0 && order(rest[0], e) == 0
		if shared {
			rest = rest[1:]
		}
		if both || !shared {
			out = append(out, e)
		}
	}
	if second {
		out = append(out, rest...)
	}
	if len(out) == 0 {
		return item.Value{}, nil
	}
	return item.NewSet(a.Kind(), out)
}

// order is that of a set's members.
func order(a, b item.Value) int { return bytes.Compare(a.Encoded(), b.Encoded()) }
