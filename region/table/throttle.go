package table

import (
	"slices"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/capacity"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream/record"
)

// Where requests meet their table's capacity (package capacity). Reads and writes are admitted when their cost is known,
// which is before anything of them can be seen; what reads a page asks in advance too.

// Throttled is the cause of an error of kind fault.Throttled.
type Throttled = capacity.Throttled

// meterOf is a table's meter, the same for all its handles.
func (e *Engine) meterOf(id record.TableID) *capacity.Meter {
	if v, ok := e.meters.Load(id); ok {
		return v.(*capacity.Meter)
	}
	v, _ := e.meters.LoadOrStore(id, new(capacity.Meter))
	return v.(*capacity.Meter)
}

// Usage tells what a table was used for since the process started.
func (e *Engine) Usage(id record.TableID) capacity.Usage { return e.meterOf(id).Usage() }

// planOf is what a description limits: provisioned capacity, or an on-demand table's caps.
func planOf(d *catalog.Descriptor) capacity.Plan {
	limits := func(t catalog.Throughput, o catalog.OnDemand) capacity.Limits {
		if d.Billing.PayPerRequest {
			return capacity.Limits{{Units: o.MaxRead, OnDemand: true}, {Units: o.MaxWrite, OnDemand: true}}
		}
		return capacity.Limits{{Units: t.Read}, {Units: t.Write}}
	}
	p := capacity.Plan{Table: limits(d.Throughput, d.OnDemand), Indexes: map[string]capacity.Limits{}}
	for i := range d.Indexes {
		if x := &d.Indexes[i]; x.Global {
			p.Indexes[x.Name] = limits(x.Throughput, x.OnDemand)
		}
	}
	return p
}

// throttled is the error for reasons, nil if there are none.
func (t *Table) throttled(reasons []capacity.Reason) error {
	if reasons == nil {
		return nil
	}
	err := &Throttled{Table: t.entry.Name, Reasons: reasons}
	return fault.Wrap(fault.Throttled, err, "%s", err.Error())
}

// mayRead asks in advance for a read of a table or index.
func (t *Table) mayRead(x *index) error {
	name := ""
	if x != nil && x.Global {
		name = x.Name
	}
	return t.throttled(t.meter.Open(t.engine.clock.Now(), capacity.Read, name))
}

// read admits one read.
func (t *Table) read(c Cost) error {
	return t.throttled(t.meter.Take(t.engine.clock.Now(), capacity.Read, c))
}

// charge is what a write costs its table, whatever became of it.
func (a *action) charge() Cost {
	c := a.result.Cost
	if cf, ok := a.failed.(*ConditionFailed); ok {
		c = cf.Cost
	}
	if a.together {
		c = c.Doubled()
	}
	return c
}

// admit takes what actions cost from their tables, all or nothing. If it is refused, that is the failure of those actions
// that wanted it, and the others have none.
func (e *Engine) admit(actions []*action) bool {
	if len(actions) == 1 {
		a := actions[0]
		err := a.table.throttled(a.table.meter.Take(e.clock.Now(), capacity.Write, a.charge()))
		if err != nil {
			a.failed = err
		}
		return err == nil
	}
	return e.admitParts(capacity.Write, len(actions),
		func(i int) (*Table, Cost) { return actions[i].table, actions[i].charge() },
		func(i int, err error) { actions[i].failed = err })
}

// admitParts admits the n parts of a transaction, or says of each, by refuse, why not or nil.
func (e *Engine) admitParts(way capacity.Way, n int, part func(int) (*Table, Cost), refuse func(int, error)) bool {
	now := e.clock.Now()
	var meters []*capacity.Meter // of the transaction's tables, each once
	var costs [][]Cost
	for i := range n {
		t, c := part(i)
		at := slices.Index(meters, t.meter)
		if at < 0 {
			at, meters, costs = len(meters), append(meters, t.meter), append(costs, nil)
		}
		costs[at] = append(costs[at], c)
	}
	reasons := map[*capacity.Meter][]capacity.Reason{}
	for i, m := range meters {
		if r := m.Take(now, way, costs[i]...); r != nil {
			reasons[m] = r
		}
	}
	if len(reasons) == 0 {
		return true
	}
	for i, m := range meters {
		if reasons[m] == nil {
			m.GiveBack(way, costs[i]...)
		}
	}
	for i := range n {
		t, c := part(i)
		refuse(i, t.throttled(concerning(reasons[t.meter], c)))
	}
	return false
}

// concerning keeps the reasons that a part of a transaction has by itself.
func concerning(reasons []capacity.Reason, c Cost) (own []capacity.Reason) {
	for _, r := range reasons {
		touched := r.Index == ""
		if touched || slices.ContainsFunc(c.Indexes, func(x IndexCost) bool { return x.Name == r.Index }) {
			own = append(own, r)
		}
	}
	return own
}

// takeBack undoes admit for a commit that did not happen.
func takeBack(actions []*action) {
	for _, a := range actions {
		a.table.meter.GiveBack(capacity.Write, a.charge())
	}
}
