package item

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/zeebo/xxh3"
)

// KeyAttr is one key attribute.
type KeyAttr struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"` // String, Number or Binary
}

// KeySchema names the key attributes of a table (one HASH, at most one RANGE) or index (a GSI up to four of each).
type KeySchema struct {
	Hash  []KeyAttr `json:"hash"`
	Range []KeyAttr `json:"range,omitempty"`
}

// Key is the values of a schema's attributes, in its order.
type Key struct{ Hash, Range []Value }

const keyMismatch = "The provided key element does not match the schema"

// Names lists the key attributes, HASH first.
func (s KeySchema) Names() []string {
	names := make([]string, 0, len(s.Hash)+len(s.Range))
	for _, a := range s.Hash {
		names = append(names, a.Name)
	}
	for _, a := range s.Range {
		names = append(names, a.Name)
	}
	return names
}

// Has reports whether an attribute is part of the key.
func (s KeySchema) Has(name string) bool {
	is := func(a KeyAttr) bool { return a.Name == name }
	return slices.ContainsFunc(s.Hash, is) || slices.ContainsFunc(s.Range, is)
}

// FromItem takes the key out of a whole item, as PutItem does. Errors are *ValidationError.
func (s KeySchema) FromItem(it Item) (Key, error) {
	var k Key
	get := func(attrs []KeyAttr, limit int) ([]Value, error) {
		vals := make([]Value, len(attrs))
		for i, a := range attrs {
			v := it.Get(a.Name)
			if v.IsZero() {
				return nil, invalid("One or more parameter values were invalid: Missing the key %s in the item", a.Name)
			}
			if v.Kind() != a.Kind {
				return nil, invalid("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s", a.Name, a.Kind, v.Kind())
			}
			if err := checkKeyValue(a, v, limit); err != nil {
				return nil, err
			}
			vals[i] = v
		}
		return vals, nil
	}
	var err error
	if k.Hash, err = get(s.Hash, MaxHashKeySize); err != nil {
		return Key{}, err
	}
	if k.Range, err = get(s.Range, MaxRangeKeySize); err != nil {
		return Key{}, err
	}
	return k, nil
}

// FromKeyArg reads a Key parameter, which must have the key attributes and nothing else. Errors are *ValidationError.
func (s KeySchema) FromKeyArg(arg Item) (Key, error) {
	if arg.IsZero() || arg.Len() != len(s.Hash)+len(s.Range) {
		return Key{}, invalid(keyMismatch)
	}
	for _, attrs := range [][]KeyAttr{s.Hash, s.Range} {
		for _, a := range attrs {
			if arg.Get(a.Name).Kind() != a.Kind {
				return Key{}, invalid(keyMismatch)
			}
		}
	}
	return s.FromItem(arg)
}

