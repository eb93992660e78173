package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/capacity"
	"github.com/meridiandb/meridian/storage"
)

// pageBytes is how much a Query or Scan evaluates before it stops; the item that crosses it is included.
const pageBytes = 1 << 20

// Query reads one page of a partition.
func (t *Table) Query(ctx context.Context, q Query) (Page, error) {
	src, err := t.source(q.Index)
	if err != nil {
		return Page{}, err
	}
	r := reader{source: src, Reading: q.Reading, reverse: q.Reverse, span: querySpan(src.prefix, q.Range)}
	r.single = src.index == nil && len(q.Range.Prefix) == len(src.schema.Range)
	if !q.Start.IsZero() {
		if r.start, err = src.startKey(q.Start); err != nil {
			return Page{}, err
		}
		if err := r.checkQueryStart(q.Range); err != nil {
			return Page{}, err
		}
	}
	return r.page(ctx)
}

func (r *reader) checkQueryStart(rng expr.KeyRange) error {
	part := item.Key{Hash: rng.Hash}.AppendHash(append([]byte(nil), r.prefix...))
	switch {
	case !bytes.HasPrefix(r.start, part):
		return invalid("The provided starting key is outside query boundaries based on provided conditions")
	case r.single:
		return invalid("The query can return at most one row and cannot be restarted")
	case !r.span.has(r.start):
		return invalid("The provided starting key does not match the range key predicate")
	}
	return nil
}

// Scan reads one page of a table or index, or of a segment of it.
func (t *Table) Scan(ctx context.Context, s Scan) (Page, error) {
	src, err := t.source(s.Index)
	if err != nil {
		return Page{}, err
	}
	r := reader{source: src, Reading: s.Reading, span: segmentSpan(src.prefix, s.Segment, s.Total)}
	if !s.Start.IsZero() {
		if r.start, err = src.startKey(s.Start); err != nil {
			return Page{}, err
		}
		if !r.span.has(r.start) {
			return Page{}, invalid(badStart+": Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", s.Total, s.Segment)
		}
	}
	return r.page(ctx)
}

// reader makes one page.
type reader struct {
	source
	Reading
	span     span
	start    []byte // stored key to go on from, exclusive
	reverse  bool
	single   bool           // at most one item: there is nothing to go on to, and going on is refused
	straight bool           // every item goes to Each as it is
	fetches  bool           // entries of a local index are completed from the table
	from     storage.Reader // one moment, if fetches: entries and items must fit together

	out     Page
	bytes   int     // evaluated, in the table or index that is read
	fetched int     // of items fetched for a local index
	units   float64 // what fetching them costs
	kept    []byte  // see keep
}

func (r *reader) page(ctx context.Context) (Page, error) {
	if err := r.table.mayRead(r.index); err != nil {
		return Page{}, err
	}
	e := r.table.engine
	r.from = e.store
	if r.fetches = r.mustFetch(); r.fetches {
		snap := e.store.Snapshot()
		defer snap.Close() //nolint:errcheck // a snapshot holds nothing that could fail to be written
		r.from = snap
	}
	r.straight = r.Each != nil && r.Filter == nil && r.Projection == nil && !r.CountOnly && !r.fetches
	n := 0
	for stored, err := range r.entries() {
		if n++; err == nil && n%256 == 0 {
			err = context.Cause(ctx)
		}
		if err != nil {
			return Page{}, err
		}
		full, err := r.visit(stored)
		if err != nil {
			return Page{}, err
		}
		if full {
			break
		}
	}
	if err := r.stillThere(); err != nil {
		return Page{}, err
	}
	if err := e.settleAll(ctx); err != nil {
		return Page{}, err
	}
	r.price()
	if err := r.table.read(r.out.Cost); err != nil {
		return Page{}, err
	}
	return r.out, nil
}

// entries lists what is stored in the range that is left, each good until the next. An error ends the list.
func (r *reader) entries() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		opts := storage.IterOptions{Lower: r.span.lo, Upper: r.span.hi}
		if r.start != nil && r.reverse {
			opts.Upper = r.start
		} else if r.start != nil {
			opts.Lower = append(append([]byte(nil), r.start...), 0)
		}
		if bytes.Compare(opts.Lower, opts.Upper) >= 0 {
			return
		}
		it, err := r.from.NewIter(opts)
		if err != nil {
			yield(nil, err)
			return
		}
		first, next := it.First, it.Next
		if r.reverse {
			first, next = it.Last, it.Prev
		}
		goOn := true
		for ok := first(); ok && goOn; ok = goOn && next() {
			v := it.Value()
			if !it.Valid() { // the value cannot be read
				break
			}
			goOn = yield(v, nil)
		}
		if err := joined(nil, it); err != nil && goOn {
			yield(nil, err)
		}
	}
}

