package trigger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/trigger/duty"
)

// Command is what regions call each other's Manager.Handle with.
const Command = "trigger.beat"

// beat is a region's word about a trigger: who runs it as far as it knows, and what is done with.
type beat struct {
	ID      string     `json:"id"`
	Created int64      `json:"created"` // of the trigger: nothing is true of one that was made anew under the same id
	Claim   duty.Claim `json:"claim"`
	Covered vector     `json:"covered,omitempty"`
	Status  status     `json:"status"`
}

// message is all that a region says to another at a time: of the triggers that it runs; or, in answer, of those that it was
// told of.
type message struct {
	Beats []beat `json:"beats"`
}

// beatPatience is how long a region is waited for. While it is, it is told nothing new.
const beatPatience = 3 * time.Second

// callers are the calls under way: one for each region, and one for each trigger to its keeper.
type callers struct {
	mu      sync.Mutex
	busy    map[string]bool
	running sync.WaitGroup
}

func (c *callers) wait() { c.running.Wait() }

// try runs a call unless one of its name is under way.
func (c *callers) try(name string, call func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[name] {
		return
	}
	if c.busy == nil {
		c.busy = map[string]bool{}
	}
	c.busy[name] = true
	c.running.Go(func() {
		call()
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.busy, name)
	})
}

// beat tells the other regions of the triggers that this one runs, and the keepers who runs them.
func (m *Manager) beat(all []*unit) {
	if m.o.Peers == nil {
		return
	}
	peers := map[string][]*unit{}
	for _, u := range all {
		for _, p := range u.listeners() {
			peers[p] = append(peers[p], u)
		}
		if a, ok := u.unrecorded(); ok {
			m.calls.try("keeper "+u.id, func() { m.record(u, a) })
		}
	}
	for p, units := range peers {
		m.calls.try("peer "+p, func() { m.tell(p, units) })
	}
}

// listeners are the regions that are to hear of a trigger from this one.
func (u *unit) listeners() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.duty.Mine() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(u.trigger.Members), func(p string) bool { return p == u.m.name })
}

// unrecorded is what the keeper's description does not say yet: that this region runs the trigger.
func (u *unit) unrecorded() (*catalog.TriggerAssignment, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	c := u.duty.Claim()
	if !u.duty.Runs() || !c.Above(duty.Claim{Epoch: u.trigger.Epoch, Region: u.trigger.Region}) {
		return nil, false
	}
	return &catalog.TriggerAssignment{ID: u.id, Region: c.Region, Epoch: c.Epoch}, true
}

// record tells the table's keeper who runs a trigger. It is tried again with the next beat.
func (m *Manager) record(u *unit, a *catalog.TriggerAssignment) {
	ctx, cancel := context.WithTimeout(m.ctx, beatPatience)
	defer cancel()
	u.mu.Lock()
	table := u.trigger.Table
	u.mu.Unlock()
	if err := m.o.Source.ChangeTriggers(ctx, table, catalog.TriggerChange{Assign: a}); err != nil {
		m.o.Logger.Debug("the keeper does not know yet who runs a trigger", "trigger", u.id, "err", err)
	}
}

// tell says to a region what this one runs, and takes what it answers.
func (m *Manager) tell(peer string, units []*unit) {
	var say message
	for _, u := range units {
		say.Beats = append(say.Beats, u.beat())
	}
	payload, err := json.Marshal(say)
	if err != nil {
		panic(err) // texts and numbers
	}
	ctx, cancel := context.WithTimeout(m.ctx, beatPatience)
	defer cancel()
	var answer message
	reply, err := m.o.Peers.Call(ctx, peer, Command, payload)
	if err == nil {
		err = json.Unmarshal(reply, &answer)
	}
	if err != nil {
		m.o.Logger.Debug("a region does not hear of triggers", "peer", peer, "err", err)
		return
	}
	news := false
	for _, b := range answer.Beats {
		if u := m.unit(b.ID); u != nil && u.hear(peer, b) {
			news = u.answered(peer) || news
		}
	}
	if news {
		signal(m.kick) // a claim may be confirmed
	}
}

func (u *unit) beat() beat {
	u.mu.Lock()
	defer u.mu.Unlock()
	return beat{ID: u.id, Created: u.trigger.Created, Claim: u.duty.Claim(), Covered: vectorOf(u.covered), Status: u.status}
}

// hear takes a region's word, if it is of this trigger and not of one that had its id before or will have it.
func (u *unit) hear(from string, b beat) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if b.Created != u.trigger.Created {
		return false
	}
	was, ran := u.duty.Claim(), u.duty.Runs()
	u.duty.Heard(time.Now(), from, b.Claim)
	if now := u.duty.Claim(); now != was {
		u.soilLocked(true)
	}
	if from == b.Claim.Region && b.Claim == u.duty.Claim() {
		u.status = b.Status
	}
	// Whoever delivered it, it was delivered. A region that was replaced tells what it did meanwhile.
	u.coverLocked(b.Covered.context())
	if ran && !u.duty.Runs() {
		u.m.o.Logger.Warn("trigger stops here: another region has taken it over", "trigger", u.id, "by", u.duty.Claim().Region)
		u.poke()
	}
	return true
}

// answered notes that a region has heard our claim; news reports that this mattered.
func (u *unit) answered(peer string) (news bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.duty.Mine() || u.duty.Runs() {
		return false
	}
	u.duty.Answered(peer)
	return true
}

// Handle takes what another region says, and answers what this one knows of the same triggers.
func (m *Manager) Handle(_ context.Context, from, name string, payload []byte) ([]byte, error) {
	var said message
	if err := json.Unmarshal(payload, &said); err != nil || name != Command {
		return nil, errors.Join(fmt.Errorf("trigger: %s from %s cannot be read", name, from), err)
	}
	var answer message
	for _, b := range said.Beats {
		u := m.unit(b.ID)
		if u == nil || !u.hear(from, b) {
			continue // its table's description is on the way
		}
		answer.Beats = append(answer.Beats, u.beat())
	}
	return json.Marshal(answer)
}
