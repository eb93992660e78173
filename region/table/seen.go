package table

import (
	"context"
	"encoding/binary"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/storage"
)

// seen is, for each origin, the newest write that an item of this region may show: what a client that read a page, and not
// a single item, must be taken to have seen. It is kept with the data: after a restart the same items can be read.
//
//	seen/<origin>   8 bytes, big-endian   crdt.Time
//
// It is no promise that everything up to there is here; a copied item may have seen more of an origin than this region has
// applied.
type seen struct {
	own atomic.Uint64 // crdt.Time of the newest own commit, which may not be durable yet

	mu     sync.Mutex
	others map[crdt.Origin]crdt.Time
}

const seenPrefix = "seen/"

// addSeen joins an arriving item's context into what a batch has seen of other origins: a handful, searched in order.
func addSeen(all []crdt.Stamp, c crdt.Context, self crdt.Origin) []crdt.Stamp {
next:
	for s := range c.Seen() {
		if s.Origin == self {
			continue
		}
		for i := range all {
			if all[i].Origin == s.Origin {
				all[i].Time = max(all[i].Time, s.Time)
				continue next
			}
		}
		all = append(all, s)
	}
	return all
}

// note is called inside seal. It writes what is known already too: an equal value may be that of a batch which is not to be.
func (n *seen) note(w storage.Writer, all []crdt.Stamp) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range all {
		if n.others == nil {
			n.others = map[crdt.Origin]crdt.Time{}
		}
		t := max(n.others[s.Origin], s.Time)
		n.others[s.Origin] = t
		if err := w.Set(storage.MetaKey(seenPrefix+s.Origin.String()), storage.AppendSeq(nil, uint64(t))); err != nil {
			return err
		}
	}
	return nil
}

// LoadSeen reads what an earlier run had seen. Call it once, before the engine is used.
func (e *Engine) LoadSeen() error {
	e.seen.own.Store(uint64(e.clock.Last())) // not below any commit of the earlier run
	var err error
	e.seen.others, err = ReadTimes(e.store, seenPrefix)
	return err
}

// ReadTimes reads the times that stand under MetaKey(prefix + origin), 8 bytes each.
func ReadTimes(r storage.Reader, prefix string) (map[crdt.Origin]crdt.Time, error) {
	it, err := r.NewIter(storage.PrefixRange(storage.MetaKey(prefix)))
	if err != nil {
		return nil, err
	}
	defer it.Close() //nolint:errcheck // Err says what reading met
	times := map[crdt.Origin]crdt.Time{}
	for ok := it.First(); ok; ok = it.Next() {
		o, err := crdt.ParseOrigin(string(it.Key()[len(storage.MetaKey(prefix)):]))
		if err != nil || len(it.Value()) != 8 {
			return nil, storage.Corruptf("time of an origin", "%q has %d bytes under it", it.Key(), len(it.Value()))
		}
		times[o] = crdt.Time(binary.BigEndian.Uint64(it.Value()))
	}
	return times, it.Err()
}

// Seen covers everything that a read which has ended may have shown, and of this region nothing that is not durable.
func (e *Engine) Seen(ctx context.Context) (crdt.Context, error) {
	own := crdt.Stamp{Time: crdt.Time(e.seen.own.Load()), Origin: e.origin}
	if err := e.settleAll(ctx); err != nil {
		return crdt.Context{}, err
	}
	c := crdt.NewContext(0, own)
	for o, t := range e.SeenOthers() {
		c = c.With(crdt.Stamp{Time: t, Origin: o})
	}
	return c, nil
}

// SeenOthers is what items here may show of other origins, be it durable or not.
func (e *Engine) SeenOthers() map[crdt.Origin]crdt.Time {
	e.seen.mu.Lock()
	defer e.seen.mu.Unlock()
	return maps.Clone(e.seen.others)
}
