package route

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// story runs a picker through steps like "0 +500ms" in virtual time.
type story struct {
	t   *testing.T
	p   *Picker
	now time.Time
}

func newStory(t *testing.T, c PickerConfig, latencies ...time.Duration) *story {
	var rs []Region
	for i := range latencies {
		rs = append(rs, Region{Name: fmt.Sprint("r", i)})
	}
	s := &story{t, NewPicker(c, rs), time.Unix(1000, 0)}
	for i, l := range latencies {
		s.probe(i, l)
	}
	return s
}

func (s *story) pass(d time.Duration) { s.now = s.now.Add(d) }

func (s *story) probe(i int, latency time.Duration) []Event {
	return s.p.Observe(i, Outcome{Probe: true, Latency: latency}, s.now)
}

func (s *story) fail(i int) []Event { return s.p.Observe(i, Outcome{Failed: true}, s.now) }

func (s *story) wants(current int, why string) {
	s.t.Helper()
	if got := s.p.Current(); got != current {
		s.t.Errorf("%s: region %d is in use, not %d", why, got, current)
	}
}

// settle probes all regions for a while at some latencies.
func (s *story) settle(d time.Duration, latencies ...time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); s.pass(200 * time.Millisecond) {
		for i, l := range latencies {
			if l > 0 {
				s.probe(i, l)
			}
		}
	}
}

const ms = time.Millisecond

func TestPickerTakesTheNearest(t *testing.T) {
	s := newStory(t, PickerConfig{}, 80*ms, 5*ms, 200*ms)
	s.settle(4*time.Second, 80*ms, 5*ms, 200*ms)
	s.wants(1, "after some probes")
	if got := s.p.Order(); !slices.Equal(got, []int{1, 0, 2}) {
		t.Errorf("the order is %v", got)
	}
}

func TestPickerEjectsAndReturns(t *testing.T) {
	s := newStory(t, PickerConfig{}, 5*ms, 80*ms)
	s.fail(0)
	s.wants(0, "one failure is none")
	s.p.Observe(0, Outcome{}, s.now)
	s.fail(0)
	s.wants(0, "a success between two failures")
	if ev := s.fail(0); len(ev) != 2 || ev[0].Kind != Ejected || ev[1] != (Event{Moved, "r1", "the region in use was taken out"}) {
		t.Errorf("events %v", ev)
	}
	s.wants(1, "two failures in a row")
	s.settle(1900*ms, 5*ms, 80*ms)
	s.wants(1, "well, but not for long enough")
	s.settle(400*ms, 5*ms, 80*ms)
	if !s.p.Healthy(0) {
		t.Error("it has not returned")
	}
	s.wants(1, "it returned just now")
	s.settle(3*time.Second, 5*ms, 80*ms)
	s.wants(0, "it is nearer, and has been for three seconds")
	// The same trouble again: it stays away for twice as long.
	s.fail(0)
	s.fail(0)
	s.settle(3800*ms, 5*ms, 80*ms)
	if s.p.Healthy(0) {
		t.Error("a region that flaps returned as soon as before")
	}
	s.settle(600*ms, 5*ms, 80*ms)
	if !s.p.Healthy(0) {
		t.Error("a region that flapped once never returns")
	}
}

func TestPickerRefusedAtOnce(t *testing.T) {
	s := newStory(t, PickerConfig{}, 5*ms, 80*ms)
	s.p.Observe(0, Outcome{Failed: true, Refused: true}, s.now)
	s.wants(1, "nobody listens there")
}

func TestPickerStaysForLittle(t *testing.T) {
	s := newStory(t, PickerConfig{}, 50*ms, 80*ms)
	s.settle(10*time.Second, 50*ms, 45*ms)
	s.wants(0, "a tenth is not worth it")
	s.settle(10*time.Second, 50*ms, 20*ms)
	s.wants(1, "more than half is")
	s.settle(2*time.Second, 4*ms, 20*ms)
	s.wants(1, "nearer, but only just now")
	s.settle(20*time.Second, 1500*time.Microsecond, 3*ms)
	at := s.p.Current()
	s.settle(20*time.Second, 3*ms, 1500*time.Microsecond)
	s.wants(at, "two milliseconds are not worth it, whatever the share")
}

func TestPickerAllEjected(t *testing.T) {
	s := newStory(t, PickerConfig{}, 5*ms, 80*ms)
	for i := range 2 {
		s.fail(i)
		s.fail(i)
	}
	if got := s.p.Order(); len(got) != 2 {
		t.Errorf("the order is %v: somebody must be asked", got)
	}
	s.settle(3*time.Second, 0, 80*ms)
	s.wants(1, "the one that is well again")
}

// Whatever happens, a picker uses a healthy region if there is one, lists every region once, and does not move without an
// event that says so.
func TestPickerRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range 200 {
		s := newStory(t, PickerConfig{}, 5*ms, 20*ms, 80*ms)
		for range 500 {
			s.pass(time.Duration(rnd.Int64N(int64(time.Second))))
			before := s.p.Current()
			events := s.p.Observe(rnd.IntN(3), Outcome{
				Probe: rnd.IntN(2) == 0, Failed: rnd.IntN(2) == 0, Refused: rnd.IntN(8) == 0,
				Latency: time.Duration(rnd.Int64N(int64(100 * ms))),
			}, s.now)
			order := s.p.Order()
			if order[0] != s.p.Current() || !slices.Equal(slices.Sorted(slices.Values(order)), []int{0, 1, 2}) {
				t.Fatalf("in use is %d, the order is %v", s.p.Current(), order)
			}
			healthy := s.p.Healthy(0) || s.p.Healthy(1) || s.p.Healthy(2)
			if healthy && !s.p.Healthy(s.p.Current()) {
				t.Fatal("a region is in use that was taken out, and another is well")
			}
			moved := slices.ContainsFunc(events, func(e Event) bool { return e.Kind == Moved })
			if moved != (before != s.p.Current()) {
				t.Fatalf("from %d to %d with events %v", before, s.p.Current(), events)
			}
		}
	}
}