// joined closes an iterator and reports what went wrong with the walk.
func joined(err error, it storage.Iter) error { return errors.Join(err, it.Err(), it.Close()) }

// visit evaluates one stored entry; full says that the page ends with it.
func (r *reader) visit(stored []byte) (full bool, err error) {
	var it item.Item
	if r.index != nil {
		it = item.TrustedItem(stored)
	} else if it = conflict.TrustedState(stored).Item(); it.IsZero() {
		return false, nil // a tombstone
	}
	r.out.Scanned++
	if r.straight {
		r.bytes += r.Each(it)
		r.out.Count++
		return r.full(it), nil
	}
	r.bytes += it.Size()
	whole := it
	if r.fetches {
		if whole, err = r.fetch(it); err != nil {
			return false, err
		}
	}
	full = r.full(it)
	if r.Filter != nil {
		if keep, err := r.Filter.Eval(whole); err != nil || !keep {
			return full, err
		}
	}
	r.out.Count++
	if !r.CountOnly {
		r.give(whole)
	}
	return full, nil
}

// full reports whether the page ends with an item, and notes where the next one begins.
func (r *reader) full(last item.Item) bool {
	full := r.bytes+r.fetched > pageBytes || r.Limit > 0 && r.out.Scanned >= r.Limit
	if full && !r.single {
		r.out.Last = r.lastKey(last)
	}
	return full
}

// give gives the caller an item whose bytes are only good now.
func (r *reader) give(it item.Item) {
	projected := r.Projection != nil
	if projected {
		it = r.Projection.Apply(it)
	}
	switch {
	case r.Each != nil:
		r.Each(it)
	case projected:
		r.out.Items = append(r.out.Items, it)
	default:
		r.out.Items = append(r.out.Items, item.TrustedItem(r.keep(it.Encoded())))
	}
}

// keep copies bytes that live as long as the page, many into one piece of memory.
func (r *reader) keep(b []byte) []byte {
	if cap(r.kept)-len(r.kept) < len(b) {
		r.kept = make([]byte, 0, max(len(b), min(2*cap(r.kept), 64<<10)))
	}
	at := len(r.kept)
	r.kept = append(r.kept, b...)
	return r.kept[at:len(r.kept):len(r.kept)]
}

// mustFetch reports whether the request wants attributes that a local index does not hold.
func (r *reader) mustFetch() bool {
	if r.index == nil || r.index.Global || r.CountOnly {
		return false
	}
	if r.Projection == nil {
		return r.All && r.index.names != nil
	}
	for _, n := range r.Projection.TopLevelNames() {
		if !r.index.holds(n) {
			return true
		}
	}
	return false
}

// fetch gets the item of a local index's entry. They are written in one batch and read at one moment.
func (r *reader) fetch(entry item.Item) (item.Item, error) {
	k, err := r.table.entry.Schema.FromItem(entry)
	if err != nil {
		return item.Item{}, &storage.CorruptionError{Where: "an entry of index " + r.index.Name, Err: err}
	}
	key := r.table.storeKey(k)
	raw, err := r.from.Get(key)
	if err != nil && !storage.IsNotFound(err) {
		return item.Item{}, err
	}
	it := conflict.TrustedState(raw).Item()
	if it.IsZero() {
		return it, storage.Corruptf(fmt.Sprintf("index %s of table %s", r.index.Name, r.table.entry.ID), "an entry without item %x", key)
	}
	n := it.Size()
	r.fetched += n
	r.units += capacity.ReadUnits(n, r.Consistent)
	return it, nil
}

// stillThere makes sure that what was read was not being removed meanwhile.
func (r *reader) stillThere() error {
	now, err := r.table.engine.current(r.table.entry.ID)
	if err != nil {
		return err
	}
	if r.index != nil && now.indexByID(r.index.ID) == nil {
		return noIndex(r.index.Name)
	}
	return nil
}

func (r *reader) price() {
	units := capacity.ReadUnits(r.bytes, r.Consistent)
	if r.index == nil {
		r.out.Cost.Table = units
		return
	}
	r.out.Cost.Table = r.units
	r.out.Cost.Indexes = []IndexCost{{Name: r.index.Name, Global: r.index.Global, Units: units}}
}
