package replication

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/antientropy"
	"github.com/meridiandb/meridian/replication/transport"
	"github.com/meridiandb/meridian/stream/record"
)

// RepairReport is what one round did, so far.
type RepairReport struct {
	Table   string         `json:"table"`
	TableID record.TableID `json:"tableId"`
	Peer    string         `json:"peer"`
	// Differences are items that were not the same in both snapshots; InFlight of them were on their way, and are left alone.
	Differences int `json:"differences"`
	InFlight    int `json:"inFlight"`
	// MendedHere and MendedThere are items that were merged into this region, and into the peer.
	MendedHere  int `json:"mendedHere"`
	MendedThere int `json:"mendedThere"`
	// FalseAlarms are items that were sent and turned out to be known: none, if all is well.
	FalseAlarms int `json:"falseAlarms"`
	// Clashes have seen the same writes on both sides and differ all the same: two processes have written under one identity.
	Clashes int `json:"clashes"`
	// Hollow are nodes of a hash tree that differ although their items are the same: a stored tree is wrong, scrub it.
	Hollow int `json:"hollow"`
	// CellsMended are cells of this region's hash tree that a scrub found wrong; of a report without a peer, which is a scrub's.
	CellsMended   int     `json:"cellsMended"`
	Messages      int     `json:"messages"`
	BytesSent     int     `json:"bytesSent"`
	BytesReceived int     `json:"bytesReceived"`
	Seconds       float64 `json:"seconds"`
	Done          bool    `json:"done"`
	Error         string  `json:"error,omitempty"`
}

// repairTraffic counts a peer's rounds from the start of the process.
type repairTraffic struct {
	rounds, failed, sent, received, micros                       atomic.Uint64
	missing, inFlight, here, there, falseAlarms, clashes, hollow atomic.Uint64
}

func (t *repairTraffic) add(r *RepairReport, err error) {
	if t.rounds.Add(1); err != nil { // in this order: who reads failed first never finds more failed than there were
		t.failed.Add(1)
	}
	for _, c := range []struct {
		to *atomic.Uint64
		n  int
	}{
		{&t.sent, r.BytesSent}, {&t.received, r.BytesReceived}, {&t.missing, r.Differences - r.InFlight - r.Clashes}, {&t.inFlight, r.InFlight},
		{&t.here, r.MendedHere}, {&t.there, r.MendedThere}, {&t.falseAlarms, r.FalseAlarms}, {&t.clashes, r.Clashes},
		{&t.hollow, r.Hollow}, {&t.micros, int(r.Seconds * 1e6)},
	} {
		c.to.Add(uint64(c.n))
	}
}

// round compares one table with one peer and mends what is missing. Progress, which may be nil, is told now and then.
func (s *repairs) round(ctx context.Context, p pair, progress func(RepairReport)) (RepairReport, error) {
	k := &comparing{s: s, pair: p, progress: progress}
	err := k.all(ctx, false)
	return k.report, err
}

// all does a round from its beginning to its end.
func (k *comparing) all(ctx context.Context, whole bool) error {
	s, p := k.s, k.pair
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	ctx, k.cancel = context.WithCancelCause(ctx)
	defer k.cancel(nil)
	k.began = time.Now()
	err := k.run(ctx, whole)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	k.note()
	k.report.Done = err == nil
	if err != nil {
		k.report.Error = err.Error()
	}
	p.peer.count.repair.add(&k.report, err)
	if t := k.tally; t.Clashes > 0 {
		s.r.o.Logger.Error("two regions have seen the same writes of an item and differ: an origin has lived twice",
			"table", p.name, "peer", p.peer.region, "items", t.Clashes, "path", fmt.Sprintf("%x", t.First))
	}
	return err
}

// position is a place in an origin's log.
type position struct {
	origin crdt.Origin
	at     record.Seq
}

// comparing is a round under way, as the asker has it.
type comparing struct {
	s        *repairs
	pair     pair
	cancel   context.CancelCauseFunc
	exchange transport.Exchange
	began    time.Time
	progress func(RepairReport)
	told     time.Time

	report RepairReport
	tally  antientropy.Tally
	at     position // what the other's copy had
	news   int      // items taken that were not known here
}

func (k *comparing) run(ctx context.Context, whole bool) (err error) {
	conn, err := k.s.r.connected(ctx, k.pair.peer.region)
	if err != nil {
		return err
	}
	if k.exchange, err = conn.Repair(ctx); err != nil {
		return err
	}
	region, id := k.s.region, k.pair.id
	b, err := k.ask(antientropy.Hello{Table: id, Asker: k.s.r.self, Floor: region.Floor(id)}.Append(nil))
	if err != nil {
		return err
	}
	welcome, err := antientropy.DecodeWelcome(b)
	if err != nil {
		return err
	}
	k.at = position{welcome.Answerer, welcome.Position}
	mine, err := region.OpenCopy(ctx, id, welcome.Cut, k.s.live())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mine.Close()) }()
	round, err := antientropy.Begin(mine, heldBy(mine), &welcome, whole)
	if err != nil {
		return err
	}
	if err := k.steps(ctx, round, mine.Floor()); err != nil {
		return err
	}
	if up := round.Gained(); up != nil {
		return mine.Ended(k.pair.peer.region, up)
	}
	return nil
}

