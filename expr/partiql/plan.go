package partiql

import (
	"slices"
	"strconv"

	"github.com/meridiandb/meridian/item"
)

// Keys names the key attributes of what a statement reads or writes: a table or an index.
type Keys struct{ Hash, Range []string }

func (k Keys) has(name string) bool {
	return slices.Contains(k.Hash, name) || slices.Contains(k.Range, name)
}

// Plan is how a SELECT is answered.
type Plan struct {
	// Partitions are the key conditions to query one after the other; none: the whole table or index is scanned.
	Partitions []Expression
	Filter     Expression // an empty text is no filter
	Backward   bool       // in descending order of the range key
}

// maxHashValues is how many partitions one statement may name (DYNAMODB.md section 12).
const maxHashValues = 50

// Select says how to answer a SELECT on a table or index with the given keys: by queries iff an equality or IN on the hash
// key stands among the conditions that must all hold; else by a scan.
func (b *Bound) Select(k Keys) (*Plan, error) {
	all := conjuncts(b.where, nil)
	p := new(Plan)
	keyed, rest, err := b.split(all, k)
	if err != nil {
		return nil, err
	}
	if keyed == nil {
		rest = all
	} else if p.Partitions, err = b.partitions(keyed); err != nil {
		return nil, err
	}
	if p.Filter, err = b.and(rest); err != nil {
		return nil, err
	}
	return p, b.order(p, k, keyed)
}

// keyTerms are conditions on keys that a Query can take: of each attribute at most one.
type keyTerms struct {
	hash  []hashTerm
	other []*node // on range attributes
}

// hashTerm is one hash attribute with the values that it may have.
type hashTerm struct {
	at     path
	values []*node
}

// split takes the conditions on keys out of those that must hold. keyed is nil if they do not name partitions.
func (b *Bound) split(all []*node, k Keys) (keyed *keyTerms, rest []*node, err error) {
	said := map[string]*node{}
	for _, n := range all {
		name := keyOf(n, k)
		if name == "" {
			rest = append(rest, n)
			continue
		}
		if said[name] != nil {
			return nil, nil, nil // two conditions on one key: a scan
		}
		said[name] = n
	}
	t := new(keyTerms)
	for _, h := range k.Hash {
		n := said[h]
		if n == nil {
			return nil, nil, nil
		}
		vs := equalTo(n)
		if vs == nil {
			return nil, nil, nil
		}
		t.hash = append(t.hash, hashTerm{path{{name: h}}, vs})
	}
	open := true // an equality stands on all range attributes so far
	for _, r := range k.Range {
		n := said[r]
		switch {
		case n == nil:
			open = false
		case open && rangeable(n):
			t.other = append(t.other, n)
			open = n.op == opEQ
		default:
			rest = append(rest, n)
			open = false
		}
	}
	return t, rest, nil
}

// conjuncts lists the conditions that must all hold.
func conjuncts(n *node, to []*node) []*node {
	switch {
	case n == nil:
		return to
	case n.op == opAnd:
		return conjuncts(n.kids[1], conjuncts(n.kids[0], to))
	}
	return append(to, n)
}

// keyOf names the key attribute that a condition is about, if it is about one and nothing else.
func keyOf(n *node, k Keys) string {
	if n.op == opOr { // of partitions: a disjunction of equalities on one attribute
		a, b := keyOf(n.kids[0], k), keyOf(n.kids[1], k)
		if a == b && equalTo(n) != nil {
			return a
		}
		return ""
	}
	if len(n.kids) == 0 || n.kids[0].op != opPath || len(n.kids[0].path) != 1 || !k.has(n.kids[0].path[0].name) {
		return ""
	}
	for _, v := range n.kids[1:] {
		if v.op != opValue {
			return ""
		}
	}
	return n.kids[0].path[0].name
}

// equalTo lists the values that a condition allows its attribute; nil if it is no choice of values.
func equalTo(n *node) []*node {
	switch n.op {
	case opEQ, opIn:
		return n.kids[1:]
	case opOr:
		a, b := equalTo(n.kids[0]), equalTo(n.kids[1])
		if a != nil && b != nil {
			return append(slices.Clip(a), b...)
		}
	}
	return nil
}

