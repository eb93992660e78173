package region

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
)

// expiring is an item with a time, as a number in any form; "" for none.
func expiring(key, exp string) item.Item {
	fields := []item.Field{{Name: "pk", Value: item.Str(key)}}
	if exp != "" {
		n, err := item.ParseNum([]byte(exp))
		if err != nil {
			panic(err)
		}
		fields = append(fields, item.Field{Name: "exp", Value: item.NumVal(n)})
	}
	return item.NewItem(fields)
}

// in is a time from now on, in seconds.
func in(d time.Duration) string {
	return fmt.Sprintf("%.3f", float64(time.Now().Add(d).UnixMilli())/1000)
}

func (w *world) putItem(at, name string, it item.Item) {
	w.t.Helper()
	t, err := w.at(at).Table(name)
	if err == nil {
		_, err = t.Write(context.Background(), table.Write{Op: table.Put, Item: it})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) has(at, name, key string) bool {
	t, err := w.at(at).Table(name)
	if err != nil {
		return false
	}
	res, err := t.Get(context.Background(), keyOf(key), true)
	return err == nil && !res.Item.IsZero()
}

// createExpiring makes a table with a stream, in these regions, whose items expire by exp.
func (w *world) createExpiring(name string, regions ...string) {
	w.t.Helper()
	s := spec(name)
	s.Stream = catalog.StreamSpec{Enabled: true, View: "NEW_AND_OLD_IMAGES"}
	if _, err := w.at(regions[0]).CreateTable(context.Background(), s); err != nil {
		w.t.Fatal(err)
	}
	for _, r := range regions[1:] {
		w.addReplica(regions[0], name, r)
	}
	w.expireBy(regions[0], name, "exp", regions...)
}

func (w *world) expireBy(at, name, attribute string, regions ...string) {
	w.t.Helper()
	w.update(at, name, catalog.Change{TTL: &catalog.TTLSpec{Enabled: true, Attribute: attribute}})
	w.eventually("expiry is on everywhere", func() bool {
		for _, r := range regions {
			v, err := w.at(r).DescribeTable(name)
			if err != nil || !v.TTL.Enabled || v.TTL.Attribute != attribute || v.Local.Expiry != v.TTL.ChangedAt {
				return false
			}
		}
		return true
	})
}

// checkExpiry checks that a region's index of times is that of its items.
func (w *world) checkExpiry(at, name string) {
	w.t.Helper()
	r := w.at(at)
	e := r.catalog.Lookup(name)
	want := map[string]string{}
	states := w.dump(at, name)
	if states == nil {
		w.t.Fatalf("%s: table %s cannot be copied", at, name)
	}
	for key, state := range states {
		s := conflict.TrustedState(state)
		if v := s.Item().Get(e.TTL.Attribute); e.TTL.Enabled && s.Visible() && v.Kind() == item.Number {
			want[key] = s.Stamp().Origin.Region
		}
	}
	it, err := r.store.NewIter(storage.PrefixRange(storage.AppendTable(nil, storage.KindTTL, e.ID)))
	if err != nil {
		w.t.Fatal(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		key := string(bytes.Clone(it.Key()[25:]))
		if want[key] != string(it.Value()) {
			w.t.Errorf("%s: %x, a time of %q, is %q's, want %q", at, it.Key()[17:25], key, it.Value(), want[key])
		}
		delete(want, key)
	}
	if len(want) > 0 {
		w.t.Errorf("%s: no time is kept of %q", at, want)
	}
	if err := it.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// removals lists what a region's stream says was removed, with a star at what the service itself did.
func (w *world) removals(at, name string) (keys []string) {
	w.t.Helper()
	for _, r := range w.records(at, name) {
		if r.Event != "REMOVE" {
			continue
		}
		key := r.Keys.Get("pk").Text()
		if r.Expired {
			key += "*"
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// TestItemsExpire: DYNAMODB.md 9.1. What counts as a time, on a table that had items before and under changes of the setting.
func TestItemsExpire(t *testing.T) {
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, 1, disk, east)
		defer w.close()
		s := spec("T")
		s.Stream = catalog.StreamSpec{Enabled: true, View: "KEYS_ONLY"}
		if _, err := w.at(east).CreateTable(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		const years = 365 * 24 * time.Hour
		now := time.Now()
		for key, exp := range map[string]string{
			"soon": in(time.Minute), "fraction": fmt.Sprintf("%d.25", now.Unix()+30), "exponent": fmt.Sprintf("%de-2", (now.Unix()+30)*100),
			"past": in(-time.Hour), "long past": in(-5*years + time.Hour), "too long past": in(-5*years - time.Hour),
			"milliseconds": fmt.Sprint(now.UnixMilli()), "huge": "1e120", "negative": "-5", "zero": "0", "none": "", "far": in(years),
		} {
			w.putItem(east, "T", expiring(key, exp))
		}
		w.putItem(east, "T", item.NewItem([]item.Field{{Name: "pk", Value: item.Str("text")}, {Name: "exp", Value: item.Str(in(-time.Hour))}}))
		for i := range 200 {
			w.putItem(east, "T", expiring(fmt.Sprint("many", i), in(time.Minute)))
		}
		time.Sleep(5 * time.Second)
		if got := w.removals(east, "T"); got != nil {
			t.Fatalf("expired without being asked to: %v", got)
		}
		w.expireBy(east, "T", "exp", east)
		time.Sleep(5 * time.Second)
		if got := w.removals(east, "T"); !slices.Equal(got, []string{"long past*", "past*"}) {
			t.Errorf("at once: %v", got)
		}
		w.putItem(east, "T", expiring("late", in(-time.Second)))
		time.Sleep(expireWhole*expireSweep + 2*expireEvery)
		if w.has(east, "T", "late") {
			t.Error("an item that was expired when it was written is still there")
		}
		time.Sleep(30*time.Second - time.Since(now))
		if !w.has(east, "T", "fraction") {
			t.Error("a quarter of a second too early")
		}
		time.Sleep(31*time.Second - time.Since(now))
		if w.has(east, "T", "fraction") || w.has(east, "T", "exponent") || !w.has(east, "T", "soon") {
			t.Error("31 seconds later")
		}
		w.putItem(east, "T", expiring("soon", in(time.Hour))) // a refresh
		time.Sleep(70*time.Second - time.Since(now))
		if !w.has(east, "T", "soon") || w.has(east, "T", "many7") {
			t.Error("70 seconds later")
		}
		if got := len(w.removals(east, "T")); got != 2+1+2+200 {
			t.Errorf("%d items are removed", got)
		}
		for _, key := range []string{"too long past", "milliseconds", "huge", "negative", "zero", "none", "far", "text"} {
			if !w.has(east, "T", key) {
				t.Errorf("%s is gone", key)
			}
		}
		if n := w.at(east).Stats(); n.Expired["T"] != 205 || n.Overdue["T"] != 0 {
			t.Errorf("expired %v, overdue %v", n.Expired, n.Overdue)
		}
		w.update(east, "T", catalog.Change{TTL: &catalog.TTLSpec{Attribute: "exp"}})
		w.putItem(east, "T", expiring("off", in(-time.Second)))
		time.Sleep(5 * time.Second)
		if it, err := w.at(east).store.NewIter(storage.PrefixRange([]byte{storage.KindTTL})); err != nil || it.First() || it.Close() != nil {
			t.Error("times are kept though expiry is off", err)
		}
		w.expireBy(east, "T", "other", east)
		time.Sleep(5 * time.Second)
		if !w.has(east, "T", "off") {
			t.Error("expired by an attribute that does not count any more")
		}
		w.update(east, "T", catalog.Change{TTL: &catalog.TTLSpec{Attribute: "other"}})
		w.expireBy(east, "T", "exp", east)
		w.eventually("the old attribute counts again", func() bool { return !w.has(east, "T", "off") })
		if _, err := w.at(east).DeleteTable(context.Background(), "T"); err != nil {
			t.Fatal(err)
		}
		w.eventually("the table is gone", func() bool { return len(w.at(east).catalog.Names()) == 0 })
		time.Sleep(time.Second)
		w.checkTables()
	})
}

// TestExpiryHappensOnce: DYNAMODB.md 10.4. The region that wrote an item expires it, its stream alone names the service, and
// the others get an ordinary delete. Nothing is a conflict.
func TestExpiryHappensOnce(t *testing.T) {
	seed := newSeed(t)
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, seed, disk, east, west, north)
		defer w.close()
		w.createExpiring("T", east, west, north)
		due := in(20 * time.Second)
		for i, at := range []string{east, west, north} {
			for n := range 100 {
				w.putItem(at, "T", expiring(fmt.Sprint(at, n), due))
			}
			w.putItem(at, "T", expiring("moved", due)) // north's in the end
			w.eventually("it is everywhere", func() bool { return w.equal("T", east, west, north) })
			if i == 0 {
				time.Sleep(time.Second)
			}
		}
		for _, at := range w.names {
			w.checkExpiry(at, "T")
		}
		w.eventually("all are gone everywhere", func() bool {
			for _, at := range w.names {
				for _, state := range w.dump(at, "T") {
					if conflict.TrustedState(state).Visible() {
						return false
					}
				}
			}
			return true
		})
		if late := time.Since(parseTime(due)); late > 3*time.Second {
			t.Errorf("gone %v after their time", late)
		}
		time.Sleep(2 * time.Minute) // nobody else's turn comes
		for _, at := range w.names {
			own, all := 0, w.removals(at, "T")
			for _, key := range all {
				if key[len(key)-1] == '*' {
					own++
				}
			}
			if want := map[string]int{east: 100, west: 100, north: 101}[at]; own != want || len(all) != 301 {
				t.Errorf("%s: %d removals, %d of them its own, want 301 and %d", at, len(all), own, want)
			}
			if s := w.at(at).Stats(); s.Expired["T"] != uint64(own) || s.Conflicts["T"] != 0 || s.Overdue["T"] != 0 {
				t.Errorf("%s: expired %v, conflicts %v, overdue %v", at, s.Expired, s.Conflicts, s.Overdue)
			}
			w.checkExpiry(at, "T")
		}
		if !w.equal("T", east, west, north) {
			t.Error("the regions differ")
		}
	})
}

func parseTime(seconds string) time.Time {
	var f float64
	_, _ = fmt.Sscan(seconds, &f)
	return time.UnixMilli(int64(f * 1000))
}

// TestExpiryAgainstRefresh: an item is refreshed in another region while its own region, which cannot hear of it, expires it.
// The refresh wins everywhere, whichever clock is ahead.
func TestExpiryAgainstRefresh(t *testing.T) {
	seed := newSeed(t)
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, seed, disk, east, west)
		defer w.close()
		w.createExpiring("T", east, west)
		w.putItem(east, "T", expiring("k", in(10*time.Second)))
		w.putItem(east, "T", expiring("left alone", in(10*time.Second)))
		w.eventually("west has it", func() bool { return w.equal("T", east, west) })
		w.setCut(east, west, true)
		time.Sleep(time.Second)
		w.putItem(west, "T", expiring("k", in(time.Hour))) // before the expiry, and older than it
		w.eventually("east expires it", func() bool { return !w.has(east, "T", "k") })
		w.setCut(east, west, false)
		w.eventually("the refresh wins", func() bool { return w.has(east, "T", "k") && w.equal("T", east, west) })
		time.Sleep(5 * time.Second)
		if !w.has(west, "T", "k") || w.has(west, "T", "left alone") {
			t.Error("the refreshed item is gone, or the other is not")
		}
		for _, at := range w.names {
			w.checkExpiry(at, "T")
			if s := w.at(at).Stats(); s.Conflicts["T"] != 0 {
				t.Errorf("%s: an expiry that loses is a conflict: %v", at, s.Conflicts)
			}
		}
		w.eventually("the refreshed item expires in its turn, by west", func() bool { w.pass(time.Hour); return !w.has(east, "T", "k") })
		w.eventually("equal", func() bool { return w.equal("T", east, west) })
		if got := w.removals(west, "T"); !slices.Contains(got, "k*") {
			t.Errorf("west's stream removes %v", got)
		}
	})
}

