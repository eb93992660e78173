package trigger

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/trigger/duty"
)

// answerer is another region that always answers the same; set it before a call.
type answerer struct{ message }

func (a *answerer) Call(context.Context, string, string, []byte) ([]byte, error) {
	return json.Marshal(a.message)
}

// TestBeatOfAnother: a region that has not heard yet that a trigger was made anew under its id says what was done with by the
// one before, and who ran that. Nothing of it is believed, neither asked nor unasked.
func TestBeatOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var peer answerer
		w := newWorld(t, func(o *Options) { o.Peers = &peer })
		defer w.close()
		w.put("before", 1)
		id := w.create(nil)
		u := w.m.unit(id)
		everything := vector{{Time: 1 << 62, Origin: w.origin()}}
		old := beat{ID: id, Created: u.created() - 1, Claim: duty.Claim{Epoch: 7, Region: "eu-west-1"}, Covered: everything}
		payload, err := json.Marshal(message{[]beat{old}})
		if err != nil {
			t.Fatal(err)
		}
		reply, err := w.m.Handle(t.Context(), "eu-west-1", Command, payload)
		if err != nil || string(reply) != `{"beats":null}` {
			t.Errorf("answered %s %v", reply, err)
		}
		peer.Beats = []beat{old}
		w.m.tell("eu-west-1", []*unit{u})
		w.put("a", 1)
		w.until("delivered", func() bool { return w.fn.count()["a=1"] == 1 })
	})
}

// TestUnknownTrigger: a region that does not know a trigger, since it is just starting, has not confirmed that nobody took it over.
func TestUnknownTrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var peer answerer
		w := newWorld(t, func(o *Options) { o.Peers = &peer })
		defer w.close()
		u := w.m.unit(w.create(nil))
		runs := func(answer ...beat) bool {
			u.mu.Lock()
			now := time.Now()
			u.duty = duty.New(w.m.name, u.duty.Claim(), now)
			u.duty.Members([]string{w.m.name, "eu-west-1"})
			u.mu.Unlock()
			peer.Beats = answer
			w.m.tell("eu-west-1", []*unit{u})
			u.mu.Lock()
			defer u.mu.Unlock()
			u.duty.Tick(now)
			return u.duty.Runs()
		}
		if runs() {
			t.Error("it runs, confirmed by a region that knows nothing of it")
		}
		if !runs(u.beat()) {
			t.Error("it does not run, though the other region has answered")
		}
	})
}

func (w *world) origin() crdt.Origin {
	w.t.Helper()
	seen, err := w.region.Seen(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for s := range seen.Seen() {
		if s.Origin.Region == w.m.name {
			return s.Origin
		}
	}
	w.t.Fatal("this region has no origin")
	return crdt.Origin{}
}
