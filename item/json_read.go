package item

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ReadValue reads an AttributeValue in DynamoDB JSON. See the package comment for what the errors mean; after a
// *ValidationError the decoder stands behind the value.
func ReadValue(d *jsontext.Decoder) (Value, error) {
	r := reader{d: d}
	enc, err := r.value(make([]byte, 0, 64), 0)
	if err = r.outcome(err); err != nil {
		return Value{}, err
	}
	return Value{slices.Clip(enc)}, nil
}

// ReadItem reads an object of attribute names and AttributeValues.
func ReadItem(d *jsontext.Decoder) (Item, error) {
	r := reader{d: d}
	enc, err := r.fields(make([]byte, 0, 512), 0)
	if err = r.outcome(err); err != nil {
		return Item{}, err
	}
	return Item{enc}, nil
}

// Where a type was expected and another found, the service names its own classes.
const (
	attributeValueClass = "class com.amazonaws.dynamodb.v20120810.AttributeValue"
	attributeMapClass   = "java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"
)

// reader turns JSON into encoded values. Values are appended to a buffer from the inside out: a container's head is put
// before its elements when they are all there, which moves them once per level.
type reader struct {
	d      *jsontext.Decoder
	broken *ValidationError // the first; reading goes on
}

func (r *reader) outcome(err error) error {
	if err != nil {
		return err
	}
	if r.broken != nil {
		return r.broken
	}
	return nil
}

func (r *reader) note(e *ValidationError) {
	if r.broken == nil {
		r.broken = e
	}
}

func (r *reader) noteErr(err error) {
	if ve, ok := err.(*ValidationError); ok {
		r.note(ve)
	}
}

// open enters an object or list; absent says that there was null.
func (r *reader) open(want jsontext.Kind, class string) (absent bool, err error) {
	k := r.d.PeekKind()
	if k == want {
		_, err = r.d.ReadToken()
		return false, syntax(err)
	}
	switch k {
	case 'n':
		_, err := r.d.ReadToken()
		return true, syntax(err)
	case '{':
		return false, &SerializationError{"Start of structure or map found where not expected"}
	case '[':
		return false, &SerializationError{"Unrecognized collection type " + class}
	case 0:
		_, err := r.d.ReadToken()
		return false, syntax(err)
	}
	return false, &SerializationError{"Unexpected field type"}
}

// syntax turns JSON that cannot be read into the error that the service gives for it, which has no message.
func syntax(err error) error {
	if err == nil {
		return nil
	}
	return &SerializationError{}
}

// WrongScalar is the text for a scalar of the wrong JSON type where a String or Boolean should be.
func WrongScalar(k jsontext.Kind, want string) error {
	switch k {
	case '{':
		return &SerializationError{"Start of structure or map found where not expected"}
	case '[':
		return &SerializationError{"Unrecognized collection type class java.lang." + want}
	case '0':
		return &SerializationError{"NUMBER_VALUE cannot be converted to " + want}
	case 't':
		return &SerializationError{"TRUE_VALUE cannot be converted to " + want}
	case 'f':
		return &SerializationError{"FALSE_VALUE cannot be converted to " + want}
	case '"':
		return &SerializationError{"STRING_VALUE cannot be converted to " + want}
	}
	return &SerializationError{}
}

// WrongNumber is WrongScalar for a number, which is told from a decimal by how it is written.
func WrongNumber(raw []byte, want string) error {
	if bytes.ContainsAny(raw, ".eE") {
		return &SerializationError{"DECIMAL_VALUE cannot be converted to " + want}
	}
	return WrongScalar('0', want)
}

// wrongScalar is WrongScalar for what comes next.
func (r *reader) wrongScalar(k jsontext.Kind, want string) error {
	if k != '0' {
		return WrongScalar(k, want)
	}
	raw, err := r.d.ReadValue()
	if err != nil {
		return syntax(err)
	}
	return WrongNumber(raw, want)
}

// NotBoolean is the text for a string that says neither true nor false.
func NotBoolean(s string) error {
	return &SerializationError{"'" + s + "' can not be converted to an Boolean"}
}

// appendText writes what a JSON string says that a decoder has read, and so found to be sound: nearly all stand for
// themselves.
func appendText(dst []byte, raw jsontext.Value) ([]byte, error) {
	if bytes.IndexByte(raw, '\\') >= 0 {
		return jsontext.AppendUnquote(dst, raw)
	}
	return append(dst, raw[1:len(raw)-1]...), nil
}

// text reads a string; ok is false for null.
func (r *reader) text(dst []byte) (out []byte, ok bool, err error) {
	switch k := r.d.PeekKind(); k {
	case '"':
		raw, err := r.d.ReadValue()
		if err != nil {
			return nil, false, syntax(err)
		}
		dst, err = appendText(dst, raw)
		return dst, true, syntax(err)
	case 'n':
		_, err := r.d.ReadToken()
		return dst, false, syntax(err)
	case 0:
		_, err := r.d.ReadToken()
		return nil, false, syntax(err)
	default:
		return nil, false, r.wrongScalar(k, "String")
	}
}

