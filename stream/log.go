package stream

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// headroom is how far the ceiling is raised above the numbers in use, and a restart skips at most this many. It is raised
// when half of it is left, so that a number's ceiling is durable long before the number is used: by as many commits.
const headroom = 4096

var (
	ceilingKey = storage.MetaKey("log-ceiling")
	trimmedKey = storage.MetaKey("log-trimmed")
)

// ErrTrimmed says that a position is before what the log still has: what followed it must be had by repair.
var ErrTrimmed = errors.New("stream: the log no longer reaches back to this position")

// Log is a region's change log. See the package comment.
//
// Invariant: trimmed ≤ durable ≤ last < ceiling.
type Log struct {
	store   storage.Store
	durable watermark
	last    atomic.Uint64 // newest number given out; written by Append only
	trimmed atomic.Uint64 // newest number that is gone
	gaps    gaps

	// Owned by Append, which runs alone.
	next    record.Seq
	ceiling record.Seq
	scratch []byte
}

// Open finds the log's ends in the store.
func Open(s storage.Store) (*Log, error) {
	l := &Log{store: s}
	l.durable.done = s.Done()
	ceiling, err := readSeq(s, ceilingKey)
	if err != nil {
		return nil, err
	}
	trimmed, err := readSeq(s, trimmedKey)
	if err != nil {
		return nil, err
	}
	last, err := lastIn(s)
	if err != nil {
		return nil, err
	}
	if last >= ceiling && last > 0 || trimmed > last {
		return nil, storage.Corruptf("log", "trimmed %d, last %d, ceiling %d", trimmed, last, ceiling)
	}
	l.last.Store(uint64(last))
	l.trimmed.Store(uint64(trimmed))
	l.durable.advance(last) // what a restart finds, it finds on disk
	l.next, l.ceiling = max(ceiling, 1), ceiling
	if err := l.gaps.load(s); err != nil {
		return nil, err
	}
	l.gaps.add(gap{after: last, before: l.next})
	l.ceiling = l.next + headroom
	err = write(s, func(w storage.Writer) error {
		return errors.Join(
			w.Set(ceilingKey, storage.AppendSeq(nil, uint64(l.ceiling))),
			w.Set(gapsKey, encodeGaps(l.gaps.all)))
	})
	return l, err
}

func readSeq(r storage.Reader, key []byte) (record.Seq, error) {
	v, err := r.Get(key)
	switch {
	case storage.IsNotFound(err):
		return 0, nil
	case err != nil:
		return 0, err
	case len(v) != 8:
		return 0, storage.Corruptf(string(key[1:]), "%d bytes instead of 8", len(v))
	}
	return record.Seq(binary.BigEndian.Uint64(v)), nil
}

// lastIn finds the newest commit. One is always kept (Trim), so zero means that there never was one.
func lastIn(r storage.Reader) (record.Seq, error) {
	it, err := r.NewIter(storage.PrefixRange([]byte{storage.KindOrder}))
	if err != nil {
		return 0, err
	}
	var last record.Seq
	if it.Last() {
		if last, err = seqOf(it.Key()); err != nil {
			return 0, errors.Join(err, it.Close())
		}
	}
	return last, errors.Join(it.Err(), it.Close())
}

func orderKey(dst []byte, s record.Seq) []byte {
	return storage.AppendSeq(append(dst, storage.KindOrder), uint64(s))
}

// seqOf reads the number at the end of an order entry's or part's key.
func seqOf(key []byte) (record.Seq, error) {
	if len(key) != 1+8 && len(key) != partKeySize {
		return 0, storage.Corruptf(fmt.Sprintf("log key %x", key), "%d bytes", len(key))
	}
	return record.Seq(binary.BigEndian.Uint64(key[len(key)-8:])), nil
}

const partKeySize = 1 + 16 + 2 + 8

func partKey(dst []byte, t record.TableID, shard uint16, s record.Seq) []byte {
	dst = storage.AppendTable(dst, storage.KindLogPart, t)
	dst = binary.BigEndian.AppendUint16(dst, shard)
	return storage.AppendSeq(dst, uint64(s))
}

// Append gives a commit its number and its predecessor and writes it into the batch w. It is called inside seal: by one
// caller at a time, in commit order. If the commit does not happen, the number is free again.
func (l *Log) Append(w storage.Writer, c *record.Commit) error {
	c.Seq, c.Prev = l.next, record.Seq(l.last.Load())
	if c.Seq+headroom/2 >= l.ceiling {
		if err := l.raise(w, c.Seq); err != nil {
			return err
		}
	}
	if err := l.write(w, c); err != nil {
		return err
	}
	l.advance(w, c)
	return nil
}

