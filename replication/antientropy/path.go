package antientropy

import (
	"encoding/binary"
	"fmt"
)

// Path is where an item stands in the tree: 4 bytes of hash of its partition key, 8 bytes of hash of its whole key. It is an
// alias so that a View needs nothing of this package.
type Path = [12]byte

// Digest is the XOR of the hashes of what is beneath a node. An alias, likewise.
type Digest = [16]byte

const (
	fanOut  = 16
	deepest = 2 * len(Path{}) // in nibbles
)

// Node is the items whose paths begin with the first Depth nibbles of Path. What follows them is zero.
type Node struct {
	Path  Path
	Depth int // 0 (the root) to deepest
}

// child is the i-th of the nodes one below.
func (n Node) child(i int) Node {
	if n.Depth%2 == 0 {
		n.Path[n.Depth/2] |= byte(i) << 4
	} else {
		n.Path[n.Depth/2] |= byte(i)
	}
	n.Depth++
	return n
}

// place is which child of n a path belongs to.
func (n Node) place(p Path) int {
	if n.Depth%2 == 0 {
		return int(p[n.Depth/2] >> 4)
	}
	return int(p[n.Depth/2] & 15)
}

// has reports whether a path belongs to n.
func (n Node) has(p Path) bool {
	for i := range n.Depth / 2 {
		if p[i] != n.Path[i] {
			return false
		}
	}
	return n.Depth%2 == 0 || p[n.Depth/2]>>4 == n.Path[n.Depth/2]>>4
}

func (n Node) String() string { return fmt.Sprintf("%x/%d", n.Path, n.Depth) }

// short is a digest as it travels.
type short uint64

func cut(d Digest) short { return short(binary.BigEndian.Uint64(d[:])) }

// entry is an item in a list of few.
type entry struct {
	path Path
	sum  short
}

// level is what one side has beneath a node: the digests of its children or, if they are few, its entries.
type level struct {
	children [fanOut]short
	entries  []entry // in order of paths
	few      bool    // entries is given, and children follow from it
}

// of makes the level beneath n of what a View answered.
func of(n Node, few bool, children [fanOut]Digest, paths []Path, sums []Digest) (level, error) {
	l := level{few: few}
	if !few {
		for i := range children {
			l.children[i] = cut(children[i])
		}
		return l, nil
	}
	if len(paths) != len(sums) {
		return l, fmt.Errorf("antientropy: %d paths with %d digests beneath %s", len(paths), len(sums), n)
	}
	l.entries = make([]entry, len(paths))
	for i := range paths {
		l.entries[i] = entry{paths[i], cut(sums[i])}
	}
	return l, l.sum(n)
}

// sum works out the children of few entries.
func (l *level) sum(n Node) error {
	if n.Depth == deepest {
		return nil
	}
	for _, e := range l.entries {
		if !n.has(e.path) {
			return fmt.Errorf("antientropy: entry %x is not beneath %s", e.path, n)
		}
		l.children[n.place(e.path)] ^= e.sum
	}
	return nil
}
