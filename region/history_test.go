package region

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream/record"
)

// TestHistories lets three regions live through random lives: clients write everywhere all the time, while links break,
// machines lose power, disks are lost, logs are trimmed to the bone, and replicas and indexes come and go. At the end all
// members of each table are equal, and no acknowledged write is missing.
//
// The fault schedule follows from the seed; how goroutines meet does not, so a failure may need several runs:
//
//	go test ./region -run TestHistories -seed=N -runs=50
func TestHistories(t *testing.T) {
	seed := newSeed(t)
	for i := range *runsFlag {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T) {
				h := &history{
					world:  newWorld(t, seed+uint64(i), true, east, west, north),
					g:      rand.New(rand.NewPCG(seed+uint64(i), 1)),
					tables: []string{"A", "B"},
					sure:   map[[2]string]int{},
					paused: map[string]bool{},
				}
				defer h.close()
				h.run()
			})
		})
	}
}

type history struct {
	*world
	g      *rand.Rand // of the schedule
	tables []string
	trace  []string

	writes sync.WaitGroup
	ended  chan struct{}
	smu    sync.Mutex
	sure   map[[2]string]int // (table, key): the newest acknowledged n; a key has one writer, so n rises
	paused map[string]bool
}

func (h *history) run() {
	h.ended = make(chan struct{})
	for i, name := range h.tables {
		h.create(h.names[i], name)
		h.addReplica(h.names[i], name, h.names[(i+1)%3])
	}
	for _, n := range h.names {
		h.writes.Go(func() { h.write(n) })
	}
	stop := sync.OnceFunc(func() { close(h.ended); h.writes.Wait() })
	defer stop()
	for range 40 {
		time.Sleep(time.Duration(h.g.IntN(400)) * time.Millisecond)
		h.event()
		if h.t.Failed() {
			break
		}
	}
	h.heal()
	stop()
	defer func() {
		if h.t.Failed() {
			h.describe()
			for _, e := range h.trace {
				h.t.Log(e)
			}
		}
	}()
	h.judge()
}

// write is one region's client.
func (h *history) write(at string) {
	for n := 1; ; n++ {
		select {
		case <-h.ended:
			return
		default:
		}
		h.rest()
		h.smu.Lock()
		paused := h.paused[at]
		h.smu.Unlock()
		if paused || h.isDown(at) {
			continue
		}
		name := h.tables[h.intN(2)]
		r := h.at(at)
		switch k := h.intN(6); {
		case k == 0:
			_ = h.remove(at, name, fmt.Sprint("shared", h.intN(5))) // no promise but convergence
		case k < 3:
			_ = h.put(at, name, fmt.Sprint("shared", h.intN(5)), n)
		default:
			key := fmt.Sprint(at, h.intN(10))
			if h.put(at, name, key, n) == nil {
				h.acknowledged(r, at, name, key, n)
			}
		}
	}
}

// acknowledged notes a write, unless the region's disk had its last moment before.
func (h *history) acknowledged(r *Region, at, name, key string, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.regions[at] == r && !h.down[at] {
		h.smu.Lock()
		h.sure[[2]string{name, key}] = n
		h.smu.Unlock()
	}
}

func (h *history) say(format string, args ...any) {
	h.trace = append(h.trace, time.Now().Format("05.000 ")+fmt.Sprintf(format, args...))
}

func (h *history) event() {
	a := h.names[h.g.IntN(3)]
	b := h.names[h.g.IntN(3)]
	name := h.tables[h.g.IntN(2)]
	switch k := h.g.IntN(20); {
	case k < 4 && a != b:
		h.say("cut %s %s", a, b)
		h.setCut(a, b, true)
	case k < 8 && a != b:
		h.say("heal %s %s", a, b)
		h.setCut(a, b, false)
	case k < 10:
		h.say("crash %s", a)
		h.crash(a)
		time.Sleep(time.Duration(h.g.IntN(300)) * time.Millisecond)
		h.start(a)
	case k < 11:
		h.say("restart %s", a)
		h.stop(a)
		h.start(a)
	case k < 12:
		h.rebuild(a)
	case k < 14 && a != b:
		h.change(a, name, catalog.Change{CreateReplica: b})
	case k < 15 && a != b:
		h.change(a, name, catalog.Change{DeleteReplica: b})
	case k < 16:
		h.deleteTable(a, name)
	case k < 17:
		h.change(a, name, catalog.Change{CreateIndex: gIndex(), Attributes: gAttributes()})
	case k < 18:
		h.change(a, name, catalog.Change{DeleteIndex: "byG"})
	default:
		r := h.at(a)
		err := r.log.Trim(context.Background(), r.log.Durable(), func(record.TableID) bool { return true })
		h.say("trim %s to the bone: %v", a, err)
	}
}

