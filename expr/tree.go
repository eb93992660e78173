package expr

import (
	"cmp"
	"slices"
)

// tree is a set of disjoint paths, merged where they begin alike. The root's kids are the top-level attributes. All kids of
// one node are names, or all are list indexes, in order; only leaves are ends of paths.
type tree struct {
	pathElem
	kids []tree
	at   int // a leaf: its path's place among the paths; else the first path through here
}

func (t *tree) leaf() bool { return len(t.kids) == 0 }

// newTree refuses two paths that overlap (one leads to or through the other's end) or conflict (they see a map and a list in
// one place).
func newTree(k Kind, paths []path) (*tree, error) {
	root := new(tree)
	for i, p := range paths {
		if err := root.insert(k, paths, i, p); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func (t *tree) insert(kind Kind, paths []path, i int, p path) error {
	for depth, e := range p {
		if depth > 0 && t.leaf() {
			return overlap(kind, paths[t.at], p)
		}
		if depth > 0 && t.kids[0].list != e.list {
			return kind.errorf("Two document paths conflict with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", paths[t.at], p)
		}
		at, found := slices.BinarySearchFunc(t.kids, e, func(k tree, e pathElem) int {
			return cmp.Or(cmp.Compare(k.index, e.index), cmp.Compare(k.name, e.name))
		})
		if !found {
			t.kids = slices.Insert(t.kids, at, branch(p[depth:], i))
			return nil
		}
		t = &t.kids[at]
	}
	return overlap(kind, paths[t.at], p)
}

func overlap(kind Kind, one, two path) error {
	return kind.errorf("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", one, two)
}

// branch is the tree of the rest of one path.
func branch(p path, at int) tree {
	t := tree{pathElem: p[0], at: at}
	if len(p) > 1 {
		t.kids = []tree{branch(p[1:], at)}
	}
	return t
}

// names lists the top-level attributes.
func (t *tree) names() []string {
	names := make([]string, len(t.kids))
	for i := range t.kids {
		names[i] = t.kids[i].name
	}
	return names
}
