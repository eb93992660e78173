package repltest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/replication/member"
	"github.com/meridiandb/meridian/replication/repltest/fakenet"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/pebblestore"
	"github.com/meridiandb/meridian/stream"
	"github.com/meridiandb/meridian/stream/record"
)

// life is a region from its start to its end, be that a stop or a power cut.
type life struct {
	n       *node
	disk    *disk
	store   storage.Store
	region  *region.Region
	links   *replication.Replication
	station *fakenet.Transport
	ctx     context.Context
	cancel  context.CancelFunc
	work    sync.WaitGroup

	peeks   atomic.Int64
	copying atomic.Bool // repair has something to do
	wasFull atomic.Bool // its disk was full: what waited for room may say so later

	expelled atomic.Bool // the others were told that it is gone

	mu   sync.Mutex
	dead bool          // its power is cut: what it says from now on counts for nothing
	died chan struct{} // closed then
}

// openRegion opens the store that a disk holds, and its region.
func (n *node) openRegion(l *life) error {
	s, err := pebblestore.Open("data", pebblestore.Options{
		FS: l.disk.fs(), CacheBytes: 1 << 20, MemTableBytes: n.w.memTable(), ReserveBytes: reserve,
	})
	if err != nil {
		return err
	}
	l.store = s
	o := region.Options{Name: n.name, Store: n.w.yielding(s), Wall: n.wall, Logger: n.logger(), FloorStep: n.w.floorStep()}
	l.region, err = region.Open(o)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

func (n *node) logger() *slog.Logger {
	if !*logs {
		return nil
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("at", n.name)
}

// start begins a life on what the disk holds.
func (n *node) start() {
	w := n.w
	l := &life{n: n, died: make(chan struct{})}
	n.lives++
	l.disk = &disk{mem: n.mem, rnd: w.chance("disk", n.name, n.lives), slow: n.slowDisk}
	l.disk.cut = l.losePower
	if err := n.openRegion(l); err != nil {
		w.fail("%s does not open: %v", n.name, err)
		return
	}
	w.history.reopened(l)
	l.checkCursors()
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.station = w.net.Station(n.name)
	var err error
	l.links, err = replication.StartOver(replication.Options{
		Region: n.name, Source: bridge{l.region, l}, Sink: bridge{l.region, l}, Handler: l.region,
		Repairer: repairer{l.region, l}, RepairEvery: w.repairEvery(), Logger: n.logger(), Now: n.now,
	}, l.station, w.roster(n.name))
	if err != nil {
		w.fail("%s: links do not start: %v", n.name, err)
		return
	}
	l.region.Connect(peers{l.links})
	l.work.Go(l.reportClocks)
	l.work.Go(l.watch)
	n.set(l)
	w.say("%s starts as %v", n.name, l.region.Origin())
	w.announce(member.Peer{Region: n.name, Origin: l.region.Origin(), Address: n.name, State: member.Alive})
}

// losePower ends what counts of the life, at once; who called for it must call end.
func (l *life) losePower() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return
	}
	l.dead = true
	l.station.Mute()
	l.disk.left = l.disk.clone()
	close(l.died)
}

// counts calls fn unless the life's power is cut; it is not cut meanwhile.
func (l *life) counts(fn func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return false
	}
	fn()
	return true
}

func (l *life) alive() bool { return l.counts(func() {}) }

// end ends the life and leaves its disk to the next.
func (l *life) end() {
	n := l.n
	n.set(nil)
	l.cancel()
	l.work.Wait()
	alive := l.alive()
	if err := l.links.Close(); err != nil && alive {
		n.w.fail("%s: links do not close: %v", n.name, err)
	}
	if err := l.region.Close(); err != nil && alive && !l.excused(err) {
		n.w.fail("%s does not close: %v", n.name, err)
	}
	n.mem = l.disk.mem
	state := member.Left
	if !l.alive() {
		n.mem, state = l.disk.left, member.Failed
	}
	n.w.announce(member.Peer{Region: n.name, Origin: l.region.Origin(), Address: n.name, State: state})
}

// watch notices when a region stops by itself, for which a broken disk is the only reason; it must say so.
func (l *life) watch() {
	select {
	case <-l.ctx.Done():
	case <-l.region.Failed():
		err := l.region.Err()
		if err != nil && !l.excused(err) && !(errors.Is(err, region.ErrRebuild) && l.expelled.Load()) {
			l.n.w.fail("%s stops: %v", l.n.name, err)
		}
	}
}

// excused reports whether an error is one that this life may show: the power is cut, or its disk does what it says.
func (l *life) excused(err error) bool {
	broken, full := l.disk.failing()
	return !l.alive() || l.ctx.Err() != nil ||
		broken && errors.Is(err, storage.ErrFailed) && errors.Is(err, syscall.EIO) ||
		(full || l.wasFull.Load()) && errors.Is(err, storage.ErrFull)
}

