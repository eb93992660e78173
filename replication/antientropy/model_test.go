package antientropy

import (
	"crypto/md5"
	"encoding/binary"
	"flag"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

var (
	seedFlag = flag.Uint64("seed", 0, "seed of random tests; 0: another each time")
	runsFlag = flag.Int("runs", 100, "how many random histories")
)

func newSeed(t *testing.T) uint64 {
	s := *seedFlag
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("seed %d (run again with -seed=%d)", s, s)
	return s
}

// copyOf is a View over a map, the slow obvious way.
type copyOf map[string]conflict.State

// partitions bounds how many partition keys there are, so that some are large and the tree is deep.
var partitions = 1 << 16

func pathOf(key string) (p Path) {
	h := md5.Sum([]byte(key))
	binary.BigEndian.PutUint32(p[:], uint32(int(binary.BigEndian.Uint32(h[:]))%partitions)*0x9E3779B1)
	copy(p[4:], h[4:])
	return p
}

func digestOf(key string, s conflict.State) Digest { return md5.Sum(s.Append([]byte(key + "|"))) }

func (c copyOf) at(p Path) (string, bool) {
	for k := range c {
		if pathOf(k) == p {
			return k, true
		}
	}
	return "", false
}

func (c copyOf) Look(path Path, depth, few int) (isFew bool, children [16]Digest, paths []Path, sums []Digest, err error) {
	n := Node{path, depth}
	var in []string
	for k := range c {
		if n.has(pathOf(k)) {
			in = append(in, k)
		}
	}
	if depth >= 4 && len(in) <= few || depth == deepest {
		slices.SortFunc(in, func(a, b string) int { return compare(pathOf(a), pathOf(b)) })
		for _, k := range in {
			paths, sums = append(paths, pathOf(k)), append(sums, digestOf(k, c[k]))
		}
		return true, children, paths, sums, nil
	}
	for _, k := range in {
		d := digestOf(k, c[k])
		for i := range d {
			children[n.place(pathOf(k))][i] ^= d[i]
		}
	}
	return false, children, nil, nil, nil
}

func (c copyOf) Context(p Path) (crdt.Context, bool, bool, error) {
	k, ok := c.at(p)
	return c[k].Context(), ok, c[k].Visible(), nil
}

func (c copyOf) State(p Path) (key, state []byte, err error) {
	if k, ok := c.at(p); ok {
		return []byte(k), c[k].Append(nil), nil
	}
	return nil, nil, nil
}

func (c copyOf) mend(t *testing.T, items []Item) (news int) {
	for _, it := range items {
		s, err := conflict.DecodeState(it.State)
		if err != nil {
			t.Fatal(err)
		}
		j := conflict.Merge(c[string(it.Key)], s)
		if j.Changed {
			news++
		}
		c[string(it.Key)] = j.State
	}
	return news
}

// world is three regions that write and ship to each other, in order but at different paces.
type world struct {
	g       *rand.Rand
	keys    []string
	now     crdt.Time
	origins []crdt.Origin
	regions []copyOf
	logs    [][]write // by origin
	read    [][]int   // read[r][o]: how many of o's writes region r has
	past    []map[string][]conflict.State
}

type write struct {
	key   string
	stamp crdt.Stamp
	state conflict.State
}

func newWorld(g *rand.Rand, keys int) *world {
	w := &world{g: g, now: 1000}
	for i := range keys {
		w.keys = append(w.keys, string(rune('a'+i%26))+string(rune('0'+i/26)))
	}
	for i := range 3 {
		w.origins = append(w.origins, crdt.Origin{Region: string(rune('A' + i)), Incarnation: uint64(i + 1)})
		w.regions = append(w.regions, copyOf{})
		w.past = append(w.past, map[string][]conflict.State{})
	}
	w.logs = make([][]write, 3)
	w.read = [][]int{make([]int, 3), make([]int, 3), make([]int, 3)}
	return w
}

func (w *world) put(r int, key string, s conflict.State) {
	if old, ok := w.regions[r][key]; ok {
		w.past[r][key] = append(w.past[r][key], old)
	}
	w.regions[r][key] = s
}

func (w *world) step() {
	r := w.g.IntN(3)
	if w.g.IntN(3) == 0 {
		key := w.keys[w.g.IntN(len(w.keys))]
		w.now += crdt.Time(1 + w.g.IntN(3))
		l := conflict.Local{Stamp: crdt.Stamp{Time: w.now, Origin: w.origins[r]}, Op: conflict.Put,
			New: item.NewItem([]item.Field{{Name: "v", Value: item.Str(w.now.String())}})}
		if w.g.IntN(4) == 0 {
			l.Op = conflict.Delete
		}
		s := conflict.Write(conflict.LastWriterWins, w.regions[r][key], l)
		w.put(r, key, s)
		w.logs[r] = append(w.logs[r], write{key, l.Stamp, s})
		w.read[r][r]++
		return
	}
	if o := w.g.IntN(3); w.read[r][o] < len(w.logs[o]) {
		c := w.logs[o][w.read[r][o]]
		w.read[r][o]++
		w.put(r, c.key, conflict.Merge(w.regions[r][c.key], c.state).State)
	}
}

// held is what a region may say that it holds; sometimes it says less, as one does whose snapshot is newer.
func (w *world) held(r int) Held {
	h := Held{Up: map[crdt.Origin]crdt.Time{}}
	for o, origin := range w.origins {
		n := w.read[r][o]
		if n > 0 && w.g.IntN(4) == 0 {
			n--
		}
		switch {
		case n < len(w.logs[o]):
			h.Up[origin] = 0
			if n > 0 {
				h.Up[origin] = w.logs[o][n].stamp.Time - 1
			}
		default:
			h.Up[origin] = w.now
		}
	}
	return h
}

// spoil takes a region's item back, or away.
func (w *world) spoil(r int) {
	key := w.keys[w.g.IntN(len(w.keys))]
	if past := w.past[r][key]; len(past) > 0 && w.g.IntN(2) == 0 {
		w.regions[r][key] = past[w.g.IntN(len(past))]
		return
	}
	delete(w.regions[r], key)
}

// missing lists, write by write, the keys of which a has seen something that b should have and has not. What an origin wrote
// after that, and a has seen too, will bring it: only the last of an origin's writes that a has seen counts.
func (w *world) missing(a, b copyOf, held Held) map[string]bool {
	m := map[string]bool{}
	for o, log := range w.logs {
		for _, c := range log {
			up, listed := held.Up[w.origins[o]]
			_, there := a[c.key]
			last := a[c.key].Context().Of(w.origins[o]) == c.stamp.Time
			if there && last && a[c.key].Context().Covers(c.stamp) && !b[c.key].Context().Covers(c.stamp) && (!listed || c.stamp.Time <= up) {
				m[c.key] = true
			}
		}
	}
	return m
}

// compareAll runs a round and returns its tally and how many bytes it took.
func compareAll(t *testing.T, mine, theirs copyOf, my, their Held, whole bool) (Tally, int) {
	t.Helper()
	tally, bytes, _, _ := compareAndGain(t, mine, theirs, my, their, whole)
	return tally, bytes
}

// compareAndGain also returns what the two sides may say that they hold afterwards.
func compareAndGain(t *testing.T, mine, theirs copyOf, my, their Held, whole bool) (tally Tally, bytes int, here, there map[crdt.Origin]crdt.Time) {
	t.Helper()
	seen := make(copyOf) // snapshots: what is mended does not show in them
	for k, s := range mine {
		seen[k] = s
	}
	other := make(copyOf)
	for k, s := range theirs {
		other[k] = s
	}
	a, hello, err := NewAnswerer(other, Welcome{Answerer: answerer, Held: their}, func(items []Item) (int, error) { return theirs.mend(t, items), nil })
	if err != nil {
		t.Fatal(err)
	}
	a.Gained = func(up map[crdt.Origin]crdt.Time) error { there = up; return nil }
	welcome, err := DecodeWelcome(hello)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Begin(seen, my, &welcome, whole)
	if err != nil {
		t.Fatal(err)
	}
	bytes = len(hello)
	for {
		q, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if q == nil {
			return r.Tally(), bytes, r.Gained(), there
		}
		answer, err := a.Answer(q)
		if err != nil {
			t.Fatal(err)
		}
		bytes += len(q) + len(answer)
		items, err := r.Took(answer)
		if err != nil {
			t.Fatal(err)
		}
		if news := mine.mend(t, items); news != len(items) {
			t.Fatalf("%d of %d items taken were news", news, len(items))
		}
	}
}

// TestGained: after a round each side has every write that it may say that it has, of origins whose logs it follows no more,
// and after a whole round of all.
func TestGained(t *testing.T) {
	seed := newSeed(t)
	gained := 0
	for run := range *runsFlag * 10 {
		g := rand.New(rand.NewPCG(seed, uint64(run)))
		w := newWorld(g, 1+g.IntN(30))
		for range g.IntN(300) {
			w.step()
		}
		x, y, whole := g.IntN(3), g.IntN(3), g.IntN(4) == 0
		if x == y {
			continue
		}
		my, their := w.held(x), w.held(y)
		for _, h := range []*Held{&my, &their} {
			h.Have = maps.Clone(h.Up)
			for _, o := range w.origins {
				if g.IntN(2) == 0 {
					delete(h.Up, o)
				}
			}
		}
		_, _, here, there := compareAndGain(t, w.regions[x], w.regions[y], my, their, whole)
		for r, up := range map[int]map[crdt.Origin]crdt.Time{x: here, y: there} {
			gained += len(up)
			for o, log := range w.logs {
				for _, c := range log {
					if c.stamp.Time <= up[w.origins[o]] && !w.regions[r][c.key].Context().Covers(c.stamp) {
						t.Fatalf("run %d: %v is said to be held, and is not: %v", run, c.stamp, up)
					}
				}
			}
		}
	}
	if gained == 0 {
		t.Error("nothing was ever gained")
	}
}
