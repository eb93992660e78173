package region

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
)

// Bounds of a table's conflict feed, unless Options says otherwise: who has not looked for a month will not look, and a table
// that loses so much has another problem than its feed.
const (
	DefaultConflictAge         = 30 * 24 * time.Hour
	DefaultConflictBytes int64 = 256 << 20
)

// Conflict is one write that lost, with its table and its item's key.
type Conflict struct {
	Table string
	Key   item.Item
	conflict.Note
}

// ConflictQuery says which conflicts to list.
type ConflictQuery struct {
	Table string     // empty: all
	Key   item.Item  // zero: all; needs Table
	Loser crdt.Stamp // zero: all
	// Since and Until bound the losers' times, in unix milliseconds; 0: no bound. Until is not included.
	Since, Until int64
	From         string // go on where a page ended
	Limit        int    // > 0
}

// Conflicts lists conflicts by table, item and time. Next is where to go on, empty at the end.
func (r *Region) Conflicts(ctx context.Context, q ConflictQuery) (list []Conflict, next string, err error) {
	name, place, err := parsePlace(q.From)
	if err != nil {
		return nil, "", err
	}
	for _, n := range r.catalog.Names() {
		if q.Table != "" && n != q.Table || n < name {
			continue
		}
		t, err := r.Table(n)
		if err != nil {
			continue // a replica that is being filled, or has just gone
		}
		tq := table.ConflictQuery{Loser: q.Loser, Since: q.Since, Until: q.Until, Limit: q.Limit - len(list)}
		if !q.Key.IsZero() {
			k, err := t.Schema().FromKeyArg(q.Key)
			if err != nil {
				return nil, "", err
			}
			tq.Key = &k
		}
		if n == name {
			tq.After = place
		}
		found, after, err := t.Conflicts(ctx, tq)
		if err != nil {
			return nil, "", r.fail(err)
		}
		for i := range found {
			list = append(list, Conflict{n, item.NewItem(t.Schema().Fields(found[i].Key)), found[i].Note})
		}
		if after != nil {
			return list, base64.RawURLEncoding.EncodeToString(append([]byte(n+"\x00"), after...)), nil
		}
		if len(list) == q.Limit { // the next table begins on the next page
			return list, base64.RawURLEncoding.EncodeToString([]byte(n + "\x01\x00")), nil
		}
	}
	if q.Table != "" && r.catalog.Lookup(q.Table) == nil {
		return nil, "", notFound(q.Table)
	}
	return list, "", nil
}

func parsePlace(s string) (name string, place []byte, err error) {
	if s == "" {
		return "", nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	name, rest, ok := strings.Cut(string(b), "\x00")
	if err != nil || !ok {
		return "", nil, fault.New(fault.Invalid, "the place to go on from is none: %q", s)
	}
	return name, []byte(rest), nil
}

// RestoreConflict writes back what a write that lost had written, if its winner is unchanged (table.Table.Restore).
func (r *Region) RestoreConflict(ctx context.Context, tableName string, key item.Item, loser crdt.Stamp) (item.Item, error) {
	t, err := r.Table(tableName)
	if err != nil {
		return item.Item{}, err
	}
	k, err := t.Schema().FromKeyArg(key)
	if err != nil {
		return item.Item{}, err
	}
	it, err := t.Restore(ctx, k, loser)
	return it, r.fail(err)
}

// FeedStatus is how the conflict feed of a table stands in this region.
type FeedStatus struct {
	// Floor: writes at or below this time are no longer in the feed. Dropped counts the conflicts that were dropped here.
	Floor   crdt.Time
	Dropped uint64
}

// FeedStatuses tells how the feeds stand, by table name; those that never dropped anything are left out.
func (r *Region) FeedStatuses() (map[string]FeedStatus, error) {
	all := map[string]FeedStatus{}
	for _, n := range r.catalog.Names() {
		t, err := r.Table(n)
		if err != nil {
			continue
		}
		f, err := t.Feed()
		if err != nil {
			return nil, r.fail(err)
		}
		if f.Floor > 0 {
			all[n] = FeedStatus(f)
		}
	}
	return all, nil
}

// ConflictCount is how many conflicts of a kind came into the feed since the region was opened.
type ConflictCount struct {
	Table, Policy, Loser, Winner string // Loser and Winner are regions
	Count                        uint64
}

// ConflictCounts counts conflicts by table, policy and pair of regions.
func (r *Region) ConflictCounts() (all []ConflictCount) {
	for p, n := range r.engine.Counters().Pairs {
		if e := r.catalog.ByID(p.Table); e != nil {
			all = append(all, ConflictCount{e.Name, p.Policy.String(), p.Loser, p.Winner, n})
		}
	}
	return all
}

// trimFeeds keeps the tables' feeds within their bounds. A region whose clock is wrong, or that does not know, drops nothing:
// it would do so everywhere.
func (r *Region) trimFeeds(ctx context.Context) error {
	if s := r.clock.Standing(); !s.Known || s.Alarm {
		return nil
	}
	for _, e := range r.catalog.Entries() {
		if !e.Local.Ready || !e.Holds(r.name) || !e.Shared() {
			continue
		}
		err := r.engine.TrimFeed(ctx, e.ID, r.feeds)
		if fault.KindOf(err) == fault.NotFound {
			continue // it went meanwhile
		}
		if err != nil {
			return err
		}
	}
	return nil
}