// reportClocks is what cmd/meridian does.
func (l *life) reportClocks() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		offsets := map[string]time.Duration{}
		for _, p := range l.links.Peers() {
			if p.Connected && p.RoundTrip > 0 {
				offsets[p.Region] = p.ClockOffset
			}
		}
		l.region.ReportOffsets(offsets)
		l.checkClock()
	}
}

// checkClock holds promise 7 against a region whose own clock was always right.
func (l *life) checkClock() {
	s := l.region.Stats()
	if ahead := time.Duration(s.Clock.Millis()-l.n.wall()) * time.Millisecond; !l.n.everOff() && ahead > 2500*time.Millisecond && l.alive() {
		l.n.w.fail("promise 7: %s's clock is right, but its hybrid time is %v ahead", l.n.name, ahead)
	}
}

// bridge is a region as replication sees it: what cmd/meridian's is, and a witness.
type bridge struct {
	*region.Region
	l *life
}

func (b bridge) Snapshot(ctx context.Context, id record.TableID) (replication.SnapshotReader, error) {
	c, err := b.Region.Snapshot(ctx, id)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Read notes what is about to be shipped: from now on it must be there for ever.
func (b bridge) Read(from record.Seq, wanted map[record.TableID]bool, maxBytes int) ([]record.Commit, record.Seq, error) {
	if len(wanted) > 0 && from < record.Seq(b.l.n.horizon.Load()) {
		return nil, 0, replication.ErrTrimmed
	}
	commits, next, err := b.Region.Read(from, wanted, maxBytes)
	if errors.Is(err, stream.ErrTrimmed) {
		err = fmt.Errorf("%w: %w", replication.ErrTrimmed, err)
	}
	if !b.l.counts(func() { b.l.n.w.history.shipped(b.Origin(), commits) }) {
		return nil, 0, errors.New("no power")
	}
	return commits, next, err
}

func (b bridge) Apply(ctx context.Context, peer crdt.Origin, commits []record.Commit, upTo record.Seq, closed crdt.Time) error {
	b.l.peek(len(commits))
	if d := b.l.n.w.tarry(); d > 0 { // as a machine may that has much else to do; nothing stops it any more then
		time.Sleep(d)
		ctx = context.WithoutCancel(ctx)
	}
	b.l.n.w.meet()
	err := b.Region.Apply(ctx, peer, commits, upTo, closed)
	switch {
	case err == nil:
		b.l.counts(func() { b.l.n.applied(b.Origin(), peer, upTo) })
	case errors.Is(err, region.ErrStale):
		return replication.ErrStale
	case errors.Is(err, region.ErrHeld):
		return fmt.Errorf("%w: %w", replication.ErrHeld, err)
	case errors.Is(err, region.ErrOver):
		now := b.l.n.w.node(peer.Region).at() // a batch of a region that was rebuilt since may be late
		if now != nil && now.region.Origin() == peer && !b.l.n.w.expels(peer.Region) && !b.l.excused(err) {
			b.l.n.w.fail("%s takes nothing of %s: %v", b.l.n.name, peer.Region, err)
		}
		return fmt.Errorf("%w: %w", replication.ErrOver, err)
	case ctx.Err() == nil && !b.l.excused(err) && !b.l.n.w.expels(peer.Region):
		b.l.n.w.fail("%s cannot apply what %s sent: %v", b.l.n.name, peer.Region, err)
	}
	return err
}

func (b bridge) Trimmed(peer crdt.Origin) {
	b.l.n.w.say("%s is behind the log of %v", b.l.n.name, peer)
	b.Region.Trimmed(peer)
}

// peek reads, sometimes, a client's group while commits are applied, which takes no virtual time.
func (l *life) peek(commits int) {
	cs := l.n.w.clients.Load()
	if cs == nil || commits == 0 || l.peeks.Add(1)%8 != 0 {
		return
	}
	c := cs.all[int(l.peeks.Load()/8)%len(cs.all)]
	l.work.Go(func() {
		for range 4 {
			l.readGroup(c)
			runtime.Gosched()
		}
	})
}

// RolledBack is told of nothing that could happen here: a store that was acknowledged never goes back.
func (b bridge) RolledBack(peer crdt.Origin, cursor record.Seq) {
	if b.l.alive() {
		end, _ := b.End()
		b.l.n.w.fail("%s ends at %v, but %v holds it up to %v: it sent what it could still lose", b.l.n.name, end, peer, cursor)
	}
	b.Region.RolledBack(peer, cursor)
}

// repairer is a region as repair sees it, and a witness too: links lose nothing, so repair finds nothing that was not on its
// way, and must not take that for missing.
type repairer struct {
	*region.Region
	l *life
}

func (r repairer) OpenCopy(ctx context.Context, id record.TableID, forgotten crdt.Time, live []crdt.Origin) (replication.RepairCopy, error) {
	c, err := r.Region.OpenCopy(ctx, id, forgotten, live)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (r repairer) Mend(ctx context.Context, from string, id record.TableID, floor crdt.Time, keys, states [][]byte) (int, error) {
	before, read := r.l.contexts(id, keys)
	news, err := r.Region.Mend(ctx, from, id, floor, keys, states)
	if after, readAgain := r.l.contexts(id, keys); read && readAgain && r.serves(from, id) {
		for i := range before {
			if !before[i].SubsetOf(after[i]) && before[i].Newest() > r.Floor(id) { // or it was forgotten meanwhile
				r.l.n.w.fail("repair lowers an item in %s: what it had seen was %v, and is %v", r.l.n.name, before[i], after[i])
			}
		}
	}
	if !r.serves(from, id) { // it is leaving the table, and reads no logs for it any more
		return news, err
	}
	// For a region whose clock went a day ahead all that its feed has is old, and on its way no more.
	if w := r.l.n.w; strings.HasSuffix(r.RepairTables(from)[id], region.FeedSuffix) && w.ahead.Load() && from == w.nodes[0].name {
		return news, err
	}
	if news > 0 && err == nil && r.l.alive() && !r.l.copying.Load() && !r.l.n.w.trimmed.Load() {
		r.l.n.w.fail("repair: %s takes %d items of table %v from %s that the links had not lost, with %v", r.l.n.name, news, id, from, unseen(before, states))
	}
	return news, err
}

// unseen lists the writes that arriving states have seen and stored ones have not.
func unseen(have []crdt.Context, states [][]byte) (news []crdt.Stamp) {
	for i, b := range states {
		s, err := conflict.DecodeState(b)
		if err != nil {
			continue
		}
		for seen := range s.Context().Seen() {
			if i < len(have) && !have[i].Covers(seen) {
				news = append(news, seen)
			}
		}
	}
	return news
}

func (r repairer) serves(from string, id record.TableID) bool {
	_, yes := r.RepairTables(from)[id]
	return yes
}

// contexts is what the stored items have seen; ok is false if the disk does not tell.
func (l *life) contexts(id record.TableID, keys [][]byte) (all []crdt.Context, ok bool) {
	all = make([]crdt.Context, len(keys))
	for i, k := range keys {
		b, err := l.store.Get(append(storage.AppendTable(nil, storage.KindItem, id), k...))
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, false
		}
		if s, err := conflict.DecodeState(b); err == nil {
			all[i] = s.Context()
		}
	}
	return all, true
}

type peers struct{ *replication.Replication }

func (p peers) FetchSnapshot(ctx context.Context, from string, id record.TableID, fn func(region.Chunk) error) error {
	return p.Replication.FetchSnapshot(ctx, from, id, func(c replication.SnapshotChunk) error {
		return fn(region.Chunk{Positions: c.Positions, Changes: c.Changes})
	})
}

// node is a place where a region lives, several lives one after the other.
type node struct {
	w        *world
	name     string
	busy     chan struct{} // size 1: whoever starts or ends lives
	mem      *vfs.MemFS    // the disk while nobody lives
	lives    int
	slowDisk int
	horizon  atomic.Uint64 // peers that have read less of the log than this are told that it does not reach back

	mu    sync.Mutex
	l     *life
	clock clock
	off   bool // the clock was wrong once
	upTo  map[[2]crdt.Origin]record.Seq
}

// applied notes what a region, by its origin, will have acknowledged of a peer's log.
func (n *node) applied(self, peer crdt.Origin, upTo record.Seq) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.upTo == nil {
		n.upTo = map[[2]crdt.Origin]record.Seq{}
	}
	n.upTo[[2]crdt.Origin{self, peer}] = upTo
}

// checkCursors: what was acknowledged to others before a power cut is still held. Changes of tables move cursors back.
func (l *life) checkCursors() {
	if !l.n.w.steady.Load() {
		return
	}
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	for who, upTo := range l.n.upTo {
		if at := l.region.Cursor(who[1]); who[0] == l.region.Origin() && at < upTo {
			l.n.w.fail("step 5: %s applied %v up to %d, and holds it up to %d after a restart", l.n.name, who[1], upTo, at)
		}
	}
}

// clock is by how much a machine's clock is wrong.
type clock struct {
	skew  time.Duration
	drift float64 // of each second
	since time.Time
}

func (c clock) read(now time.Time) time.Time {
	return now.Add(c.skew + time.Duration(c.drift*float64(now.Sub(c.since))))
}

func (n *node) set(l *life) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.l = l
}

// at is the node's life, nil if it is down.
func (n *node) at() *life {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.l
}

func (n *node) now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.clock.read(time.Now()).Add(time.Duration(n.w.age.Load()))
}

func (n *node) wall() int64 { return n.now().UnixMilli() }

func (n *node) setClock(c clock) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c.since = time.Now()
	n.clock = c
	n.off = n.off || c.skew != 0 || c.drift != 0
}

func (n *node) everOff() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.off
}
