package repltest

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/stream/record"
)

var (
	pureHistories = flag.Int("pure.histories", 1000, "how many histories of the pure machines are played")
	pureSeed      = flag.Int("pure.seed", -1, "only this one")
)

// TestPure plays the pure machines (package link's, the merge, contexts, cursors) in one thread from a seed, which replays
// exactly. Three regions write one item under policies that change, lose what they have not synced, and read each other's logs
// over links that lose, repeat and overtake.
func TestPure(t *testing.T) {
	if *pureSeed >= 0 {
		if err := pureHistory(uint64(*pureSeed)); err != nil {
			t.Fatal(err)
		}
		return
	}
	var next atomic.Int64
	var work sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for s := next.Add(1) - 1; s < int64(*pureHistories) && !t.Failed(); s = next.Add(1) - 1 {
				if err := pureHistory(uint64(s)); err != nil {
					t.Errorf("go test ./replication/repltest -run TestPure -pure.seed=%d: %v", s, err)
				}
			}
		})
	}
	work.Wait()
}

// pure is one history.
type pure struct {
	rnd     *rand.Rand
	now     time.Time
	regions [3]*pureRegion
	links   []*pureLink
	plain   bool // every write claims the whole item
	faults  int  // of a hundred messages
	lost    map[crdt.Stamp]conflict.Loss
}

// pureRegion is what a region has, and of that what is on its disk.
type pureRegion struct {
	origin crdt.Origin
	clock  crdt.Time // its ceiling is on the disk before a stamp is given out
	pureDisk
	synced pureDisk
}

type pureDisk struct {
	state   conflict.State
	log     []conflict.State // its own writes; position i+1
	cursors [3]record.Seq
}

func (d pureDisk) clone() pureDisk { d.log = d.log[:len(d.log):len(d.log)]; return d }

// pureLink is a link from one region to another, with what is under way.
type pureLink struct {
	from, to int
	backlog  *link.Backlog
	open     link.Open
	sender   *link.Sender
	receiver *link.Receiver
	down, up []any
	work     *link.Work // applied, and not synced
}

var pureConfig = link.Config{Window: 400, MinBatch: 60, MaxBatch: 200}.WithDefaults()

func pureHistory(seed uint64) error {
	rnd := rand.New(rand.NewPCG(seed, 2))
	p := &pure{rnd: rnd, now: time.UnixMilli(1), plain: rnd.IntN(3) == 0, faults: rnd.IntN(3) * 8, lost: map[crdt.Stamp]conflict.Loss{}}
	for i := range p.regions {
		p.regions[i] = &pureRegion{origin: crdt.Origin{Region: string(rune('a' + i)), Incarnation: 1}}
	}
	for i := range 3 {
		for j := range 3 {
			if i != j {
				l := &pureLink{from: i, to: j, backlog: link.NewBacklog(0)}
				p.links = append(p.links, l)
				p.reopen(l)
			}
		}
	}
	for range 20 + rnd.IntN(120) {
		if err := p.step(); err != nil {
			return err
		}
	}
	if err := p.rest(); err != nil {
		return err
	}
	return p.judge()
}

func (p *pure) end(i int) (record.Seq, crdt.Time) {
	r := p.regions[i]
	n := len(r.synced.log)
	if n < len(r.log) {
		return record.Seq(n), r.log[n].Stamp().Time - 1
	}
	return record.Seq(n), r.clock
}

func (p *pure) reopen(l *pureLink) {
	if l.sender != nil {
		l.sender.Close()
	}
	l.down, l.up, l.work = nil, nil, nil
	end, closed := p.end(l.from)
	to := p.regions[l.to]
	l.open = link.NewOpen(pureConfig, to.origin, p.regions[l.from].origin, to.synced.cursors[l.from], make([]record.TableID, 1))
	l.sender = link.NewSender(pureConfig, &l.open, l.backlog, end, closed, p.now)
	l.receiver = link.NewReceiver(pureConfig, &l.open, link.Accept{End: end}, p.now)
}

