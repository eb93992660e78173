package region

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Members tell each other what they hold of the tables that they share. A report counts as if it stood in its author's log, after
// all that the author had written when it was made: At is above that. Who has read the log so far knows that whatever the author
// writes later was written by somebody who had seen what the report says, and everything else of the author is here.

// cmdReport asks a region for its report.
const cmdReport = "region.report"

const (
	maxReportEvery = 10 * time.Second
	reportPatience = 3 * time.Second
)

// report is what a region says of itself.
type report struct {
	Origin crdt.Origin       `json:"origin"`
	At     crdt.Time         `json:"at"`
	Newest map[string]uint64 `json:"newest"` // the newest incarnation of each region that it has met
	Tables []tableReport     `json:"tables"`
}

type tableReport struct {
	Table    record.TableID            `json:"table"`
	Epoch    uint64                    `json:"epoch"`
	Revision crdt.Stamp                `json:"revision"`
	Have     map[crdt.Origin]crdt.Time `json:"have"`
}

func (p *report) table(id record.TableID) *tableReport {
	for i := range p.Tables {
		if p.Tables[i].Table == id {
			return &p.Tables[i]
		}
	}
	return nil
}

// reports are the newest of a region, and the one before, which counts until the author's log is read so far.
type reports struct{ good, next *report }

// settledLocked is the report that counts for a table; nil if there is none.
func (p *reports) settledLocked(in *inbound, e *catalog.Entry) *report {
	if p == nil {
		return nil
	}
	for _, rep := range []*report{p.next, p.good} {
		if rep != nil && in.upToLocked(e, rep.Origin) >= rep.At {
			return rep
		}
	}
	return nil
}

// tookLocked takes a newer report. What the one before it said still holds, if its author's log was read so far.
func (in *inbound) tookLocked(region string, rep *report) {
	p := in.reports[region]
	if p == nil {
		p = &reports{}
		in.reports[region] = p
	}
	if p.next != nil && in.closed[p.next.Origin] >= p.next.At {
		p.good = p.next
	}
	p.next = rep
}

// askReports asks all members of shared tables.
func (r *Region) askReports() {
	p := r.peersOrNil()
	if p == nil {
		return
	}
	asked := map[string]bool{}
	for _, e := range r.catalog.Entries() {
		if !e.Holds(r.name) || !e.Local.Ready {
			continue
		}
		for _, m := range e.Members {
			if m.Region == r.name || m.State != catalog.MemberActive || asked[m.Region] || r.ctx.Err() != nil {
				continue
			}
			asked[m.Region] = true
			if err := r.askReport(p, m.Region); err != nil {
				r.logger.Debug("no report", "of", m.Region, "err", err)
			}
		}
	}
}

func (r *Region) askReport(p Peers, from string) error {
	ctx, cancel := context.WithTimeout(r.ctx, reportPatience)
	defer cancel()
	q, err := json.Marshal(r.origin)
	if err != nil {
		return err
	}
	b, err := p.Call(ctx, from, cmdReport, q)
	if err != nil {
		return err
	}
	rep := new(report)
	if err := json.Unmarshal(b, rep); err != nil {
		return err
	}
	if rep.Origin.Region != from {
		return fmt.Errorf("region %s answers for %q", from, rep.Origin.Region)
	}
	if err := r.inbound.meet(rep.Origin); err != nil {
		return r.fail(err)
	}
	in := r.inbound
	in.mu.Lock()
	defer in.mu.Unlock()
	in.tookLocked(from, rep)
	return nil
}

// answerReport answers askReport.
func (r *Region) answerReport(from string, payload []byte) ([]byte, error) {
	var asker crdt.Origin
	if err := json.Unmarshal(payload, &asker); err != nil {
		return nil, err
	}
	if asker.Region != from { // it would make another region's reports void for ever
		return nil, fmt.Errorf("region %s asks for %q", from, asker.Region)
	}
	if err := r.inbound.meet(asker); err != nil {
		return nil, r.fail(err)
	}
	return json.Marshal(r.report(from))
}

// report says what is held, and then takes a time above all that was written before.
func (r *Region) report(to string) *report {
	rep := &report{Origin: r.origin, Newest: map[string]uint64{}}
	in := r.inbound
	_, own := r.End() // not under mu: seals take it
	in.mu.Lock()
	for region, n := range in.newest {
		rep.Newest[region] = n
	}
	for _, e := range r.catalog.Entries() {
		if e.Member(to) != nil && e.Holds(r.name) && e.Local.Ready && !in.unadopted(e) {
			rep.Tables = append(rep.Tables, tableReport{e.ID, e.Epoch, e.Revision, in.allHeldLocked(e, own)})
		}
	}
	in.mu.Unlock()
	rep.At = r.clock.Last()
	return rep
}

// The newest incarnation of each region that was met:
//
//	newest/ | region   8 bytes, big-endian

const newestPrefix = "newest/"

func (in *inbound) loadNewest() error {
	prefix := storage.MetaKey(newestPrefix)
	it, err := in.region.store.NewIter(storage.PrefixRange(prefix))
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		if len(it.Value()) != 8 {
			return errors.Join(storage.Corruptf("incarnation", "%q has %d bytes under it", it.Key(), len(it.Value())), it.Close())
		}
		var n uint64
		for _, b := range it.Value() {
			n = n<<8 | uint64(b)
		}
		in.newest[string(it.Key()[len(prefix):])] = n
	}
	in.newest[in.region.name] = max(in.newest[in.region.name], in.region.origin.Incarnation)
	return errors.Join(it.Err(), it.Close())
}

// meet notes durably that an incarnation of a region lives: from then on nothing that is reported here is put together with what
// an earlier one had reported.
func (in *inbound) meet(o crdt.Origin) error {
	in.mu.Lock()
	known := o.Incarnation <= in.newest[o.Region]
	in.mu.Unlock()
	if known {
		return nil
	}
	err := write(in.region.store, func(w storage.Writer) error {
		return w.Set(storage.MetaKey(newestPrefix+o.Region), storage.AppendSeq(nil, o.Incarnation))
	})
	if err != nil {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.newest[o.Region] = max(in.newest[o.Region], o.Incarnation)
	return nil
}
