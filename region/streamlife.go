package region

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/meridiandb/meridian/region/catalog"
)

// A stream's life in this region. Its description turns it on and off (catalog.Local.Streams follows in the same write); the
// lifecycle job begins it, housekeeping rolls its shards over and trims it.
//
// A stream begins where all writers have seen the description that turns it on: whatever follows carries old images. It ends
// where the log stood just before the description that turns it off could be seen: whatever precedes carries them still.

// streamLife is how long a change can be read (DYNAMODB.md section 8), from when its shards were closed: so all of it is
// kept for as long, also what arrived late from another region.
const streamLife = 24 * time.Hour

// DefaultShardLife is how long shards take changes before others follow them, as the service does it.
const DefaultShardLife = 4 * time.Hour

// streams guards what readers rely on: where a shard ends.
//
// What closes shards holds gate alone while it looks where the log stands and until the catalog says so, and readers hold it
// shared from when they look at the catalog until they have read: so no reader of a shard is past the end that it gets.
type streams struct {
	gate sync.RWMutex
	life time.Duration // of shards
}

// feedWaits reports whether a table's conflict feed should have a stream and has none: it was kept by a version that knew none.
func feedWaits(e *catalog.Entry) bool { return e.Shared() && e.Local.OpenFeed() == nil }

// streamWaits reports whether a table's stream is on here and has not begun.
func streamWaits(e *catalog.Entry) bool {
	if !e.Stream.Enabled {
		return false
	}
	s := e.Local.OpenStream()
	return s == nil || len(s.Generations) == 0
}

// beginStream begins a table's stream.
func (r *Region) beginStream(e *catalog.Entry) error {
	if e.Local.OpenStream() == nil { // kept by a version that knew no streams
		return r.catalog.Refollow(e.ID)
	}
	from, err := r.engine.Edge(r.ctx)
	if err != nil {
		return err
	}
	label, began := e.Local.OpenStream().Label, false
	_, err = r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
		if s := l.OpenStream(); s != nil && s.Label == label { // or it was turned off, and perhaps on again, meanwhile
			s.Begin(from, r.clock.Now())
			began = true
		}
		return nil
	})
	if err == nil && began {
		r.logger.Info("stream begins", "table", e.Name, "label", label)
	}
	return err
}

// rollStreams closes the shards that are old enough.
func (r *Region) rollStreams() error {
	life := r.streams.life.Milliseconds()
	for _, e := range r.catalog.Entries() {
		for _, src := range sourcesOf(e) {
			if s := src.open(); s == nil || !s.Due(r.log.Durable(), r.clock.Now(), life) {
				continue
			}
			if err := r.rollStream(src, life); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Region) rollStream(src source, life int64) error {
	r.streams.gate.Lock()
	defer r.streams.gate.Unlock()
	_, err := r.catalog.SetLocal(src.entry.ID, func(l *catalog.Local) error {
		if s := src.openIn(l); s != nil {
			s.Roll(r.log.Durable(), r.clock.Now(), life)
		}
		return nil
	})
	return err
}

// closing runs a change of the catalog that may end streams.
func (r *Region) closing(change func() (*catalog.Entry, error)) (*catalog.Entry, error) {
	r.streams.gate.Lock()
	defer r.streams.gate.Unlock()
	return change()
}

// trimStreams forgets streams and shards whose time is over, and the changes that were kept for them.
func (r *Region) trimStreams(ctx context.Context) error {
	before := r.clock.Now() - streamLife.Milliseconds()
	for _, e := range r.catalog.Entries() {
		for _, src := range sourcesOf(e) {
			if err := r.trimStreamsOf(ctx, src, before); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Region) trimStreamsOf(ctx context.Context, src source, before int64) error {
	was := src.streams()
	if len(was) == 0 {
		return nil
	}
	l := src.entry.Local.Clone()
	is, from, needed := catalog.TrimStreams(*src.of(&l), before)
	if !needed {
		from = math.MaxUint64
	}
	// The changes first: of a stream that is forgotten nobody would take them.
	if err := r.log.TrimParts(ctx, src.id(), from); err != nil {
		return err
	}
	if len(was) == len(is) && generations(was) == generations(is) {
		return nil
	}
	_, err := r.catalog.SetLocal(src.entry.ID, func(l *catalog.Local) error {
		all := src.of(l)
		*all, _, _ = catalog.TrimStreams(*all, before)
		return nil
	})
	return err
}

func generations(all []catalog.Stream) (n int) {
	for i := range all {
		n += len(all[i].Generations)
	}
	return n
}
