package region

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Relay brings what an origin that cannot be heard here had sent to another region: its commits, whole, from that region's log.
//
// Positions in that log mean nothing here, and the places of the commits in their author's log are not known; so it is asked by
// stamp: all commits of some origins after what is held of them, of the tables that are shared with them. The answering region
// (relayanswer.go) sees to it that it has all of these tables, that its log has the commits whole, and that it reaches back so
// far; else repair must do it. The asker sees to it that nothing is shown before what it rests on: a state in a log is what all
// commits before it in that log had come to, so they must be here first. Those of origins that are heard are on their way by
// their own logs, and waited for; those of silent ones come with the same answer, in the order of that log.
//
// What is taken raises, for each table, the time up to which it has everything of the origin (mended.go). It moves no cursor:
// should the origin come back, its log is read on from where it was, and the commits are known.

const (
	relayEvery   = time.Second
	relayMost    = 30 * time.Second // between two questions, when there was nothing several times
	relaySilence = 3 * time.Second  // a heartbeat is due every half second
	relayBytes   = 1 << 20
	relayAsking  = 5 * time.Second // patience with one answer
	// relayWaits is how long an answer may wait for what it rests on.
	relayWaits = 2 * time.Second
)

// relayAsk is the question.
type relayAsk struct {
	Tables []record.TableID          `json:"tables"`
	After  map[crdt.Origin]crdt.Time `json:"after"`
	From   record.Seq                `json:"from,omitempty"` // where the answer before it ended; 0: it is the first
}

// relayAnswer is a piece of the answer.
type relayAnswer struct {
	Commits [][]byte   `json:"commits,omitempty"`
	Next    record.Seq `json:"next,omitempty"`
	Done    bool       `json:"done"` // the last piece
	// Have is what is held of the origins when all is taken; those that cannot be relayed are not in it.
	Have map[crdt.Origin]crdt.Time `json:"have,omitempty"`
	// Before is what each table must hold of all other origins first.
	Before map[record.TableID]map[crdt.Origin]crdt.Time `json:"before,omitempty"`
	Error  string                                       `json:"error,omitempty"`
}

// relays asks for what cannot be heard, as long as the region lives.
func (r *Region) relays() {
	tick := time.NewTicker(relayEvery)
	defer tick.Stop()
	rests := map[string]rest{} // by question and region
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
		}
		p := r.peersOrNil()
		if p == nil {
			continue
		}
		still := map[string]rest{}
		for _, q := range r.inbound.silent(time.Now()) {
			for _, to := range q.regions {
				key := q.key + to
				s := rests[key]
				if time.Now().After(s.until) {
					s = s.next(r.relayFrom(p, to, q))
				}
				still[key] = s
			}
		}
		rests = still
	}
}

// rest is how long a question is not asked again.
type rest struct {
	until time.Time
	last  time.Duration
}

func (s rest) next(news bool) rest {
	d := min(relayMost, max(relayEvery/2, 2*s.last))
	if news {
		d = relayEvery / 2
	}
	return rest{time.Now().Add(d), d}
}

// question is what is asked for: silent origins of the same tables, and whom.
type question struct {
	key      string
	tables   []record.TableID
	fillings []uint64
	origins  []crdt.Origin
	regions  []string
}

// silent lists what to ask for.
func (in *inbound) silent(now time.Time) []*question {
	in.mu.Lock()
	defer in.mu.Unlock()
	known := map[crdt.Origin]bool{}
	for o := range in.closed {
		known[o] = true
	}
	for _, of := range in.mended {
		for o := range of {
			known[o] = true
		}
	}
	quiet := map[string]bool{} // regions of which nothing is heard
	for o := range known {
		if heard, ok := in.heard[o]; !ok {
			in.heard[o] = now // since the start, as far as this goes
			delete(known, o)
		} else if now.Sub(heard) < relaySilence || o == in.region.origin {
			delete(known, o)
		}
	}
	for o := range known {
		quiet[o.Region] = !slices.ContainsFunc(slices.Collect(maps.Keys(in.heard)), func(other crdt.Origin) bool {
			return other.Region == o.Region && now.Sub(in.heard[other]) < relaySilence
		})
	}
	byTables := map[string]*question{}
	for o := range known {
		q := in.questionLocked(o, quiet)
		if q == nil {
			continue
		}
		if have := byTables[q.key]; have != nil {
			have.origins = append(have.origins, o)
			continue
		}
		byTables[q.key] = q
	}
	return slices.Collect(maps.Values(byTables))
}

