package region

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream"
)

func (w *world) createStreamed(at, name string) {
	w.t.Helper()
	s := spec(name)
	s.Stream = catalog.StreamSpec{Enabled: true, View: "NEW_AND_OLD_IMAGES"}
	if _, err := w.at(at).CreateTable(context.Background(), s); err != nil {
		w.t.Fatal(err)
	}
}

// streamOf names a table's newest stream.
func (w *world) streamOf(at, name string) StreamName {
	w.t.Helper()
	all, _ := w.at(at).Streams(name, StreamName{}, 1000)
	if len(all) == 0 {
		w.t.Fatalf("%s has no stream of %s", at, name)
	}
	return all[len(all)-1]
}

// records reads a table's newest stream from its beginning, parents before children, and checks that the images of each key
// fit together.
func (w *world) records(at, name string) []StreamRecord {
	w.t.Helper()
	return w.recordsOf(at, w.streamOf(at, name))
}

func (w *world) recordsOf(at string, n StreamName) (all []StreamRecord) {
	w.t.Helper()
	r := w.at(at)
	v, err := r.DescribeStream(n)
	if err != nil {
		w.t.Fatal(err)
	}
	images, newest := map[string]item.Item{}, map[string]string{}
	for _, s := range v.Shards {
		it, err := r.ShardIterator(n, s.ID, StreamStart{Type: TrimHorizon})
		if err != nil {
			w.t.Fatal(err)
		}
		for empty := false; it != "" && !empty; {
			var page []StreamRecord
			if page, it, err = r.StreamRecords(it, 1+w.intN(50)); err != nil {
				w.t.Fatal(err)
			}
			empty = len(page) == 0
			for _, rec := range page {
				key := string(rec.Keys.AppendJSON(nil))
				if rec.Sequence < s.First || s.Last != "" && rec.Sequence > s.Last {
					w.t.Errorf("%s: record %s is not in its shard's range %s to %s", at, rec.Sequence, s.First, s.Last)
				}
				if rec.Sequence <= newest[key] || rec.View == "NEW_AND_OLD_IMAGES" && !rec.Old.Equal(images[key]) && v.Shards[0].Parent == "" {
					w.t.Errorf("%s: record %s of %s does not follow %s: %s instead of %s", at, rec.Sequence, key, newest[key], rec.Old.AppendJSON(nil), images[key].AppendJSON(nil))
				}
				images[key], newest[key] = rec.New, rec.Sequence
				all = append(all, rec)
			}
		}
	}
	return all
}

// keysOf lists the records' keys in the order of the shards.
func keysOf(all []StreamRecord) (keys []string) {
	for _, r := range all {
		keys = append(keys, r.Keys.Get("pk").Text())
	}
	return keys
}

