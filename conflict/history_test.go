package conflict

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"pgregory.net/rapid"
)

// history is one item in three regions: random writes under policies that change, and states that travel late, twice, and
// in any order.
type history struct {
	t      *rapid.T
	oracle oracle
	states []State
	seen   []map[int]bool
	pool   []parcel // every state that any region ever had
	times  []int    // of each region's newest write
	lost   []Loss   // all that was reported anywhere
	dots   map[crdt.Stamp]int
	trace  []string
	policy func(*history) Policy
	unique bool // every put and update makes another item
}

type parcel struct {
	state State
	seen  map[int]bool
}

func newHistory(t *rapid.T, policy func(*history) Policy) *history {
	h := &history{t: t, policy: policy, dots: map[crdt.Stamp]int{}}
	for range 3 {
		h.states = append(h.states, State{})
		h.seen = append(h.seen, map[int]bool{})
		h.times = append(h.times, 0)
	}
	return h
}

func fixed(p Policy) func(*history) Policy { return func(*history) Policy { return p } }

func changing(h *history) Policy { return Policy(rapid.IntRange(0, 2).Draw(h.t, "policy")) }

// step writes or delivers.
func (h *history) step() {
	i := rapid.IntRange(0, 2).Draw(h.t, "region")
	if len(h.pool) > 0 && rapid.Bool().Draw(h.t, "deliver") {
		h.deliver(i, rapid.IntRange(0, len(h.pool)-1).Draw(h.t, "which"))
		return
	}
	h.write(i)
}

func (h *history) deliver(i, k int) {
	h.trace = append(h.trace, fmt.Sprintf("%c gets #%d", 'a'+i, k))
	out := Merge(h.states[i], h.pool[k].state)
	h.lost = append(h.lost, out.Lost...)
	before := len(h.seen[i])
	h.seen[i] = maps.Clone(h.seen[i])
	maps.Copy(h.seen[i], h.pool[k].seen)
	if out.Changed != (len(h.seen[i]) > before) {
		h.t.Fatalf("changed is %v, but %d writes are known after %d\n%s", out.Changed, len(h.seen[i]), before, h)
	}
	h.put(i, out.State, h.seen[i])
}

func (h *history) put(i int, s State, seen map[int]bool) {
	if s.IsZero() {
		return // nobody has written yet, and nothing is stored
	}
	b := s.Append(nil)
	d, err := DecodeState(b)
	if err != nil {
		h.t.Fatalf("%v: %x\n%s", err, b, h)
	}
	if again := d.Append(nil); string(again) != string(b) {
		h.t.Fatalf("%x decoded and encoded: %x\n%s", b, again, h)
	}
	if got, want := s.Item(), h.oracle.item(seen); !got.Equal(want) {
		h.t.Fatalf("%c has %s, the oracle %s\n%s", 'a'+i, shortItem(got), shortItem(want), h)
	}
	if got := TrustedState(b).Item(); !got.Equal(s.Item()) {
		h.t.Fatalf("stored %s shows %s", shortItem(s.Item()), shortItem(got))
	}
	h.states[i], h.seen[i] = TrustedState(b), seen
	h.pool = append(h.pool, parcel{d, seen})
}

// write makes one write. Clocks run apart; a stamp is above its region's own and what it replaces.
func (h *history) write(i int) {
	stored := h.states[i]
	floor := h.times[i]
	for s := range stored.Context().Seen() {
		floor = max(floor, int(s.Time))
	}
	h.times[i] = floor + rapid.IntRange(1, 4).Draw(h.t, "tick")
	w := Local{Stamp: crdt.Stamp{Time: crdt.Time(h.times[i]), Origin: origin(string(rune('a' + i)))}}
	p := h.policy(h)
	h.fill(&w, stored.Item(), p)
	if h.unique && !w.New.IsZero() {
		w.New = w.New.With([]item.Field{{Name: "u", Value: value("u" + short(w.Stamp))}})
	}
	h.dots[w.Stamp] = len(h.oracle.writes)
	seen := h.oracle.record(p, h.seen[i], w)
	h.trace = append(h.trace, fmt.Sprintf("#%d %s: %s op %d %s touched %v adds %d",
		len(h.pool), p, short(w.Stamp), w.Op, shortItem(w.New), w.Touched, len(w.Adds)))
	s := Write(p, stored, w)
	if !s.Item().Equal(w.New) {
		h.t.Fatalf("wrote %s, shows %s\n%s", shortItem(w.New), shortItem(s.Item()), h)
	}
	h.put(i, s, seen)
}