// questionLocked is about one origin; nil if nobody could answer.
func (in *inbound) questionLocked(o crdt.Origin, quiet map[string]bool) *question {
	q := &question{origins: []crdt.Origin{o}}
	entries := in.region.catalog.Entries()
	slices.SortFunc(entries, func(a, b *catalog.Entry) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, e := range entries {
		m := e.Member(o.Region)
		if !e.Holds(in.region.name) || !e.Local.Ready || m == nil || e.Replicas() == 1 { // nobody else can have anything of it
			continue
		}
		if m.State == catalog.MemberRemoved && (!e.IsGone(o) || in.finalLocked(e, o, in.newestLocked(e))) {
			continue
		}
		q.tables, q.fillings = append(q.tables, e.ID), append(q.fillings, in.fillings[e.ID])
		q.key += e.ID.String()
		for _, m := range e.Members {
			if m.Region != in.region.name && m.State == catalog.MemberActive && !quiet[m.Region] && !slices.Contains(q.regions, m.Region) {
				q.regions = append(q.regions, m.Region)
			}
		}
	}
	slices.Sort(q.regions)
	if len(q.tables) == 0 || len(q.regions) == 0 {
		return nil
	}
	return q
}

// afterLocked is up to when all tables of a question have everything of its origins.
func (in *inbound) afterLocked(q *question) map[crdt.Origin]crdt.Time {
	after := map[crdt.Origin]crdt.Time{}
	for _, o := range q.origins {
		for i, id := range q.tables {
			e := in.region.catalog.ByID(id)
			if t := in.upToLocked(e, o); i == 0 || t < after[o] {
				after[o] = t
			}
		}
	}
	return after
}

// relayFrom asks one region and takes what it has; news says that there was something.
func (r *Region) relayFrom(p Peers, to string, q *question) (news bool) {
	in := r.inbound
	in.mu.Lock()
	ask := relayAsk{Tables: q.tables, After: in.afterLocked(q)}
	in.mu.Unlock()
	for {
		a, err := r.askRelay(p, to, ask)
		if err == nil && a.Error != "" {
			err = fmt.Errorf("region %s relays nothing: %s", to, a.Error)
		}
		if err == nil && len(a.Have) == 0 {
			return news
		}
		var n int
		if err == nil {
			n, err = r.takeRelayed(to, q, &a)
		}
		if err != nil {
			_ = r.fail(err)
			r.logger.Debug("relay to be tried again", "from", to, "err", err)
			return news
		}
		r.relayed.Add(uint64(n))
		news = true
		if a.Done {
			r.logger.Info("relayed", "from", to, "have", a.Have)
			return true
		}
		ask.From = a.Next
	}
}

func (r *Region) askRelay(p Peers, to string, q relayAsk) (a relayAnswer, err error) {
	ctx, cancel := context.WithTimeout(r.ctx, relayAsking)
	defer cancel()
	b, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	if b, err = p.Call(ctx, to, cmdRelay, b); err != nil {
		return a, err
	}
	return a, json.Unmarshal(b, &a)
}

// takeRelayed merges a piece of an answer as soon as what it rests on is here.
func (r *Region) takeRelayed(to string, q *question, a *relayAnswer) (n int, err error) {
	commits := make([]record.Commit, len(a.Commits))
	for i, b := range a.Commits {
		if commits[i], err = record.DecodeCommit(b); err != nil {
			return 0, err
		}
		if ahead, hold := r.clock.Holds(commits[i].Stamp.Time); hold { // of notes nothing else says when they were made
			return 0, fmt.Errorf("%w: relayed, by %v", ErrHeld, ahead)
		}
		if err := r.checkCopied(to, commits[i].Changes); err != nil { // what was joined with them there counts as well
			return 0, err
		}
	}
	for until := time.Now().Add(relayWaits); ; {
		taken, missing, err := r.takeOnce(q, a, commits)
		if taken || err != nil {
			return len(commits), err
		}
		if time.Now().After(until) {
			return 0, fmt.Errorf("what is relayed rests on what is not here: %v", missing)
		}
		pause := time.NewTimer(20 * time.Millisecond)
		select {
		case <-pause.C:
		case <-r.ctx.Done():
			pause.Stop()
			return 0, errClosed
		}
	}
}

func (r *Region) takeOnce(q *question, a *relayAnswer, commits []record.Commit) (taken bool, missing crdt.Stamp, err error) {
	in := r.inbound
	in.gate.RLock() // tables and cursors stay as they are
	defer in.gate.RUnlock()
	in.mu.Lock()
	missing, ok := in.restsLocked(q, a)
	same := in.sameLocked(q)
	in.mu.Unlock()
	if !same {
		return false, missing, fmt.Errorf("the tables are not those that were asked for any more")
	}
	if !ok {
		return false, missing, nil
	}
	b := table.Batch{Commits: commits, Relayed: true, Seal: func(w storage.Writer) error {
		if a.Done {
			for _, id := range q.tables {
				if err := in.setMended(w, id, a.Have); err != nil {
					return err
				}
			}
		}
		return nil
	}}
	if err := r.engine.Apply(r.ctx, b); err != nil {
		return false, missing, err
	}
	if a.Done {
		in.mu.Lock()
		defer in.mu.Unlock()
		for _, id := range q.tables {
			in.raisedLocked(id, a.Have)
		}
	}
	return true, missing, nil
}

// restsLocked reports whether all that an answer rests on is here, or what is missing.
func (in *inbound) restsLocked(q *question, a *relayAnswer) (missing crdt.Stamp, ok bool) {
	for _, id := range q.tables {
		e := in.region.catalog.ByID(id)
		for o, t := range a.Before[id] {
			if _, comes := a.Have[o]; !comes && o != in.region.origin && in.upToLocked(e, o) < t {
				return crdt.Stamp{Time: t, Origin: o}, false
			}
		}
	}
	return missing, true
}

// sameLocked reports whether the tables of a question are still filled as they were.
func (in *inbound) sameLocked(q *question) bool {
	for i, id := range q.tables {
		e := in.region.catalog.ByID(id)
		if in.fillings[id] != q.fillings[i] || !e.Holds(in.region.name) || !e.Local.Ready {
			return false
		}
	}
	return true
}
