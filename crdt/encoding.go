package crdt

import (
	"encoding/binary"
	"errors"
)

// Buffers that hold stamps name their origins once, in a dictionary at their head, and refer to them by place. Such a
// dictionary travels with its buffer; a number never means anything on one machine only.
//
//	dictionary: uvarint n, then n × { uvarint length of region, region, 8 bytes incarnation big endian }
//	stamp:      uvarint place in the dictionary + 1 (0: the zero Stamp, and nothing follows), 8 bytes time big endian
//	context:    8 bytes floor big endian, uvarint n, then n × stamp in origin order
//
// Origins stand in the dictionary in their order, each once, so equal contents are equal bytes.

// ErrEncoding says that bytes are not what this package writes.
var ErrEncoding = errors.New("crdt: malformed bytes")

// maxOrigins bounds a dictionary: more regions than anybody runs, over all their incarnations.
const maxOrigins = 1 << 12

// Dictionary is the list of origins at a buffer's head. The zero Dictionary is empty.
type Dictionary struct{ origins []Origin }

// Add enters an origin.
func (d *Dictionary) Add(o Origin) {
	if o.IsZero() {
		return
	}
	for i := range d.origins {
		switch c := d.origins[i].Compare(o); {
		case c == 0:
			return
		case c > 0:
			d.origins = append(d.origins, Origin{})
			copy(d.origins[i+1:], d.origins[i:])
			d.origins[i] = o
			return
		}
	}
	d.origins = append(d.origins, o)
}

// AddContext enters all origins of a context.
func (d *Dictionary) AddContext(c Context) {
	for i := range c.dots {
		d.Add(c.dots[i].Origin)
	}
}

// Append writes the dictionary.
func (d *Dictionary) Append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(d.origins)))
	for _, o := range d.origins {
		dst = binary.AppendUvarint(dst, uint64(len(o.Region)))
		dst = append(dst, o.Region...)
		dst = binary.BigEndian.AppendUint64(dst, o.Incarnation)
	}
	return dst
}

// AppendStamp writes a stamp whose origin has been added.
func (d *Dictionary) AppendStamp(dst []byte, s Stamp) []byte {
	if s.IsZero() {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(d.place(s.Origin))+1)
	return binary.BigEndian.AppendUint64(dst, uint64(s.Time))
}

// place is where an origin stands. To write one that was not added is a bug.
func (d *Dictionary) place(o Origin) int {
	for i := range d.origins {
		if d.origins[i] == o {
			return i
		}
	}
	panic("crdt: origin " + o.String() + " is not in the dictionary")
}

// AppendContext writes a context whose origins have been added.
func (d *Dictionary) AppendContext(dst []byte, c Context) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(c.floor))
	dst = binary.AppendUvarint(dst, uint64(len(c.dots)))
	for _, s := range c.dots {
		dst = d.AppendStamp(dst, s)
	}
	return dst
}

// ReadDictionary reads a dictionary and returns what follows it.
func ReadDictionary(b []byte) (Dictionary, []byte, error) {
	n, b, err := ReadUvarint(b)
	if err != nil || n > maxOrigins {
		return Dictionary{}, nil, ErrEncoding
	}
	var d Dictionary
	for range n {
		var l uint64
		if l, b, err = ReadUvarint(b); err != nil || l == 0 || l > 255 || uint64(len(b)) < l+8 {
			return Dictionary{}, nil, ErrEncoding
		}
		o := Origin{string(b[:l]), binary.BigEndian.Uint64(b[l:])}
		if k := len(d.origins); k > 0 && d.origins[k-1].Compare(o) >= 0 {
			return Dictionary{}, nil, ErrEncoding
		}
		d.origins = append(d.origins, o)
		b = b[l+8:]
	}
	return d, b, nil
}

// SkipDictionary returns what follows a dictionary that is known to be well formed.
func SkipDictionary(b []byte) []byte {
	n, k := binary.Uvarint(b)
	b = b[k:]
	for range n {
		l, k := binary.Uvarint(b)
		b = b[uint64(k)+l+8:]
	}
	return b
}

// ReadStamp reads a stamp and returns what follows it.
func (d *Dictionary) ReadStamp(b []byte) (Stamp, []byte, error) {
	i, b, err := ReadUvarint(b)
	if err != nil || i > uint64(len(d.origins)) {
		return Stamp{}, nil, ErrEncoding
	}
	if i == 0 {
		return Stamp{}, b, nil
	}
	if len(b) < 8 {
		return Stamp{}, nil, ErrEncoding
	}
	t := Time(binary.BigEndian.Uint64(b))
	if t == 0 {
		return Stamp{}, nil, ErrEncoding // only the zero Stamp has no time
	}
	return Stamp{t, d.origins[i-1]}, b[8:], nil
}

// ReadContext reads a context and returns what follows it.
func (d *Dictionary) ReadContext(b []byte) (Context, []byte, error) {
	if len(b) < 8 {
		return Context{}, nil, ErrEncoding
	}
	c := Context{floor: Time(binary.BigEndian.Uint64(b))}
	n, b, err := ReadUvarint(b[8:])
	if err != nil || n > uint64(len(d.origins)) {
		return Context{}, nil, ErrEncoding
	}
	for range n {
		var s Stamp
		if s, b, err = d.ReadStamp(b); err != nil || s.Time <= c.floor {
			return Context{}, nil, ErrEncoding
		}
		if k := len(c.dots); k > 0 && c.dots[k-1].Origin.Compare(s.Origin) >= 0 {
			return Context{}, nil, ErrEncoding
		}
		c.dots = append(c.dots, s)
	}
	return c, b, nil
}

// ReadUvarint reads a number in its shortest form and returns what follows it.
func ReadUvarint(b []byte) (uint64, []byte, error) {
	n, k := binary.Uvarint(b)
	if k <= 0 || (k > 1 && b[k-1] == 0) {
		return 0, nil, ErrEncoding
	}
	return n, b[k:], nil
}
