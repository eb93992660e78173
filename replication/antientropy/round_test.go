package antientropy

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

var answerer = crdt.Origin{Region: "us-east-1", Incarnation: 1}

// TestHealthyPairsMendNothing: whatever is on its way, a round moves nothing (issue 4: zero false mends).
func TestHealthyPairsMendNothing(t *testing.T) {
	g := rand.New(rand.NewPCG(newSeed(t), 1))
	inFlight := 0
	for run := range *runsFlag {
		w := newWorld(g, 1+g.IntN(120))
		for range g.IntN(400) {
			w.step()
		}
		tally, _ := compareAll(t, w.regions[0], w.regions[1], w.held(0), w.held(1), false)
		if tally.Taken+tally.Given+tally.Clashes+tally.Lacked+tally.LackedThere > 0 {
			t.Fatalf("run %d: %+v of a healthy pair", run, tally)
		}
		inFlight += tally.InFlight
	}
	if inFlight == 0 {
		t.Error("nothing was ever in flight: the test tests nothing")
	}
}

// TestWhatIsMissingIsFoundAndNothingElse compares a round with the oracle that looks at every write.
func TestWhatIsMissingIsFoundAndNothingElse(t *testing.T) {
	defer func(n int) { partitions = n }(partitions)
	g := rand.New(rand.NewPCG(newSeed(t), 2))
	found := 0
	for run := range *runsFlag {
		partitions = []int{1, 2, 1 << 16}[g.IntN(3)]
		w := newWorld(g, 1+g.IntN(200))
		for range g.IntN(800) {
			w.step()
		}
		for range g.IntN(8) {
			w.spoil(g.IntN(2))
		}
		a, b, ha, hb := w.regions[0], w.regions[1], w.held(0), w.held(1)
		if g.IntN(4) == 0 { // the third region is gone: what is missing of it will not come
			delete(ha.Up, w.origins[2])
			delete(hb.Up, w.origins[2])
		}
		pull, push := w.missing(b, a, ha), w.missing(a, b, hb)
		tally, _ := compareAll(t, a, b, ha, hb, false)
		if tally.Lacked != len(pull) || tally.Taken != len(pull) || tally.Given != len(push) || tally.GivenNews != len(push) {
			t.Fatalf("run %d: %+v, the oracle takes %v and gives %v", run, tally, pull, push)
		}
		found += len(pull) + len(push)
		if again, _ := compareAll(t, a, b, ha, hb, false); again.Lacked+again.LackedThere > 0 {
			t.Fatalf("run %d: the second round still mends: %+v", run, again)
		}
		if left := len(w.missing(a, b, hb)) + len(w.missing(b, a, ha)); left > 0 {
			t.Fatalf("run %d: %d differences left", run, left)
		}
	}
	if found == 0 {
		t.Error("nothing was ever missing: the test tests nothing")
	}
}

// TestWholeRoundsMakeEqual: a region that takes everything has all that the other had, and the other likewise.
func TestWholeRoundsMakeEqual(t *testing.T) {
	g := rand.New(rand.NewPCG(newSeed(t), 3))
	for run := range *runsFlag {
		w := newWorld(g, 1+g.IntN(200))
		for range g.IntN(800) {
			w.step()
		}
		for range g.IntN(8) {
			w.spoil(g.IntN(2))
		}
		a, b := w.regions[0], w.regions[1]
		compareAll(t, a, b, w.held(0), w.held(1), true)
		for k := range a {
			if !a[k].Equal(b[k]) {
				t.Fatalf("run %d: %q differs after a whole round: %v and %v", run, k, a[k].Context(), b[k].Context())
			}
		}
		if len(a) != len(b) {
			t.Fatalf("run %d: %d and %d items", run, len(a), len(b))
		}
	}
}

// TestClash: the same writes seen, another state: no merge can mend it, and nothing is moved.
func TestClash(t *testing.T) {
	o := crdt.Origin{Region: "A", Incarnation: 1}
	put := func(v string) conflict.State {
		return conflict.Write(conflict.LastWriterWins, conflict.State{}, conflict.Local{Stamp: crdt.Stamp{Time: 5, Origin: o}, Op: conflict.Put,
			New: item.NewItem([]item.Field{{Name: "v", Value: item.Str(v)}})})
	}
	a, b := copyOf{"k": put("one")}, copyOf{"k": put("other")}
	for _, whole := range []bool{false, true} {
		tally, _ := compareAll(t, a, b, Held{}, Held{}, whole)
		if tally.Clashes != 1 || tally.Taken+tally.Given != 0 || tally.First != pathOf("k") {
			t.Errorf("whole %v: %+v", whole, tally)
		}
	}
}