// AppendAll is Append for commits that are in one batch, one after the other. What belongs together in the store is written
// together, so that it finds the places faster.
func (l *Log) AppendAll(w storage.Writer, cs []record.Commit) error {
	switch len(cs) {
	case 0:
		return nil
	case 1:
		return l.Append(w, &cs[0])
	}
	next, last := l.next, l.last.Load()
	parts, orders := make([]record.Part, 0, len(cs)), make([]record.Order, len(cs))
	seq, prev := next, record.Seq(last)
	for i := range cs {
		cs[i].Seq, cs[i].Prev = seq, prev
		seq, prev = seq+1, seq
		order, ps := record.Split(&cs[i])
		orders[i], parts = order, append(parts, ps...)
	}
	if prev+headroom/2 >= l.ceiling {
		if err := l.raise(w, prev); err != nil {
			return err
		}
	}
	sort := make([]int, len(parts))
	for i := range sort {
		sort[i] = i
	}
	slices.SortFunc(sort, func(a, b int) int { // of one shard as they stand: by seq
		return cmp.Or(parts[a].Ref().Compare(parts[b].Ref()), cmp.Compare(a, b))
	})
	for _, i := range sort {
		if err := l.writePart(w, &parts[i]); err != nil {
			return err
		}
	}
	for i := range orders {
		if err := l.writeOrder(w, &orders[i]); err != nil {
			return err
		}
	}
	l.last.Store(uint64(prev))
	l.next = seq
	onAbort(w, func() {
		l.next = next
		l.last.Store(last)
	})
	return nil
}

// raise lifts the ceiling in a commit's own batch. Should that not happen, the next one writes it again.
func (l *Log) raise(w storage.Writer, now record.Seq) error {
	old := l.ceiling
	l.ceiling = now + headroom
	onAbort(w, func() { l.ceiling = old })
	return w.Set(ceilingKey, storage.AppendSeq(nil, uint64(l.ceiling)))
}

func (l *Log) advance(w storage.Writer, c *record.Commit) {
	seq, prev := c.Seq, c.Prev // not c, which would have to live as long as undo
	l.last.Store(uint64(seq))
	l.next = seq + 1
	onAbort(w, func() {
		l.next = seq
		l.last.Store(uint64(prev))
	})
}

// onAbort registers undo. A writer that cannot abort, a test's, needs none.
func onAbort(w storage.Writer, undo func()) {
	if s, ok := w.(storage.Sealer); ok {
		s.OnAbort(undo)
	}
}

func (l *Log) write(w storage.Writer, c *record.Commit) error {
	order, parts := record.Split(c)
	for i := range parts {
		if err := l.writePart(w, &parts[i]); err != nil {
			return err
		}
	}
	return l.writeOrder(w, &order)
}

func (l *Log) writePart(w storage.Writer, p *record.Part) error {
	b := record.AppendPart(partKey(l.scratch[:0], p.Table, p.Shard, p.Seq), p)
	l.scratch = keepSmall(b)
	return w.Set(b[:partKeySize], b[partKeySize:])
}

func (l *Log) writeOrder(w storage.Writer, o *record.Order) error {
	b := record.AppendOrder(orderKey(l.scratch[:0], o.Seq), o)
	l.scratch = keepSmall(b)
	return w.Set(b[:1+8], b[1+8:])
}

// keepSmall lets go of a buffer that one large commit made large.
func keepSmall(b []byte) []byte {
	if cap(b) > 1<<20 {
		return nil
	}
	return b
}

// Committed notes that a commit and all before it are durable.
func (l *Log) Committed(s record.Seq) { l.durable.advance(s) }

// Durable is the newest commit that would survive a power cut, with all before it.
func (l *Log) Durable() record.Seq { return l.durable.get() }

// Last is the newest commit, durable or not. It may yet be taken back if its store fails to apply it.
func (l *Log) Last() record.Seq { return record.Seq(l.last.Load()) }

// First is the first number that can still be in the log.
func (l *Log) First() record.Seq { return record.Seq(l.trimmed.Load()) + 1 }

// Bytes is about how much room the log takes.
func (l *Log) Bytes() (uint64, error) {
	order, err := l.store.EstimateSize([]byte{storage.KindOrder}, []byte{storage.KindOrder + 1})
	if err != nil {
		return 0, err
	}
	parts, err := l.store.EstimateSize([]byte{storage.KindLogPart}, []byte{storage.KindLogPart + 1})
	return order + parts, err
}

// Between counts the commits in (from, to]: the difference of their numbers less what restarts skipped.
func (l *Log) Between(from, to record.Seq) uint64 { return l.gaps.between(from, to) }
