package antientropy

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

// Messages, version 2. All numbers are uvarints unless they say otherwise.
//
//	Hello     'h', version, table id (16), origin of the asker (stamps' dictionary of one), floor (8)
//	Welcome   'w', version, cut (8), floor (8), through (8), position (8), dictionary, place of the answerer with 1 (8),
//	          held, have: each n, n × { place of origin, up (8) },
//	          16 × digest (8)
//	Descend   'd', n, n × node { depth (1), (depth+1)/2 bytes of path }
//	Levels    'l', n, n × { 0, 16 × digest (8) | 1, m, m × { path (12), digest (8) } }
//	Contexts  'c', n, n × path (12)
//	Seen      's', dictionary, n, n × { 0 | 1 or 2, context }      2: it is an item
//	Swap      'p', n, n × path (12), m, m × item { key, state: each a length and bytes }
//	Hollow    'z', and the same in answer: one of the two trees is not that of its items
//	Gained    'g', dictionary, n, n × { place of origin, up (8) }, and 'g' in answer: what the answerer holds after the round
//	Items     'i', done, news, n, n × { 0 | 1, item }     done: how many of the wanted paths are answered, n of them
//
// Digests and times are big endian.
const version = 2

// ErrMessage says that a message makes no sense.
var ErrMessage = errors.New("antientropy: malformed message")

// Hello begins a round.
type Hello struct {
	Table record.TableID
	Asker crdt.Origin
	Floor crdt.Time
}

// Welcome is its answer.
type Welcome struct {
	Answerer crdt.Origin
	// Cut is the time up to which deletes are forgotten, by whole hours, and left out on both sides.
	Cut crdt.Time
	// Held is what the answerer's snapshot holds, Position where its own log was.
	Held     Held
	Position record.Seq
	top      [fanOut]short
}

// Append writes a Hello.
func (h Hello) Append(dst []byte) []byte {
	dst = append(append(dst, 'h', version), h.Table[:]...)
	var d crdt.Dictionary
	d.Add(h.Asker)
	dst = d.Append(dst)
	s := crdt.Stamp{Time: max(1, h.Floor), Origin: h.Asker} // a stamp has a time; 0 and 1 are before everything
	return d.AppendStamp(dst, s)
}

// DecodeHello reads a Hello.
func DecodeHello(b []byte) (h Hello, err error) {
	r := reader{b: b}
	r.kind('h')
	r.version()
	copy(h.Table[:], r.take(len(h.Table)))
	d := r.dictionary()
	s := r.stamp(&d)
	h.Asker, h.Floor = s.Origin, s.Time
	return h, r.end()
}

func (w *Welcome) append(dst []byte) []byte {
	dst = append(dst, 'w', version)
	for _, n := range []uint64{uint64(w.Cut), uint64(w.Held.Floor), uint64(w.Held.Through), uint64(w.Position)} {
		dst = binary.BigEndian.AppendUint64(dst, n)
	}
	var d crdt.Dictionary
	d.Add(w.Answerer)
	for _, times := range []map[crdt.Origin]crdt.Time{w.Held.Up, w.Held.Have} {
		for o := range times {
			d.Add(o)
		}
	}
	dst = d.AppendStamp(d.Append(dst), crdt.Stamp{Time: 1, Origin: w.Answerer})
	dst = appendTimes(appendTimes(dst, &d, w.Held.Up), &d, w.Held.Have)
	for _, s := range w.top {
		dst = binary.BigEndian.AppendUint64(dst, uint64(s))
	}
	return dst
}

// DecodeWelcome reads a Welcome.
func DecodeWelcome(b []byte) (w Welcome, err error) {
	r := reader{b: b}
	r.kind('w')
	r.version()
	w.Cut, w.Held.Floor, w.Held.Through, w.Position = crdt.Time(r.uint64()), crdt.Time(r.uint64()), crdt.Time(r.uint64()), record.Seq(r.uint64())
	d := r.dictionary()
	w.Answerer = r.stamp(&d).Origin
	w.Held.Up, w.Held.Have = r.times(&d), r.times(&d)
	r.shorts(&w.top)
	return w, r.end()
}

func appendTimes(dst []byte, d *crdt.Dictionary, times map[crdt.Origin]crdt.Time) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(times)))
	for _, o := range slices.SortedFunc(maps.Keys(times), crdt.Origin.Compare) {
		dst = d.AppendStamp(dst, crdt.Stamp{Time: max(1, times[o]), Origin: o})
	}
	return dst
}

func appendGained(dst []byte, up map[crdt.Origin]crdt.Time) []byte {
	var d crdt.Dictionary
	for o := range up {
		d.Add(o)
	}
	return appendTimes(d.Append(append(dst, 'g')), &d, up)
}

func decodeGained(b []byte) (map[crdt.Origin]crdt.Time, error) {
	r := reader{b: b}
	r.kind('g')
	d := r.dictionary()
	up := r.times(&d)
	return up, r.end()
}

func appendDescend(dst []byte, nodes []Node) []byte {
	dst = binary.AppendUvarint(append(dst, 'd'), uint64(len(nodes)))
	for _, n := range nodes {
		dst = append(append(dst, byte(n.Depth)), n.Path[:(n.Depth+1)/2]...)
	}
	return dst
}