// boolean reads true, false, or a string that says so; ok is false for null.
func (r *reader) boolean() (v, ok bool, err error) {
	switch k := r.d.PeekKind(); k {
	case 't', 'f':
		_, err := r.d.ReadToken()
		return k == 't', true, syntax(err)
	case '"':
		s, _, err := r.text(nil)
		if err != nil {
			return false, false, err
		}
		switch strings.ToLower(string(s)) {
		case "true", "1", "yes":
			return true, true, nil
		case "false", "0", "no":
			return false, true, nil
		}
		return false, false, NotBoolean(string(s))
	case 'n':
		_, err := r.d.ReadToken()
		return false, false, syntax(err)
	case 0:
		_, err := r.d.ReadToken()
		return false, false, syntax(err)
	default:
		return false, false, r.wrongScalar(k, "Boolean")
	}
}

// value appends one AttributeValue. depth counts the containers around it.
func (r *reader) value(dst []byte, depth int) ([]byte, error) {
	if depth >= MaxDepth && r.d.PeekKind() != 'n' {
		r.note(&ValidationError{TooDeep})
		return append(dst, tagNull), syntax(r.d.SkipValue())
	}
	absent, err := r.open('{', attributeValueClass)
	if err != nil {
		return nil, err
	}
	start, found := len(dst), 0
	for !absent {
		if r.d.PeekKind() == '}' {
			_, err := r.d.ReadToken()
			if err != nil {
				return nil, syntax(err)
			}
			break
		}
		name, err := r.d.ReadToken()
		if err != nil {
			return nil, syntax(err)
		}
		kind, known := ParseKind(name.String())
		if !known {
			if err := r.d.SkipValue(); err != nil {
				return nil, syntax(err)
			}
			continue
		}
		before := len(dst)
		if dst, err = r.content(dst, kind, depth); err != nil {
			return nil, err
		}
		if len(dst) > before {
			found++
		}
	}
	switch found {
	case 0:
		r.note(invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"))
		return append(dst, tagNull), nil
	case 1:
		return dst, nil
	}
	r.note(invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"))
	return append(dst[:start], tagNull), nil
}

// content appends a value of a type whose name has been read; nothing for null.
func (r *reader) content(dst []byte, kind Kind, depth int) ([]byte, error) {
	switch kind {
	case String, Number, Binary:
		return r.scalar(dst, kind)
	case Bool, Null:
		v, ok, err := r.boolean()
		if err != nil || !ok {
			return dst, err
		}
		switch {
		case kind == Null:
			if !v {
				r.note(invalid("One or more parameter values were invalid: Null attribute value types must have the value of true"))
			}
			return append(dst, tagNull), nil
		case v:
			return append(dst, tagTrue), nil
		}
		return append(dst, tagFalse), nil
	case List:
		return r.list(dst, depth+1)
	case Map:
		return r.mapValue(dst, depth+1)
	}
	return r.set(dst, kind)
}

// notBytes is the error for what comes next where a B should be and no string does; nil for a string and for null.
func (r *reader) notBytes() error {
	switch r.d.PeekKind() {
	case 't', 'f', '0':
		return &SerializationError{"only base-64-encoded strings are convertible to bytes"}
	case '[':
		return &SerializationError{"Unrecognized collection type class java.nio.ByteBuffer"}
	}
	return nil
}

// scalar appends an S, N or B from a JSON string; nothing for null.
func (r *reader) scalar(dst []byte, kind Kind) ([]byte, error) {
	if kind == Binary {
		if err := r.notBytes(); err != nil {
			return dst, err
		}
	}
	start := len(dst)
	dst, ok, err := r.text(dst)
	if err != nil || !ok {
		return dst, err
	}
	if kind == Number {
		n, err := ParseNum(dst[start:])
		if err != nil {
			r.noteErr(err)
			n = numZero()
		}
		dst = append(dst[:start], n.b[:n.n]...)
	}
	if kind == Binary {
		n, err := decodeBase64(dst[start:])
		if err != nil {
			return nil, err
		}
		dst = dst[:start+n]
	}
	return insertHead(dst, start, kind.tag(), -1), nil
}

// decodeBase64 decodes in place and returns the length.
func decodeBase64(b []byte) (int, error) {
	if len(b)%4 != 0 {
		return 0, &SerializationError{"Base64 encoded length is expected a multiple of 4 bytes but found: " + strconv.Itoa(len(b))}
	}
	if bytes.ContainsAny(b, "\r\n") { // the decoder would pass over them
		return 0, &SerializationError{"Invalid Base64 character"}
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	n, err := base64.StdEncoding.Strict().Decode(out, b)
	if err == nil {
		return copy(b, out[:n]), nil
	}
	if _, lax := base64.StdEncoding.Decode(out, b); lax == nil {
		return 0, &SerializationError{"Invalid last non-pad Base64 character dectected"}
	}
	return 0, &SerializationError{"Invalid Base64 character"}
}

// insertHead puts tag, length and, for containers, a count before what stands from start on.
func insertHead(dst []byte, start int, tag byte, count int) []byte {
	var head [1 + 2*binary.MaxVarintLen64]byte
	var num [binary.MaxVarintLen64]byte
	c := 0
	if count >= 0 {
		c = binary.PutUvarint(num[:], uint64(count))
	}
	h := append(head[:0], tag)
	h = binary.AppendUvarint(h, uint64(c+len(dst)-start))
	h = append(h, num[:c]...)
	return slices.Insert(dst, start, h...)
}

// each calls read for every element of a JSON list that is not null.
func (r *reader) each(class string, read func() error) (absent bool, err error) {
	if absent, err = r.open('[', class); err != nil || absent {
		return absent, err
	}
	for {
		switch r.d.PeekKind() {
		case ']':
			_, err := r.d.ReadToken()
			return false, syntax(err)
		case 'n':
			if _, err := r.d.ReadToken(); err != nil {
				return false, syntax(err)
			}
			continue
		}
		if err := read(); err != nil {
			return false, err
		}
	}
}

func (r *reader) list(dst []byte, depth int) ([]byte, error) {
	start, n := len(dst), 0
	absent, err := r.each(attributeValueClass, func() (err error) {
		n++
		dst, err = r.value(dst, depth)
		return err
	})
	if err != nil || absent {
		return dst, err
	}
	return insertHead(dst, start, tagList, n), nil
}

func (r *reader) set(dst []byte, kind Kind) ([]byte, error) {
	var elems []Value
	buf := make([]byte, 0, 64)
	absent, err := r.each("class java.lang.String", func() error {
		start := len(buf)
		var err error
		if buf, err = r.scalar(buf, kind.Member()); err != nil {
			return err
		}
		elems = append(elems, Value{slices.Clone(buf[start:])})
		return nil
	})
	if err != nil || absent {
		return dst, err
	}
	v, err := NewSet(kind, elems)
	if err != nil {
		r.noteErr(err)
		return append(dst, tagNull), nil
	}
	return append(dst, v.enc...), nil
}

func (r *reader) mapValue(dst []byte, depth int) ([]byte, error) {
	if r.d.PeekKind() == 'n' {
		_, err := r.d.ReadToken()
		return dst, syntax(err)
	}
	start := len(dst)
	dst, err := r.fields(dst, depth)
	if err != nil {
		return nil, err
	}
	return insertHead(dst, start, tagMap, -1), nil
}

// field is a name and its value as they stand in the buffer.
type field struct{ start, name, nameEnd, end int }

// fields appends a map's body: count, then names and values in name order.
func (r *reader) fields(dst []byte, depth int) ([]byte, error) {
	absent, err := r.open('{', attributeMapClass)
	if err != nil {
		return nil, err
	}
	start := len(dst)
	var few [16]field
	fields, sorted := few[:0], true
	for !absent && r.d.PeekKind() != '}' {
		f, out, err := r.field(dst, depth)
		if err != nil {
			return nil, err
		}
		dst = out
		if k := len(fields); k > 0 && sorted {
			last := fields[k-1]
			sorted = string(dst[last.name:last.nameEnd]) < string(dst[f.name:f.nameEnd])
		}
		fields = append(fields, f)
	}
	if !absent {
		if _, err := r.d.ReadToken(); err != nil {
			return nil, syntax(err)
		}
	}
	if !sorted {
		dst, fields = sortFields(dst, start, fields)
	}
	var num [binary.MaxVarintLen64]byte
	return slices.Insert(dst, start, num[:binary.PutUvarint(num[:], uint64(len(fields)))]...), nil
}

func (r *reader) field(dst []byte, depth int) (field, []byte, error) {
	f := field{start: len(dst)}
	raw, err := r.d.ReadValue()
	if err != nil {
		return f, nil, syntax(err)
	}
	f.name = len(dst)
	if dst, err = appendText(dst, raw); err != nil {
		return f, nil, syntax(err)
	}
	n := len(dst) - f.name
	if e := badName(n); e != nil {
		r.note(e)
	}
	var num [binary.MaxVarintLen64]byte
	k := binary.PutUvarint(num[:], uint64(n))
	dst = slices.Insert(dst, f.name, num[:k]...)
	f.name += k
	f.nameEnd = f.name + n
	dst, err = r.value(dst, depth)
	f.end = len(dst)
	return f, dst, err
}

// sortFields puts fields in name order; of two of one name the later stays.
func sortFields(dst []byte, start int, fields []field) ([]byte, []field) {
	body := slices.Clone(dst[start:])
	name := func(f field) []byte { return body[f.name-start : f.nameEnd-start] }
	slices.SortStableFunc(fields, func(a, b field) int { return bytes.Compare(name(a), name(b)) })
	dst = dst[:start]
	kept := fields[:0]
	for i, f := range fields {
		if i+1 < len(fields) && bytes.Equal(name(fields[i+1]), name(f)) {
			continue
		}
		dst = append(dst, body[f.start-start:f.end-start]...)
		kept = append(kept, f)
	}
	return dst, kept
}