func checkKeyValue(a KeyAttr, v Value, limit int) error {
	n := v.Len()
	switch {
	case a.Kind == Number:
		return nil
	case n == 0 && a.Kind == String:
		return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", a.Name)
	case n == 0:
		return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: %s", a.Name)
	case n > limit && limit == MaxHashKeySize:
		return invalid("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
	case n > limit:
		return invalid("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return nil
}

// IndexKey takes an index's key out of an item; ok is false if the item is not in the index: an attribute is missing, of
// another type, empty or too long.
func (s KeySchema) IndexKey(it Item) (k Key, ok bool) {
	get := func(attrs []KeyAttr, limit int) ([]Value, bool) {
		vals := make([]Value, len(attrs))
		for i, a := range attrs {
			v := it.Get(a.Name)
			if v.Kind() != a.Kind || checkKeyValue(a, v, limit) != nil {
				return nil, false
			}
			vals[i] = v
		}
		return vals, true
	}
	if k.Hash, ok = get(s.Hash, MaxHashKeySize); !ok {
		return Key{}, false
	}
	if k.Range, ok = get(s.Range, MaxRangeKeySize); !ok {
		return Key{}, false
	}
	return k, true
}

// AppendFrom appends the ordered bytes of an item's IndexKey without building it; ok is false as there, and nothing is
// appended then.
func (s KeySchema) AppendFrom(dst []byte, it Item) (out []byte, ok bool) {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	add := func(attrs []KeyAttr, limit int) bool {
		for _, a := range attrs {
			v := it.Get(a.Name)
			if v.Kind() != a.Kind || checkKeyValue(a, v, limit) != nil {
				return false
			}
			dst = AppendPart(dst, v)
		}
		return true
	}
	if !add(s.Hash, MaxHashKeySize) {
		return dst[:at], false
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(xxh3.Hash(dst[at+4:])))
	if !add(s.Range, MaxRangeKeySize) {
		return dst[:at], false
	}
	return dst, true
}

// Fields pairs a key's values with their names.
func (s KeySchema) Fields(k Key) []Field {
	fields := make([]Field, 0, len(k.Hash)+len(k.Range))
	for i, a := range s.Hash {
		fields = append(fields, Field{a.Name, k.Hash[i]})
	}
	for i, a := range s.Range {
		fields = append(fields, Field{a.Name, k.Range[i]})
	}
	return fields
}

// Ordered key bytes, which compare as keys do within one partition:
//
//	offset  size  field
//	0       4     hash of the HASH parts' bytes (lower half of their XXH3), big endian: spreads partitions evenly
//	4       …     the HASH parts
//	…       …     the RANGE parts
//
// A part is an N's bytes (Num), or the content of an S or B with 0x00 written as 0x00 0xff, then 0x00 0x01. No part is a
// prefix of another, so parts can follow one another.

// Append writes the key's ordered bytes.
func (k Key) Append(dst []byte) []byte {
	dst = k.AppendHash(dst)
	for _, v := range k.Range {
		dst = AppendPart(dst, v)
	}
	return dst
}

// AppendHash writes the hash and the HASH parts: what all keys of the partition begin with.
func (k Key) AppendHash(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for _, v := range k.Hash {
		dst = AppendPart(dst, v)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(xxh3.Hash(dst[at+4:])))
	return dst
}

// Hash32 is the hash at the head of the ordered bytes.
func (k Key) Hash32() uint32 { return binary.BigEndian.Uint32(k.AppendHash(nil)) }

// AppendPart writes one S, N or B so that bytes compare like values.
func AppendPart(dst []byte, v Value) []byte {
	b := v.body()
	if v.Kind() == Number {
		return append(dst, b...)
	}
	for {
		i := bytes.IndexByte(b, 0)
		if i < 0 {
			break
		}
		dst = append(dst, b[:i]...)
		dst = append(dst, 0, 0xff)
		b = b[i+1:]
	}
	dst = append(dst, b...)
	return append(dst, 0, 1)
}

// ReadPart reads what AppendPart wrote and returns what follows it.
func ReadPart(b []byte, k Kind) (v Value, rest []byte, err error) {
	if k == Number {
		n, used, ok := numFromBytes(b)
		if !ok {
			return Value{}, nil, ErrEncoding
		}
		return NumVal(n), b[used:], nil
	}
	var content []byte
	for {
		i := bytes.IndexByte(b, 0)
		if i < 0 || i+1 >= len(b) {
			return Value{}, nil, ErrEncoding
		}
		content = append(content, b[:i]...)
		mark := b[i+1]
		b = b[i+2:]
		switch mark {
		case 1:
			return wrap(k.tag(), content), b, nil
		case 0xff:
			content = append(content, 0)
		default:
			return Value{}, nil, ErrEncoding
		}
	}
}

// ReadKey reads what Append wrote for this schema and returns what follows it.
func (s KeySchema) ReadKey(b []byte) (k Key, rest []byte, err error) {
	if len(b) < 4 {
		return Key{}, nil, ErrEncoding
	}
	hash, b := binary.BigEndian.Uint32(b), b[4:]
	head := b
	for _, a := range s.Hash {
		var v Value
		if v, b, err = ReadPart(b, a.Kind); err != nil {
			return Key{}, nil, err
		}
		k.Hash = append(k.Hash, v)
	}
	if uint32(xxh3.Hash(head[:len(head)-len(b)])) != hash {
		return Key{}, nil, ErrEncoding
	}
	for _, a := range s.Range {
		var v Value
		if v, b, err = ReadPart(b, a.Kind); err != nil {
			return Key{}, nil, err
		}
		k.Range = append(k.Range, v)
	}
	return k, b, nil
}

// CheckKey refuses bytes that Append never writes for this schema, with nothing behind them. It builds nothing.
func (s KeySchema) CheckKey(b []byte) error {
	if len(b) < 4 {
		return ErrEncoding
	}
	hash, rest := binary.BigEndian.Uint32(b), b[4:]
	head := rest
	var ok bool
	for _, a := range s.Hash {
		if rest, ok = skipPart(rest, a.Kind); !ok {
			return ErrEncoding
		}
	}
	if uint32(xxh3.Hash(head[:len(head)-len(rest)])) != hash {
		return ErrEncoding
	}
	for _, a := range s.Range {
		if rest, ok = skipPart(rest, a.Kind); !ok {
			return ErrEncoding
		}
	}
	if len(rest) > 0 {
		return ErrEncoding
	}
	return nil
}

// skipPart passes over what AppendPart wrote.
func skipPart(b []byte, k Kind) (rest []byte, ok bool) {
	if k == Number {
		_, used, ok := numFromBytes(b)
		if !ok {
			return nil, false
		}
		return b[used:], true
	}
	for {
		i := bytes.IndexByte(b, 0)
		if i < 0 || i+1 >= len(b) {
			return nil, false
		}
		mark := b[i+1]
		b = b[i+2:]
		switch mark {
		case 1:
			return b, true
		case 0xff:
		default:
			return nil, false
		}
	}
}
