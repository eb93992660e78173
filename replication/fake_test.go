package replication_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/stream/record"
)

// fake is a region with nothing in it but a log and what it applied; it checks everything that reaches it against the logs
// that the others really have (world), and fails the test when a promise is broken. What a crash takes and leaves is as in a
// region: a log's durable part, cursors with what was applied.
type fake struct {
	t      testing.TB
	world  *world
	origin crdt.Origin

	mu      sync.Mutex
	log     []entry
	last    record.Seq // never used twice
	durable int        // entries of log that are durable
	trimmed record.Seq
	moved   chan struct{} // closed when durable or the catalog moves
	acked   map[string]record.Seq
	told    crdt.Time // the newest closed time told
	stamp   crdt.Time // the newest given out

	catalog  [][]byte
	received map[string]bool // descriptions taken

	wanted  map[string][]record.TableID // by peer
	wants   map[string]*fakeWant
	cursors map[crdt.Origin]record.Seq
	most    map[crdt.Origin]record.Seq // the highest a cursor ever was
	closed  map[crdt.Origin]crdt.Time
	held    map[crdt.Origin]map[record.Seq]bool
	applies int      // calls that brought commits
	largest int      // commits of one call
	news    []string // what Trimmed and RolledBack were called with

	applying func(ctx context.Context) error // how long a call takes; nil: no time
	ended    func()                          // what happens just after End has looked; nil: nothing
	busy     map[string]bool                 // peers whose Apply runs
}

type fakeWant struct {
	changed chan struct{}
	current bool
}

// entry is a position of a log: an own commit, or one of somebody else's (Stamp zero), which nobody asks for.
type entry struct {
	record.Commit
	at time.Time
}

// world is what really happened.
type world struct {
	mu      sync.Mutex
	regions map[string]*fake // the incarnation that lives
	all     []*fake
}

func newWorld() *world { return &world{regions: map[string]*fake{}} }

func (w *world) region(t testing.TB, name string) *fake {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &fake{
		t: t, world: w, origin: crdt.Origin{Region: name, Incarnation: uint64(len(w.all) + 1)}, moved: make(chan struct{}),
		acked: map[string]record.Seq{}, received: map[string]bool{}, wanted: map[string][]record.TableID{},
		wants: map[string]*fakeWant{}, cursors: map[crdt.Origin]record.Seq{}, most: map[crdt.Origin]record.Seq{}, closed: map[crdt.Origin]crdt.Time{},
		held: map[crdt.Origin]map[record.Seq]bool{}, busy: map[string]bool{},
	}
	w.regions[name] = f
	w.all = append(w.all, f)
	return f
}

func (w *world) of(o crdt.Origin) *fake {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.all {
		if f.origin == o {
			return f
		}
	}
	return nil
}

func table(n byte) record.TableID { return record.TableID{0: n} }

// write appends a commit on tables that is visible but not durable yet; sync makes it durable.
func (f *fake) write(size int, tables ...record.TableID) record.Seq {
	f.mu.Lock()
	defer f.mu.Unlock()
	prev := f.last
	f.last += 1 + record.Seq(size%3) // gaps
	ms := crdt.TimeFromMillis(time.Now().UnixMilli())
	stamp := max(ms, f.told+1)
	f.stamp = max(stamp, f.stamp+1)
	stamp = f.stamp
	c := record.Commit{Seq: f.last, Prev: prev, Stamp: crdt.Stamp{Time: stamp, Origin: f.origin}, Wall: time.Now().UnixMilli()}
	for _, id := range tables {
		c.Changes = append(c.Changes, record.Change{
			Table: id, Key: []byte(fmt.Sprintf("key %d", f.last)), State: bytes.Repeat([]byte{byte(f.last)}, size),
		})
	}
	f.log = append(f.log, entry{c, time.Now()})
	return f.last
}

// foreign appends what a region keeps of others' commits in its log.
func (f *fake) foreign() {
	f.mu.Lock()
	defer f.mu.Unlock()
	prev := f.last
	f.last++
	e := entry{at: time.Now()}
	e.Seq, e.Prev = f.last, prev
	f.log = append(f.log, e)
}

func (f *fake) sync() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.durable = len(f.log)
	f.wakeLocked()
}

func (f *fake) wakeLocked() {
	close(f.moved)
	f.moved = make(chan struct{})
}

// crash takes what is not durable. The numbers are not given out again.
func (f *fake) crash() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = f.log[:f.durable]
	f.last += 10
	f.wants = map[string]*fakeWant{}
	f.acked = map[string]record.Seq{}
	f.busy = map[string]bool{}
	f.wakeLocked()
}

func (f *fake) want(peer string, tables ...record.TableID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wanted[peer] = tables
	if w := f.wants[peer]; w != nil {
		close(w.changed)
		delete(f.wants, peer)
	}
}

// join wants one more table, from the beginning of everybody's log, as a copy taken there would.
func (f *fake) join(peer string, o crdt.Origin, from record.Seq, tables ...record.TableID) {
	f.mu.Lock()
	if f.cursors[o] > from {
		f.cursors[o] = from
	}
	f.mu.Unlock()
	f.want(peer, tables...)
}

