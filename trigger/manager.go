package trigger

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Source is the region whose streams are read. *region.Region is one.
type Source interface {
	Name() string
	Triggers() ([]region.Trigger, <-chan struct{})
	ChangeTriggers(ctx context.Context, id record.TableID, ch catalog.TriggerChange) error

	StreamRef(n region.StreamName) (record.TableID, string, error)
	StreamOf(id record.TableID, ref string) (region.StreamName, error)
	EnabledStream(table string) (region.StreamName, error)
	DescribeStream(n region.StreamName) (region.StreamView, error)
	ShardIterator(n region.StreamName, shard string, start region.StreamStart) (string, error)
	StreamRecords(iter string, limit int) ([]region.StreamRecord, string, error)
	IteratorPosition(iter string) (string, error)

	// LogEnd is behind all durable changes; WaitDurable returns when there are more than up to a commit.
	LogEnd() (string, record.Seq)
	WaitDurable(ctx context.Context, after record.Seq) error
	// Holds covers nothing that stands behind a LogEnd asked for after it; Seen covers all that stands before one asked for
	// before it.
	Holds(id record.TableID) crdt.Context
	Seen(ctx context.Context) (crdt.Context, error)
}

// Peers is how a region's triggers reach the other regions: Call has a command carried out by Manager.Handle there.
type Peers interface {
	Call(ctx context.Context, region, name string, payload []byte) ([]byte, error)
}

// Options says what to run. Source and Store are required.
type Options struct {
	Source Source
	Store  storage.Store // the region's; not closed
	Peers  Peers         // nil: the region is alone

	// Endpoint is where functions are called that say nothing else, a URL; "": such triggers show a problem.
	Endpoint string
	// Timeout is how long a call may take where the trigger says nothing else; 0: DefaultTimeout.
	Timeout time.Duration
	// Files is the folder for destinations that are files; "": they are refused.
	Files string
	// AccountID is the account that all ARNs name; 12 digits. "": 000000000000, as package api has it.
	AccountID string

	Transport  http.RoundTripper // by which functions are called; nil: HTTP over sockets
	Logger     *slog.Logger      // nil: none
	Registerer prometheus.Registerer
}

// Manager runs a region's triggers. It is safe for concurrent use.
type Manager struct {
	o            Options
	name         string
	client       *http.Client
	destinations *destinations

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	jobs   sync.WaitGroup
	kick   chan struct{} // size 1: the loop has something to do now
	news   news

	mu      sync.Mutex
	units   map[string]*unit
	leaving map[string]bool // triggers that were deleted and have not ended

	seenMu sync.Mutex
	seen   marks // Seen marks of this region

	calls callers
	swept bool // run's own
}

// tickEvery is how often a region says that it runs its triggers, and looks whether others still do.
const tickEvery = 500 * time.Millisecond

// Open starts the region's triggers. Close ends them; the region is to be closed after it.
func Open(o Options) (*Manager, error) {
	o.AccountID, o.Timeout = cmp.Or(o.AccountID, "000000000000"), cmp.Or(o.Timeout, DefaultTimeout)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Endpoint != "" && !isURL(o.Endpoint) {
		return nil, fmt.Errorf("the endpoint of functions, %q, is no http or https URL", o.Endpoint)
	}
	m := &Manager{
		o: o, name: o.Source.Name(), client: newClient(o.Transport), units: map[string]*unit{}, leaving: map[string]bool{}, kick: make(chan struct{}, 1),
	}
	m.destinations = &destinations{client: m.client, folder: o.Files}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.news.ch = make(chan struct{})
	if o.Registerer != nil {
		if err := o.Registerer.Register(newCollector(m)); err != nil {
			return nil, err
		}
	}
	m.jobs.Go(m.run)
	m.jobs.Go(m.watchLog)
	return m, nil
}

// Close stops all triggers, lets calls under way end for a while, saves where they stand, and waits.
func (m *Manager) Close() {
	m.cancel()
	m.jobs.Wait()
	var closing sync.WaitGroup
	for _, u := range m.list() {
		closing.Go(u.close)
	}
	closing.Wait()
	m.client.CloseIdleConnections()
}

// list is all units, by id.
func (m *Manager) list() []*unit {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*unit, 0, len(m.units))
	for _, u := range m.units {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b *unit) int { return cmp.Compare(a.id, b.id) })
	return all
}

func (m *Manager) unit(id string) *unit {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.units[id]
}

// saveIdle is at how many ticks what moved only because time did is saved.
const saveIdle = 10

