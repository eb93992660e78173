package item

import (
	"bytes"
	"encoding/binary"
)

// Shape writes many items of much the same attributes, as pages hold them. It remembers how each attribute of the item before
// began, in the store and in JSON: where the next item's begins alike, its beginning is copied instead of made. The zero Shape
// is ready, and can be used for items of any table after those of another.
type Shape struct{ fields []likeness }

// likeness is the beginning of an attribute that is a string, in its place.
type likeness struct {
	stored []byte // name with its length, tag
	json   []byte // comma unless it is the first, name, type, the quote before the text
	name   int    // length
}

// Bounds of what is remembered.
const (
	maxLike     = 64
	maxLikeName = 64
)

// AppendJSON writes an item as Item.AppendJSON does, and tells its Size.
func (s *Shape) AppendJSON(dst []byte, it Item) (_ []byte, size int) {
	if it.IsZero() {
		return append(dst, "null"...), 0
	}
	dst = append(dst, '{')
	n, k := binary.Uvarint(it.enc)
	b := it.enc[k:]
	for i := range int(n) { //nolint:gosec // fewer than bytes
		if i < len(s.fields) {
			if f := &s.fields[i]; bytes.HasPrefix(b, f.stored) {
				var text []byte
				text, b = splitText(b[len(f.stored):])
				dst = append(dst, f.json...)
				dst = append(appendUnquoted(dst, text), '"', '}')
				size += f.name + len(text)
				continue
			}
		}
		name, v, rest := splitField(b)
		from := len(dst)
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendQuoted(dst, name), ':')
		size += len(name)
		if v.enc[0] == tagString {
			dst = append(dst, `{"S":"`...)
			s.learn(i, b, name, dst[from:])
			text := v.body()
			dst = append(appendUnquoted(dst, text), '"', '}')
			size += len(text)
		} else {
			dst = v.AppendJSON(dst)
			size += v.Size()
		}
		b = rest
	}
	return append(dst, '}'), size
}

// learn remembers how attribute i began. Attributes in front of it that are no strings are remembered as like nothing.
func (s *Shape) learn(i int, field, name, json []byte) {
	if i >= maxLike || len(name) > maxLikeName {
		return
	}
	for len(s.fields) <= i {
		s.fields = append(s.fields, likeness{stored: []byte{0, 0}}) // no value has the tag 0
	}
	f := &s.fields[i]
	_, k := binary.Uvarint(field)
	f.stored = append(f.stored[:0], field[:k+len(name)+1]...)
	f.json, f.name = append(f.json[:0], json...), len(name)
}

// splitText takes a text with its length off trusted bytes.
func splitText(b []byte) (text, rest []byte) {
	l, k := uint64(b[0]), 1
	if l >= 0x80 {
		l, k = binary.Uvarint(b)
	}
	end := k + int(l) //nolint:gosec // it lies within b
	return b[k:end], b[end:]
}
