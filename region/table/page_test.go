package table

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
)

// DYNAMODB.md section 5: what is wrong with an ExclusiveStartKey, in which words.
func TestStartKeys(t *testing.T) {
	r := newRig(t, engines["memstore"](t), "a")
	defer r.close()
	tab, hashOnly := r.describe(wide(false)), r.describe(narrow(false))
	const (
		schema    = "The provided starting key is invalid: The provided key element does not match the schema"
		invalid   = "The provided starting key is invalid"
		outside   = "The provided starting key is outside query boundaries based on provided conditions"
		predicate = "The provided starting key does not match the range key predicate"
		single    = "The query can return at most one row and cannot be restarted"
	)
	p := values{":p": item.Str("p"), ":n": num(5)}
	for _, c := range []struct {
		table                   *Table
		index, condition, start string
		want                    string
	}{
		{tab, "", "pk = :p", `{"pk":{"S":"p"},"sk":{"N":"99"}}`, ""}, // need not exist
		{tab, "", "pk = :p", `{"pk":{"S":"p"}}`, schema},
		{tab, "", "pk = :p", `{"pk":{"S":"p"},"sk":{"S":"1"}}`, schema},
		{tab, "", "pk = :p", `{"pk":{"S":"p"},"sk":{"N":"1"},"x":{"S":"1"}}`, schema},
		{tab, "", "pk = :p", `{"pk":{"S":"q"},"sk":{"N":"1"}}`, outside},
		{tab, "", "pk = :p AND sk < :n", `{"pk":{"S":"p"},"sk":{"N":"4.9"}}`, ""},
		{tab, "", "pk = :p AND sk < :n", `{"pk":{"S":"p"},"sk":{"N":"5"}}`, predicate},
		{tab, "", "pk = :p AND sk > :n", `{"pk":{"S":"p"},"sk":{"N":"5"}}`, predicate},
		{tab, "", "pk = :p AND sk = :n", `{"pk":{"S":"p"},"sk":{"N":"5"}}`, single},
		{tab, "local-keys", "pk = :p", `{"pk":{"S":"p"},"sk":{"N":"1"},"l":{"N":"2"}}`, ""},
		{tab, "local-keys", "pk = :p AND l = :n", `{"pk":{"S":"p"},"sk":{"N":"1"},"l":{"N":"5"}}`, ""},
		{tab, "local-keys", "pk = :p", `{"pk":{"S":"p"},"sk":{"N":"1"}}`, invalid},
		{tab, "local-keys", "pk = :p", `{"pk":{"S":"p"},"sk":{"N":"1"},"g":{"N":"2"}}`, invalid},
		{tab, "local-keys", "pk = :p", `{"pk":{"S":"p"},"sk":{"N":"1"},"l":{"S":"2"}}`, invalid},
		{tab, "local-keys", "pk = :p AND l >= :n", `{"pk":{"S":"p"},"sk":{"N":"1"},"l":{"N":"2"}}`, predicate},
		{tab, "global-all", "g = :p", `{"pk":{"S":"q"},"sk":{"N":"1"},"g":{"S":"p"}}`, ""},
		{tab, "global-all", "g = :p", `{"pk":{"S":"q"},"sk":{"N":"1"},"g":{"S":"q"}}`, outside},
		{hashOnly, "", "id = :b", `{"id":{"B":"AA=="}}`, single},
		{hashOnly, "", "id = :b", `{"id":{"B":"AAA="}}`, outside},
	} {
		q := Query{Reading: Reading{Index: c.index, Start: js(c.start)}}
		s := c.table.Schema()
		if ix, ok := c.table.Index(c.index); ok {
			s = ix.Schema
		}
		vs := values{":b": item.Bin([]byte{0})}
		for k, v := range p {
			vs[k] = v
		}
		q.Range = keyRange(s, c.condition, vs)
		_, err := c.table.Query(bg, q)
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s %q from %s: %v, want %q", c.index, c.condition, c.start, err, c.want)
		}
	}
	start := js(`{"pk":{"S":"p"},"sk":{"N":"1"}}`)
	of := int(uint64(must(tab.Schema().FromItem(start)).Hash32()) * 4 >> 32)
	for i := range 4 {
		_, err := tab.Scan(bg, Scan{Reading: Reading{Start: start}, Segment: i, Total: 4})
		want := fmt.Sprintf("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: 4 Segment: %d", i)
		if (err == nil) != (i == of) || err != nil && err.Error() != want {
			t.Errorf("segment %d: %v", i, err)
		}
	}
	if _, err := tab.Scan(bg, Scan{Reading: Reading{Index: "none"}}); err == nil || err.Error() != "The table does not have the specified index: none" {
		t.Error(err)
	}
}

// A page ends behind the item that takes it past 1 MB, before any filter; it costs what was read.
func TestPageBytes(t *testing.T) {
	onEngines(t, func(t *testing.T, s storage.Store) {
		r := newRig(t, s, "a")
		d := wide(false)
		d.Indexes = d.Indexes[:1] // local, keys only
		tab := r.describe(d)
		big := item.Str(strings.Repeat("x", 300<<10))
		for i := range 8 {
			fields := append(d.Schema.Fields(item.Key{Hash: []item.Value{item.Str("p")}, Range: []item.Value{num(i)}}),
				item.Field{Name: "l", Value: num(i)}, item.Field{Name: "big", Value: big})
			must(tab.Write(bg, Write{Op: Put, Item: item.NewItem(fields)}))
		}
		nothing := cond("attribute_not_exists(pk)", nil)
		for name, c := range map[string]struct {
			index string
			all   bool
			pages []int // how many are scanned
			cost  float64
		}{
			"table":          {"", false, []int{4, 4}, 301},
			"index":          {"local-keys", false, []int{8}, 1},
			"index, fetched": {"local-keys", true, []int{4, 4}, 1 + 4*76},
		} {
			q := Query{Range: keyRange(tab.Schema(), "pk = :p", values{":p": item.Str("p")}), Reading: Reading{Index: c.index, All: c.all, Filter: nothing, Consistent: true}}
			for i, want := range c.pages {
				p, err := tab.Query(bg, q)
				if err != nil || p.Scanned != want || p.Count != 0 || p.Cost.Total() != c.cost && i == 0 {
					t.Errorf("%s: page %d: %d of %d, cost %v, error %v", name, i, p.Count, p.Scanned, p.Cost, err)
				}
				if q.Start = p.Last; len(c.pages) > 1 && p.Last.IsZero() {
					// The eighth item takes the page past 1 MB too: there may be more, as far as it knows.
					t.Errorf("%s: page %d ends without a key to go on from", name, i)
				}
			}
		}
	})
}

// An index that is still being built is not read.
func TestUnbuiltIndex(t *testing.T) {
	r := newRig(t, engines["memstore"](t), "a")
	defer r.close()
	tab := r.describe(wide(false), 3)
	_, err := tab.Scan(bg, Scan{Reading: Reading{Index: "global-all"}})
	if err == nil || err.Error() != "Cannot read from backfilling global secondary index: global-all" {
		t.Error(err)
	}
}
