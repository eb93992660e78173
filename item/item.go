package item

import (
	"bytes"
	"encoding/binary"
	"iter"
	"slices"
)

// Item is the attributes of one item: the same bytes as an M's after its length. The zero Item is no item; an item without
// attributes, which a projection can leave, is not zero.
type Item struct{ enc []byte }

// Field is a name and a value.
type Field struct {
	Name  string
	Value Value
}

// IsZero reports whether there is no item.
func (it Item) IsZero() bool { return it.enc == nil }

// Encoded returns the item's bytes, which must not be changed; nil for the zero Item.
func (it Item) Encoded() []byte { return it.enc }

// Equal reports whether two items have the same attributes; no item equals no item only.
func (it Item) Equal(o Item) bool {
	return it.IsZero() == o.IsZero() && bytes.Equal(it.enc, o.enc)
}

// Len is the number of attributes.
func (it Item) Len() int {
	n, _ := binary.Uvarint(it.enc)
	return int(n)
}

// Get is an attribute's value, the zero Value if there is none.
func (it Item) Get(name string) Value {
	n, k := binary.Uvarint(it.enc)
	b := it.enc[k:]
	for range n {
		var have []byte
		var v Value
		have, v, b = splitField(b)
		if string(have) >= name {
			if string(have) == name {
				return v
			}
			return Value{}
		}
	}
	return Value{}
}

// Attrs lists the attributes in name order.
func (it Item) Attrs() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		n, k := binary.Uvarint(it.enc)
		b := it.enc[k:]
		for range n {
			var name []byte
			var v Value
			name, v, b = splitField(b)
			if !yield(string(name), v) {
				return
			}
		}
	}
}

// Size is the item's size in DynamoDB's units: names and values of the attributes (DYNAMODB.md 3.4).
func (it Item) Size() int {
	n, k := binary.Uvarint(it.enc)
	b := it.enc[k:]
	size := 0
	for range n {
		var name []byte
		var v Value
		name, v, b = splitField(b)
		size += len(name) + v.Size()
	}
	return size
}

// Project keeps the attributes that are named; names are sorted and each stands once.
func (it Item) Project(names []string) Item {
	if it.IsZero() {
		return it
	}
	n, k := binary.Uvarint(it.enc)
	b := it.enc[k:]
	body, kept := make([]byte, binary.MaxVarintLen32, len(it.enc)+binary.MaxVarintLen32), 0
	for ; n > 0 && len(names) > 0; n-- {
		field := b
		var name []byte
		name, _, b = splitField(b)
		for len(names) > 0 && names[0] < string(name) {
			names = names[1:]
		}
		if len(names) > 0 && names[0] == string(name) {
			body = append(body, field[:len(field)-len(b)]...)
			kept++
		}
	}
	return Item{prefixCount(body, kept)}
}

// prefixCount puts a count into the room that was left for it before a body.
func prefixCount(b []byte, n int) []byte {
	var num [binary.MaxVarintLen64]byte
	k := binary.PutUvarint(num[:], uint64(n))
	b = b[binary.MaxVarintLen32-k:]
	copy(b, num[:k])
	return b
}

// Map views the item as an M.
func (it Item) Map() Value {
	if it.IsZero() {
		return Value{}
	}
	return wrap(tagMap, it.enc)
}

// wrap puts a tag and a length before a body.
func wrap(tag byte, body []byte) Value {
	enc := make([]byte, 0, 1+binary.MaxVarintLen32+len(body))
	enc = append(enc, tag)
	enc = binary.AppendUvarint(enc, uint64(len(body)))
	return Value{append(enc, body...)}
}

// Str makes an S.
func Str(s string) Value { return wrap(tagString, []byte(s)) }

// Bin makes a B.
func Bin(b []byte) Value { return wrap(tagBinary, b) }

// NumVal makes an N.
func NumVal(n Num) Value { return wrap(tagNumber, n.b[:n.n]) }