// TestShardsRollOver: DYNAMODB.md 8. Shards close after four hours and are followed by children; what is a day old goes, and
// whoever asks for it is told so.
func TestShardsRollOver(t *testing.T) {
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, 1, disk, east)
		defer w.close()
		w.createStreamed(east, "T")
		r, n := w.at(east), w.streamOf(east, "T")
		later := func(d time.Duration) {
			w.pass(d)
			time.Sleep((streamEvery + trimEvery) * time.Second)
		}
		var first, last string // iterators of the oldest shard, at its beginning and its end
		var closed StreamShard
		for day := range 12 {
			for i := range 30 {
				w.mustPut(east, "T", fmt.Sprint("k", i), 1000*day+i)
			}
			v, err := r.DescribeStream(n)
			if err != nil {
				t.Fatal(err)
			}
			byID := map[string]StreamShard{}
			open := 0
			for i, s := range v.Shards {
				byID[s.ID] = s
				if i > 0 && s.ID <= v.Shards[i-1].ID {
					t.Errorf("%s after %s", s.ID, v.Shards[i-1].ID)
				}
				if p, there := byID[s.Parent]; there && p.Last >= s.First || s.Parent == "" != (s.First == sequence(stream.End(0)) || day == 0) && s.Parent == "" && i >= 4 {
					t.Errorf("%+v is the child of %+v", s, p)
				}
				if s.Last == "" {
					open++
				}
			}
			if want := min(day+1, 7); open != 4 || len(v.Shards) != 4*want {
				t.Errorf("after %d times four hours there are %d shards, %d open; want %d", day, len(v.Shards), open, 4*want)
			}
			if day == 0 {
				closed = v.Shards[0]
				if first, err = r.ShardIterator(n, closed.ID, StreamStart{Type: TrimHorizon}); err != nil {
					t.Fatal(err)
				}
			}
			if day == 1 {
				closed = v.Shards[0]
				if last, err = r.ShardIterator(n, closed.ID, StreamStart{Type: Latest}); err != nil {
					t.Fatal(err)
				}
				if recs, next, err := r.StreamRecords(last, 10); err != nil || len(recs) != 0 || next != "" {
					t.Errorf("the end of a closed shard: %v %q %v", recs, next, err)
				}
				after, err := r.ShardIterator(n, closed.ID, StreamStart{Type: AfterSequenceNumber, Sequence: closed.Last})
				if recs, next, e := r.StreamRecords(after, 10); err != nil || e != nil || len(recs) != 0 || next != "" {
					t.Errorf("after the end of a closed shard: %v %q %v %v", recs, next, e, err)
				}
				if _, err := r.ShardIterator(n, v.Shards[4].ID, StreamStart{Type: AtSequenceNumber, Sequence: closed.First}); !isKind(err, fault.Invalid) {
					t.Errorf("a parent's number in its child: %v", err)
				}
			}
			if got := len(w.records(east, "T")); got != 30*min(day+1, 7) {
				t.Errorf("after %d times four hours there are %d records", day, got)
			}
			later(DefaultShardLife)
		}
		if _, _, err := r.StreamRecords(first, 10); !isKind(err, fault.Expired) {
			t.Errorf("an iterator two days later: %v", err)
		}
		it, err := decodeIterator(first, r.origin.String())
		if err != nil {
			t.Fatal(err)
		}
		it.given = r.clock.Now()
		if _, _, err := r.StreamRecords(it.encode(r.origin.String()), 10); !isKind(err, fault.Trimmed) {
			t.Errorf("reading what is trimmed: %v", err)
		}
		v, err := r.DescribeStream(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.ShardIterator(n, v.Shards[0].Parent, StreamStart{Type: TrimHorizon}); !isKind(err, fault.Trimmed) {
			t.Errorf("an iterator over what is trimmed: %v", err)
		}
		if _, err := r.ShardIterator(n, v.Shards[0].ID, StreamStart{Type: AtSequenceNumber, Sequence: closed.First}); !isKind(err, fault.Trimmed) {
			t.Errorf("a number that is trimmed: %v", err)
		}
		w.update(east, "T", catalog.Change{Stream: &catalog.StreamSpec{}})
		if v, err := r.DescribeStream(n); err != nil || v.Status != "DISABLED" || slices.ContainsFunc(v.Shards, func(s StreamShard) bool { return s.Last == "" }) {
			t.Errorf("%+v %v", v, err)
		}
		later(23 * time.Hour)
		if _, err := r.DescribeStream(n); err != nil {
			t.Errorf("a disabled stream is gone before its day is over: %v", err)
		}
		later(time.Hour)
		if _, err := r.DescribeStream(n); !isKind(err, fault.NotFound) {
			t.Errorf("a disabled stream stays: %v", err)
		}
	})
}

// TestIteratorsExpire after 15 minutes of this region's clock; garbage is told from them.
func TestIteratorsExpire(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, 1, false, east)
		defer w.close()
		w.createStreamed(east, "T")
		w.mustPut(east, "T", "k", 1)
		r, n := w.at(east), w.streamOf(east, "T")
		v, _ := r.DescribeStream(n)
		it, err := r.ShardIterator(n, v.Shards[0].ID, StreamStart{Type: TrimHorizon})
		if err != nil {
			t.Fatal(err)
		}
		w.pass(iteratorLife)
		if _, _, err := r.StreamRecords(it, 1); err != nil {
			t.Errorf("after 15 minutes: %v", err)
		}
		w.pass(time.Second)
		if _, _, err := r.StreamRecords(it, 1); !isKind(err, fault.Expired) {
			t.Errorf("a second later: %v", err)
		}
		g := rand.New(rand.NewPCG(1, 1))
		for range 2000 {
			b := []byte(it)
			b[g.IntN(len(b))] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=/ "[g.IntN(67)]
			if string(b) == it {
				continue
			}
			if _, _, err := r.StreamRecords(string(b), 1); !isKind(err, fault.Invalid) {
				t.Fatalf("%s: %v", b, err)
			}
		}
	})
}

