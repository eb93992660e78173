package stream

import (
	"encoding/binary"
	"sync"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// gap is a run of numbers that no commit has: those strictly between after and before.
type gap struct{ after, before record.Seq }

func (g gap) size() uint64 { return uint64(g.before - g.after - 1) }

// gaps are the runs that restarts skipped, in order, as far back as the log reaches. They make lag exact: a peer that is
// two commits behind over a restart is two behind, not four thousand.
//
// Under "log-gaps", for each gap: after (8), before (8), big endian.
type gaps struct {
	mu  sync.RWMutex
	all []gap
}

var gapsKey = storage.MetaKey("log-gaps")

func (g *gaps) load(r storage.Reader) error {
	v, err := r.Get(gapsKey)
	if storage.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(v)%16 != 0 {
		return storage.Corruptf("log-gaps", "%d bytes", len(v))
	}
	for ; len(v) > 0; v = v[16:] {
		x := gap{record.Seq(binary.BigEndian.Uint64(v)), record.Seq(binary.BigEndian.Uint64(v[8:]))}
		if x.after >= x.before {
			return storage.Corruptf("log-gaps", "%d to %d", x.after, x.before)
		}
		g.all = append(g.all, x)
	}
	return nil
}

// add notes a gap. Restarts without a commit in between make one gap of all.
func (g *gaps) add(x gap) {
	if x.size() == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.all); n > 0 && g.all[n-1].after == x.after {
		g.all[n-1] = x
	} else {
		g.all = append(g.all, x)
	}
}

func encodeGaps(all []gap) []byte {
	b := make([]byte, 0, 16*len(all))
	for _, x := range all {
		b = storage.AppendSeq(storage.AppendSeq(b, uint64(x.after)), uint64(x.before))
	}
	return b
}

// after lists the gaps that are not altogether at or below a position. They are made when the log is opened and go when it
// is trimmed, so what it lists holds until set.
func (g *gaps) after(trimmed record.Seq) []gap {
	g.mu.RLock()
	defer g.mu.RUnlock()
	n := 0
	for n < len(g.all) && g.all[n].before <= trimmed {
		n++
	}
	return append([]gap(nil), g.all[n:]...)
}

func (g *gaps) set(all []gap) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all = all
}

// between counts the numbers in (from, to] that are not in a gap.
func (g *gaps) between(from, to record.Seq) uint64 {
	if from >= to {
		return 0
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	n := uint64(to - from)
	for _, x := range g.all {
		lo, hi := max(x.after, from), min(x.before-1, to)
		if lo < hi {
			n -= uint64(hi - lo)
		}
	}
	return n
}

// write runs fn's writes as one synced batch.
func write(s storage.Store, fn func(storage.Writer) error) error {
	tx, err := s.Begin(background)
	if err != nil {
		return err
	}
	defer tx.Discard()
	durable, err := tx.Commit(fn)
	if err != nil {
		return err
	}
	return durable.Wait()
}