// TestRebuiltRegionsAreFollowed: what a region wrote since it was rebuilt is on its way to a side that knows it as what it was
// before, and nobody says that it has arrived; what it wrote earlier still is missing (found by simulation, seeds 3292 and 3833).
func TestRebuiltRegionsAreFollowed(t *testing.T) {
	x := func(incarnation uint64) crdt.Origin { return crdt.Origin{Region: "x", Incarnation: incarnation} }
	for incarnation, missing := range map[uint64]int{1: 1, 2: 0, 3: 0} {
		o := x(incarnation)
		s := conflict.Write(conflict.LastWriterWins, conflict.State{}, conflict.Local{
			Stamp: crdt.Stamp{Time: 5, Origin: o}, Op: conflict.Put, New: item.NewItem([]item.Field{{Name: "v", Value: item.Str("v")}}),
		})
		has := Held{Up: map[crdt.Origin]crdt.Time{o: 5}, Have: map[crdt.Origin]crdt.Time{o: 5}}
		lacks := Held{Up: map[crdt.Origin]crdt.Time{x(2): 4, {Region: "y", Incarnation: 1}: 9}}
		tally, _, here, _ := compareAndGain(t, copyOf{}, copyOf{"k": s}, lacks, has, false)
		if tally.Lacked != missing || tally.Taken != missing || tally.InFlight != 1-missing || len(here) != missing {
			t.Errorf("incarnation %d, asking: %+v, gained %v", incarnation, tally, here)
		}
		tally, _, _, there := compareAndGain(t, copyOf{"k": s}, copyOf{}, has, lacks, false)
		if tally.LackedThere != missing || tally.Given != missing || tally.InFlight != 1-missing || len(there) != missing {
			t.Errorf("incarnation %d, answering: %+v, gained %v", incarnation, tally, there)
		}
	}
}

// TestForgottenDeletesDoNotComeBack: below the floor a delete may be forgotten on one side.
func TestForgottenDeletesDoNotComeBack(t *testing.T) {
	o := crdt.Origin{Region: "A", Incarnation: 1}
	s := conflict.Write(conflict.LastWriterWins, conflict.State{}, conflict.Local{Stamp: crdt.Stamp{Time: 5, Origin: o}, Op: conflict.Delete})
	for floor, taken := range map[crdt.Time]int{4: 1, 5: 0, 9: 0} {
		for _, whole := range []bool{false, true} {
			tally, _ := compareAll(t, copyOf{}, copyOf{"k": s}, Held{Floor: floor}, Held{}, whole)
			if tally.Taken != taken {
				t.Errorf("floor %v, whole %v: %+v", floor, whole, tally)
			}
		}
	}
}

// sorted is a View over many items, of 1 KB each where it is asked for them.
type sorted struct {
	paths []Path
	sums  []Digest
}

func (s *sorted) span(n Node) (int, int) {
	end := n.Path
	for i := n.Depth; i < deepest; i++ {
		end[i/2] |= 15 << (4 * (1 - i%2))
	}
	find := func(p Path) (int, bool) { return slices.BinarySearchFunc(s.paths, p, compare) }
	lo, _ := find(n.Path)
	hi, ok := find(end)
	if ok {
		hi++
	}
	return lo, hi
}

func (s *sorted) Look(p Path, depth, few int) (bool, [16]Digest, []Path, []Digest, error) {
	n := Node{p, depth}
	lo, hi := s.span(n)
	var c [16]Digest
	if depth >= 4 && hi-lo <= few {
		return true, c, s.paths[lo:hi], s.sums[lo:hi], nil
	}
	for i := lo; i < hi; i++ {
		d := &c[n.place(s.paths[i])]
		for j := range d {
			d[j] ^= s.sums[i][j]
		}
	}
	return false, c, nil, nil, nil
}

func (s *sorted) Context(p Path) (crdt.Context, bool, bool, error) {
	_, ok := slices.BinarySearchFunc(s.paths, p, compare)
	return crdt.NewContext(0, crdt.Stamp{Time: 1, Origin: crdt.Origin{Region: "us-east-1", Incarnation: 1}}), ok, ok, nil
}

