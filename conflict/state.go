package conflict

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// State is one item's version as a region stores it. The zero State is an item that nobody ever wrote.
//
// Between the stamps: clear <= stamp and deleted <= stamp, and the context covers stamp. The item is visible iff clear is
// newer than deleted.
type State struct {
	raw []byte // lazy: set by TrustedState, nothing else then is
	head
	item item.Item // of a visible state
}

type head struct {
	stamp   crdt.Stamp // the newest write in it
	clear   crdt.Stamp // what is older is gone
	deleted crdt.Stamp // the newest delete
	ctx     crdt.Context
}

// Bytes of a stored state, version 1:
//
//	offset  size  field
//	0       1     format version, 1
//	1       1     flags: bit 0 visible (an item follows the head); bit 1 clear is its own stamp and not the newest write's;
//	              bit 2 deleted likewise; the other bits are 0 and refused: registers will use them
//	2       uvarint  length of the head
//	…       …     head: dictionary of origins; stamp; context; clear if bit 1; deleted if bit 2 (package crdt's forms).
//	              Without bit 1, clear = stamp. Without bit 2, deleted is zero if visible, else = stamp.
//	…       rest  the item's bytes (package item) if visible, else nothing
const (
	version     = 1
	flagVisible = 1 << 0
	flagClear   = 1 << 1
	flagDeleted = 1 << 2
)

// ErrEncoding says that bytes are no state of a version that this binary knows.
var ErrEncoding = errors.New("conflict: malformed state")

// IsZero reports whether nobody ever wrote the item.
func (s State) IsZero() bool { return s.raw == nil && s.stamp.IsZero() }

// Visible reports whether there is an item, as opposed to none or a remembered delete.
func (s State) Visible() bool {
	if s.raw != nil {
		return s.raw[1]&flagVisible != 0
	}
	return s.deleted.Less(s.clear)
}

// Item returns the attributes, a view of the state's bytes; the zero Item if it is not visible.
func (s State) Item() item.Item {
	if s.raw == nil {
		return s.item
	}
	if !s.Visible() {
		return item.Item{}
	}
	n, k := binary.Uvarint(s.raw[2:])
	return item.TrustedItem(s.raw[2+k+int(n):])
}

// Stamp is the newest write in the state.
func (s State) Stamp() crdt.Stamp { return s.full().stamp }

// Context is what the state has seen.
func (s State) Context() crdt.Context { return s.full().ctx }

// TrustedState wraps bytes that this binary wrote and that a checksum has guarded since. It costs nothing until more than
// the item is asked for. Bytes that are no state are a bug, and panic then.
func TrustedState(b []byte) State { return State{raw: b} }

func (s State) full() State {
	if s.raw == nil {
		return s
	}
	d, err := DecodeState(s.raw)
	if err != nil {
		panic(fmt.Sprintf("conflict: a trusted state cannot be read: %v: %x", err, s.raw))
	}
	return d
}

// Append writes the state's bytes.
func (s State) Append(dst []byte) []byte {
	if s.raw != nil {
		return append(dst, s.raw...)
	}
	var flags byte
	if s.Visible() {
		flags |= flagVisible
	}
	if s.clear != s.stamp {
		flags |= flagClear
	}
	if s.deleted != s.impliedDeleted() {
		flags |= flagDeleted
	}
	var dict crdt.Dictionary
	dict.Add(s.stamp.Origin)
	dict.AddContext(s.ctx)
	dict.Add(s.clear.Origin)
	dict.Add(s.deleted.Origin)
	var buf [160]byte
	h := dict.Append(buf[:0])
	h = dict.AppendStamp(h, s.stamp)
	h = dict.AppendContext(h, s.ctx)
	if flags&flagClear != 0 {
		h = dict.AppendStamp(h, s.clear)
	}
	if flags&flagDeleted != 0 {
		h = dict.AppendStamp(h, s.deleted)
	}
	if dst == nil {
		dst = make([]byte, 0, 4+len(h)+len(s.item.Encoded()))
	}
	dst = append(dst, version, flags)
	dst = binary.AppendUvarint(dst, uint64(len(h)))
	dst = append(dst, h...)
	if flags&flagVisible != 0 {
		dst = append(dst, s.item.Encoded()...)
	}
	return dst
}

// impliedDeleted is what deleted is when it is not written.
func (s State) impliedDeleted() crdt.Stamp {
	if s.Visible() {
		return crdt.Stamp{}
	}
	return s.stamp
}

// DecodeState reads bytes from anywhere. The state keeps them.
func DecodeState(b []byte) (State, error) {
	if len(b) < 3 {
		return State{}, ErrEncoding
	}
	if b[0] != version {
		return State{}, fmt.Errorf("%w: format version %d, this binary knows %d", ErrEncoding, b[0], version)
	}
	flags := b[1]
	n, rest, err := crdt.ReadUvarint(b[2:])
	if err != nil || n > uint64(len(rest)) || flags&^(flagVisible|flagClear|flagDeleted) != 0 {
		return State{}, ErrEncoding
	}
	var s State
	if err := s.readHead(rest[:n], flags); err != nil {
		return State{}, err
	}
	body := rest[n:]
	if flags&flagVisible == 0 {
		if len(body) != 0 {
			return State{}, ErrEncoding
		}
		return s, nil
	}
	if s.item, err = item.DecodeItem(body); err != nil {
		return State{}, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	return s, nil
}

func (s *State) readHead(h []byte, flags byte) error {
	dict, h, err := crdt.ReadDictionary(h)
	if err != nil {
		return ErrEncoding
	}
	if s.stamp, h, err = dict.ReadStamp(h); err != nil {
		return ErrEncoding
	}
	if s.ctx, h, err = dict.ReadContext(h); err != nil {
		return ErrEncoding
	}
	s.clear = s.stamp
	if flags&flagClear != 0 {
		if s.clear, h, err = dict.ReadStamp(h); err != nil || s.clear == s.stamp {
			return ErrEncoding
		}
	}
	visible := flags&flagVisible != 0
	if !visible {
		s.deleted = s.stamp
	}
	if flags&flagDeleted != 0 {
		if s.deleted, h, err = dict.ReadStamp(h); err != nil {
			return ErrEncoding
		}
	}
	switch {
	case len(h) != 0, s.stamp.IsZero(), s.stamp.Less(s.clear), s.stamp.Less(s.deleted),
		!s.ctx.Covers(s.stamp), visible != s.deleted.Less(s.clear):
		return ErrEncoding
	}
	return nil
}
