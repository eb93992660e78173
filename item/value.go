package item

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// Value is one attribute value: an immutable view of its bytes. The zero Value is no value.
//
//	offset  size     field
//	0       1        tag
//	1       uvarint  length of the rest (not for BOOL and NULL, which are their tag alone)
//	…       length   S and B: the content. N: the number's bytes (Num).
//	                 L and sets: uvarint count, then the elements, each a Value; sets sorted by their bytes.
//	                 M: uvarint count, then by name: uvarint length, name, Value.
//
// Numbers have one form, set members and map names stand once each and in byte order: equal values are equal bytes.
type Value struct{ enc []byte }

const (
	tagString byte = iota + 1
	tagNumber
	tagBinary
	tagFalse
	tagTrue
	tagNull
	tagStringSet
	tagNumberSet
	tagBinarySet
	tagList
	tagMap
)

var tagKinds = [...]Kind{None, String, Number, Binary, Bool, Bool, Null, StringSet, NumberSet, BinarySet, List, Map}

func (k Kind) tag() byte {
	if k <= Binary {
		return byte(k)
	}
	return byte(k) + 1 // BOOL has two tags
}

// IsZero reports whether there is no value.
func (v Value) IsZero() bool { return len(v.enc) == 0 }

// Kind is the value's type; None for the zero Value.
func (v Value) Kind() Kind {
	if len(v.enc) == 0 {
		return None
	}
	return tagKinds[v.enc[0]]
}

// Encoded returns the value's bytes, which must not be changed.
func (v Value) Encoded() []byte { return v.enc }

// Equal reports whether two values are the same, type and all.
func (v Value) Equal(w Value) bool { return bytes.Equal(v.enc, w.enc) }

// body is what follows the length; nil where there is none.
func (v Value) body() []byte {
	if len(v.enc) < 2 {
		return nil
	}
	_, k := binary.Uvarint(v.enc[1:])
	return v.enc[1+k:]
}

// Bytes is the content of an S or B; it must not be changed.
func (v Value) Bytes() []byte {
	if k := v.Kind(); k != String && k != Binary {
		return nil
	}
	return v.body()
}

// Text is the content of an S.
func (v Value) Text() string { return string(v.Bytes()) }

// Bool is a BOOL's value.
func (v Value) Bool() bool { return len(v.enc) == 1 && v.enc[0] == tagTrue }

// Num is an N's value; the zero Num for other types.
func (v Value) Num() Num {
	if v.Kind() != Number {
		return Num{}
	}
	var n Num
	b := v.body()
	n.n = uint8(copy(n.b[:], b))
	return n
}

// Len is the number of elements of an L, M or set, or the bytes of an S or B; 0 for other types.
func (v Value) Len() int {
	switch v.Kind() {
	case String, Binary:
		return len(v.body())
	case List, Map, StringSet, NumberSet, BinarySet:
		n, _ := binary.Uvarint(v.body())
		return int(n)
	}
	return 0
}

// elements returns the bytes of the elements and how many they are.
func (v Value) elements() (rest []byte, n int) {
	b := v.body()
	c, k := binary.Uvarint(b)
	return b[k:], int(c)
}

// split takes the first value off trusted bytes.
func split(b []byte) (Value, []byte) {
	n := 1
	if b[0] < tagFalse || b[0] > tagNull {
		l, k := binary.Uvarint(b[1:])
		n = 1 + k + int(l)
	}
	return Value{b[:n:n]}, b[n:]
}

// splitField takes the first name and value off trusted bytes.
func splitField(b []byte) (name []byte, v Value, rest []byte) {
	l, k := binary.Uvarint(b)
	name = b[k : k+int(l)]
	v, rest = split(b[k+int(l):])
	return name, v, rest
}

// Elems lists the elements of an L in order, or of a set in byte order.
func (v Value) Elems() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if k := v.Kind(); k != List && !k.IsSet() {
			return
		}
		b, n := v.elements()
		for range n {
			var e Value
			if e, b = split(b); !yield(e) {
				return
			}
		}
	}
}

// Index is an L's element, the zero Value out of range.
func (v Value) Index(i int) Value {
	if v.Kind() != List || i < 0 || i >= v.Len() {
		return Value{}
	}
	b, _ := v.elements()
	var e Value
	for range i + 1 {
		e, b = split(b)
	}
	return e
}

// Fields lists an M's members in name order.
func (v Value) Fields() iter.Seq2[string, Value] {
	if v.Kind() != Map {
		return func(func(string, Value) bool) {}
	}
	return v.Item().Attrs()
}

// Field is an M's member, the zero Value if there is none.
func (v Value) Field(name string) Value {
	if v.Kind() != Map {
		return Value{}
	}
	return v.Item().Get(name)
}

// Has reports whether e is a member of a set or an element of an L.
func (v Value) Has(e Value) bool {
	for m := range v.Elems() {
		if m.Equal(e) {
			return true
		}
	}
	return false
}

// Item views an M as an item; the zero Item for other types.
func (v Value) Item() Item {
	if v.Kind() != Map {
		return Item{}
	}
	return Item{v.body()}
}

// Compare orders two values of one type of S, N, B: strings and binaries by bytes, numbers by value. ok is false for
// others.
func Compare(a, b Value) (c int, ok bool) {
	k := a.Kind()
	if k != b.Kind() || k < String || k > Binary {
		return 0, false
	}
	return bytes.Compare(a.body(), b.body()), true // a number's bytes compare like numbers
}

// Size is the value's part in an item's size (DYNAMODB.md 3.4).
func (v Value) Size() int {
	switch v.Kind() {
	case String, Binary:
		return v.Len()
	case Number:
		return v.Num().size()
	case Bool, Null:
		return 1
	case StringSet, NumberSet, BinarySet:
		n := 0
		for e := range v.Elems() {
			n += e.Size()
		}
		return n
	case List:
		n := 3
		for e := range v.Elems() {
			n += 1 + e.Size()
		}
		return n
	case Map:
		n := 3
		b, c := v.elements()
		for range c {
			var name []byte
			var e Value
			name, e, b = splitField(b)
			n += 1 + len(name) + e.Size()
		}
		return n
	}
	return 0
}

// Depth is how many levels a value has: 1 for a scalar, a set or an empty container, one more than its deepest element for
// an L or M. At most MaxDepth are allowed, so that a document path to any value has at most as many elements.
func (v Value) Depth() int {
	deepest := 0
	switch v.Kind() {
	case List:
		for e := range v.Elems() {
			deepest = max(deepest, e.Depth())
		}
	case Map:
		for _, e := range v.Fields() {
			deepest = max(deepest, e.Depth())
		}
	}
	return deepest + 1
}