// change asks for a change, with some patience: nobody may be there to make it.
func (h *history) change(at, name string, ch catalog.Change) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := h.at(at).UpdateTable(ctx, name, ch)
	h.say("update %s at %s: +%s -%s +%v -%s: %v", name, at, ch.CreateReplica, ch.DeleteReplica, ch.CreateIndex != nil, ch.DeleteIndex, err)
}

// deleteTable takes a replica away, if others are there: the history needs its tables.
func (h *history) deleteTable(at, name string) {
	e := h.at(at).catalog.Lookup(name)
	if e == nil {
		return
	}
	others := 0
	for _, m := range e.Members {
		if m.Region != at && m.State == catalog.MemberActive {
			others++
		}
	}
	if others == 2 {
		_, err := h.at(at).DeleteTable(context.Background(), name)
		h.say("delete %s at %s: %v", name, at, err)
	}
}

// rebuild loses a region's disk, if all that it wrote reaches the others in time.
func (h *history) rebuild(at string) {
	h.healLinks()
	h.pauseAt(at, true)
	defer h.pauseAt(at, false)
	for range 20 {
		time.Sleep(100 * time.Millisecond)
		if h.travelled(at) {
			h.say("rebuild %s", at)
			h.lose(at)
			h.start(at)
			return
		}
	}
	h.say("no rebuild of %s: it alone holds something", at)
}

func (h *history) pauseAt(at string, paused bool) {
	h.smu.Lock()
	defer h.smu.Unlock()
	h.paused[at] = paused
}

func (h *history) travelled(at string) bool {
	end := h.at(at).log.Last()
	for _, e := range h.at(at).catalog.Entries() {
		if !e.Visible(at) {
			continue
		}
		if e.Replicas() == 1 || e.Member(at).State != catalog.MemberActive {
			return false
		}
		c := command{Table: e.ID, Member: &catalog.Member{Region: at, Origin: h.at(at).Origin(), From: end}}
		for _, m := range e.Members {
			if m.Region != at && m.State != catalog.MemberRemoved && h.at(m.Region).holds(c) != nil {
				return false
			}
		}
	}
	return true
}

func (h *history) healLinks() {
	for _, a := range h.names {
		for _, b := range h.names {
			h.setCut(a, b, false)
		}
	}
}

func (h *history) heal() {
	h.say("heal all")
	h.healLinks()
}

// judge waits until everything is at rest and compares.
func (h *history) judge() {
	h.eventually("the catalogs agree, and nothing is on its way", h.settled)
	for _, name := range h.tables {
		var members []string
		for _, n := range h.names {
			if h.at(n).catalog.Lookup(name) != nil {
				members = append(members, n)
			}
		}
		if len(members) == 0 {
			h.t.Errorf("table %s is gone", name)
			continue
		}
		h.say("table %s is in %v", name, members)
		h.eventually("equal: "+name, func() bool { return h.equal(name, members...) })
		for tk, n := range h.sure {
			if tk[0] != name {
				continue
			}
			if got := h.get(members[0], name, tk[1]); got < n {
				h.t.Errorf("%s of %s is %d, %d was acknowledged", tk[1], name, got, n)
			}
		}
	}
	h.checkTables()
}

// settled reports whether no member of any table joins or leaves, and all that hold one describe it the same.
func (h *history) settled() bool {
	for _, n := range h.names {
		for _, e := range h.at(n).catalog.Entries() {
			if e.Deleted && !e.Local.Dropped {
				return false
			}
			if !e.Visible(n) {
				continue
			}
			if h.at(n).nextStep(e) != nil {
				return false
			}
			for _, m := range e.Members {
				if m.State == catalog.MemberCreating || m.State == catalog.MemberDeleting {
					return false
				}
				if o := h.at(m.Region).catalog.ByID(e.ID); m.State == catalog.MemberActive &&
					(o == nil || o.Revision != e.Revision || o.Epoch != e.Epoch) {
					return false
				}
			}
		}
	}
	return true
}
