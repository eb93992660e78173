package region

import (
	"fmt"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/storage"
)

// A conflict as the feed's stream shows it: an item of a table that has one for each conflict.
//
//	key         S   the item's key in DynamoDB JSON, as `meridian conflicts` takes it     partition key
//	write       S   the stamp of the write that lost, likewise                            sort key
//	table       S
//	item        M   the key's attributes
//	lost        M   the write that lost: write (S), region (S), time (S), image (M, absent if it was a delete)
//	winner      M   the same of the write that it lost to
//	attributes  M   what of it lost; absent if all did
//	removed     SS  the attributes that it had removed, of those that lost; absent if there are none
//	base        S   the stamp of what it had replaced; absent if that is not known
//	reason      S
//	policy      S   of the region that saw it
//
// When a region first saw it is left out: each says so a little differently, and it would change without news.

func feedSchema() item.KeySchema {
	return item.KeySchema{Hash: []item.KeyAttr{{Name: "key", Kind: item.String}}, Range: []item.KeyAttr{{Name: "write", Kind: item.String}}}
}

// feedItem is the item of a note; the zero Item of one that is no conflict.
func feedItem(e *catalog.Entry, key []byte, n *conflict.Note) (item.Item, error) {
	if !n.Lost {
		return item.Item{}, nil
	}
	k, rest, err := e.Schema.ReadKey(key)
	if err != nil || len(rest) > 0 {
		return item.Item{}, storage.Corruptf(fmt.Sprintf("conflict of item %x of table %s", key, e.ID), "it has no key of the table")
	}
	of := item.NewItem(e.Schema.Fields(k))
	fields := []item.Field{
		{Name: "key", Value: item.Str(string(of.AppendJSON(nil)))},
		{Name: "write", Value: item.Str(n.Loser.String())},
		{Name: "table", Value: item.Str(e.Name)},
		{Name: "item", Value: of.Map()},
		{Name: "lost", Value: feedWrite(n.Loser, n.Item())},
		{Name: "winner", Value: feedWrite(n.Winner, n.Beaten)},
		{Name: "reason", Value: item.Str(string(n.Reason))},
		{Name: "policy", Value: item.Str(n.Policy.String())},
	}
	if !n.Base.IsZero() {
		fields = append(fields, item.Field{Name: "base", Value: item.Str(n.Base.String())})
	}
	if n.All {
		return item.NewItem(fields), nil
	}
	var lost []item.Field
	var removed []item.Value
	for _, f := range n.Fields {
		if f.Value.IsZero() {
			removed = append(removed, item.Str(f.Name))
		} else {
			lost = append(lost, item.Field(f))
		}
	}
	fields = append(fields, item.Field{Name: "attributes", Value: item.NewMap(lost)})
	if len(removed) > 0 {
		names, err := item.NewSet(item.StringSet, removed)
		if err != nil {
			return item.Item{}, &storage.CorruptionError{Where: "conflict " + n.Loser.String(), Err: err}
		}
		fields = append(fields, item.Field{Name: "removed", Value: names})
	}
	return item.NewItem(fields), nil
}

func feedWrite(s crdt.Stamp, image item.Item) item.Value {
	fields := []item.Field{
		{Name: "write", Value: item.Str(s.String())},
		{Name: "region", Value: item.Str(s.Origin.Region)},
		{Name: "time", Value: item.Str(feedTime(s.Time.Millis()))},
	}
	if !image.IsZero() {
		fields = append(fields, item.Field{Name: "image", Value: image.Map()})
	}
	return item.NewMap(fields)
}

func feedTime(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
