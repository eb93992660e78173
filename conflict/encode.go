package conflict

import (
	"encoding/binary"
	"errors"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// Bytes of a stored state, version 1. Equal states are equal bytes.
//
//	offset  size     field
//	0       1        format version, 1; a binary refuses versions that it does not know
//	1       1        flags, below
//	2       uvarint  length of the head
//	…       …        head
//	…       rest     the attributes (package item), if bit 1; else nothing
//
//	flag  meaning
//	0     visible: there is an item, deleted is zero
//	1     attributes follow the head: what Item shows if visible, what a later update could revive if not
//	2     clear is an expiry and has an order of its own
//	3     deleted is not clear
//	4     deleted is not clear, and is an expiry that has an order of its own
//	5     touched is not zero
//	6     base is not zero
//	7     registers
//
//	head, each part only if its flag is set:
//	…  dictionary of the origins of all stamps in the state (package crdt, as all forms here)
//	…  context, compact; all stamps from here on are references to it
//	…  clear's dot; (2) clear's order; (3) deleted's dot; (4) deleted's order; (5) touched; (6) base
//	…  (7) uvarint n, n registers in name order
//
//	register:
//	uvarint length, name
//	1  flags: bit 0 at; bit 1 value; bit 2 seen; bit 3 cum; bit 4 added; bit 5 cut: a set that clear
//	   wrote has lost members since, value is what is left
//	…  bit 0: at; else written by clear
//	…  bit 1: uvarint length, value (package item; length 0: removed); else it is the one among the attributes
//	…  bits 2, 3: uvarint n, n tallies { dot, uvarint time of the dot − start, number (its ordered bytes, item.AppendPart) }
//	…  bit 4: uvarint n, n members { uvarint length, value, uvarint m, m dots in order }
const (
	version      = 1
	flagVisible  = 1 << 0
	flagView     = 1 << 1
	flagClear    = 1 << 2
	flagDeleted  = 1 << 3
	flagExpiry   = 1 << 4
	flagTouched  = 1 << 5
	flagBase     = 1 << 6
	flagRegister = 1 << 7

	regAt    = 1 << 0
	regValue = 1 << 1
	regSeen  = 1 << 2
	regCum   = 1 << 3
	regAdded = 1 << 4
	regCut   = 1 << 5
)

// ErrEncoding says that bytes are no state of a version that this binary knows.
var ErrEncoding = errors.New("conflict: malformed state")

// Append writes the state's bytes. A state of which nothing is known has none.
func (s State) Append(dst []byte) []byte {
	if s.raw != nil {
		return append(dst, s.raw...)
	}
	if s.IsZero() {
		return dst
	}
	var buf [256]byte
	h := s.appendHead(buf[:0])
	if dst == nil {
		dst = make([]byte, 0, 2+binary.MaxVarintLen16+len(h)+len(s.view.Encoded()))
	}
	dst = append(dst, version, s.flags())
	dst = binary.AppendUvarint(dst, uint64(len(h)))
	dst = append(dst, h...)
	return append(dst, s.view.Encoded()...)
}

func (s *State) flags() (f byte) {
	for _, x := range [...]struct {
		set bool
		bit byte
	}{
		{s.deleted.IsZero(), flagVisible},
		{!s.view.IsZero(), flagView},
		{s.clear.Order != s.clear.Dot, flagClear},
		{!s.deleted.IsZero() && s.deleted != s.clear, flagDeleted},
		{!s.deleted.IsZero() && s.deleted != s.clear && s.deleted.Order != s.deleted.Dot, flagExpiry},
		{!s.touched.IsZero(), flagTouched},
		{!s.base.IsZero(), flagBase},
		{len(s.attrs) > 0, flagRegister},
	} {
		if x.set {
			f |= x.bit
		}
	}
	return f
}

func (s *State) appendHead(h []byte) []byte {
	dict := s.dictionary()
	flags := s.flags()
	h = dict.Append(h)
	h = dict.AppendCompact(h, s.ctx)
	h = dict.AppendReference(h, s.ctx, s.clear.Dot)
	for _, x := range [...]struct {
		bit   byte
		stamp crdt.Stamp
	}{
		{flagClear, s.clear.Order}, {flagDeleted, s.deleted.Dot}, {flagExpiry, s.deleted.Order},
		{flagTouched, s.touched}, {flagBase, s.base},
	} {
		if flags&x.bit != 0 {
			h = dict.AppendReference(h, s.ctx, x.stamp)
		}
	}
	if flags&flagRegister != 0 {
		h = binary.AppendUvarint(h, uint64(len(s.attrs)))
		shown := s.view.Cursor()
		for i := range s.attrs {
			h = s.appendRegister(h, &dict, &s.attrs[i], shown.Find(s.attrs[i].name))
		}
	}
	return h
}

func (s *State) dictionary() crdt.Dictionary {
	var dict crdt.Dictionary
	dict.AddContext(s.ctx)
	for _, st := range [...]crdt.Stamp{s.clear.Dot, s.clear.Order, s.deleted.Dot, s.deleted.Order, s.touched, s.base} {
		dict.Add(st.Origin)
	}
	for i := range s.attrs {
		r := &s.attrs[i]
		dict.Add(r.at.Origin)
		for _, t := range r.seen {
			dict.Add(t.Dot.Origin)
		}
		for _, t := range r.cum {
			dict.Add(t.Dot.Origin)
		}
		for _, e := range r.added {
			for _, d := range e.Dots {
				dict.Add(d.Origin)
			}
		}
	}
	return dict
}

// appendRegister writes a register of which the view shows a value.
func (s *State) appendRegister(h []byte, dict *crdt.Dictionary, r *register, shown item.Value) []byte {
	h = appendBytes(h, r.name)
	at := len(h)
	h = append(h, 0)
	if !r.at.IsZero() {
		h[at] |= regAt
		h = dict.AppendReference(h, s.ctx, r.at)
	}
	if r.cut {
		h[at] |= regCut
	}
	if !r.value.Equal(shown) {
		h[at] |= regValue
		h = appendBytes(h, r.value.Encoded())
	}
	if len(r.seen) > 0 {
		h[at] |= regSeen
		h = s.appendTallies(h, dict, r.seen)
	}
	if len(r.cum) > 0 {
		h[at] |= regCum
		h = s.appendTallies(h, dict, r.cum)
	}
	if len(r.added) > 0 {
		h[at] |= regAdded
		h = binary.AppendUvarint(h, uint64(len(r.added)))
		for _, e := range r.added {
			h = appendBytes(h, e.Member)
			h = binary.AppendUvarint(h, uint64(len(e.Dots)))
			for _, d := range e.Dots {
				h = dict.AppendReference(h, s.ctx, d)
			}
		}
	}
	return h
}

func (s *State) appendTallies(h []byte, dict *crdt.Dictionary, ts tallies) []byte {
	h = binary.AppendUvarint(h, uint64(len(ts)))
	for _, t := range ts {
		h = dict.AppendReference(h, s.ctx, t.Dot)
		h = binary.AppendUvarint(h, uint64(t.Dot.Time-t.Start))
		h = item.AppendPart(h, item.NumVal(t.Sum))
	}
	return h
}

func appendBytes[T string | []byte](h []byte, b T) []byte {
	h = binary.AppendUvarint(h, uint64(len(b)))
	return append(h, b...)
}