func (h *history) fill(w *Local, old item.Item, p Policy) {
	unique := fmt.Sprintf("v%d%s", w.Stamp.Time, w.Stamp.Origin.Region)
	w.Op = Op(rapid.IntRange(1, 7).Draw(h.t, "op"))
	switch w.Op {
	case Put:
		w.New = attrs("pk=k " + h.some("x="+unique, "y="+unique, "n=5", "n=q", "s={p,q}", "s={r}", "s=q"))
	case Delete:
	case Expire:
		if old.IsZero() {
			w.Op = Delete
		}
	default:
		w.Op = Update
		changes := []item.Field{{Name: "pk", Value: value("k")}}
		if !old.IsZero() {
			changes = nil
		}
		for f := range strings.FieldsSeq(h.some("x="+unique, "y="+unique, "x=", "n=7", "s={p}", "s=")) {
			name, v, _ := strings.Cut(f, "=")
			changes = append(changes, item.Field{Name: name, Value: value(v)})
			w.Touched = append(w.Touched, name)
		}
		w.New = old.With(changes)
		h.add(w, p, Add{Name: "n", Value: value(fmt.Sprint(rapid.IntRange(-3, 9).Draw(h.t, "delta")))})
		h.add(w, p, Add{Name: "s", Value: value(rapid.SampledFrom([]string{"{p}", "{q}", "{p,r}"}).Draw(h.t, "members")),
			Remove: rapid.Bool().Draw(h.t, "remove")})
	}
}

// add gives the update an action on an attribute that it does not set, where expr would let it.
func (h *history) add(w *Local, p Policy, a Add) {
	v := w.New.Get(a.Name)
	fits := v.IsZero() || v.Kind() == a.Value.Kind()
	for _, name := range w.Touched {
		fits = fits && name != a.Name
	}
	if !fits || !rapid.Bool().Draw(h.t, "add to "+a.Name) {
		return
	}
	w.Adds = append(w.Adds, a)
	w.Touched = append(w.Touched, a.Name)
	w.New = w.New.With([]item.Field{{Name: a.Name, Value: applyAdd(v, a)}})
}

func (h *history) some(fields ...string) string {
	chosen := map[string]string{}
	for _, f := range fields {
		if rapid.IntRange(0, 2).Draw(h.t, f) == 0 {
			name, _, _ := strings.Cut(f, "=")
			chosen[name] = f
		}
	}
	out := ""
	for _, f := range chosen {
		out += f + " "
	}
	return out
}

func (h *history) String() string { return strings.Join(h.trace, "\n") }

// settle delivers to every region what every other has, until nothing changes.
func (h *history) settle() {
	for range 2 {
		for i := range h.states {
			for j := range h.states {
				h.pool = append(h.pool, parcel{h.states[j], h.seen[j]})
				h.deliver(i, len(h.pool)-1)
			}
		}
	}
}

func checkHistories(t *testing.T, policy func(*history) Policy, check func(*history)) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(rt, policy)
		for range rapid.IntRange(2, 14).Draw(rt, "steps") {
			h.step()
		}
		check(h)
	})
}

var policies = map[string]func(*history) Policy{
	"last-writer-wins": fixed(LastWriterWins), "attribute": fixed(Attribute), "crdt": fixed(CRDT), "changing": changing,
}

// TestConvergence: any order, repeats and detours of delivery lead to one state, and to the item of the oracle, under every
// policy and while it changes (DESIGN section 1, promise 3; section 5).
func TestConvergence(t *testing.T) {
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			checkHistories(t, policy, func(h *history) {
				h.settle()
				for _, s := range h.states[1:] {
					if !s.Equal(h.states[0]) {
						h.t.Fatalf("%x\n%x\n%s", s.Append(nil), h.states[0].Append(nil), h)
					}
				}
			})
		})
	}
}

// TestLaws: the join is commutative, associative, idempotent and monotone on states that histories lead to, and Merge's
// short ways by context give the same.
func TestLaws(t *testing.T) {
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			checkHistories(t, policy, func(h *history) {
				if len(h.pool) == 0 {
					return
				}
				pick := func(name string) State {
					return h.pool[rapid.IntRange(0, len(h.pool)-1).Draw(h.t, name)].state
				}
				laws(h, pick("x"), pick("y"), pick("z"))
			})
		})
	}
}

func laws(h *history, x, y, z State) {
	join := func(a, b State) State { return join(&a, &b) }
	same := func(law string, a, b State) {
		if !a.Equal(b) {
			h.t.Fatalf("%s:\n%x\n%x\n%s", law, a.Append(nil), b.Append(nil), h)
		}
	}
	xy := join(x, y)
	same("commutative", xy, join(y, x))
	same("associative", join(xy, z), join(x, join(y, z)))
	same("idempotent", join(x, x), x)
	same("absorbs", join(xy, x), xy)
	same("merge is the join", Merge(x, y).State, xy)
	same("merge keeps the join", Merge(xy, x).State, xy)
	if !x.Context().SubsetOf(xy.Context()) || xy.newest().Less(x.newest()) || xy.clear.Less(x.clear) {
		h.t.Fatalf("not monotone\n%s", h)
	}
	if x.Context().SubsetOf(y.Context()) {
		same("what is seen is in it", xy, y)
	}
}