// TestExpiryForTheDead: a region that is away does not expire what it wrote; the next in turn does it, a grace period
// later, and the one after that, if that is away too.
func TestExpiryForTheDead(t *testing.T) {
	seed := newSeed(t)
	on(t, func(t *testing.T, disk bool) {
		if !disk {
			t.Skip("a region that comes back needs a disk")
		}
		w := newWorld(t, seed, disk, east, west, north)
		defer w.close()
		w.createExpiring("T", east, west, north)
		due := in(10 * time.Second)
		w.putItem(west, "T", expiring("west's", due))
		w.eventually("all have it", func() bool { return w.equal("T", east, west, north) })
		w.crash(west) // eu-west-1; the next by name is us-east-1, which is east, and then ap-northeast-1
		time.Sleep(time.Until(parseTime(due)) + expireGrace - time.Second)
		if !w.has(east, "T", "west's") || !w.has(north, "T", "west's") {
			t.Error("expired before the grace period was over")
		}
		if o := w.at(east).Stats().Overdue["T"]; o < expireGrace-2*time.Second {
			t.Errorf("overdue by %v", o)
		}
		w.eventually("east expires it", func() bool { return !w.has(north, "T", "west's") && !w.has(east, "T", "west's") })
		if late := time.Since(parseTime(due)); late > expireGrace+6*time.Second {
			t.Errorf("%v after its time", late)
		}
		if e, n := w.removals(east, "T"), w.removals(north, "T"); !slices.Equal(e, []string{"west's*"}) || !slices.Equal(n, []string{"west's"}) {
			t.Errorf("east's stream has %v, north's %v", e, n)
		}
		due = in(5 * time.Second)
		w.start(west)
		w.putItem(west, "T", expiring("again", due))
		w.eventually("all have it again", func() bool { return w.equal("T", east, west, north) })
		w.crash(west)
		w.crash(east)
		w.eventually("north expires it", func() bool { return !w.has(north, "T", "again") })
		if late := time.Since(parseTime(due)); late < 2*expireGrace || late > 2*expireGrace+6*time.Second {
			t.Errorf("%v after its time, the grace is %v for each", late, expireGrace)
		}
		w.start(west)
		w.start(east)
		w.eventually("all are equal", func() bool { return w.equal("T", east, west, north) })
		for _, at := range w.names {
			w.checkExpiry(at, "T")
		}
	})
}