func (s *sorted) State(p Path) ([]byte, []byte, error) { return p[:], make([]byte, 1024), nil }

// TestAMillionItems: what a round costs does not depend on the size (issue 4: at most 1 KB if equal, 4 KB for one difference).
func TestAMillionItems(t *testing.T) {
	g := rand.New(rand.NewPCG(newSeed(t), 4))
	all := &sorted{make([]Path, 1_000_000), make([]Digest, 1_000_000)}
	for i := range all.paths {
		binary.BigEndian.PutUint32(all.paths[i][:], g.Uint32())
		binary.BigEndian.PutUint64(all.paths[i][4:], g.Uint64())
		binary.BigEndian.PutUint64(all.sums[i][:], g.Uint64())
	}
	slices.SortFunc(all.paths, compare)
	gone := g.IntN(len(all.paths))
	less := &sorted{slices.Delete(slices.Clone(all.paths), gone, gone+1), slices.Delete(slices.Clone(all.sums), gone, gone+1)}
	held := Held{Up: map[crdt.Origin]crdt.Time{}}
	for _, r := range []string{"us-east-1", "eu-west-1", "ap-northeast-1", "sa-east-1", "ap-south-1"} {
		held.Up[crdt.Origin{Region: r, Incarnation: 1}] = 1 << 60
	}
	for _, c := range []struct {
		name         string
		mine, theirs *sorted
		most         int
		tally        Tally
	}{
		{"equal", all, all, 900, Tally{}},
		{"the asker lacks one", less, all, 3000, Tally{Differences: 1, Lacked: 1, Taken: 1}},
		{"the answerer lacks one", all, less, 3000, Tally{Differences: 1, LackedThere: 1, Given: 1, GivenNews: 1}},
	} {
		hello := Hello{Asker: crdt.Origin{Region: "ap-northeast-1", Incarnation: 1}}.Append(nil)
		a, welcome, err := NewAnswerer(c.theirs, Welcome{Answerer: answerer, Held: held}, func(items []Item) (int, error) { return len(items), nil })
		if err != nil {
			t.Fatal(err)
		}
		w, err := DecodeWelcome(welcome)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Begin(c.mine, held, &w, false)
		if err != nil {
			t.Fatal(err)
		}
		size, messages := len(hello)+len(welcome), 2
		for {
			q, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if q == nil {
				break
			}
			answer, err := a.Answer(q)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Took(answer); err != nil {
				t.Fatal(err)
			}
			size, messages = size+len(q)+len(answer), messages+2
		}
		t.Logf("%s: %d bytes in %d messages", c.name, size, messages)
		if size > c.most || r.Tally() != c.tally {
			t.Errorf("%s: %d bytes, %+v", c.name, size, r.Tally())
		}
	}
}

// TestMessagesAreBounded: however much differs, no message and no list grows with the table.
func TestMessagesAreBounded(t *testing.T) {
	g := rand.New(rand.NewPCG(newSeed(t), 5))
	all := &sorted{make([]Path, 100_000), make([]Digest, 100_000)}
	for i := range all.paths {
		binary.BigEndian.PutUint64(all.paths[i][:], g.Uint64()&^0xffff) // in depth
		binary.BigEndian.PutUint32(all.paths[i][8:], uint32(i))
		binary.BigEndian.PutUint64(all.sums[i][:], g.Uint64())
	}
	slices.SortFunc(all.paths, compare)
	a, welcome, _ := NewAnswerer(&sorted{}, Welcome{Answerer: answerer}, func(items []Item) (int, error) { return len(items), nil })
	w, _ := DecodeWelcome(welcome)
	r, _ := Begin(all, Held{}, &w, false)
	largest, stack := 0, 0
	for {
		q, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if q == nil {
			break
		}
		answer, err := a.Answer(q)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Took(answer); err != nil {
			t.Fatal(err)
		}
		largest, stack = max(largest, len(q), len(answer)), max(stack, len(r.stack), len(r.suspects), len(r.pushes))
	}
	if r.Tally().Given != len(all.paths) || largest > swapBytes || stack > 2*fanOut*maxNodes*8 {
		t.Errorf("%+v, largest message %d, longest list %d", r.Tally(), largest, stack)
	}
}