func (p *pure) step() error {
	p.now = p.now.Add(time.Duration(p.rnd.IntN(30)) * time.Millisecond)
	i := p.rnd.IntN(3)
	switch k := p.rnd.IntN(20); {
	case k < 3:
		p.write(p.regions[i])
	case k < 6:
		p.sync(i)
	case k < 7 && p.faults > 0:
		p.crash(i)
	default:
		return p.move(p.links[p.rnd.IntN(len(p.links))], p.faults)
	}
	return nil
}

// write makes a write, above all that its region has seen.
func (p *pure) write(r *pureRegion) {
	r.clock = max(r.clock, r.state.Context().Newest()) + 1 + crdt.Time(p.rnd.IntN(3))
	w := conflict.Local{Stamp: crdt.Stamp{Time: r.clock, Origin: r.origin}}
	policy := conflict.LastWriterWins
	if !p.plain {
		policy = conflict.Policy(p.rnd.IntN(3))
	}
	mark := item.Field{Name: []string{"x", "y"}[p.rnd.IntN(2)], Value: item.Str(w.Stamp.String())}
	switch k := p.rnd.IntN(5); {
	case k == 0:
		w.Op = conflict.Delete
	case k < 3 && r.state.Visible():
		w.Op, w.Touched, w.New = conflict.Update, []string{mark.Name}, r.state.Item().With([]item.Field{mark})
	default:
		w.Op, w.New = conflict.Put, item.NewItem([]item.Field{{Name: "k", Value: item.Str("k")}, mark})
	}
	r.state = conflict.Write(policy, r.state, w)
	r.log = append(r.log, r.state)
}

// sync puts on the disk what a region has, and lets it acknowledge.
func (p *pure) sync(i int) {
	r := p.regions[i]
	r.synced = r.pureDisk.clone()
	for _, l := range p.links {
		if l.to == i && l.work != nil {
			if a, tell := l.receiver.Applied(*l.work, p.now); tell {
				l.up = append(l.up, a)
			}
			l.work = nil
		}
	}
}

// crash takes a region back to what is on its disk. Its links begin anew.
func (p *pure) crash(i int) {
	p.regions[i].pureDisk = p.regions[i].synced.clone()
	for _, l := range p.links {
		if l.from == i || l.to == i {
			p.reopen(l)
		}
	}
}

// move does one thing on a link.
func (p *pure) move(l *pureLink, faults int) error {
	switch p.rnd.IntN(5) {
	case 0, 1:
		return p.send(l)
	case 2:
		return p.deliver(l, &l.down, faults)
	case 3:
		return p.deliver(l, &l.up, faults)
	}
	return p.apply(l)
}

func (p *pure) send(l *pureLink) error {
	end, closed := p.end(l.from)
	l.sender.End(end, closed, p.now)
	switch s := l.sender.Next(p.now); s.Do {
	case link.Tell:
		l.down = append(l.down, s.Batch)
	case link.GiveUp:
		p.reopen(l)
	case link.Read:
		var commits [][]byte
		var last crdt.Time
		next := s.From
		for _, state := range p.regions[l.from].synced.log[s.From:] {
			if s.Bytes <= 0 {
				break
			}
			next++
			c := state.Append(binary.BigEndian.AppendUint64(nil, uint64(next)))
			commits, last, s.Bytes = append(commits, c), state.Stamp().Time, s.Bytes-len(c)
		}
		b, some, err := l.sender.Took(commits, last, next, p.now)
		if err != nil {
			return err
		}
		if some {
			l.down = append(l.down, b)
		}
	}
	return nil
}

// deliver takes the next message of a way, or a later one, or none, and may leave it there to come again.
func (p *pure) deliver(l *pureLink, way *[]any, faults int) error {
	if len(*way) == 0 {
		return nil
	}
	i, again := 0, false
	if p.rnd.IntN(100) < faults {
		switch p.rnd.IntN(3) {
		case 0:
			*way = (*way)[1:]
			return nil
		case 1:
			i = p.rnd.IntN(len(*way))
		case 2:
			again = true
		}
	}
	msg := (*way)[i]
	if !again {
		*way = slices.Delete(*way, i, i+1)
	}
	if a, ok := msg.(link.Ack); ok {
		return l.sender.Acked(a, p.now)
	}
	if l.receiver.Arrived(msg.(link.Batch), p.now) != nil {
		p.reopen(l) // a gap; what breaks the rules would do so for ever, and never come to rest
	}
	return nil
}

