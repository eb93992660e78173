package table

import (
	"bytes"
	"context"
	"errors"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
)

// pageBytes is how much a Query or Scan evaluates before it stops; the item that crosses it is included.
const pageBytes = 1 << 20

func invalid(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }

// Query reads one page of a partition.
func (t *Table) Query(ctx context.Context, q Query) (Page, error) {
	src, err := t.source(q.Index)
	if err != nil {
		return Page{}, err
	}
	r := reader{source: src, Reading: q.Reading, reverse: q.Reverse, span: querySpan(src.prefix, q.Range)}
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
	if !bytes.HasPrefix(r.start, part) {
		return invalid("The provided starting key is outside query boundaries based on provided conditions")
	}
	if bytes.Compare(r.start, r.span.lo) < 0 || bytes.Compare(r.start, r.span.hi) >= 0 {
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
		if bytes.Compare(r.start, r.span.lo) < 0 || bytes.Compare(r.start, r.span.hi) >= 0 {
			return Page{}, invalid(badStart+": Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", s.Total, s.Segment)
		}
	}
	return r.page(ctx)
}

// reader makes one page.
type reader struct {
	source
	Reading
	span    span
	start   []byte // stored key to go on from, exclusive
	reverse bool

	out     Page
	bytes   int     // evaluated
	fetched float64 // units of base items fetched for a local index

	fetchedBytes int // of them, in bytes too
}

func (r *reader) page(ctx context.Context) (Page, error) {
	opts := storage.IterOptions{Lower: r.span.lo, Upper: r.span.hi}
	if r.start != nil && r.reverse {
		opts.Upper = r.start
	} else if r.start != nil {
		opts.Lower = append(append([]byte(nil), r.start...), 0)
	}
	if bytes.Compare(opts.Lower, opts.Upper) < 0 {
		it, err := r.table.engine.store.NewIter(opts)
		if err != nil {
			return Page{}, err
		}
		err = r.walk(ctx, it)
		if err := errors.Join(err, it.Err(), it.Close()); err != nil {
			return Page{}, err
		}
	}
	if err := r.table.engine.settleAll(ctx); err != nil {
		return Page{}, err
	}
	r.price()
	return r.out, nil
}

func (r *reader) walk(ctx context.Context, it storage.Iter) error {
	ok := false
	if r.reverse {
		ok = it.Last()
	} else {
		ok = it.First()
	}
	for n := 0; ok; n++ {
		if n%256 == 255 && ctx.Err() != nil {
			return ctx.Err()
		}
		full, err := r.visit(it.Value())
		if err != nil || full {
			return err
		}
		if r.reverse {
			ok = it.Prev()
		} else {
			ok = it.Next()
		}
	}
	return nil
}

// visit evaluates one stored entry, which is only valid now; full says that the page ends with it.
func (r *reader) visit(stored []byte) (full bool, err error) {
	var it item.Item
	if r.index == nil {
		if it = conflict.TrustedState(stored).Item(); it.IsZero() {
			return false, nil // a tombstone
		}
	} else {
		it = item.TrustedItem(stored)
	}
	r.out.Scanned++
	r.bytes += it.Size()
	full = r.bytes > pageBytes || (r.Limit > 0 && r.out.Scanned >= r.Limit)
	if full {
		r.out.Last = r.lastKey(it)
	}
	whole, err := r.fetch(it)
	if err != nil {
		return false, err
	}
	if r.Filter != nil {
		keep, err := r.Filter.Eval(whole)
		if err != nil || !keep {
			return full || r.bytes > pageBytes, err
		}
	}
	r.out.Count++
	if !r.CountOnly {
		r.out.Items = append(r.out.Items, r.result(whole))
	}
	if r.bytes > pageBytes && !full { // fetched base items count too
		r.out.Last = r.lastKey(it)
		return true, nil
	}
	return full, nil
}

func (r *reader) result(it item.Item) item.Item {
	if r.Projection != nil {
		return r.Projection.Apply(it)
	}
	return item.TrustedItem(bytes.Clone(it.Encoded()))
}

// fetch gets the base item of a local index entry when the request wants attributes that the index does not hold. The
// index is written in the item's own batch, so the item is there, or its entry is about to go.
func (r *reader) fetch(entry item.Item) (item.Item, error) {
	if !r.fetches() {
		return entry, nil
	}
	k, err := r.table.entry.Schema.FromItem(entry)
	if err != nil {
		return item.Item{}, err
	}
	raw, err := r.table.engine.store.Get(k.Append(append([]byte(nil), r.table.prefix...)))
	if storage.IsNotFound(err) {
		return entry, nil
	}
	if err != nil {
		return item.Item{}, err
	}
	base := conflict.TrustedState(raw).Item()
	if base.IsZero() {
		return entry, nil
	}
	r.fetched += readUnits(base.Size(), r.Consistent)
	r.bytes += base.Size()
	r.fetchedBytes += base.Size()
	return base, nil
}

func (r *reader) fetches() bool {
	if r.index == nil || r.index.Global || r.index.Projection == "ALL" {
		return false
	}
	if r.All {
		return true
	}
	if r.Projection == nil {
		return false
	}
	for _, n := range r.Projection.TopLevelNames() {
		if !r.holds(n) {
			return true
		}
	}
	return false
}

// holds reports whether the index carries an attribute.
func (r *reader) holds(name string) bool {
	if r.schema.Has(name) || r.table.entry.Schema.Has(name) {
		return true
	}
	for _, n := range r.index.NonKey {
		if n == name {
			return true
		}
	}
	return false
}

func (r *reader) price() {
	units := readUnits(r.bytes-r.fetchedBytes, r.Consistent)
	if r.index == nil {
		r.out.Cost.Table = units
		return
	}
	r.out.Cost.Table = r.fetched
	r.out.Cost.Indexes = []IndexCost{{Name: r.index.Name, Global: r.index.Global, Units: units}}
}