func (f *fake) Origin() crdt.Origin { return f.origin }

func (f *fake) Read(from record.Seq, wanted map[record.TableID]bool, maxBytes int) ([]record.Commit, record.Seq, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if from < f.trimmed {
		return nil, 0, fmt.Errorf("%w: from %v, trimmed to %v", replication.ErrTrimmed, from, f.trimmed)
	}
	var out []record.Commit
	next := from
	for i := after(f.log, from); i < f.durable; i++ {
		e := &f.log[i]
		if maxBytes <= 0 {
			break
		}
		if c := reduced(e.Commit, wanted); len(c.Changes) > 0 {
			out = append(out, c)
			maxBytes -= c.Size()
		}
		next = e.Seq
	}
	return out, next, nil
}

func reduced(c record.Commit, wanted map[record.TableID]bool) record.Commit {
	all := c.Changes
	c.Changes = nil
	for _, ch := range all {
		if wanted[ch.Table] {
			c.Changes = append(c.Changes, ch)
		}
	}
	return c
}

func (f *fake) endLocked() record.Seq {
	if f.durable == 0 {
		return 0
	}
	return f.log[f.durable-1].Seq
}

func (f *fake) WaitDurable(ctx context.Context, after record.Seq) error {
	return f.await(ctx, func() bool { return f.endLocked() > after })
}

func (f *fake) await(ctx context.Context, locked func() bool) error {
	for {
		f.mu.Lock()
		done, moved := locked(), f.moved
		f.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fake) End() (record.Seq, crdt.Time) {
	f.mu.Lock()
	defer func() {
		then := f.ended
		f.mu.Unlock()
		if then != nil {
			then()
		}
	}()
	closed := crdt.TimeFromMillis(time.Now().UnixMilli())
	for _, e := range f.log[f.durable:] { // what is not durable yet will still appear
		if !e.Stamp.IsZero() {
			closed = e.Stamp.Time - 1
			break
		}
	}
	f.told = max(f.told, closed)
	return f.endLocked(), closed
}

func (f *fake) Acked(peer crdt.Origin, upTo record.Seq) {
	f.mu.Lock()
	f.acked[peer.Region] = upTo
	f.mu.Unlock()
	// What is acknowledged is durable there: it may be trimmed here. (A cursor may have gone back since, for a table that joins.)
	if to := f.world.of(peer); to != nil {
		to.mu.Lock()
		defer to.mu.Unlock()
		if have := to.most[f.origin]; have < upTo {
			f.t.Errorf("%v says that %v holds its log up to %v; that has %v", f.origin, peer, upTo, have)
		}
	}
}

func (f *fake) RolledBack(peer crdt.Origin, _ record.Seq) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.news = append(f.news, "rolled back: "+peer.Region)
}

func (f *fake) Trimmed(peer crdt.Origin) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.news = append(f.news, "trimmed: "+peer.Region)
}

// wasTold is whether replication told of something.
func (f *fake) wasTold(what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.news, what)
}

func (f *fake) CatalogFor(_ string, since uint64) ([][]byte, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.catalog[since:]), uint64(len(f.catalog))
}

func (f *fake) WaitCatalog(ctx context.Context, since uint64) error {
	return f.await(ctx, func() bool { return uint64(len(f.catalog)) > since })
}

func (f *fake) describe(s string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.catalog = append(f.catalog, []byte(s))
	f.wakeLocked()
}

func (f *fake) Wanted(peer string) ([]record.TableID, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.wants[peer]
	if w == nil {
		w = &fakeWant{changed: make(chan struct{})}
		f.wants[peer] = w
	}
	w.current = true
	return f.wanted[peer], w.changed
}

func (f *fake) Cursor(peer crdt.Origin) record.Seq {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cursors[peer]
}

func (f *fake) Apply(ctx context.Context, peer crdt.Origin, commits []record.Commit, upTo record.Seq, closed crdt.Time) error {
	f.mu.Lock()
	if f.busy[peer.Region] {
		f.t.Errorf("two calls of Apply for %s at the same time", peer.Region)
	}
	f.busy[peer.Region] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.busy[peer.Region] = false
	}()
	if f.applying != nil {
		if err := f.applying(ctx); err != nil {
			return err
		}
	}
	from := f.world.of(peer)
	from.mu.Lock()
	log := from.log[:from.durable:from.durable] // never changes any more
	from.mu.Unlock()

	f.mu.Lock()
	defer f.mu.Unlock()
	if w := f.wants[peer.Region]; w == nil || !w.current {
		return replication.ErrStale
	}
	if err := f.checkLocked(log, peer, commits, upTo, closed); err != nil {
		f.t.Errorf("%v: %v", f.origin, err)
		return err
	}
	held := f.held[peer]
	if held == nil {
		held = map[record.Seq]bool{}
		f.held[peer] = held
	}
	for i := range commits {
		held[commits[i].Seq] = true
	}
	f.cursors[peer] = max(f.cursors[peer], upTo)
	f.most[peer] = max(f.most[peer], upTo)
	f.closed[peer] = max(f.closed[peer], closed)
	if len(commits) > 0 {
		f.applies++
		f.largest = max(f.largest, len(commits))
	}
	return nil
}

