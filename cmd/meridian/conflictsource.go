package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
)

// conflictSource lets the admin pages read a region's conflict feed.
type conflictSource struct{ *region.Region }

var _ admin.ConflictSource = conflictSource{}

func (s conflictSource) Conflicts(ctx context.Context, q admin.ConflictQuery) (admin.ConflictPage, error) {
	ask := region.ConflictQuery{Table: q.Table, Key: q.Key, Loser: q.Write, From: q.From, Limit: q.Limit}
	if !q.Since.IsZero() {
		ask.Since = max(q.Since.UnixMilli(), 1)
	}
	if !q.Until.IsZero() {
		ask.Until = max(q.Until.UnixMilli(), 1)
	}
	list, next, err := s.Region.Conflicts(ctx, ask)
	if err != nil {
		return admin.ConflictPage{}, err
	}
	page := admin.ConflictPage{Next: next}
	for i := range list {
		page.Conflicts = append(page.Conflicts, conflictPage(&list[i]))
	}
	feeds, err := s.FeedStatuses()
	for name, f := range feeds {
		if q.Table != "" && q.Table != name {
			continue
		}
		if page.Feeds == nil {
			page.Feeds = map[string]admin.ConflictFeed{}
		}
		page.Feeds[name] = admin.ConflictFeed{Floor: time.UnixMilli(f.Floor.Millis()).UTC(), Dropped: f.Dropped}
	}
	return page, err
}

func (s conflictSource) RestoreConflict(ctx context.Context, table string, key item.Item, write crdt.Stamp) (item.Item, error) {
	return s.Region.RestoreConflict(ctx, table, key, write)
}

func conflictPage(c *region.Conflict) admin.Conflict {
	p := admin.Conflict{
		Table: c.Table, Key: c.Key.AppendJSON(nil),
		Lost: admin.NewConflictWrite(c.Loser, c.Item()), Winner: admin.NewConflictWrite(c.Winner, c.Beaten),
		Base: c.Base, Reason: string(c.Reason), Policy: c.Policy.String(), Noted: time.UnixMilli(c.Noted).UTC(),
	}
	if c.All {
		return p
	}
	p.Attributes = map[string]json.RawMessage{}
	for _, f := range c.Fields {
		p.Attributes[f.Name] = json.RawMessage("null")
		if !f.Value.IsZero() {
			p.Attributes[f.Name] = f.Value.AppendJSON(nil)
		}
	}
	return p
}

// conflictCounts are a region's for its status.
func conflictCounts(r *region.Region) (counts []admin.ConflictCount, dropped map[string]uint64) {
	for _, c := range r.ConflictCounts() {
		counts = append(counts, admin.ConflictCount(c))
	}
	feeds, _ := r.FeedStatuses() // a figure less is no reason to show none
	for name, f := range feeds {
		if dropped == nil {
			dropped = map[string]uint64{}
		}
		dropped[name] = f.Dropped
	}
	return counts, dropped
}