// rangeable reports whether a Query can take a condition on a range attribute.
func rangeable(n *node) bool {
	switch n.op {
	case opEQ, opLT, opLE, opGT, opGE, opBetween:
		return true
	}
	return n.op == opFunc && n.fn == "begins_with"
}

// partitions writes one key condition for each choice of hash values. The same choice twice is one partition.
func (b *Bound) partitions(t *keyTerms) ([]Expression, error) {
	choices := [][]item.Value{nil}
	for _, h := range t.hash {
		var values []item.Value
		for _, n := range h.values {
			v, err := n.val.comparable(b.params)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(values, v.Equal) {
				values = append(values, v)
			}
		}
		var next [][]item.Value
		for _, c := range choices {
			for _, v := range values {
				next = append(next, append(slices.Clip(c), v))
			}
		}
		if choices = next; len(choices) > maxHashValues {
			return nil, errorf("The number of values in the IN condition on the partition key is more than %d", maxHashValues)
		}
	}
	out := make([]Expression, len(choices))
	for i, c := range choices {
		w := newWriter(b.params)
		for j, v := range c {
			if j > 0 {
				w.WriteString(" AND ")
			}
			w.path(t.hash[j].at)
			w.WriteString(" = ")
			w.value(v)
		}
		for _, n := range t.other {
			w.WriteString(" AND ")
			w.node(n)
		}
		var err error
		if out[i], err = w.finish(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// and joins conditions to one expression.
func (b *Bound) and(ns []*node) (Expression, error) {
	w := newWriter(b.params)
	for i, n := range ns {
		if i > 0 {
			w.WriteString(" AND ")
		}
		w.inParens(n, len(ns) > 1 && n.op == opOr)
	}
	return w.finish()
}

// order applies ORDER BY: the hash key orders the partitions named, the range key the items of each partition.
func (b *Bound) order(p *Plan, k Keys, keyed *keyTerms) error {
	if len(b.Order) == 0 {
		return nil
	}
	if b.where == nil {
		return errorf("Must have WHERE clause in the statement when using ORDER BY clause.")
	}
	if keyed == nil {
		return errorf("Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.")
	}
	for _, o := range slices.Backward(b.Order) { // sorts are stable: the first term counts most
		switch {
		case slices.Contains(k.Hash, o.Attribute):
			p.sort(slices.Index(k.Hash, o.Attribute), o.Descending)
		case slices.Contains(k.Range, o.Attribute):
			p.Backward = o.Descending
		default:
			return errorf("Variable reference %s in ORDER BY clause must be part of the primary key", o.Attribute)
		}
	}
	return nil
}

// sort puts the partitions in the order of one of their hash attributes. Values of different types are refused later, by
// the schema.
func (p *Plan) sort(attribute int, descending bool) {
	placeholder := ":v" + strconv.Itoa(attribute)
	slices.SortStableFunc(p.Partitions, func(a, b Expression) int {
		c, _ := item.Compare(a.Values[placeholder], b.Values[placeholder])
		if descending {
			return -c
		}
		return c
	})
}

// Target is the item that an UPDATE, DELETE, EXISTS or a SELECT of one item names by its whole key, and what else must hold.
func (b *Bound) Target(k Keys) (key item.Item, condition Expression, err error) {
	var fields []item.Field
	var rest []*node
	for _, n := range conjuncts(b.where, nil) {
		name := keyOf(n, k)
		if name == "" || n.op != opEQ || slices.ContainsFunc(fields, func(f item.Field) bool { return f.Name == name }) {
			rest = append(rest, n)
			continue
		}
		v, err := n.kids[1].val.comparable(b.params)
		if err != nil {
			return item.Item{}, Expression{}, err
		}
		fields = append(fields, item.Field{Name: name, Value: v})
	}
	if len(fields) < len(k.Hash)+len(k.Range) {
		return item.Item{}, Expression{}, errorf("Where clause does not contain a mandatory equality on all key attributes")
	}
	if b.Kind == Exists && len(rest) != 1 {
		return item.Item{}, Expression{}, malformed("EXISTS takes the whole key and one further condition")
	}
	condition, err = b.and(rest)
	return item.NewItem(fields), condition, err
}
