package antientropy

import "github.com/meridiandb/meridian/crdt"

// View is one side's copy of a table as it was at one moment, remembered deletes among it. What it returns is the caller's.
// It is used by one goroutine at a time. Its types are plain so that who implements it need not import this package.
type View interface {
	// Look returns what is beneath a node: if it can be told cheaply that there are at most few entries, these, in order of
	// their paths, with their digests; else the digests of the 16 children, each the XOR of its entries'. At the deepest depth
	// (2 × 12) it returns entries in every case.
	Look(path Path, depth, few int) (isFew bool, children [16]Digest, paths []Path, sums []Digest, err error)
	// Context is what an item's version has seen; found is false if nothing is stored under the path, visible if it is an item
	// and not a remembered delete.
	Context(path Path) (c crdt.Context, found, visible bool, err error)
	// State is an item's key and state as they are stored; a nil key if nothing is.
	State(path Path) (key, state []byte, err error)
}

// Item is a stored item on its way.
type Item struct{ Key, State []byte }

func look(v View, n Node) (level, error) {
	isFew, children, paths, sums, err := v.Look(n.Path, n.Depth, few)
	if err != nil {
		return level{}, err
	}
	return of(n, isFew, children, paths, sums)
}

// Bounds of messages. A message has at most about maxNodes × (16 × 8 bytes, or few × 20), or swapBytes and one item.
const (
	few       = 32
	maxNodes  = 64
	maxPaths  = 256
	swapBytes = 1 << 20
)
