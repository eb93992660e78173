package record

import "encoding/binary"

// A commit on the wire, whole.
//
//	offset  size      field
//	0       1         version, 1
//	1       8         seq
//	9       8         prev
//	17      8         wall, unix milliseconds, two's complement
//	25      …         dictionary of origins
//	…       stamp     stamp
//	…       uvarint   n, then n times:
//	          16      table id
//	          2       shard
//	          …       body of a change (encoding.go)

// AppendCommit writes a whole commit.
func AppendCommit(dst []byte, c *Commit) []byte {
	d := dictionaryOf(c.Stamp, c.Changes)
	dst = append(dst, version)
	dst = binary.BigEndian.AppendUint64(dst, uint64(c.Seq))
	dst = binary.BigEndian.AppendUint64(dst, uint64(c.Prev))
	dst = binary.BigEndian.AppendUint64(dst, uint64(c.Wall))
	dst = d.Append(dst)
	dst = d.AppendStamp(dst, c.Stamp)
	dst = binary.AppendUvarint(dst, uint64(len(c.Changes)))
	for i := range c.Changes {
		ch := &c.Changes[i]
		dst = append(dst, ch.Table[:]...)
		dst = binary.BigEndian.AppendUint16(dst, ch.Shard)
		dst = appendBody(dst, &d, ch)
	}
	return dst
}

// DecodeCommit reads a whole commit. A commit that was never in a log, a copied table's changes, has Seq 0.
func DecodeCommit(b []byte) (Commit, error) {
	r := reader{b: b}
	r.version()
	c := Commit{Seq: Seq(r.uint64("seq")), Prev: Seq(r.uint64("prev")), Wall: int64(r.uint64("wall"))}
	r.dictionary()
	c.Stamp = r.stamp("stamp")
	n := r.count(16+2+bodyMin, "changes")
	if n > 0 {
		c.Changes = make([]Change, n)
	}
	for i := range c.Changes {
		ch := &c.Changes[i]
		ch.Table, ch.Shard = r.table(), r.shard()
		r.body(ch)
	}
	if c.Prev >= c.Seq && c.Seq != 0 || c.Seq == 0 && c.Prev != 0 {
		r.fail("prev is not before seq")
	}
	if err := r.end(); err != nil {
		return Commit{}, err
	}
	return c, nil
}
