package region

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream/record"
)

// TestTakeOver: a survivor becomes the keeper of a dead region's table, with the newest description that any survivor knows; the
// old keeper follows when it is back, and what it had changed alone is void.
func TestTakeOver(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), true, us, eu, ap)
		defer w.close()
		ctx := context.Background()
		w.create(us, "things")
		w.addReplica(us, "things", eu)
		w.addReplica(us, "things", ap)
		if _, err := w.at(eu).TakeOver(ctx, "things", false); !isKind(err, fault.InUse) {
			t.Errorf("from a keeper that answers: %v", err)
		}
		if _, err := w.at(us).TakeOver(ctx, "things", true); !isKind(err, fault.Invalid) {
			t.Errorf("by the keeper: %v", err)
		}
		w.setCut(us, eu, true) // only ap hears of the index
		w.update(us, "things", catalog.Change{CreateIndex: gIndex(), Attributes: gAttributes()})
		w.eventually("ap has the index", func() bool { return len(w.at(ap).catalog.Lookup("things").Indexes) == 1 })
		w.setCut(us, ap, true)
		policy := "attribute"
		w.update(us, "things", catalog.Change{Policy: &policy}) // nobody hears of that
		w.stop(us)
		w.setCut(eu, ap, true)
		if _, err := w.at(eu).TakeOver(ctx, "things", false); !isKind(err, fault.Unavailable) {
			t.Errorf("while ap may know more: %v", err)
		}
		w.setCut(eu, ap, false)
		if _, err := w.at(eu).TakeOver(ctx, "things", false); err != nil {
			t.Fatal(err)
		}
		w.crash(eu)
		w.start(eu)
		if e := w.at(eu).catalog.Lookup("things"); e.Keeper != eu || len(e.Indexes) != 1 {
			t.Errorf("kept by %s, with %d indexes", e.Keeper, len(e.Indexes))
		}
		w.eventually("the index is there", func() bool {
			return w.at(ap).catalog.Lookup("things").Keeper == eu && w.active(eu, "things") && w.active(ap, "things")
		})
		w.update(ap, "things", catalog.Change{DeleteIndex: "byG"})
		w.setCut(us, eu, false)
		w.setCut(us, ap, false)
		w.start(us)
		w.mustPut(us, "things", "a", 1)
		w.eventually("all go by the new keeper", func() bool {
			for _, n := range []string{us, eu, ap} {
				if e := w.at(n).catalog.Lookup("things"); e == nil || e.Keeper != eu || len(e.Indexes) != 0 || e.Policy == policy {
					return false
				}
			}
			return w.get(eu, "things", "a") == 1 && w.equal("things", us, eu, ap)
		})
	})
}

// TestTakeOverByForce: an operator may take over from a keeper that answers, and while others do not.
func TestTakeOverByForce(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), false, us, eu, ap)
		defer w.close()
		w.create(us, "things")
		w.addReplica(us, "things", eu)
		w.addReplica(us, "things", ap)
		w.setCut(eu, ap, true)
		if v, err := w.at(eu).TakeOver(context.Background(), "things", true); err != nil || v.Keeper != eu {
			t.Fatalf("%+v, %v", v, err)
		}
		w.eventually("us follows", func() bool { return w.at(us).catalog.Lookup("things").Keeper == eu })
	})
}

// TestMalformedCommands: what another region asks in error is refused, and neither stops this region nor is remembered.
func TestMalformedCommands(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), true, us, eu)
		defer w.close()
		w.create(us, "things")
		r := w.at(us)
		d := r.catalog.Lookup("things").Descriptor
		for name, c := range map[string]any{
			cmdDescribed: command{Name: cmdDescribed, Table: record.TableID{1}, Descriptor: d},
			cmdHaves:     command{Name: cmdHaves, Table: record.TableID{1}, Descriptor: d, Member: &catalog.Member{Origin: w.at(eu).Origin()}},
			cmdRelay:     relayAsk{Tables: []record.TableID{{1}}},
			cmdReport:    crdt.Origin{Region: us, Incarnation: 1 << 62},
		} {
			b, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			var answer struct{ Error string }
			if b, err = r.Handle(context.Background(), eu, name, b); err == nil {
				err = json.Unmarshal(b, &answer)
			}
			if err == nil && answer.Error == "" {
				t.Errorf("%s: answered %s", name, b)
			}
		}
		r.inbound.mu.Lock()
		defer r.inbound.mu.Unlock()
		if n := r.inbound.newest[us]; n != r.origin.Incarnation {
			t.Errorf("a newer incarnation of us is believed in: %x", n)
		}
	})
}
