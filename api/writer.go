package api

import (
	"strconv"

	"github.com/meridiandb/meridian/item"
)

// writer appends a JSON answer to a buffer. Commas are put by looking at the last byte written: none is due after an
// opening bracket or a colon, and no complete value ends in one.
type writer struct {
	buf   []byte
	shape item.Shape // of the items of pages written before
}

func (w *writer) comma() {
	if n := len(w.buf); n > 0 {
		switch w.buf[n-1] {
		case '{', '[', ':':
		default:
			w.buf = append(w.buf, ',')
		}
	}
}

func (w *writer) openObject()  { w.comma(); w.buf = append(w.buf, '{') }
func (w *writer) closeObject() { w.buf = append(w.buf, '}') }
func (w *writer) openList()    { w.comma(); w.buf = append(w.buf, '[') }
func (w *writer) closeList()   { w.buf = append(w.buf, ']') }

// key begins a member; exactly one value follows.
func (w *writer) key(name string) {
	w.comma()
	w.buf = item.AppendQuoted(w.buf, name)
	w.buf = append(w.buf, ':')
}

func (w *writer) str(s string) {
	w.comma()
	w.buf = item.AppendQuoted(w.buf, s)
}

func (w *writer) integer(n int64) {
	w.comma()
	w.buf = strconv.AppendInt(w.buf, n, 10)
}

// units writes a number with at least one decimal, as the service writes capacity.
func (w *writer) units(f float64) {
	w.comma()
	start := len(w.buf)
	w.buf = strconv.AppendFloat(w.buf, f, 'f', -1, 64)
	for _, c := range w.buf[start:] {
		if c == '.' {
			return
		}
	}
	w.buf = append(w.buf, '.', '0')
}

func (w *writer) boolean(b bool) {
	w.comma()
	w.buf = strconv.AppendBool(w.buf, b)
}

// time writes unix milliseconds as the protocol's seconds with a fraction.
func (w *writer) time(ms int64) {
	w.comma()
	w.buf = strconv.AppendInt(w.buf, ms/1000, 10)
	w.buf = append(w.buf, '.', byte('0'+ms%1000/100), byte('0'+ms%100/10), byte('0'+ms%10))
}

func (w *writer) item(it item.Item) {
	w.comma()
	w.buf = it.AppendJSON(w.buf)
}

// sizedItem is item, and returns the item's size.
func (w *writer) sizedItem(it item.Item) (size int) {
	w.comma()
	w.buf, size = w.shape.AppendJSON(w.buf, it)
	return size
}

// Members: a key and its value in one.

func (w *writer) stringMember(name, v string)        { w.key(name); w.str(v) }
func (w *writer) integerMember(name string, v int64) { w.key(name); w.integer(v) }
func (w *writer) boolMember(name string, v bool)     { w.key(name); w.boolean(v) }
func (w *writer) unitsMember(name string, v float64) { w.key(name); w.units(v) }
func (w *writer) timeMember(name string, ms int64)   { w.key(name); w.time(ms) }
func (w *writer) itemMember(name string, v item.Item) {
	w.key(name)
	w.item(v)
}
func (w *writer) openObjectMember(name string) { w.key(name); w.openObject() }
func (w *writer) openListMember(name string)   { w.key(name); w.openList() }
