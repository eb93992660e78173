package region

import (
	"context"
	"testing"
	"time"

	"github.com/meridiandb/meridian/stream/record"
)

// TestCopyIsNoCommit: what comes with a copy of a table to catch up is nobody's commit. East has its own write of an item joined
// with an older one of west in west's copy; logged under its stamp it would be a commit of east's that east never made, and
// behind younger ones (found by simulation).
func TestCopyIsNoCommit(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), false, east, west)
		defer w.close()
		w.create(east, "T")
		w.addReplica(east, "T", west)
		w.set(func() { w.cut[[2]string{east, west}] = true }) // east hears nothing
		w.mustPut(west, "T", "k", 1)
		w.pass(time.Millisecond) // so that east's write is the later one
		w.mustPut(east, "T", "k", 2)
		w.eventually("west has both", func() bool { return w.get(west, "T", "k") == 2 })
		w.mustPut(east, "T", "other", 1)
		r := w.at(west)
		if err := r.log.Trim(context.Background(), r.log.Durable(), func(record.TableID) bool { return false }); err != nil {
			t.Fatal(err)
		}
		w.mustPut(west, "T", "later", 1)
		w.setCut(east, west, false)
		w.eventually("east has caught up", func() bool { return w.get(east, "T", "later") == 1 && w.equal("T", east, west) })

		l := w.at(east)
		id := l.catalog.Lookup("T").ID
		commits, _, err := l.Read(0, map[record.TableID]bool{id: true}, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for i := range commits {
			if i > 0 && !commits[i-1].Stamp.Less(commits[i].Stamp) {
				t.Errorf("commit %d is of %v, and the one before of %v", commits[i].Seq, commits[i].Stamp, commits[i-1].Stamp)
			}
		}
	})
}
