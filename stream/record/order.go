package record

import (
	"encoding/binary"
)

// The value of an order entry. Its key is 'o' | seq (8).
//
//	offset  size      field
//	0       1         version, 1
//	1       8         prev
//	9       8         wall, unix milliseconds, two's complement
//	17      …         dictionary of origins
//	…       stamp     stamp
//	…       uvarint   n, then n times:
//	          16      table id
//	          2       shard
//	          uvarint number of changes
//
// Parts stand in order of (table id, shard).

// AppendOrder writes an order entry; Seq stands in the key.
func AppendOrder(dst []byte, o *Order) []byte {
	d := dictionaryOf(o.Stamp, nil)
	dst = append(dst, version)
	dst = binary.BigEndian.AppendUint64(dst, uint64(o.Prev))
	dst = binary.BigEndian.AppendUint64(dst, uint64(o.Wall))
	dst = d.Append(dst)
	dst = d.AppendStamp(dst, o.Stamp)
	dst = binary.AppendUvarint(dst, uint64(len(o.Parts)))
	for _, p := range o.Parts {
		dst = append(dst, p.Table[:]...)
		dst = binary.BigEndian.AppendUint16(dst, p.Shard)
		dst = binary.AppendUvarint(dst, uint64(p.Changes))
	}
	return dst
}

// DecodeOrder reads an order entry whose key said seq.
func DecodeOrder(seq Seq, b []byte) (Order, error) {
	r := reader{b: b}
	r.version()
	o := Order{Seq: seq, Prev: Seq(r.uint64("prev")), Wall: int64(r.uint64("wall"))}
	r.dictionary()
	o.Stamp = r.stamp("stamp")
	n := r.count(16+2+1, "parts")
	if n > 0 {
		o.Parts = make([]PartRef, n)
	}
	for i := range o.Parts {
		p := PartRef{Table: r.table(), Shard: r.shard(), Changes: r.uvarint(maxChanges, "changes")}
		if p.Changes == 0 || i > 0 && o.Parts[i-1].Compare(p) >= 0 {
			r.fail("parts out of order, or an empty one")
		}
		o.Parts[i] = p
	}
	if o.Prev >= seq {
		r.fail("prev is not before seq")
	}
	if err := r.end(); err != nil {
		return Order{}, err
	}
	return o, nil
}

// maxChanges bounds a commit. A client's has 100 at most; a merge of many is split into commits as they were made.
const maxChanges = 1 << 24

// Part values. The key is 'l' | table id (16) | shard (2) | seq (8).
//
//	offset  size      field
//	0       1         version, 1
//	1       8         wall, unix milliseconds, two's complement
//	9       …         dictionary of origins
//	…       stamp     stamp
//	…       uvarint   n ≥ 1, then n times:
//	          uvarint place in the commit, rising
//	          …       body of a change (encoding.go)

// AppendPart writes a part; Table, Shard and Seq stand in the key.
func AppendPart(dst []byte, p *Part) []byte {
	d := dictionaryOf(p.Stamp, p.Changes)
	dst = append(dst, version)
	dst = binary.BigEndian.AppendUint64(dst, uint64(p.Wall))
	dst = d.Append(dst)
	dst = d.AppendStamp(dst, p.Stamp)
	dst = binary.AppendUvarint(dst, uint64(len(p.Changes)))
	for i := range p.Changes {
		dst = binary.AppendUvarint(dst, uint64(p.Places[i]))
		dst = appendBody(dst, &d, &p.Changes[i])
	}
	return dst
}

// DecodePart reads a part whose key said table, shard and seq.
func DecodePart(table TableID, shard uint16, seq Seq, b []byte) (Part, error) {
	r := reader{b: b}
	r.version()
	p := Part{Table: table, Shard: shard, Seq: seq, Wall: int64(r.uint64("wall"))}
	r.dictionary()
	p.Stamp = r.stamp("stamp")
	n := r.count(1+bodyMin, "changes")
	if n == 0 {
		r.fail("no changes")
	}
	p.Places, p.Changes = make([]int, n), make([]Change, n)
	for i := range p.Changes {
		p.Places[i] = r.uvarint(maxChanges, "place")
		if i > 0 && p.Places[i] <= p.Places[i-1] {
			r.fail("places out of order")
		}
		p.Changes[i].Table, p.Changes[i].Shard = table, shard
		r.body(&p.Changes[i])
	}
	if err := r.end(); err != nil {
		return Part{}, err
	}
	return p, nil
}

// PartWall reads only when a part was written: for finding a time.
func PartWall(b []byte) (int64, error) {
	r := reader{b: b}
	r.version()
	w := int64(r.uint64("wall"))
	return w, r.err
}
