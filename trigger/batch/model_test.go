package batch

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	seedFlag = flag.Uint64("seed", 0, "one seed to run; 0: many")
	runsFlag = flag.Int("runs", 1000, "how many seeds")
)

// TestModel lets shards with random settings live through random answers, and holds what becomes of each record against the
// promises of the package.
func TestModel(t *testing.T) {
	if *seedFlag != 0 {
		newModel(t, *seedFlag).run()
		return
	}
	for seed := range uint64(*runsFlag) {
		if newModel(t, seed+1).run(); t.Failed() {
			return
		}
	}
}

type model struct {
	t    *testing.T
	seed uint64
	rnd  *rand.Rand
	o    Options
	s    *Shard
	now  time.Time

	records []Record
	added   int
	poison  map[string]bool // fail whatever batch they are in
	fate    map[string]string
	last    map[uint64]string // the last of each key that was done with
	flying  []*Batch
	keys    map[uint64]*Batch // the batch under way that has a key
	before  string            // the last checkpoint seen
	ended   bool
}

func newModel(t *testing.T, seed uint64) *model {
	r := rand.New(rand.NewPCG(seed, 1))
	m := &model{
		t: t, seed: seed, rnd: r, now: time.Unix(1e9, 0), poison: map[string]bool{}, fate: map[string]string{},
		last: map[uint64]string{}, keys: map[uint64]*Batch{},
	}
	m.o = Options{
		Lanes: 1 + r.IntN(4), Size: 1 + r.IntN(12), Bytes: 20 + r.IntN(200), Window: time.Duration(r.IntN(3)) * time.Second,
		Retries: r.IntN(4) - 1, Bisect: r.IntN(2) == 0, Buffered: 100 + r.IntN(1000),
	}
	if r.IntN(3) == 0 {
		m.o.Age = time.Minute
	}
	for i := range 1 + r.IntN(150) {
		rec := Record{
			Sequence: fmt.Sprintf("%06d", 1+i), Key: uint64(r.IntN(8)), Body: make([]byte, 1+r.IntN(30)), Skip: r.IntN(5) == 0,
			Created: m.now.Add(time.Duration(r.IntN(200)) * time.Second),
		}
		if !rec.Skip && m.o.Retries >= 0 && r.IntN(20) == 0 {
			m.poison[rec.Sequence] = true
		}
		m.records = append(m.records, rec)
	}
	m.s = NewShard(m.o, "000000")
	return m
}

func (m *model) failf(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("seed %d (-seed=%d), %+v: %s", m.seed, m.seed, m.o, fmt.Sprintf(format, args...))
}

func (m *model) run() {
	for steps := 0; !m.s.Finished(); steps++ {
		if steps > 100_000 {
			m.failf("it does not end; %d added of %d, %d under way, checkpoint %s", m.added, len(m.records), len(m.flying), m.s.Checkpoint())
		}
		m.step()
		m.check()
	}
	for _, r := range m.records {
		switch fate := m.fate[r.Sequence]; {
		case r.Skip != (fate == ""):
			m.failf("record %s, filtered out %v, was %q", r.Sequence, r.Skip, fate)
		case fate == string(RetriesExhausted) && m.o.Retries < 0:
			m.failf("record %s was given up", r.Sequence)
		case fate == string(RetriesExhausted) && m.o.Bisect && !m.poison[r.Sequence] && m.tame():
			m.failf("record %s was given up, and others were to blame", r.Sequence)
		case m.poison[r.Sequence] && fate == "ok":
			m.failf("record %s was taken", r.Sequence)
		}
	}
	if m.s.Checkpoint() != "999999" {
		m.failf("the checkpoint ends at %s", m.s.Checkpoint())
	}
}

// tame seeds have no failures but those of poisonous records.
func (m *model) tame() bool { return m.seed%2 == 0 }

func (m *model) step() {
	switch m.rnd.IntN(4) {
	case 0:
		m.add()
	case 1:
		if b := m.s.Next(m.now); b != nil {
			m.begin(b)
		}
	case 2:
		if len(m.flying) > 0 {
			m.end(m.rnd.IntN(len(m.flying)))
		}
	case 3:
		if at := m.s.Wake(); !at.IsZero() && at.After(m.now) {
			m.now = at
		} else {
			m.now = m.now.Add(time.Duration(m.rnd.IntN(50)) * time.Millisecond)
		}
	}
}