// apply merges what has arrived, and moves the cursor with it.
func (p *pure) apply(l *pureLink) error {
	if l.work != nil {
		return nil
	}
	w, ok := l.receiver.Take(1+p.rnd.IntN(5), 500)
	if !ok {
		if l.receiver.Due(p.now) {
			l.up = append(l.up, l.receiver.Ack(p.now))
		}
		return nil
	}
	r := p.regions[l.to]
	at := r.cursors[l.from]
	for _, c := range w.Commits {
		seq := record.Seq(binary.BigEndian.Uint64(c))
		if seq > at+1 {
			return fmt.Errorf("%s applies commit %d of %s after %d", r.origin.Region, seq, p.regions[l.from].origin.Region, at)
		}
		at = max(at, seq)
		arriving, err := conflict.DecodeState(c[8:])
		if err != nil {
			return err
		}
		before := r.state
		out := conflict.Merge(before, arriving)
		if !before.Context().SubsetOf(out.State.Context()) || !arriving.Context().SubsetOf(out.State.Context()) {
			return fmt.Errorf("a merge has forgotten: %v and %v made %v", before.Context(), arriving.Context(), out.State.Context())
		}
		for _, loss := range out.Lost {
			p.lost[loss.Stamp] = loss
		}
		r.state = out.State
	}
	r.clock = max(r.clock, r.state.Context().Newest())
	if at < w.UpTo {
		return fmt.Errorf("%s moves its cursor to %d of %s and has applied up to %d", r.origin.Region, w.UpTo, p.regions[l.from].origin.Region, at)
	}
	r.cursors[l.from] = max(r.cursors[l.from], w.UpTo)
	l.work = &w
	return nil
}

// rest lets everything arrive.
func (p *pure) rest() error {
	for range 5000 {
		level := true
		p.now = p.now.Add(20 * time.Millisecond)
		for i := range p.regions {
			p.sync(i)
		}
		for _, l := range p.links {
			for range 3 {
				if err := p.send(l); err != nil {
					return err
				}
				for _, way := range []*[]any{&l.down, &l.up} {
					if err := p.deliver(l, way, 0); err != nil {
						return err
					}
				}
				if err := p.apply(l); err != nil {
					return err
				}
			}
			end, _ := p.end(l.from)
			level = level && p.regions[l.to].synced.cursors[l.from] == end
		}
		if level {
			return nil
		}
	}
	return fmt.Errorf("it does not come to rest")
}

// judge: all regions have the same, which has seen every write; and of writes of the whole item the last one stands, and what
// nobody went on from was said to be lost.
func (p *pure) judge() error {
	final := p.regions[0].state
	var all []conflict.State
	replaced := map[crdt.Stamp]bool{}
	for _, r := range p.regions {
		if !r.state.Equal(final) {
			return fmt.Errorf("%s has %s, and a %s", r.origin.Region, show(r.state), show(final))
		}
		for i, s := range r.log {
			if !final.Context().Covers(s.Stamp()) || i > 0 && !r.log[i-1].Stamp().Less(s.Stamp()) {
				return fmt.Errorf("%s wrote %s; at the end there is %s", r.origin.Region, show(s), show(final))
			}
			replaced[s.Base()] = true
			all = append(all, s)
		}
	}
	for _, s := range all {
		loss, lost := p.lost[s.Stamp()]
		switch {
		case !p.plain:
			continue // parts of it may stand, and images are those of a side
		case final.Stamp().Less(s.Stamp()):
			return fmt.Errorf("%s is later than what stands, %s", show(s), show(final))
		case lost && !loss.Image.Equal(s.Item()):
			return fmt.Errorf("%s lost, and its image is %s", show(s), loss.Image.AppendJSON(nil))
		case !lost && s.Visible() && s.Stamp() != final.Stamp() && !replaced[s.Stamp()]:
			return fmt.Errorf("%s is gone, and nobody was told; there is %s", show(s), show(final))
		}
	}
	return nil
}
