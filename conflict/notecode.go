package conflict

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// Bytes of a note, version 1. Equal notes are equal bytes.
//
//	offset  size      field
//	0       1         format version, 1
//	1       1         flags, below
//	2       …         dictionary of origins (package crdt)
//	…       stamp     loser
//	…       stamp     superseded, if bit 1
//	…       stamp     base, if bit 3
//	…                 if bit 0:
//	          stamp     winner
//	          8         noted, unix milliseconds, big endian
//	          1         policy
//	          1         reason: its place in noteReasons
//	          …         bit 6: uvarint length, image
//	          …         bit 7: uvarint length, the winner's item
//	          …         bit 5: uvarint 2n or 2n + 1 if it lost as a whole, then n fields:
//	                      uvarint length, name
//	                      uvarint 0: as in the image; 1: removed; else 2 + length, and there follows the value
//
//	flag  meaning
//	0     lost
//	1     superseded
//	2     whole
//	3     base is known
//	4     direct
//	5     fields; without it there are none, and it lost as a whole
//	6     image; without it the loser is a delete
//	7     the winner's item; without it the winner is a delete
const (
	noteVersion    = 1
	noteLost       = 1 << 0
	noteSuperseded = 1 << 1
	noteWhole      = 1 << 2
	noteBase       = 1 << 3
	noteDirect     = 1 << 4
	noteFields     = 1 << 5
	noteImage      = 1 << 6
	noteBeaten     = 1 << 7
)

// noteReasons gives reasons their numbers. New ones are added at the end.
var noteReasons = [...]Reason{OverwrittenByPut, OverwrittenByDelete, DeleteOverwritten, OverwrittenByUpdate, TypeOverwritten}

// Append writes the note's bytes.
func (n *Note) Append(dst []byte) []byte {
	var d crdt.Dictionary
	for _, s := range [...]crdt.Stamp{n.Loser, n.Superseded, n.Base, n.Winner} {
		d.Add(s.Origin)
	}
	flags := n.flags()
	dst = append(dst, noteVersion, flags)
	dst = d.Append(dst)
	dst = d.AppendStamp(dst, n.Loser)
	if flags&noteSuperseded != 0 {
		dst = d.AppendStamp(dst, n.Superseded)
	}
	if flags&noteBase != 0 {
		dst = d.AppendStamp(dst, n.Base)
	}
	if flags&noteLost == 0 {
		return dst
	}
	dst = d.AppendStamp(dst, n.Winner)
	dst = binary.BigEndian.AppendUint64(dst, uint64(n.Noted))
	dst = append(dst, byte(n.Policy), byte(slices.Index(noteReasons[:], n.Reason)))
	if flags&noteImage != 0 {
		dst = appendBytes(dst, n.Image.Encoded())
	}
	if flags&noteBeaten != 0 {
		dst = appendBytes(dst, n.Beaten.Encoded())
	}
	if flags&noteFields != 0 {
		dst = n.appendFields(dst)
	}
	return dst
}

func (n *Note) appendFields(dst []byte) []byte {
	count := 2 * uint64(len(n.Fields))
	if n.All {
		count++
	}
	dst = binary.AppendUvarint(dst, count)
	for _, f := range n.Fields {
		dst = appendBytes(dst, f.Name)
		switch {
		case n.Image.Get(f.Name).Equal(f.Value):
			dst = append(dst, 0)
		case f.Value.IsZero():
			dst = append(dst, 1)
		default:
			dst = binary.AppendUvarint(dst, 2+uint64(len(f.Value.Encoded())))
			dst = append(dst, f.Value.Encoded()...)
		}
	}
	return dst
}

func (n *Note) flags() (f byte) {
	for _, x := range [...]struct {
		set bool
		bit byte
	}{
		{n.Lost, noteLost}, {!n.Superseded.IsZero(), noteSuperseded}, {n.Whole, noteWhole}, {!n.Base.IsZero(), noteBase},
		{n.Direct, noteDirect}, {len(n.Fields) > 0, noteFields}, {!n.Image.IsZero(), noteImage}, {!n.Beaten.IsZero(), noteBeaten},
	} {
		if x.set {
			f |= x.bit
		}
	}
	return f
}

// DecodeNote reads bytes from anywhere and refuses all that Append does not write. The note keeps the bytes.
func DecodeNote(b []byte) (Note, error) {
	var n Note
	if len(b) < 2 {
		return n, ErrEncoding
	}
	if b[0] != noteVersion {
		return n, fmt.Errorf("%w: note version %d, this binary knows %d", ErrEncoding, b[0], noteVersion)
	}
	dict, rest, err := crdt.ReadDictionary(b[2:])
	if err != nil {
		return n, ErrEncoding
	}
	d := decoder{dict: dict, rest: rest}
	n.read(&d, b[1])
	if d.bad || len(d.rest) > 0 || !n.sound() || !bytes.Equal(n.Append(nil), b) {
		return Note{}, ErrEncoding
	}
	return n, nil
}

func (n *Note) read(d *decoder, flags byte) {
	n.Loser = d.plainStamp()
	if flags&noteSuperseded != 0 {
		n.Superseded = d.plainStamp()
	}
	if flags&noteBase != 0 {
		n.Base = d.plainStamp()
	}
	n.Whole, n.Direct, n.Lost = flags&noteWhole != 0, flags&noteDirect != 0, flags&noteLost != 0
	if !n.Lost {
		return
	}
	n.Winner = d.plainStamp()
	fixed := d.take(8 + 1 + 1)
	if fixed == nil || int(fixed[9]) >= len(noteReasons) || int(fixed[8]) >= len(policyNames) {
		d.bad = true
		return
	}
	n.Noted, n.Policy, n.Reason = int64(binary.BigEndian.Uint64(fixed)), Policy(fixed[8]), noteReasons[fixed[9]]
	if flags&noteImage != 0 {
		n.Image = d.item()
	}
	if flags&noteBeaten != 0 {
		n.Beaten = d.item()
	}
	if n.All = true; flags&noteFields != 0 {
		n.readFields(d)
	}
}

func (n *Note) readFields(d *decoder) {
	count := d.uvarint()
	n.All = count%2 == 1
	if count/2 > uint64(len(d.rest)) {
		d.bad = true
		return
	}
	for range count / 2 {
		f := LostField{Name: string(d.bytes())}
		switch how := d.uvarint(); {
		case how == 0:
			f.Value = n.Image.Get(f.Name)
		case how > 1:
			v, err := item.Decode(d.take(int(min(how-2, 1<<30))))
			if err != nil {
				d.bad = true
			}
			f.Value = v
		}
		if d.bad {
			return
		}
		n.Fields = append(n.Fields, f)
	}
}

// sound reports whether the parts go together.
func (n *Note) sound() bool {
	for i, f := range n.Fields {
		if i > 0 && n.Fields[i-1].Name >= f.Name {
			return false
		}
	}
	return !n.Loser.IsZero() && n.Lost == n.Superseded.IsZero() && n.Lost == !n.Winner.IsZero() && (n.Lost || !n.Direct) &&
		(!n.Whole || !n.Base.IsZero())
}

func (d *decoder) plainStamp() crdt.Stamp {
	s, rest, err := d.dict.ReadStamp(d.rest)
	if err != nil || d.bad {
		d.bad = true
		return crdt.Stamp{}
	}
	d.rest = rest
	return s
}

func (d *decoder) take(n int) []byte {
	if d.bad || len(d.rest) < n {
		d.bad = true
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) item() item.Item {
	it, err := item.DecodeItem(d.bytes())
	if err != nil {
		d.bad = true
	}
	return it
}