func (m *model) add() {
	switch {
	case m.added < len(m.records) && m.s.Room():
		n := min(1+m.rnd.IntN(10), len(m.records)-m.added)
		m.s.Add(m.now, m.records[m.added:m.added+n])
		m.added += n
	case m.added == len(m.records) && !m.ended:
		m.s.Passed("999999")
		m.s.End()
		m.ended = true
	}
}

func (m *model) begin(b *Batch) {
	bytes := 0
	for i := range b.Len() {
		r := b.Record(i)
		bytes += len(r.Body) + 1
		if other := m.keys[r.Key]; other != nil && other != b {
			m.failf("key %d is under way twice", r.Key)
		}
		m.keys[r.Key] = b
		if r.Sequence <= m.last[r.Key] {
			m.failf("record %s of key %d comes after %s", r.Sequence, r.Key, m.last[r.Key])
		}
		if m.fate[r.Sequence] != "" {
			m.failf("record %s comes again after %q", r.Sequence, m.fate[r.Sequence])
		}
		if i > 0 && r.Sequence <= b.Record(i-1).Sequence {
			m.failf("record %s is out of order", r.Sequence)
		}
		if b.Reason == "" && m.o.Age > 0 && i == 0 && m.now.Sub(r.Created) > m.o.Age {
			m.failf("record %s is delivered at an age of %v", r.Sequence, m.now.Sub(r.Created))
		}
		if b.Reason == TooOld && m.now.Sub(r.Created) <= m.o.Age {
			m.failf("record %s is given up at an age of %v", r.Sequence, m.now.Sub(r.Created))
		}
	}
	if b.Len() == 0 || b.Len() > m.o.Size || b.Len() > 1 && bytes > m.o.Bytes {
		m.failf("a batch of %d records, %d bytes", b.Len(), bytes)
	}
	m.flying = append(m.flying, b)
}

func (m *model) end(i int) {
	b := m.flying[i]
	m.flying = append(m.flying[:i], m.flying[i+1:]...)
	for k, other := range m.keys {
		if other == b {
			delete(m.keys, k)
		}
	}
	out := m.outcome(b)
	done := 0
	switch out.Verdict {
	case Succeeded:
		done = b.Len()
	case Partly, Unavailable:
		done = max(b.find(out.From), 0)
	}
	fate := "ok"
	if b.Reason != "" {
		fate = string(b.Reason)
	}
	for j := range done {
		r := *b.Record(j)
		m.fate[r.Sequence], m.last[r.Key] = fate, r.Sequence
	}
	m.s.Done(m.now, b, out)
}

func (m *model) outcome(b *Batch) Outcome {
	n := m.rnd.IntN(10)
	if n == 0 && b.Reason == "" && b.Len() > 1 && m.seed%3 == 0 && !m.poison[b.Record(0).Sequence] {
		return Outcome{Verdict: Unavailable, From: b.Record(1).Sequence}
	}
	if n == 0 {
		return Outcome{Verdict: Unavailable}
	}
	if b.Reason != "" {
		return Outcome{Verdict: Succeeded}
	}
	for i := range b.Len() {
		if s := b.Record(i).Sequence; m.poison[s] {
			if n < 5 {
				return Outcome{Verdict: Partly, From: s}
			}
			return Outcome{Verdict: Failed}
		}
	}
	if !m.tame() && n < 3 {
		return Outcome{Verdict: Failed}
	}
	if !m.tame() && n == 3 {
		return Outcome{Verdict: Partly, From: fmt.Sprintf("%06d", m.rnd.IntN(200))}
	}
	return Outcome{Verdict: Succeeded}
}

// check holds the checkpoint against the records' fates.
func (m *model) check() {
	at := m.s.Checkpoint()
	if at < m.before {
		m.failf("the checkpoint went back from %s to %s", m.before, at)
	}
	m.before = at
	for i, r := range m.records {
		if r.Sequence > at {
			break
		}
		if i >= m.added || !r.Skip && m.fate[r.Sequence] == "" {
			m.failf("the checkpoint %s is past record %s", at, r.Sequence)
		}
	}
}
