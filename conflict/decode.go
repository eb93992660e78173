package conflict

import (
	"bytes"
	"fmt"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// DecodeState reads bytes from anywhere and refuses all that are not exactly what Append writes for some state that
// writes and merges can lead to in form. The state keeps the bytes.
func DecodeState(b []byte) (State, error) {
	s, err := decode(b, false)
	if err != nil {
		return State{}, err
	}
	return s, nil
}

// decode reads a state; the attributes of trusted bytes are not looked at.
func decode(b []byte, trusted bool) (State, error) {
	if len(b) < 3 {
		return State{}, ErrEncoding
	}
	if b[0] != version {
		return State{}, fmt.Errorf("%w: format version %d, this binary knows %d", ErrEncoding, b[0], version)
	}
	flags := b[1]
	n, rest, err := crdt.ReadUvarint(b[2:])
	if err != nil || n > uint64(len(rest)) {
		return State{}, ErrEncoding
	}
	head, body := rest[:n:n], rest[n:]
	var s State
	if flags&flagView != 0 {
		s.view = item.TrustedItem(body)
		if !trusted {
			if s.view, err = item.DecodeItem(body); err != nil {
				return State{}, fmt.Errorf("%w: %w", ErrEncoding, err)
			}
		}
	}
	d := decoder{rest: head}
	if d.head(&s, flags); d.bad || len(d.rest) != 0 {
		return State{}, ErrEncoding
	}
	if !trusted && !s.sound(flags, head, body) {
		return State{}, ErrEncoding
	}
	return s, nil
}

// decoder takes parts off a head; once bad it stays so.
type decoder struct {
	dict crdt.Dictionary
	ctx  crdt.Context
	rest []byte
	bad  bool

	text  string      // the registers' bytes: their names are cut from one string
	shown item.Cursor // over the view; registers are in the order of names, or they are refused later
}

func (d *decoder) head(s *State, flags byte) {
	var err error
	if d.dict, d.rest, err = crdt.ReadDictionary(d.rest); err != nil {
		d.bad = true
		return
	}
	if d.ctx, d.rest, err = d.dict.ReadCompact(d.rest); err != nil {
		d.bad = true
		return
	}
	s.ctx = d.ctx
	s.clear = crdt.At(d.stamp())
	if flags&flagClear != 0 {
		s.clear.Order = d.stamp()
	}
	if flags&flagVisible == 0 {
		s.deleted = s.clear
	}
	if flags&flagDeleted != 0 {
		s.deleted = crdt.At(d.stamp())
	}
	if flags&flagExpiry != 0 {
		s.deleted.Order = d.stamp()
	}
	if flags&flagTouched != 0 {
		s.touched = d.stamp()
	}
	if flags&flagBase != 0 {
		s.base = d.stamp()
	}
	if flags&flagRegister != 0 {
		n := d.count()
		s.attrs = make([]register, 0, min(n, 8)) // a forged count makes little
		d.text, d.shown = string(d.rest), s.view.Cursor()
		for range n {
			s.attrs = append(s.attrs, d.register())
		}
	}
}

func (d *decoder) register() register {
	r := register{name: d.name()}
	if len(d.rest) == 0 || d.bad {
		d.bad = true
		return r
	}
	flags := d.rest[0]
	d.rest = d.rest[1:]
	if flags&regAt != 0 {
		r.at = d.stamp()
	}
	r.cut = flags&regCut != 0
	if r.value = d.shown.Find(r.name); flags&regValue != 0 {
		r.value = d.value(true)
	}
	if flags&regSeen != 0 {
		r.seen = d.tallies()
	}
	if flags&regCum != 0 {
		r.cum = d.tallies()
	}
	if flags&regAdded != 0 {
		r.added = d.elements()
	}
	return r
}

// name reads a register's name.
func (d *decoder) name() string {
	n := int(d.count())
	at := len(d.text) - len(d.rest)
	d.rest = d.rest[n:]
	return d.text[at : at+n]
}

func (d *decoder) tallies() tallies {
	var ts tallies
	for range d.count() {
		t := crdt.Tally[item.Num]{Dot: d.stamp()}
		back := d.uvarint()
		v, rest, err := item.ReadPart(d.rest, item.Number)
		if err != nil || back >= uint64(t.Dot.Time) ||
			len(ts) > 0 && ts[len(ts)-1].Dot.Origin.Compare(t.Dot.Origin) >= 0 {
			d.bad = true
			return nil
		}
		t.Start, t.Sum, d.rest = t.Dot.Time-crdt.Time(back), v.Num(), rest
		ts = append(ts, t)
	}
	return ts
}

func (d *decoder) elements() crdt.Elements {
	var es crdt.Elements
	for range d.count() {
		v := d.value(false)
		e := crdt.Element{Member: string(v.Encoded())}
		for range d.count() {
			e.Dots = append(e.Dots, d.stamp())
			if n := len(e.Dots); n > 1 && !e.Dots[n-2].Less(e.Dots[n-1]) {
				d.bad = true
			}
		}
		if k := v.Kind(); k < item.String || k > item.Binary || len(e.Dots) == 0 ||
			len(es) > 0 && es[len(es)-1].Member >= e.Member {
			d.bad = true
		}
		if d.bad {
			return nil
		}
		es = append(es, e)
	}
	return es
}

func (d *decoder) value(mayBeZero bool) item.Value {
	b := d.bytes()
	if len(b) == 0 {
		d.bad = d.bad || !mayBeZero
		return item.Value{}
	}
	v, err := item.Decode(b)
	if err != nil {
		d.bad = true
	}
	return v
}

func (d *decoder) stamp() crdt.Stamp {
	s, rest, err := d.dict.ReadReference(d.rest, d.ctx)
	if err != nil || d.bad {
		d.bad = true
		return crdt.Stamp{}
	}
	d.rest = rest
	return s
}

func (d *decoder) uvarint() uint64 {
	n, rest, err := crdt.ReadUvarint(d.rest)
	if err != nil || d.bad {
		d.bad = true
		return 0
	}
	d.rest = rest
	return n
}

// count reads how many things follow; each takes a byte at least.
func (d *decoder) count() uint64 {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder) bytes() []byte {
	n := d.count()
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

// sound reports whether a decoded state is in normal form, holds together, and was read from just the bytes that it has.
func (s *State) sound(flags byte, head, body []byte) bool {
	if s.IsZero() || !s.dotsSeen() || !ordered(s.clear) || !ordered(s.deleted) || len(body) > 0 && s.view.IsZero() {
		return false
	}
	if s.clear.IsZero() && (s.view.Len() > 0 || len(s.attrs) > 0 || !s.touched.IsZero()) {
		return false // every item begins with a write of the whole
	}
	t := *s
	t.settle()
	if t.setView(s.view); t.touched != s.touched || t.deleted != s.deleted || t.view.IsZero() != s.view.IsZero() {
		return false
	}
	for i := range s.attrs {
		r := &s.attrs[i]
		if i > 0 && s.attrs[i-1].name >= r.name || r.plain() || r.cut && !r.at.IsZero() || r.version(s).Less(s.clear) ||
			!r.at.IsZero() && crdt.At(r.at) == s.clear {
			return false
		}
		if !r.show().Equal(s.view.Get(r.name)) {
			return false
		}
	}
	return s.flags() == flags && bytes.Equal(s.appendHead(nil), head)
}

func ordered(v crdt.Version) bool { return !v.Dot.Less(v.Order) && v.Order.IsZero() == v.Dot.IsZero() }

// dotsSeen reports whether the context covers all dots.
func (s *State) dotsSeen() bool {
	ok := s.ctx.Covers(s.clear.Dot) && s.ctx.Covers(s.deleted.Dot) && s.ctx.Covers(s.touched)
	for i := range s.attrs {
		r := &s.attrs[i]
		ok = ok && s.ctx.Covers(r.at)
		for _, t := range r.seen {
			ok = ok && s.ctx.Covers(t.Dot)
		}
		for _, t := range r.cum {
			ok = ok && s.ctx.Covers(t.Dot)
		}
		for _, e := range r.added {
			for _, d := range e.Dots {
				ok = ok && s.ctx.Covers(d)
			}
		}
	}
	return ok
}
