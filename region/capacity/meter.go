package capacity

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Way is one of the two kinds of capacity.
type Way uint8

// Reads and writes have buckets of their own.
const (
	Read Way = iota
	Write
)

// Limits are a table's or an index's, by Way.
type Limits [2]Limit

// Plan is all that limits a table. Indexes has the global ones by name; local indexes use the table's.
type Plan struct {
	Table   Limits
	Indexes map[string]Limits
}

// Usage is what was used since the process started.
type Usage struct {
	Read, Write float64 // units
	Throttled   uint64  // requests refused
}

// Meter counts and limits what one table is used for. The zero Meter has no limits. It is safe for concurrent use.
type Meter struct {
	used    [2]atomic.Uint64 // half units
	refused atomic.Uint64
	limited [2]atomic.Bool // some bucket has a limit: written under mu, read without

	mu      sync.Mutex
	table   [2]bucket
	indexes map[string]*[2]bucket
}

// Set makes a plan the table's from now on. Setting the same again changes nothing.
func (m *Meter) Set(now int64, p Plan) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.indexes {
		if _, kept := p.Indexes[name]; !kept {
			delete(m.indexes, name)
		}
	}
	for name := range p.Indexes {
		if m.indexes[name] == nil {
			if m.indexes == nil {
				m.indexes = map[string]*[2]bucket{}
			}
			m.indexes[name] = new([2]bucket)
		}
	}
	for _, w := range []Way{Read, Write} {
		m.table[w].set(now, p.Table[w])
		limited := p.Table[w].Units > 0
		for name, l := range p.Indexes {
			m.indexes[name][w].set(now, l[w])
			limited = limited || l[w].Units > 0
		}
		m.limited[w].Store(limited)
	}
}

// Open reports in advance whether a request to the table, or to one of its global indexes, would be refused whatever it
// costs: for requests that do much work before their cost is known. It takes nothing.
func (m *Meter) Open(now int64, w Way, index string) []Reason {
	if !m.limited[w].Load() {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.bucketLocked(w, index); b != nil && !b.open(now) {
		m.refused.Add(1)
		return []Reason{{Index: index, Way: w, OnDemand: b.limit.OnDemand}}
	}
	return nil
}

// bucketLocked finds a bucket; nil for an index that is not, or no longer, in the plan.
func (m *Meter) bucketLocked(w Way, index string) *bucket {
	if index == "" {
		return &m.table[w]
	}
	if pair := m.indexes[index]; pair != nil {
		return &pair[w]
	}
	return nil
}

// Take admits one request, whose cost may come in parts, or says what had nothing left.
func (m *Meter) Take(now int64, w Way, costs ...Cost) []Reason {
	if m.limited[w].Load() {
		if refused := m.take(now, w, costs); refused != nil {
			m.refused.Add(1)
			return refused
		}
	}
	m.count(w, costs)
	return nil
}

func (m *Meter) take(now int64, w Way, costs []Cost) (refused []Reason) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.eachLocked(w, costs, func(index string, b *bucket, _ float64) {
		if r := (Reason{Index: index, Way: w, OnDemand: b.limit.OnDemand}); !b.open(now) && !slices.Contains(refused, r) {
			refused = append(refused, r)
		}
	})
	if refused == nil {
		m.eachLocked(w, costs, func(_ string, b *bucket, n float64) { b.take(now, n) })
	}
	return refused
}

// eachLocked calls fn for every bucket that a cost touches, and how much of it.
func (m *Meter) eachLocked(w Way, costs []Cost, fn func(index string, b *bucket, units float64)) {
	for i := range costs {
		if n := costs[i].own(); n > 0 {
			fn("", &m.table[w], n)
		}
		for _, x := range costs[i].Indexes {
			if !x.Global || x.Units == 0 {
				continue
			}
			if b := m.bucketLocked(w, x.Name); b != nil {
				fn(x.Name, b, x.Units)
			}
		}
	}
}

// Charge takes what cannot be refused.
func (m *Meter) Charge(now int64, w Way, costs ...Cost) {
	if m.limited[w].Load() {
		m.mu.Lock()
		m.eachLocked(w, costs, func(_ string, b *bucket, n float64) { b.charge(now, n) })
		m.mu.Unlock()
	}
	m.count(w, costs)
}

// GiveBack undoes a Take of a request that was not done after all.
func (m *Meter) GiveBack(w Way, costs ...Cost) {
	if m.limited[w].Load() {
		m.mu.Lock()
		m.eachLocked(w, costs, func(_ string, b *bucket, n float64) { b.giveBack(n) })
		m.mu.Unlock()
	}
	m.used[w].Add(-halves(costs))
}

func (m *Meter) count(w Way, costs []Cost) { m.used[w].Add(halves(costs)) }

func halves(costs []Cost) uint64 {
	n := 0.0
	for i := range costs {
		n += costs[i].Total()
	}
	return uint64(2 * n)
}

// Usage reads the totals.
func (m *Meter) Usage() Usage {
	return Usage{
		Read: float64(m.used[Read].Load()) / 2, Write: float64(m.used[Write].Load()) / 2, Throttled: m.refused.Load(),
	}
}
