package crdt

import "encoding/binary"

// A buffer with one context and many stamps, most of which are the newest of their origin, writes the context in a compact
// form and the stamps as references to it:
//
//	compact context:  uvarint floor, then for each origin of the dictionary 8 bytes time big endian, 0 if it is not listed
//	reference:        uvarint 0: the zero Stamp;
//	                  uvarint 2i+1: what the context lists for origin i of the dictionary;
//	                  uvarint 2i+2: 8 bytes time big endian of origin i, only if it is not what the context lists

// AppendCompact writes a context whose origins have been added.
func (d *Dictionary) AppendCompact(dst []byte, c Context) []byte {
	dst = binary.AppendUvarint(dst, uint64(c.floor))
	for _, o := range d.origins {
		dst = binary.BigEndian.AppendUint64(dst, uint64(c.Of(o)))
	}
	return dst
}

// ReadCompact reads what AppendCompact wrote and returns what follows it.
func (d *Dictionary) ReadCompact(b []byte) (Context, []byte, error) {
	floor, b, err := ReadUvarint(b)
	if err != nil || len(b) < 8*len(d.origins) {
		return Context{}, nil, ErrEncoding
	}
	c := Context{floor: Time(floor)}
	if len(d.origins) > 0 {
		c.dots = make([]Stamp, 0, len(d.origins))
	}
	for _, o := range d.origins {
		t := Time(binary.BigEndian.Uint64(b))
		b = b[8:]
		switch {
		case t > c.floor:
			c.dots = append(c.dots, Stamp{t, o})
		case t != 0:
			return Context{}, nil, ErrEncoding
		}
	}
	return c, b, nil
}

// AppendReference writes a stamp whose origin has been added, by reference to a context.
func (d *Dictionary) AppendReference(dst []byte, c Context, s Stamp) []byte {
	if s.IsZero() {
		return append(dst, 0)
	}
	i := d.place(s.Origin)
	if c.Of(s.Origin) == s.Time {
		return binary.AppendUvarint(dst, 2*uint64(i)+1)
	}
	dst = binary.AppendUvarint(dst, 2*uint64(i)+2)
	return binary.BigEndian.AppendUint64(dst, uint64(s.Time))
}

// ReadReference reads what AppendReference wrote and returns what follows it.
func (d *Dictionary) ReadReference(b []byte, c Context) (Stamp, []byte, error) {
	k, b, err := ReadUvarint(b)
	if err != nil || k > 2*uint64(len(d.origins)) {
		return Stamp{}, nil, ErrEncoding
	}
	if k == 0 {
		return Stamp{}, b, nil
	}
	o := d.origins[(k-1)/2]
	listed := c.Of(o)
	if k%2 == 1 {
		if listed == 0 {
			return Stamp{}, nil, ErrEncoding
		}
		return Stamp{listed, o}, b, nil
	}
	if len(b) < 8 {
		return Stamp{}, nil, ErrEncoding
	}
	t := Time(binary.BigEndian.Uint64(b))
	if t == 0 || t == listed {
		return Stamp{}, nil, ErrEncoding
	}
	return Stamp{t, o}, b[8:], nil
}
