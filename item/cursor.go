package item

import (
	"bytes"
	"encoding/binary"
)

// Cursor walks over an item's attributes in name order, as Attrs does, and makes no strings of their names. It begins on the
// first attribute.
type Cursor struct {
	left  uint64 // attributes, this one among them
	name  []byte
	value Value
	field []byte // both, as they stand
	rest  []byte // behind this one
}

// Cursor begins a walk.
func (it Item) Cursor() Cursor {
	n, k := binary.Uvarint(it.enc)
	c := Cursor{left: n + 1, rest: it.enc[k:]}
	c.Next()
	return c
}

// Valid reports whether the cursor is on an attribute.
func (c *Cursor) Valid() bool { return c.left > 0 }

// Next goes to the next attribute.
func (c *Cursor) Next() {
	if c.left--; c.left > 0 {
		from := c.rest
		c.name, c.value, c.rest = splitField(from)
		c.field = from[:len(from)-len(c.rest)]
	}
}

// Same reports whether two cursors, both valid, are on equal names and values.
func (c *Cursor) Same(o *Cursor) bool { return bytes.Equal(c.field, o.field) }

// Find moves on to an attribute, if there is one of that name here or further on, and returns its value; else the zero Value.
func (c *Cursor) Find(name string) Value {
	for c.Valid() && string(c.name) < name {
		c.Next()
	}
	if c.Valid() && string(c.name) == name {
		return c.value
	}
	return Value{}
}

// Name is the attribute's name, a view of the item's bytes; Value its value.
func (c *Cursor) Name() []byte { return c.name }

// Value is described at Name.
func (c *Cursor) Value() Value { return c.value }
