package region

import (
	"context"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
)

// mended is what a round would do: to has all of a table that from has, and knows up to when that goes.
func (w *world) mended(to, from, name string) {
	w.t.Helper()
	a, b := w.at(to), w.at(from)
	id := a.catalog.Lookup(name).ID
	mine, err := a.OpenCopy(context.Background(), id, 0, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer mine.Close()
	theirs, err := b.OpenCopy(context.Background(), id, 0, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer theirs.Close()
	var keys, states [][]byte
	for k, s := range w.dump(from, name) {
		keys, states = append(keys, []byte(k)), append(states, s)
	}
	if _, err := a.Mend(context.Background(), from, id, a.Floor(id), keys, states); err != nil {
		w.t.Fatal(err)
	}
	if err := mine.Ended(from, theirs.Have()); err != nil {
		w.t.Fatal(err)
	}
}

// TestSessionAfterARound: what a region has of another that is gone by comparing its tables with a third counts for sessions
// when it has all tables so, over restarts, and only as long as it has the data.
func TestSessionAfterARound(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), true, "us-east-1", "eu-west-1", "ap-south-1")
		defer w.close()
		for _, name := range []string{"things", "others"} {
			w.create("us-east-1", name)
			w.addReplica("us-east-1", name, "eu-west-1")
			w.addReplica("us-east-1", name, "ap-south-1")
		}
		w.setCut("us-east-1", "ap-south-1", true)
		w.mustPut("us-east-1", "things", "a", 1)
		w.mustPut("us-east-1", "others", "b", 2)
		w.eventually("one survivor has it", func() bool { return w.get("eu-west-1", "others", "b") == 2 })
		seen := w.seenOf("us-east-1", "others", "b")
		w.eventually("and says so", func() bool { return w.await("eu-west-1", seen, 0) == nil })
		w.stop("us-east-1")
		refused := func(when string) {
			t.Helper()
			if err := w.await("ap-south-1", seen, 10*time.Millisecond); !isKind(err, fault.Unavailable) {
				t.Errorf("%s: %v", when, err)
			}
		}
		refused("before any round")
		w.mended("ap-south-1", "eu-west-1", "others")
		refused("after a round of one of two tables")
		done := make(chan error)
		go func() { done <- w.await("ap-south-1", seen, time.Minute) }()
		time.Sleep(time.Second)
		w.mended("ap-south-1", "eu-west-1", "things")
		if err := <-done; err != nil {
			t.Errorf("who waited is not told: %v", err)
		}
		w.crash("ap-south-1")
		w.start("ap-south-1")
		if err := w.await("ap-south-1", seen, 0); err != nil {
			t.Errorf("after a power cut: %v", err)
		}
		// Nothing of it stands when the data goes.
		r := w.at("ap-south-1")
		id := r.catalog.Lookup("things").ID
		old, err := r.OpenCopy(context.Background(), id, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.empty(id); err != nil {
			t.Fatal(err)
		}
		refused("after the data went")
		if err := old.Ended(eu, map[crdt.Origin]crdt.Time{seen[0].Origin: seen[0].Time}); err != nil {
			t.Error(err)
		}
		if err := old.Close(); err != nil {
			t.Error(err)
		}
		refused("after a round that began before the data went")
		if m, err := readMended(r.store); err != nil || len(m[id]) != 0 {
			t.Errorf("stored: %v, %v", m, err)
		}
	})
}