func decodeDescend(b []byte) ([]Node, error) {
	r := reader{b: b}
	r.kind('d')
	nodes := make([]Node, r.countTo(1, maxNodes))
	for i := range nodes {
		depth := int(r.byte())
		if depth > deepest {
			r.fail("a node too deep")
			depth = 0
		}
		nodes[i].Depth = depth
		copy(nodes[i].Path[:], r.take((depth+1)/2))
		if depth%2 == 1 && nodes[i].Path[depth/2]&15 != 0 {
			r.fail("half a byte too much")
		}
	}
	return nodes, r.end()
}

func appendLevels(dst []byte, levels []level) []byte {
	dst = binary.AppendUvarint(append(dst, 'l'), uint64(len(levels)))
	for i := range levels {
		l := &levels[i]
		if !l.few {
			dst = append(dst, 0)
			for _, s := range l.children {
				dst = binary.BigEndian.AppendUint64(dst, uint64(s))
			}
			continue
		}
		dst = binary.AppendUvarint(append(dst, 1), uint64(len(l.entries)))
		for _, e := range l.entries {
			dst = binary.BigEndian.AppendUint64(append(dst, e.path[:]...), uint64(e.sum))
		}
	}
	return dst
}

// decodeLevels reads the answers about some nodes.
func decodeLevels(b []byte, nodes []Node) ([]level, error) {
	r := reader{b: b}
	r.kind('l')
	if r.count(1) != len(nodes) {
		r.fail("other nodes")
		return nil, r.err
	}
	levels := make([]level, len(nodes))
	for i := range levels {
		l := &levels[i]
		if l.few = r.flag(); !l.few {
			r.shorts(&l.children)
			continue
		}
		l.entries = make([]entry, r.count(len(Path{})+8))
		for j := range l.entries {
			e := &l.entries[j]
			copy(e.path[:], r.take(len(e.path)))
			e.sum = short(r.uint64())
			if j > 0 && compare(l.entries[j-1].path, e.path) > 0 {
				r.fail("entries out of order")
			}
		}
		if err := l.sum(nodes[i]); err != nil {
			return nil, errors.Join(ErrMessage, err)
		}
	}
	return levels, r.end()
}

func appendPaths(dst []byte, paths []Path) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(paths)))
	for i := range paths {
		dst = append(dst, paths[i][:]...)
	}
	return dst
}

func appendContexts(dst []byte, paths []Path) []byte { return appendPaths(append(dst, 'c'), paths) }

func decodeContexts(b []byte) ([]Path, error) {
	r := reader{b: b}
	r.kind('c')
	p := r.paths()
	return p, r.end()
}

func appendSeen(dst []byte, seen []Seen) []byte {
	var d crdt.Dictionary
	for i := range seen {
		d.AddContext(seen[i].Context)
	}
	dst = binary.AppendUvarint(d.Append(append(dst, 's')), uint64(len(seen)))
	for i := range seen {
		if !seen[i].Present {
			dst = append(dst, 0)
			continue
		}
		kind := byte(1)
		if seen[i].Visible {
			kind = 2
		}
		dst = d.AppendContext(append(dst, kind), seen[i].Context)
	}
	return dst
}

func decodeSeen(b []byte, want int) ([]Seen, error) {
	r := reader{b: b}
	r.kind('s')
	d := r.dictionary()
	if r.count(1) != want {
		r.fail("other paths")
		return nil, r.err
	}
	seen := make([]Seen, want)
	for i := range seen {
		kind := r.byte()
		if kind > 2 {
			r.fail("neither here nor there")
		}
		if seen[i].Present, seen[i].Visible = kind > 0, kind == 2; seen[i].Present {
			seen[i].Context = r.context(&d)
		}
	}
	return seen, r.end()
}

func appendSwap(dst []byte, want []Path, give []Item) []byte {
	dst = appendPaths(append(dst, 'p'), want)
	dst = binary.AppendUvarint(dst, uint64(len(give)))
	for i := range give {
		dst = appendItem(dst, &give[i])
	}
	return dst
}

func appendItem(dst []byte, it *Item) []byte {
	dst = append(binary.AppendUvarint(dst, uint64(len(it.Key))), it.Key...)
	return append(binary.AppendUvarint(dst, uint64(len(it.State))), it.State...)
}

func decodeSwap(b []byte) (want []Path, give []Item, err error) {
	r := reader{b: b}
	r.kind('p')
	want = r.paths()
	give = make([]Item, r.countTo(2, maxPaths))
	for i := range give {
		give[i] = r.item()
	}
	return want, give, r.end()
}

// swapped is the answer to a Swap.
type swapped struct {
	done  int    // of the wanted paths, from the first
	items []Item // of these; a nil Key where nothing is stored
	news  int    // of the items given
}

func (s *swapped) append(dst []byte) []byte {
	dst = binary.AppendUvarint(append(dst, 'i'), uint64(s.done))
	dst = binary.AppendUvarint(dst, uint64(s.news))
	for i := range s.items {
		if s.items[i].Key == nil {
			dst = append(dst, 0)
			continue
		}
		dst = appendItem(append(dst, 1), &s.items[i])
	}
	return dst
}

func decodeSwapped(b []byte, want, gave int) (s swapped, err error) {
	r := reader{b: b}
	r.kind('i')
	s.done, s.news = r.countTo(1, want), r.number(gave)
	if s.done == 0 && want > 0 {
		r.fail("no progress")
	}
	s.items = make([]Item, s.done)
	for i := range s.items {
		if r.flag() {
			s.items[i] = r.item()
		}
	}
	return s, r.end()
}