// hollow is a copy one of whose stored digests is wrong.
type hollow struct{ copyOf }

func (h hollow) Look(p Path, depth, few int) (bool, [16]Digest, []Path, []Digest, error) {
	isFew, children, paths, sums, err := h.copyOf.Look(p, depth, few)
	if n := (Node{p, depth}); depth < 4 && n.has(Path{0x12, 0x34}) {
		children[n.place(Path{0x12, 0x34})][0] ^= 1
	}
	return isFew, children, paths, sums, err
}

// TestHollowTrees: digests that are not those of the items are noticed, told to the other side, and move nothing.
func TestHollowTrees(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(newSeed(t), 6)), 100)
	for range 300 {
		w.step()
	}
	c := w.regions[0]
	a, welcome, err := NewAnswerer(hollow{c}, Welcome{Answerer: answerer}, nil)
	if err != nil {
		t.Fatal(err)
	}
	said, _ := DecodeWelcome(welcome)
	r, err := Begin(c, Held{}, &said, false)
	if err != nil {
		t.Fatal(err)
	}
	for {
		q, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if q == nil {
			break
		}
		answer, err := a.Answer(q)
		if err == nil {
			_, err = r.Took(answer)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if r.Tally() != (Tally{Hollow: 1}) || !a.Hollow {
		t.Errorf("%+v, told %v", r.Tally(), a.Hollow)
	}
}

func TestHello(t *testing.T) {
	h := Hello{Asker: crdt.Origin{Region: "A", Incarnation: 7}, Floor: 12}
	h.Table[3] = 9
	if got, err := DecodeHello(h.Append(nil)); err != nil || got != h {
		t.Errorf("%+v %v", got, err)
	}
}

func TestNodes(t *testing.T) {
	p := pathOf("x")
	n := Node{}
	for n.Depth < deepest {
		if !n.has(p) {
			t.Fatalf("%s has not %x", n, p)
		}
		other := n.child(n.place(p) ^ 1)
		if n = n.child(n.place(p)); other.has(p) {
			t.Fatalf("%s has %x", other, p)
		}
	}
	if n.Path != p {
		t.Errorf("%x, want %x", n.Path, p)
	}
}

// FuzzAnswer: whatever comes, the answerer answers or refuses, and what it answers can be read.
func FuzzAnswer(f *testing.F) {
	f.Add(appendDescend(nil, []Node{{}, {Path{1, 2}, 4}}))
	f.Add(appendContexts(nil, []Path{{1}, pathOf("k")}))
	f.Add(appendSwap(nil, []Path{pathOf("k")}, []Item{{[]byte("a"), []byte("b")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, _, err := NewAnswerer(&sorted{paths: []Path{{1, 2, 3}}, sums: []Digest{{4}}}, Welcome{Answerer: answerer}, func(i []Item) (int, error) { return len(i), nil })
		if err != nil {
			t.Fatal(err)
		}
		answer, err := a.Answer(b)
		if err != nil {
			return
		}
		switch b[0] {
		case 'd':
			nodes, _ := decodeDescend(b)
			if _, err := decodeLevels(answer, nodes); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(appendDescend(nil, nodes), b) {
				t.Fatal("not the same again")
			}
		case 'p':
			want, give, _ := decodeSwap(b)
			if _, err := decodeSwapped(answer, len(want), len(give)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzTook: whatever is answered, the asker goes on or says what is wrong.
func FuzzTook(f *testing.F) {
	f.Add(byte('d'), appendLevels(nil, []level{{few: true, entries: []entry{{Path{1}, 5}}}}))
	f.Add(byte('c'), appendSeen(nil, []Seen{{Present: true, Context: crdt.NewContext(3)}}))
	f.Add(byte('i'), (&swapped{done: 1, items: []Item{{[]byte("k"), []byte("s")}}}).append(nil))
	f.Fuzz(func(t *testing.T, asked byte, b []byte) {
		r := &Round{view: &sorted{paths: []Path{{1, 2, 3}}, sums: []Digest{{4}}}, asked: asked}
		r.nodes, r.judging, r.wanted = []Node{{Path{}, 4}}, []suspect{{their: true}}, []Path{{1}}
		_, _ = r.Took(b)
		_, _ = DecodeWelcome(b)
		_, _ = DecodeHello(b)
	})
}
