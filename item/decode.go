package item

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// ErrEncoding says that bytes are not the canonical form of a value.
var ErrEncoding = errors.New("item: malformed value")

// Trusted wraps bytes that this package wrote and that a checksum has guarded since.
func Trusted(enc []byte) Value { return Value{enc} }

// TrustedItem is Trusted for an item; nil bytes are no item.
func TrustedItem(enc []byte) Item { return Item{enc} }

// Decode reads a value's bytes from anywhere, refusing what is not canonical. The value keeps them.
func Decode(enc []byte) (Value, error) {
	rest, ok := check(enc, 1)
	if !ok || len(rest) != 0 {
		return Value{}, ErrEncoding
	}
	return Value{enc}, nil
}

// DecodeItem reads an item's bytes from anywhere, refusing what is not canonical. The item keeps them.
func DecodeItem(enc []byte) (Item, error) {
	if rest, ok := checkFields(enc, 1); !ok || len(rest) != 0 {
		return Item{}, ErrEncoding
	}
	return Item{enc}, nil
}

// checkDepth is above MaxDepth, so that what was accepted once can always be read, and small enough for any stack.
const checkDepth = 2 * MaxDepth

func check(b []byte, depth int) (rest []byte, ok bool) {
	if len(b) == 0 || depth > checkDepth {
		return nil, false
	}
	tag := b[0]
	switch tag {
	case tagFalse, tagTrue, tagNull:
		return b[1:], true
	}
	n, k := uvarint(b[1:])
	if k == 0 || uint64(len(b)-1-k) < n || tag == 0 || tag > tagMap {
		return nil, false
	}
	body := b[1+k : 1+k+int(n)]
	rest = b[1+k+int(n):]
	switch tag {
	case tagString, tagBinary:
		return rest, true
	case tagNumber:
		_, used, ok := numFromBytes(body)
		return rest, ok && used == len(body)
	case tagMap:
		left, ok := checkFields(body, depth+1)
		return rest, ok && len(left) == 0
	}
	left, ok := checkElems(body, tag, depth+1)
	return rest, ok && len(left) == 0
}

func checkElems(b []byte, tag byte, depth int) (rest []byte, ok bool) {
	n, k := uvarint(b)
	if k == 0 || n > uint64(len(b)) {
		return nil, false
	}
	b = b[k:]
	set := tag != tagList
	if set && n == 0 {
		return nil, false
	}
	var last []byte
	for range n {
		after, ok := check(b, depth)
		if !ok {
			return nil, false
		}
		e := b[:len(b)-len(after)]
		if set && (tagKinds[e[0]] != tagKinds[tag].Member() || (last != nil && bytes.Compare(last, e) >= 0)) {
			return nil, false
		}
		last, b = e, after
	}
	return b, true
}

func checkFields(b []byte, depth int) (rest []byte, ok bool) {
	n, k := uvarint(b)
	if k == 0 || n > uint64(len(b)) {
		return nil, false
	}
	b = b[k:]
	var last []byte
	for i := range n {
		l, k := uvarint(b)
		if k == 0 || uint64(len(b)-k) < l {
			return nil, false
		}
		name := b[k : k+int(l)]
		if i > 0 && bytes.Compare(last, name) >= 0 {
			return nil, false
		}
		last = name
		if b, ok = check(b[k+int(l):], depth); !ok {
			return nil, false
		}
	}
	return b, true
}

// uvarint reads a number in its shortest form; k is 0 if there is none.
func uvarint(b []byte) (n uint64, k int) {
	n, k = binary.Uvarint(b)
	if k < 0 || (k > 1 && b[k-1] == 0) {
		return 0, 0
	}
	return n, k
}