// TestStreamsOfRegions: DYNAMODB.md 10.1 and 10.4. Each region has a stream of its own, with its own label, and each has the
// changes of all; a replica's begins when it is whole, and one that is turned on and off under writes has no hole.
func TestStreamsOfRegions(t *testing.T) {
	seed := newSeed(t)
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, seed, disk, east, west, north)
		defer w.close()
		w.createStreamed(east, "T")
		for i := range 50 {
			w.mustPut(east, "T", fmt.Sprint("old", i), i)
		}
		n := 0
		w.onChunk = func(string, string) {
			n++
			w.mustPut(east, "T", fmt.Sprint("old", n%50), 1000+n)
		}
		w.addReplica(east, "T", west)
		w.addReplica(west, "T", north)
		labels := map[string]string{}
		for _, at := range w.names {
			s := w.streamOf(at, "T")
			labels[s.Label] = at
			if v, err := w.at(at).DescribeStream(s); err != nil || v.Status != "ENABLED" || len(v.Shards) != 4 {
				t.Errorf("%s: %+v %v", at, v, err)
			}
		}
		if len(labels) != 3 {
			t.Errorf("labels %v", labels)
		}
		for i := range 200 {
			at := w.names[w.intN(3)]
			key := fmt.Sprint("k", w.intN(20))
			if w.intN(5) == 0 {
				if err := w.remove(at, "T", key); err != nil {
					t.Error(err)
				}
			} else {
				w.mustPut(at, "T", key, i)
			}
			if disk && i%80 == 79 {
				w.crash(north)
				w.start(north)
			}
		}
		w.eventually("all equal", func() bool { return w.equal("T", east, west, north) })
		for _, at := range w.names {
			got := map[string]string{}
			for _, r := range w.recordsFrom(at, "T") {
				if key := r.Keys.Get("pk").Text(); strings.HasPrefix(key, "k") {
					got[key] = string(r.New.AppendJSON(nil))
				}
			}
			want := map[string]string{}
			for i := range 20 {
				key := fmt.Sprint("k", i)
				if _, seen := got[key]; seen {
					want[key] = w.json(at, "T", key)
				} else if w.has(at, "T", key) {
					t.Errorf("%s: no record of %s", at, key)
				}
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s: the stream ends with\n%v\nand the table has\n%v", at, got, want)
			}
		}
	})
}

// recordsFrom is records for a stream that began on a table with items: the first image of a key may be anything.
func (w *world) recordsFrom(at, name string) []StreamRecord {
	w.t.Helper()
	r, n := w.at(at), w.streamOf(at, name)
	v, err := r.DescribeStream(n)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []StreamRecord
	images := map[string]item.Item{}
	for _, s := range v.Shards {
		it, err := r.ShardIterator(n, s.ID, StreamStart{Type: TrimHorizon})
		for more := true; more && it != "" && err == nil; {
			var page []StreamRecord
			page, it, err = r.StreamRecords(it, 1000)
			more = len(page) > 0
			for _, rec := range page {
				key := rec.Keys.Get("pk").Text()
				if old, seen := images[key]; seen && !rec.Old.Equal(old) {
					w.t.Errorf("%s: record %s of %s has %s, the one before it left %s", at, rec.Sequence, key, rec.Old.AppendJSON(nil), old.AppendJSON(nil))
				}
				images[key] = rec.New
				all = append(all, rec)
			}
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return all
}

// json is an item as text, "" if there is none.
func (w *world) json(at, name, key string) string {
	t, err := w.at(at).Table(name)
	if err != nil {
		return ""
	}
	res, err := t.Get(context.Background(), keyOf(key), true)
	if err != nil {
		return ""
	}
	return string(res.Item.AppendJSON(nil))
}

// TestStreamsTurnedOnAndOff under writes: every record of a stream has its old image, from the first to the last, and a
// write that was acknowledged between two switches is in the stream that was on.
func TestStreamsTurnedOnAndOff(t *testing.T) {
	seed := newSeed(t)
	on(t, func(t *testing.T, disk bool) {
		w := newWorld(t, seed, disk, east)
		defer w.close()
		w.create(east, "T")
		for n := range 7 { // a slow writer may not get to all of them during the first stream
			w.mustPut(east, "T", fmt.Sprint("k", n), n)
		}
		stop := make(chan struct{})
		done := make(chan int)
		go func() {
			n := 0
			for ; ; n++ {
				select {
				case <-stop:
					done <- n
					return
				default:
				}
				w.mustPut(east, "T", fmt.Sprint("k", n%7), n)
				w.rest()
			}
		}()
		on := catalog.Change{Stream: &catalog.StreamSpec{Enabled: true, View: "NEW_AND_OLD_IMAGES"}}
		for i := range 5 {
			w.update(east, "T", on)
			s := w.streamOf(east, "T")
			w.eventually("the table is active again", func() bool { return w.active(east, "T") })
			w.mustPut(east, "T", "mark", i)
			time.Sleep(time.Duration(w.intN(100)) * time.Millisecond)
			w.update(east, "T", catalog.Change{Stream: &catalog.StreamSpec{}})
			w.mustPut(east, "T", "late", i)
			seen := keysOf(w.recordsFrom(east, "T"))
			if slices.Index(seen, "mark") < 0 || slices.Contains(seen, "late") {
				t.Errorf("stream %d: %v", i, seen)
			}
			for _, r := range w.recordsFrom(east, "T") {
				if r.Event != "MODIFY" && i > 0 {
					t.Errorf("stream %d: %s %s: an old image is missing", i, r.Event, r.Keys.AppendJSON(nil))
				}
			}
			if v, err := w.at(east).DescribeStream(s); err != nil || v.Status != "DISABLED" {
				t.Errorf("%+v %v", v, err)
			}
		}
		close(stop)
		t.Logf("%d writes", <-done)
		if all, more := w.at(east).Streams("T", StreamName{}, 3); len(all) != 3 || !more {
			t.Errorf("%v %v", all, more)
		}
	})
}
