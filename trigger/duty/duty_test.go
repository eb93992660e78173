package duty

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// world is several regions that talk over links which a seed breaks and mends.
type world struct {
	t       *testing.T
	rnd     *rand.Rand
	now     time.Time
	names   []string
	duties  map[string]*Duty
	memory  map[string]Claim // what survives a crash
	cut     map[[2]string]bool
	changes []string
}

func newWorld(t *testing.T, seed uint64, names ...string) *world {
	w := &world{
		t: t, rnd: rand.New(rand.NewPCG(seed, 2)), now: time.Unix(1e9, 0), names: names,
		duties: map[string]*Duty{}, memory: map[string]Claim{}, cut: map[[2]string]bool{},
	}
	for _, n := range names {
		w.memory[n] = Claim{1, names[0]}
		w.start(n)
	}
	return w
}

func (w *world) start(name string) {
	w.duties[name] = New(name, w.memory[name], w.now)
	w.duties[name].Members(w.names)
}

func (w *world) linked(a, b string) bool {
	return w.duties[a] != nil && w.duties[b] != nil && !w.cut[[2]string{a, b}] && !w.cut[[2]string{b, a}]
}

// tick is half a second of everybody's life.
func (w *world) tick() {
	w.now = w.now.Add(500 * time.Millisecond)
	for _, a := range w.names {
		d := w.duties[a]
		if d == nil {
			continue
		}
		if d.Tick(w.now) {
			w.changes = append(w.changes, fmt.Sprintf("%s takes over at %s: %v", a, w.now.Format(".000"), d.Claim()))
		}
		w.memory[a] = d.Claim()
		if !d.Mine() {
			continue
		}
		for _, b := range w.names {
			if a == b || !w.linked(a, b) {
				continue
			}
			w.duties[b].Heard(w.now, a, d.Claim())
			w.memory[b] = w.duties[b].Claim()
			d.Learn(w.now, w.duties[b].Claim())
			if d.Mine() {
				d.Answered(b)
			}
		}
	}
}

func (w *world) running() (all []string) {
	for _, n := range w.names {
		if d := w.duties[n]; d != nil && d.Runs() {
			all = append(all, n)
		}
	}
	return all
}

func (w *world) ticks(n int) {
	for range n {
		w.tick()
	}
}

// TestTakeOver is the story that users are told (docs/triggers.md).
func TestTakeOver(t *testing.T) {
	w := newWorld(t, 1, "us", "eu", "ap")
	w.ticks(2)
	if got := fmt.Sprint(w.running()); got != "[us]" {
		t.Fatalf("%s run", got)
	}
	w.ticks(100)
	if len(w.changes) > 0 {
		t.Fatalf("in quiet times %v", w.changes)
	}
	w.duties["us"] = nil
	died := w.now
	for len(w.running()) == 0 {
		w.tick()
	}
	if took := w.now.Sub(died); took > 7*time.Second {
		t.Fatalf("it took %v", took)
	}
	if got := fmt.Sprint(w.running()); got != "[eu]" {
		t.Fatalf("%s run: the first in line should", got)
	}
	w.start("us")
	for range 20 {
		if w.tick(); fmt.Sprint(w.running()) != "[eu]" {
			t.Fatalf("when us is back, %v run", w.running())
		}
	}
	w.duties["eu"], w.duties["us"] = nil, nil
	died = w.now
	for len(w.running()) == 0 {
		w.tick()
	}
	if took := w.now.Sub(died); took > 10*time.Second || fmt.Sprint(w.running()) != "[ap]" {
		t.Fatalf("the last in line: %v after %v", w.running(), took)
	}
}

// TestLeave: a region that no longer holds the table is replaced at once.
func TestLeave(t *testing.T) {
	w := newWorld(t, 1, "us", "eu", "ap")
	w.ticks(4)
	for _, d := range w.duties {
		d.Members([]string{"eu", "ap"})
	}
	if w.tick(); fmt.Sprint(w.running()) != "[eu]" {
		t.Fatalf("%v run", w.running())
	}
}

// TestAlone: a region that is alone when it starts begins after a while.
func TestAlone(t *testing.T) {
	w := newWorld(t, 1, "us", "eu", "ap")
	w.duties["eu"], w.duties["ap"] = nil, nil
	w.ticks(5)
	if len(w.running()) > 0 {
		t.Fatalf("%v run without having asked", w.running())
	}
	if w.ticks(2); fmt.Sprint(w.running()) != "[us]" {
		t.Fatalf("%v run", w.running())
	}
}

// TestHalt: regions that come to a halt together, for however long, go on as before; so does one that halts alone and hears
// of the others only after it has looked. One that died meanwhile is replaced as soon as always.
func TestHalt(t *testing.T) {
	w := newWorld(t, 1, "us", "eu", "ap")
	w.ticks(4)
	for range 10 {
		w.now = w.now.Add(time.Duration(w.rnd.IntN(60)) * time.Second)
		for _, name := range []string{"eu", "ap", "us"} { // those that listen look first
			if w.duties[name].Tick(w.now) {
				t.Fatalf("%s takes over after a halt of all", name)
			}
		}
		w.ticks(1 + w.rnd.IntN(3))
	}
	if got := fmt.Sprint(w.running(), w.changes); got != "[us] []" {
		t.Fatal(got)
	}
	w.duties["us"] = nil
	w.now = w.now.Add(time.Minute)
	woke := w.now
	for len(w.running()) == 0 {
		w.tick()
	}
	if took := w.now.Sub(woke); took < Silence-Awake || took > 7*time.Second || fmt.Sprint(w.running()) != "[eu]" {
		t.Fatalf("%v after %v", w.running(), took)
	}
}

// TestRandomLives: whatever happens to links and machines, soon after it ends exactly one region runs the trigger, and
// everybody knows which.
func TestRandomLives(t *testing.T) {
	for seed := range uint64(1000) {
		w := newWorld(t, seed, "a", "b", "c", "d")
		for range 20 {
			a, b := w.names[w.rnd.IntN(4)], w.names[w.rnd.IntN(4)]
			switch w.rnd.IntN(4) {
			case 0:
				w.cut[[2]string{a, b}] = true
			case 1:
				w.cut = map[[2]string]bool{}
			case 2:
				w.duties[a] = nil
			case 3:
				if w.duties[a] == nil {
					w.start(a)
				}
			}
			w.ticks(w.rnd.IntN(20))
		}
		w.cut = map[[2]string]bool{}
		living := 0
		for _, n := range w.names {
			if w.duties[n] == nil && w.rnd.IntN(2) == 0 {
				w.start(n)
			}
			if w.duties[n] != nil {
				living++
			}
		}
		w.ticks(20)
		if living > 0 && len(w.running()) != 1 {
			t.Fatalf("seed %d: %v run\n%v", seed, w.running(), w.changes)
		}
		was := len(w.changes)
		if w.ticks(50); len(w.changes) != was {
			t.Fatalf("seed %d: in quiet times %v", seed, w.changes[was:])
		}
		for _, d := range w.duties {
			if d != nil && living > 0 && d.Claim().Region != w.running()[0] {
				t.Fatalf("seed %d: one believes in %v, %v runs", seed, d.Claim(), w.running())
			}
		}
	}
}