// BoolVal makes a BOOL.
func BoolVal(b bool) Value {
	if b {
		return Value{[]byte{tagTrue}}
	}
	return Value{[]byte{tagFalse}}
}

// NullVal makes a NULL.
func NullVal() Value { return Value{[]byte{tagNull}} }

// NewList makes an L.
func NewList(elems []Value) Value {
	return wrap(tagList, appendElems(nil, elems))
}

func appendElems(dst []byte, elems []Value) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(elems)))
	for _, e := range elems {
		dst = append(dst, e.enc...)
	}
	return dst
}

// NewSet makes a set of members of the fitting type; elems is sorted in place. An empty set or a double member is a
// *ValidationError.
func NewSet(k Kind, elems []Value) (Value, error) {
	if !k.IsSet() {
		return Value{}, invalid("%s is no set type", k)
	}
	if len(elems) == 0 {
		return Value{}, errEmptySet(k)
	}
	for _, e := range elems {
		if e.Kind() != k.Member() {
			return Value{}, invalid("a member of a %s must be %s and not %s", k, k.Member(), e.Kind())
		}
	}
	given := slices.Clone(elems)
	slices.SortFunc(elems, func(a, b Value) int { return bytes.Compare(a.enc, b.enc) })
	for i := 1; i < len(elems); i++ {
		if elems[i].Equal(elems[i-1]) {
			return Value{}, errDuplicates(k, given)
		}
	}
	return wrap(k.tag(), appendElems(nil, elems)), nil
}

func errEmptySet(k Kind) error {
	switch k {
	case StringSet:
		return invalid("One or more parameter values were invalid: An string set  may not be empty")
	case NumberSet:
		return invalid("One or more parameter values were invalid: An number set  may not be empty")
	}
	return invalid("One or more parameter values were invalid: Binary sets should not be empty")
}

func errDuplicates(k Kind, elems []Value) error {
	if k == NumberSet {
		return invalid("Input collection contains duplicates")
	}
	var b []byte
	for i, e := range elems {
		if i > 0 {
			b = append(b, ", "...)
		}
		if k == StringSet {
			b = append(b, e.Bytes()...)
		} else {
			b = appendBase64(b, e.Bytes())
		}
	}
	if k == StringSet {
		return invalid("One or more parameter values were invalid: Input collection [%s] contains duplicates.", b)
	}
	return invalid("One or more parameter values were invalid: Input collection [%s]of type BS contains duplicates.", b)
}

// NewMap makes an M; of two fields of one name the later counts.
func NewMap(fields []Field) Value { return NewItem(fields).Map() }

// NewItem makes an item; of two fields of one name the later counts. Zero values are left out. fields is sorted in place.
func NewItem(fields []Field) Item {
	slices.SortStableFunc(fields, func(a, b Field) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	n, size := 0, binary.MaxVarintLen32
	skip := func(i int) bool {
		return fields[i].Value.IsZero() || (i+1 < len(fields) && fields[i+1].Name == fields[i].Name)
	}
	for i := range fields {
		if !skip(i) {
			n++
			size += binary.MaxVarintLen16 + len(fields[i].Name) + len(fields[i].Value.enc)
		}
	}
	enc := binary.AppendUvarint(make([]byte, 0, size), uint64(n))
	for i := range fields {
		if !skip(i) {
			enc = appendField(enc, fields[i].Name, fields[i].Value)
		}
	}
	return Item{enc}
}

func appendField(dst []byte, name string, v Value) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(name)))
	dst = append(dst, name...)
	return append(dst, v.enc...)
}

// With returns the item with attributes set, or removed where the Field's Value is zero.
func (it Item) With(changes []Field) Item {
	changed := make(map[string]bool, len(changes))
	for _, c := range changes {
		changed[c.Name] = true
	}
	fields := make([]Field, 0, it.Len()+len(changes))
	for name, v := range it.Attrs() {
		if !changed[name] {
			fields = append(fields, Field{name, v})
		}
	}
	return NewItem(append(fields, changes...))
}