// checkLocked holds what came against the durable part of the peer's log: every wanted commit after the cursor and up to upTo,
// in order, whole; nothing that is not durable there; nothing at or below closed missing.
func (f *fake) checkLocked(log []entry, peer crdt.Origin, commits []record.Commit, upTo record.Seq, closed crdt.Time) error {
	wanted := f.wantedLocked(peer.Region)
	cursor := f.cursors[peer]
	fresh := 0
	for i := range commits {
		c := &commits[i]
		at := after(log, c.Seq-1)
		switch {
		case i > 0 && commits[i-1].Seq >= c.Seq || c.Seq > upTo:
			return fmt.Errorf("commit %v of %v is out of order or past %v", c.Seq, peer, upTo)
		case at == len(log) || log[at].Seq != c.Seq || log[at].Stamp.Origin != peer:
			return fmt.Errorf("%v has no commit %v, or not durably", peer, c.Seq)
		}
		want := reduced(log[at].Commit, wanted)
		if !bytes.Equal(record.AppendCommit(nil, c), record.AppendCommit(nil, &want)) {
			return fmt.Errorf("commit %v of %v came changed", c.Seq, peer)
		}
		if c.Seq > cursor {
			fresh++
		}
	}
	for i := after(log, cursor); i < len(log); i++ {
		e := &log[i]
		if e.Stamp.Origin != peer || !wants(e, wanted) {
			continue
		}
		switch {
		case e.Seq <= upTo:
			fresh--
		case e.Stamp.Time <= closed:
			return fmt.Errorf("%v closed its time up to %v, and has %v at %v, which is not here", peer, closed, e.Seq, e.Stamp.Time)
		}
	}
	if fresh != 0 {
		return fmt.Errorf("%d commits of %v are missing between %v and %v", -fresh, peer, cursor, upTo)
	}
	return nil
}

// after is the place of the first entry past a position.
func after(log []entry, at record.Seq) int {
	i, _ := slices.BinarySearchFunc(log, at+1, func(e entry, s record.Seq) int { return cmp.Compare(e.Seq, s) })
	return i
}

func wants(e *entry, wanted map[record.TableID]bool) bool {
	return slices.ContainsFunc(e.Changes, func(ch record.Change) bool { return wanted[ch.Table] })
}

func (f *fake) wantedLocked(peer string) map[record.TableID]bool {
	wanted := map[record.TableID]bool{}
	for _, id := range f.wanted[peer] {
		wanted[id] = true
	}
	return wanted
}

func (f *fake) ApplyCatalog(_ context.Context, _ crdt.Origin, entries [][]byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range entries {
		f.received[string(e)] = true
	}
	f.wakeLocked()
	return nil
}

// level reports whether f holds all that is durable of a peer's log and wanted.
func (f *fake) level(from *fake) bool {
	from.mu.Lock()
	log := from.log[:from.durable:from.durable]
	from.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	wanted := f.wantedLocked(from.origin.Region)
	held := f.held[from.origin]
	for i := len(log) - 1; i >= 0; i-- { // what is missing is most likely at the end
		if e := &log[i]; e.Stamp.Origin == from.origin && wants(e, wanted) && !held[e.Seq] {
			return false
		}
	}
	return true
}

// copyReader copies a table as it is: the keys of the commits of a log.
type copyReader struct {
	positions map[crdt.Origin]record.Seq
	changes   []record.Change
	closed    *bool
}

func (f *fake) Snapshot(_ context.Context, id record.TableID) (replication.SnapshotReader, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := &copyReader{positions: maps.Clone(f.cursors), closed: new(bool)}
	r.positions[f.origin] = f.endLocked()
	for _, e := range f.log[:f.durable] {
		r.changes = append(r.changes, reduced(e.Commit, map[record.TableID]bool{id: true}).Changes...)
	}
	if len(r.changes) == 0 {
		return nil, errors.New("no such table here")
	}
	return r, nil
}

func (r *copyReader) Positions() map[crdt.Origin]record.Seq { return r.positions }

func (r *copyReader) Next(maxBytes int) ([]record.Change, bool, error) {
	n := 0
	for size := 0; n < len(r.changes) && size < maxBytes; n++ {
		size += len(r.changes[n].State)
	}
	out := r.changes[:n]
	r.changes = r.changes[n:]
	return out, len(r.changes) > 0, nil
}

func (r *copyReader) Close() error { *r.closed = true; return nil }

// echo answers commands.
type echo struct{ origin crdt.Origin }

func (e echo) Handle(ctx context.Context, from, name string, payload []byte) ([]byte, error) {
	switch name {
	case "fail":
		return nil, errors.New("no such thing")
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return []byte(fmt.Sprintf("%s %s %s for %s", e.origin.Region, name, payload, from)), nil
}