// TestExpiryIsEven: what comes due at one instant is gone soon, and not at one blow, which foreground writes would wait for.
func TestExpiryIsEven(t *testing.T) {
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, 1, disk, east)
		defer w.close()
		w.createExpiring("T", east)
		const items = 400
		due := time.Now().Add(time.Minute).Truncate(time.Second)
		for i := range items {
			w.putItem(east, "T", expiring(fmt.Sprint(i), fmt.Sprint(due.Unix())))
		}
		time.Sleep(time.Until(due))
		for last := uint64(0); last < items; {
			time.Sleep(expirePace)
			n := w.at(east).Stats().Expired["T"]
			if n-last > 2*items*uint64(expirePace)/uint64(expireSpread) {
				t.Errorf("%d items are expired within %v", n-last, expirePace)
			}
			if last = n; time.Since(due) > expireEvery+expireSpread+expirePace {
				t.Fatalf("%d of %d items are expired %v after their time", n, items, time.Since(due))
			}
		}
		w.checkExpiry(east, "T")
	})
}

// TestDue: what a look lists, leaves, and where the next one is to begin.
func TestDue(t *testing.T) {
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, 1, disk, east)
		defer w.close()
		w.createExpiring("T", east)
		first := time.Now().Add(time.Hour).Truncate(time.Second)
		for i := range 10 {
			w.putItem(east, "T", expiring(fmt.Sprint(i), fmt.Sprint(first.Unix()+int64(i))))
		}
		r, at := w.at(east), first.UnixMilli()
		id := r.catalog.Lookup("T").ID
		not := func(since ...int64) func(string, int64) bool {
			return func(_ string, at int64) bool { return !slices.Contains(since, at) }
		}
		for _, c := range []struct {
			from, now    int64
			most         int
			may          func(string, int64) bool
			entries      int
			upTo, oldest int64
		}{
			{0, at, 100, not(), 0, at, 0},
			{0, at + 1, 100, not(), 1, at + 1, 0},
			{0, at + 9500, 100, not(), 10, at + 9500, 0},
			{at + 1000, at + 9500, 100, not(), 9, at + 9500, 0},
			{0, at + 9500, 3, not(), 3, at + 3000, at + 3000},
			{at + 3000, at + 9500, 7, not(), 7, at + 9500, 0},
			{0, at + 9500, 3, not(at + 1000), 3, at + 4000, at + 1000},
			{0, at + 9500, 9, not(at + 9000), 9, at + 9500, at + 9000},
			{at + 9500, at + 9500, 9, not(), 0, at + 9500, 0},
		} {
			due, err := r.engine.Due(id, c.from, c.now, c.most, c.may)
			if err != nil || len(due.Entries) != c.entries || due.UpTo != c.upTo || due.Oldest != c.oldest {
				t.Errorf("from %d to %d, at most %d: %d entries, up to %d, oldest %d, %v; want %+v",
					c.from-at, c.now-at, c.most, len(due.Entries), due.UpTo-at, due.Oldest-at, err, c)
			}
		}
	})
}

// TestExpiryOfAnotherSetting: a new setting has everything looked at, also if the job was not looking while there was none.
func TestExpiryOfAnotherSetting(t *testing.T) {
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, 1, disk, east)
		defer w.close()
		w.createExpiring("T", east)
		for i := range 10 { // at all times between two looks
			time.Sleep(expireSweep + time.Duration(i)*expireEvery/10)
			w.update(east, "T", catalog.Change{TTL: &catalog.TTLSpec{Attribute: "exp"}})
			w.putItem(east, "T", expiring("past", in(-time.Minute)))
			w.expireBy(east, "T", "exp", east)
			began := time.Now()
			w.eventually("it is gone", func() bool { return !w.has(east, "T", "past") })
			if late := time.Since(began); late > 2*expireEvery {
				t.Errorf("%v after it began to count", late)
			}
		}
	})
}