// run is the manager's loop.
func (m *Manager) run() {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	defer m.calls.wait()
	for n := 0; ; n++ {
		changed, err := m.follow()
		if err != nil {
			m.o.Logger.Error("triggers cannot be read", "err", err)
		}
		m.tick(n)
		select {
		case <-changed:
		case <-tick.C:
		case <-m.kick:
		case <-m.ctx.Done():
			return
		}
	}
}

// follow makes the units those of the catalog.
func (m *Manager) follow() (<-chan struct{}, error) {
	triggers, changed := m.o.Source.Triggers()
	named := map[string]bool{}
	var failed error
	for _, t := range triggers {
		named[t.ID] = true
		if u := m.unit(t.ID); u != nil && u.created() == t.Created {
			u.follow(t)
			continue
		} else if u != nil { // deleted and made anew since we looked
			m.remove(u)
		}
		if m.ctx.Err() != nil || m.isLeaving(t.ID) {
			continue
		}
		u, err := m.newUnit(t)
		if err != nil {
			failed = err
			continue
		}
		m.mu.Lock()
		m.units[t.ID] = u
		m.mu.Unlock()
	}
	for _, u := range m.list() {
		if named[u.id] {
			continue
		}
		m.remove(u)
	}
	if !m.swept && failed == nil {
		failed = sweep(m.o.Store, named)
		m.swept = true
	}
	return changed, failed
}

// remove ends a trigger that was deleted. Calls under way may take a while to end; beats do not wait for them.
func (m *Manager) remove(u *unit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.units, u.id)
	m.leaving[u.id] = true
	m.jobs.Go(func() {
		u.close()
		if err := forget(m.o.Store, u.id); err != nil {
			m.o.Logger.Error("what is kept of a trigger cannot be removed", "trigger", u.id, "err", err)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.leaving, u.id)
		signal(m.kick) // it may have been made anew
	})
}

func (m *Manager) isLeaving(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.leaving[id]
}

// tick does what is done again and again.
func (m *Manager) tick(n int) {
	now := time.Now()
	m.markSeen()
	all := m.list()
	for _, u := range all {
		u.tick(now)
		u.settle()
		if n%saveIdle == 0 {
			u.saveSoon()
		}
	}
	m.beat(all)
}

// tick lets time pass for a unit's duty. A claim is on the disk before anybody acts by it.
func (u *unit) tick(now time.Time) {
	u.mu.Lock()
	before := u.duty.Runs()
	claimed := u.duty.Tick(now)
	if claimed {
		u.claiming, u.dirty = true, true
	}
	if u.duty.Runs() != before {
		u.poke()
	}
	claiming, name, claim := u.claiming, u.trigger.Name, u.duty.Claim()
	u.mu.Unlock()
	if claimed {
		u.m.o.Logger.Warn("trigger is taken over: the region that ran it is silent", "trigger", u.id, "table", name, "epoch", claim.Epoch)
	}
	if claiming && u.save() {
		u.mu.Lock()
		u.claiming = false
		u.poke()
		u.mu.Unlock()
	}
}

// markSeen notes where the log ends, and what had been seen by then.
func (m *Manager) markSeen() {
	after, _ := m.o.Source.LogEnd()
	ctx, cancel := context.WithTimeout(m.ctx, tickEvery)
	defer cancel()
	seen, err := m.o.Source.Seen(ctx)
	if err != nil {
		return // the disk is slow: the next one will do
	}
	m.seenMu.Lock()
	defer m.seenMu.Unlock()
	m.seen.add(mark{after, vectorOf(seen)})
}

func (m *Manager) seenMark(after string, covered crdt.Context) (mark, bool) {
	m.seenMu.Lock()
	defer m.seenMu.Unlock()
	return m.seen.newest(after, coveredBy(covered))
}

// news tells shards that the log has grown.
type news struct {
	mu sync.Mutex
	ch chan struct{} // closed at the next news
}

func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ch
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.ch)
	n.ch = make(chan struct{})
}

// newsEvery bounds how often shards are read while much is written.
const newsEvery = 20 * time.Millisecond

// watchLog makes news of the log's growth.
func (m *Manager) watchLog() {
	rest := time.NewTimer(newsEvery)
	defer rest.Stop()
	for {
		_, end := m.o.Source.LogEnd()
		m.news.tell()
		if m.o.Source.WaitDurable(m.ctx, end) != nil {
			return // closed; or the region has failed, and nothing will grow
		}
		rest.Reset(newsEvery)
		select {
		case <-rest.C:
		case <-m.ctx.Done():
			return
		}
	}
}

func (m *Manager) streamARN(n region.StreamName) string {
	return "arn:aws:dynamodb:" + m.name + ":" + m.o.AccountID + ":table/" + n.Table + "/stream/" + n.Label
}
