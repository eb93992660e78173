package region

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
)

// seenOf is what a client has seen that read an item.
func (w *world) seenOf(at, name, key string) []Seen {
	w.t.Helper()
	t, err := w.at(at).Table(name)
	if err != nil {
		w.t.Fatal(err)
	}
	state, err := t.State(context.Background(), keyOf(key))
	if err != nil {
		w.t.Fatal(err)
	}
	var all []Seen
	for s := range state.Context().Seen() {
		all = append(all, Seen{Stamp: s})
	}
	return all
}

func (w *world) await(at string, s []Seen, patience time.Duration) error {
	return w.at(at).AwaitSession(context.Background(), s, patience)
}

func TestSessionWaits(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), false, "us-east-1", "eu-west-1")
		defer w.close()
		w.create("us-east-1", "things")
		w.addReplica("us-east-1", "things", "eu-west-1")
		w.setCut("us-east-1", "eu-west-1", true)
		w.mustPut("us-east-1", "things", "a", 1)
		seen := w.seenOf("us-east-1", "things", "a")
		began := time.Now()
		err := w.await("eu-west-1", seen, 2*time.Second)
		var behind *BehindError
		if !isKind(err, fault.Unavailable) || !errors.As(err, &behind) || behind.Lacks.Origin != w.at("us-east-1").Origin() {
			t.Errorf("behind a cut: %v", err)
		}
		if took := time.Since(began); took < 2*time.Second || took > 3*time.Second {
			t.Errorf("it waited %v", took)
		}
		time.AfterFunc(time.Second, func() { w.setCut("us-east-1", "eu-west-1", false) })
		if err := w.await("eu-west-1", seen, 5*time.Second); err != nil || w.get("eu-west-1", "things", "a") != 1 {
			t.Errorf("after the cut: %v, n is %d", err, w.get("eu-west-1", "things", "a"))
		}
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		future := []Seen{{Stamp: crdt.Stamp{Time: seen[0].Time + 1<<40, Origin: seen[0].Origin}}}
		if err := w.at("eu-west-1").AwaitSession(ctx, future, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("the client went away: %v", err)
		}
	})
}

// A region that restarts while another is gone still knows what it holds of that one.
func TestSessionOverRestart(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), true, "us-east-1", "eu-west-1")
		defer w.close()
		w.create("us-east-1", "things")
		w.addReplica("us-east-1", "things", "eu-west-1")
		w.mustPut("us-east-1", "things", "a", 1)
		seen := w.seenOf("us-east-1", "things", "a")
		if err := w.await("eu-west-1", seen, time.Minute); err != nil {
			t.Fatal(err)
		}
		w.setCut("us-east-1", "eu-west-1", true)
		w.crash("eu-west-1")
		w.start("eu-west-1")
		if err := w.await("eu-west-1", seen, time.Second); err != nil {
			t.Errorf("after a restart: %v", err)
		}
		// What its pages show counts, too, for a client that goes on to another region.
		all, err := w.at("eu-west-1").Seen(context.Background())
		if err != nil || !all.Covers(seen[0].Stamp) {
			t.Errorf("after a restart the region has seen %v, which has no %v: %v", all, seen[0], err)
		}
	})
}

// A table that is added later is filled from elsewhere: the region does not hold its changes because it holds those of
// other tables.
func TestSessionWhenATableComes(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), false, "us-east-1", "eu-west-1", "ap-northeast-1")
		defer w.close()
		for _, name := range []string{"first", "second"} {
			w.create("us-east-1", name)
			w.addReplica("us-east-1", name, "eu-west-1")
		}
		w.addReplica("us-east-1", "first", "ap-northeast-1")
		w.setCut("us-east-1", "eu-west-1", true)
		w.mustPut("us-east-1", "second", "a", 1)
		seen := w.seenOf("us-east-1", "second", "a")
		w.eventually("the others hold first up to there", func() bool {
			return w.await("ap-northeast-1", seen, time.Nanosecond) == nil
		})
		// Tokyo fills second from Ireland, which lacks the write; Virginia keeps the table and must be reachable to add it.
		w.set(func() { w.noCopy = func(_, from string) bool { return from == "us-east-1" } })
		w.set(func() {
			w.beforeApply = func(to, from string) {
				if to == "ap-northeast-1" && from == "us-east-1" {
					time.Sleep(3 * time.Second) // virtual: the tail comes long after the copy
				}
			}
		})
		w.addReplica("us-east-1", "second", "ap-northeast-1")
		if err := w.await("ap-northeast-1", seen, time.Minute); err != nil || w.get("ap-northeast-1", "second", "a") != 1 {
			t.Errorf("Tokyo says it has caught up (%v), n is %d", err, w.get("ap-northeast-1", "second", "a"))
		}
	})
}
