package main

import (
	"sync/atomic"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/internal/wan"
	"github.com/meridiandb/meridian/region/clock"
)

// trouble is what can be wrong with a region on purpose, besides its links. A region that allows no faults has none.
type trouble struct {
	clock *wan.Clock
	full  atomic.Bool
}

var _ admin.Trouble = (*trouble)(nil)

func newTrouble() *trouble { return &trouble{clock: wan.NewClock()} }

// wall is the region's clock; nil, the machine's own, without trouble.
func (t *trouble) wall() clock.Wall {
	if t == nil {
		return nil
	}
	return func() int64 { return t.clock.Now().UnixMilli() }
}

// diskFull tells the store whether its disk counts as full.
func (t *trouble) diskFull() func() bool {
	if t == nil {
		return nil
	}
	return t.full.Load
}

// ClockFault, SetClock, DiskFull and SetDiskFull are admin.Trouble's.
func (t *trouble) ClockFault() wan.ClockFault { return t.clock.Fault() }

func (t *trouble) SetClock(f wan.ClockFault) { t.clock.Set(f) }

func (t *trouble) DiskFull() bool { return t.full.Load() }

func (t *trouble) SetDiskFull(full bool) { t.full.Store(full) }