func heldBy(c RepairCopy) antientropy.Held {
	return antientropy.Held{Floor: c.Floor(), Through: c.Through(), Up: c.Held(), Have: c.Have()}
}

// steps asks until there is nothing to ask.
func (k *comparing) steps(ctx context.Context, round *antientropy.Round, floor crdt.Time) error {
	for {
		q, err := round.Next()
		if err != nil || q == nil {
			return err
		}
		b, err := k.ask(q)
		if err != nil {
			return err
		}
		items, err := round.Took(b)
		if err != nil {
			return err
		}
		k.tally = round.Tally()
		if err := k.mend(ctx, floor, items); err != nil {
			return err
		}
		if round.Gained() == nil { // the end is told as such
			k.tell()
		}
	}
}

// ask sends a message and waits for its answer.
func (k *comparing) ask(q []byte) ([]byte, error) {
	patience := time.AfterFunc(answerPatience, func() { k.cancel(errors.New("no answer")) })
	defer patience.Stop()
	if err := k.exchange.Send(q); err != nil {
		return nil, err
	}
	b, err := k.exchange.Recv()
	if err != nil {
		return nil, err
	}
	k.report.Messages += 2
	k.report.BytesSent += len(q)
	k.report.BytesReceived += len(b)
	return b, nil
}

func (k *comparing) mend(ctx context.Context, floor crdt.Time, items []antientropy.Item) error {
	news, err := mend(ctx, k.s.region, k.pair.peer.region, k.pair.id, floor, items)
	k.news += news
	return err
}

func mend(ctx context.Context, r Repairer, from string, id record.TableID, floor crdt.Time, items []antientropy.Item) (int, error) {
	if len(items) == 0 {
		return 0, nil
	}
	keys, states := make([][]byte, len(items)), make([][]byte, len(items))
	for i := range items {
		keys[i], states[i] = items[i].Key, items[i].State
	}
	return r.Mend(ctx, from, id, floor, keys, states)
}

// note brings the report up to date.
func (k *comparing) note() {
	r, t := &k.report, &k.tally
	r.Table, r.TableID, r.Peer = k.pair.name, k.pair.id, k.pair.peer.region
	r.Differences, r.InFlight, r.Clashes, r.Hollow = t.Differences, t.InFlight, t.Clashes, t.Hollow
	r.MendedHere, r.MendedThere = k.news, t.GivenNews
	r.FalseAlarms = t.Taken - k.news + t.Given - t.GivenNews
	r.Seconds = time.Since(k.began).Seconds()
}

func (k *comparing) tell() {
	if k.progress == nil || time.Since(k.told) < time.Second {
		return
	}
	k.told = time.Now()
	k.note()
	k.progress(k.report)
}

var (
	errNoRepair   = errors.New("this region does not compare its tables")
	errRepairBusy = errors.New("this region compares its tables with too many others already")
)

// Repair answers a round.
func (s *server) Repair(ctx context.Context, e transport.Exchange) (err error) {
	r := s.r.repairs
	if r == nil {
		return errNoRepair
	}
	select {
	case r.answering <- struct{}{}:
		defer func() { <-r.answering }()
	default:
		return errRepairBusy
	}
	b, err := e.Recv()
	if err != nil {
		return err
	}
	hello, err := antientropy.DecodeHello(b)
	if err != nil {
		return err
	}
	if s.r.peer(hello.Asker.Region) == nil || hello.Asker.Region == s.r.self.Region {
		return fmt.Errorf("region %s compares with no region %s", s.r.self.Region, hello.Asker.Region)
	}
	return r.answer(ctx, e, hello)
}

func (s *repairs) answer(ctx context.Context, e transport.Exchange, hello antientropy.Hello) error {
	hollow, err := s.converse(ctx, e, hello)
	if hollow {
		s.scrub(s.r.ctx, hello.Table)
	}
	return err
}

// converse answers until the asker has heard enough. It reports whether the asker has found a tree that is not its items'.
func (s *repairs) converse(ctx context.Context, e transport.Exchange, hello antientropy.Hello) (hollow bool, err error) {
	w := antientropy.Welcome{Answerer: s.r.self, Cut: max(hello.Floor, s.region.Floor(hello.Table))}
	mine, err := s.region.OpenCopy(ctx, hello.Table, w.Cut, s.live())
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, mine.Close()) }()
	w.Held, w.Position = heldBy(mine), mine.Position()
	a, b, err := antientropy.NewAnswerer(mine, w, func(items []antientropy.Item) (int, error) {
		return mend(ctx, s.region, hello.Asker.Region, hello.Table, mine.Floor(), items)
	})
	if err == nil {
		a.Gained = func(up map[crdt.Origin]crdt.Time) error { return mine.Ended(hello.Asker.Region, up) }
	}
	for err == nil {
		if err = e.Send(b); err != nil {
			break
		}
		if b, err = e.Recv(); err != nil {
			return a.Hollow, nil // the asker is done, or gone
		}
		b, err = a.Answer(b)
	}
	return a != nil && a.Hollow, err
}
