package table

import (
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage/memstore"
)

// DYNAMODB.md 3.6: an item collection counts the items of one partition key with their entries in local indexes, and may not
// grow over its limit. A table without local indexes knows no such limit.
func TestCollectionLimit(t *testing.T) {
	s := memstore.New()
	r := newRig(t, s, "a")
	defer r.close()
	tab := r.describe(wide(false))
	text := strings.Repeat("x", 1000)
	row := func(pk string, sk int, more string) item.Item {
		return js(`{"pk":{"S":"` + pk + `"},"sk":{"N":"` + num(sk).Num().String() + `"},"a":{"S":"` + text + `"}` + more + `}`)
	}
	for sk := range 10 {
		it := row("big", sk, `,"g":{"S":"in an index"}`)
		must(tab.Write(bg, Write{Op: Put, Key: must(tab.Schema().FromItem(it)), Item: it}))
	}
	it := row("small", 1, "")
	must(tab.Write(bg, Write{Op: Put, Key: must(tab.Schema().FromItem(it)), Item: it}))

	hash := []item.Value{item.Str("big")}
	size := must(tab.CollectionSize(hash))
	if size < 20_000 || size > 40_000 { // the local index local-some holds attribute a too
		t.Errorf("the collection has %d bytes", size)
	}
	if n := must(tab.CollectionSize([]item.Value{item.Str("none")})); n != 0 {
		t.Errorf("a collection of nothing has %d bytes", n)
	}
	full := func(old, new item.Item, limit uint64) bool {
		t.Helper()
		err := tab.checkCollection(old, new, limit)
		if err != nil && (fault.KindOf(err) != fault.CollectionFull || err.Error() != "Collection size exceeded.") {
			t.Error(err)
		}
		return err != nil
	}
	grown, old := row("big", 11, ""), row("big", 1, "")
	for _, c := range []struct {
		name     string
		old, new item.Item
		limit    uint64
		want     bool
	}{
		{"a table that is larger than the limit, and the collection too", item.Item{}, grown, 9_000, true},
		{"a limit above the collection", item.Item{}, grown, size + 1, false},
		{"another collection", item.Item{}, row("small", 2, ""), 9_000, false},
		{"an item that does not grow", old, old, 9_000, false},
		{"an item that shrinks", old, js(`{"pk":{"S":"big"},"sk":{"N":"1"}}`), 9_000, false},
		{"an item that grows", old, row("big", 1, `,"n":{"N":"1"}`), 9_000, true},
	} {
		if got := full(c.old, c.new, c.limit); got != c.want {
			t.Errorf("%s: refused %v", c.name, got)
		}
	}
	d := wide(false)
	d.Indexes = d.Indexes[2:] // the global ones
	tab = r.describe(d)
	if full(item.Item{}, grown, 9_000) {
		t.Error("a table without local indexes has a limit")
	}
}
