package link

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

var (
	histories = flag.Int("histories", 2000, "random histories of one link")
	seed      = flag.Int("seed", -1, "play only the history of this seed")
)

// TestRandomHistories plays a log, a sender, a receiver and a network between them that loses, repeats and overtakes, in one
// thread, and checks the promises of doc.go after each step. A seed replays exactly: go test -run Histories -seed=17.
func TestRandomHistories(t *testing.T) {
	if *seed >= 0 {
		if err := history(uint64(*seed)); err != nil {
			t.Fatal(err)
		}
		return
	}
	for seed := range *histories {
		if err := history(uint64(seed)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// model is one history.
type model struct {
	rnd     *rand.Rand
	now     time.Time
	config  Config
	log     []logged
	durable int

	backlog  *Backlog
	sender   *Sender
	receiver *Receiver
	open     Open
	work     *Work
	down, up []any // Batch and Ack under way

	cursor record.Seq // of the region that receives, durable
}

type logged struct {
	seq    record.Seq
	time   crdt.Time
	wanted bool
	size   int
}

func history(seed uint64) error {
	rnd := rand.New(rand.NewPCG(seed, 1))
	m := &model{rnd: rnd, now: time.UnixMilli(1), backlog: NewBacklog(0), config: Config{
		Window: 1 << (4 + rnd.IntN(8)), MinBatch: 1 << rnd.IntN(6), MaxBatch: 1 << (6 + rnd.IntN(4)),
	}.WithDefaults()}
	m.reopen()
	faults := rnd.IntN(3) * 3
	for range 400 {
		if err := m.step(faults); err != nil {
			return fmt.Errorf("%w\n%+v", err, m.receiver)
		}
	}
	m.durable = len(m.log)
	for i := 0; ; i++ { // no faults any more: it must come to rest level
		m.now = m.now.Add(20 * time.Millisecond)
		for range 30 {
			if err := m.step(0); err != nil {
				return err
			}
		}
		m.durable = len(m.log)
		if m.level() {
			return nil
		}
		if i == 2000 {
			return fmt.Errorf("not level: cursor %v, sender %+v, receiver %+v", m.cursor, m.sender, m.receiver)
		}
	}
}

func (m *model) end() (record.Seq, crdt.Time) {
	closed := crdt.Time(len(m.log) * 10)
	if m.durable < len(m.log) {
		closed = m.log[m.durable].time - 1
	}
	if m.durable == 0 {
		return 0, closed
	}
	return m.log[m.durable-1].seq, closed
}

func (m *model) reopen() {
	if m.sender != nil {
		m.sender.Close()
	}
	m.work = nil
	m.down, m.up = nil, nil
	end, closed := m.end()
	m.open = NewOpen(m.config, self, other, m.cursor, make([]record.TableID, 1))
	m.sender = NewSender(m.config, &m.open, m.backlog, end, closed, m.now)
	m.sender.Distance(time.Duration(m.rnd.IntN(3)) * 100 * time.Millisecond)
	m.receiver = NewReceiver(m.config, &m.open, Accept{End: end}, m.now)
}

func (m *model) level() bool {
	end, _ := m.end()
	return m.cursor == end && m.backlog.Lag(m.now).IsZero() && m.sender.Position() == end && len(m.backlog.marks) == 0 &&
		m.receiver.Lag(m.now, true).IsZero()
}

// step does one thing; faults of a hundred messages suffer.
func (m *model) step(faults int) error {
	m.now = m.now.Add(time.Duration(m.rnd.IntN(3)) * time.Millisecond)
	switch m.rnd.IntN(8) {
	case 0: // the region writes
		if faults == 0 && m.rnd.IntN(4) > 0 {
			return nil
		}
		seq := record.Seq(1 + m.rnd.IntN(3))
		if n := len(m.log); n > 0 {
			seq += m.log[n-1].seq
		}
		if len(m.log) < 200 {
			m.log = append(m.log, logged{seq, crdt.Time(len(m.log)*10 + 5), m.rnd.IntN(3) > 0, 1 + m.rnd.IntN(100)})
		}
	case 1:
		m.durable += m.rnd.IntN(len(m.log) - m.durable + 1)
	case 2, 3:
		return m.send()
	case 4:
		return m.deliver(&m.down, faults)
	case 5:
		return m.deliver(&m.up, faults)
	default:
		if err := m.apply(); err != nil {
			return err
		}
	}
	if faults > 0 && m.rnd.IntN(200) == 0 { // either end is restarted
		m.reopen()
	}
	return nil
}

func (m *model) send() error {
	end, closed := m.end()
	m.sender.End(end, closed, m.now)
	switch s := m.sender.Next(m.now); s.Do {
	case Tell:
		m.down = append(m.down, s.Batch)
	case GiveUp:
		m.reopen()
	case Read:
		var commits [][]byte
		var last crdt.Time
		next := s.From
		for _, l := range m.log[:m.durable] {
			if l.seq <= s.From || s.Bytes <= 0 {
				continue
			}
			next = l.seq
			if l.wanted {
				c := binary.BigEndian.AppendUint64(make([]byte, 0, 8+l.size), uint64(l.seq))[:8+l.size]
				commits, last = append(commits, c), l.time
				s.Bytes -= l.size
			}
		}
		before := m.sender.InFlight()
		b, ok, err := m.sender.Took(commits, last, next, m.now)
		if err != nil {
			return err
		}
		if before > 0 && before+int64(m.config.MinBatch) > m.open.Window {
			return fmt.Errorf("%d bytes were in flight and more was read; the window is %d", before, m.open.Window)
		}
		if ok {
			m.down = append(m.down, b)
		}
	}
	return nil
}

// deliver takes the next message, or a later one, or none, and may leave it there to come again.
func (m *model) deliver(way *[]any, faults int) error {
	if len(*way) == 0 {
		return nil
	}
	i, again := 0, false
	if m.rnd.IntN(100) < faults {
		switch m.rnd.IntN(3) {
		case 0:
			*way = (*way)[1:]
			return nil
		case 1:
			i = m.rnd.IntN(len(*way))
		case 2:
			again = true
		}
	}
	msg := (*way)[i]
	if !again {
		*way = slices.Delete(*way, i, i+1)
	}
	if a, ok := msg.(Ack); ok {
		return m.sender.Acked(a, m.now)
	}
	err := m.receiver.Arrived(msg.(Batch), m.now)
	if errors.Is(err, ErrGap) {
		m.reopen()
		return nil
	}
	return err
}

// apply takes work, or finishes the work that is out.
func (m *model) apply() error {
	if m.work == nil {
		if w, ok := m.receiver.Take(1+m.rnd.IntN(20), int64(1+m.rnd.IntN(200))); ok {
			m.work = &w
		} else if m.receiver.Due(m.now) {
			m.up = append(m.up, m.receiver.Ack(m.now))
		}
		return nil
	}
	if err := m.checkWork(); err != nil {
		return err
	}
	m.cursor = max(m.cursor, m.work.UpTo)
	if a, ok := m.receiver.Applied(*m.work, m.now); ok {
		m.up = append(m.up, a)
	}
	m.work = nil
	return nil
}

// checkWork holds a work against the log: all that is wanted between the cursor and its end, in order, and nothing of what is
// closed still to come.
func (m *model) checkWork() error {
	i := 0
	for k, l := range m.log {
		switch {
		case l.seq > m.work.UpTo:
			if l.time <= m.work.Closed && l.wanted {
				return fmt.Errorf("%v is closed, and %v at %v is not here", m.work.Closed, l.seq, l.time)
			}
		case l.wanted && l.seq > m.cursor:
			for i < len(m.work.Commits) && binary.BigEndian.Uint64(m.work.Commits[i]) != uint64(l.seq) {
				i++ // it came before
			}
			if i == len(m.work.Commits) || k >= m.durable {
				return fmt.Errorf("commit %v is missing up to %v, or not durable", l.seq, m.work.UpTo)
			}
			i++
		}
	}
	return nil
}
