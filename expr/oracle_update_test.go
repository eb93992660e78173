package expr

import (
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridiandb/meridian/item"
)

// Updates and projections by the evaluator of oracle_test.go. An update writes into a copy of the item in which removed list
// elements leave holes and new ones are kept aside, so that all positions are old ones until the end.

type openList struct {
	elems []any // a hole where one was removed
	extra map[int]any
}

type hole struct{}

func open(v any) any {
	switch v := v.(type) {
	case doc:
		d := doc{}
		for k, e := range v {
			d[k] = open(e)
		}
		return d
	case list:
		l := &openList{extra: map[int]any{}}
		for _, e := range v {
			l.elems = append(l.elems, open(e))
		}
		return l
	}
	return v
}

func closed(v any) any {
	switch v := v.(type) {
	case doc:
		d := doc{}
		for k, e := range v {
			d[k] = closed(e)
		}
		return d
	case *openList:
		l := list{}
		for _, e := range v.elems {
			if e != (hole{}) {
				l = append(l, closed(e))
			}
		}
		for _, i := range slices.Sorted(maps.Keys(v.extra)) {
			l = append(l, closed(v.extra[i]))
		}
		return l
	}
	return v
}

// put writes v, or removes what is there if it is nil; false if the way leads nowhere.
func (p steps) put(d doc, v any) bool {
	var at any = d
	for i, s := range p {
		last := i == len(p)-1
		switch c := at.(type) {
		case doc:
			switch {
			case s.name == "":
				return false
			case !last:
				at = c[s.name]
			case v == nil:
				delete(c, s.name)
			default:
				c[s.name] = open(v)
			}
		case *openList:
			switch {
			case s.name != "":
				return false
			case !last && s.index >= len(c.elems):
				return false
			case !last:
				at = c.elems[s.index]
			case s.index >= len(c.elems):
				if v != nil {
					c.extra[s.index] = open(v)
				}
			case v == nil:
				c.elems[s.index] = hole{}
			default:
				c.elems[s.index] = open(v)
			}
		default:
			return false
		}
	}
	return true
}

type actionGen struct {
	verb  string
	path  steps
	value gen
}

func (g gen) compute(d doc) (any, string) {
	switch g.op {
	case "path":
		if v := g.path.find(d); v != nil {
			return v, ""
		}
		return nil, noOperand
	case "value":
		return plain(g.val), ""
	case "if_not_exists":
		if v := g.kids[0].path.find(d); v != nil {
			return v, ""
		}
		return g.kids[1].compute(d)
	}
	a, err := g.kids[0].compute(d)
	if err != "" {
		return nil, err
	}
	b, err := g.kids[1].compute(d)
	if err != "" {
		return nil, err
	}
	if g.op == "list_append" {
		if kindOf(a) != "L" || kindOf(b) != "L" {
			return nil, badOperand
		}
		return slices.Concat(a.(list), b.(list)), ""
	}
	if kindOf(a) != "N" || kindOf(b) != "N" {
		return nil, badOperand
	}
	if g.op == "+" {
		return new(big.Rat).Add(a.(*big.Rat), b.(*big.Rat)), ""
	}
	return new(big.Rat).Sub(a.(*big.Rat), b.(*big.Rat)), ""
}

func (a actionGen) result(d doc) (any, string) {
	if a.verb == "SET" {
		return a.value.compute(d)
	}
	if a.verb == "REMOVE" {
		return nil, ""
	}
	have, v := a.path.find(d), plain(a.value.val)
	switch {
	case have == nil && a.verb == "ADD":
		return v, ""
	case have == nil:
		return nil, ""
	case kindOf(have) != kindOf(v):
		return nil, badOperand
	}
	if n, ok := have.(*big.Rat); ok {
		return new(big.Rat).Add(n, v.(*big.Rat)), ""
	}
	s := maps.Clone(have.(set))
	for k, e := range v.(set) {
		if delete(s, k); a.verb == "ADD" {
			s[k] = e
		}
	}
	if len(s) == 0 {
		return nil, ""
	}
	return s, ""
}

// update returns the new item, nil if there is none, and all that is wrong.
func update(actions []actionGen, old doc, exists bool) (doc, []string) {
	var wrong []string
	next := open(old).(doc)
	creates := exists
	for _, a := range actions {
		v, err := a.result(old)
		if err != "" {
			wrong = append(wrong, err)
		} else if !a.path.put(next, v) {
			wrong = append(wrong, badPath)
		}
		creates = creates || a.verb == "SET" || a.verb == "ADD"
	}
	if !creates {
		return nil, wrong
	}
	return closed(next).(doc), wrong
}

// keep is what paths lead to.
func keep(v any, paths []steps) any {
	under := func(s step) (rest []steps) {
		for _, p := range paths {
			if p[0] == s {
				rest = append(rest, p[1:])
			}
		}
		return rest
	}
	switch c := v.(type) {
	case doc:
		d := doc{}
		for k, e := range c {
			if e = kept(e, under(step{name: k})); e != nil {
				d[k] = e
			}
		}
		return d
	case list:
		l := list{}
		for i, e := range c {
			if e = kept(e, under(step{index: i})); e != nil {
				l = append(l, e)
			}
		}
		return l
	}
	return nil
}

func kept(v any, rest []steps) any {
	switch {
	case len(rest) == 0:
		return nil
	case len(rest[0]) == 0:
		return v
	}
	switch k := keep(v, rest).(type) {
	case doc:
		if len(k) > 0 {
			return k
		}
	case list:
		if len(k) > 0 {
			return k
		}
	}
	return nil
}

func (w *world) term(d doc, depth int) gen {
	k := w.pick(5, "term")
	if depth > 0 && k > 2 {
		if k == 3 {
			p, v := w.drawPath(d), w.term(d, depth-1)
			return gen{text: "if_not_exists(" + p.String() + "," + v.text + ")", op: "if_not_exists", kids: []gen{{op: "path", path: p}, v}}
		}
		a, b := w.term(d, 0), w.term(d, 0)
		return gen{text: "list_append(" + a.text + ", " + b.text + ")", op: "list_append", kids: []gen{a, b}}
	}
	if k == 0 {
		return w.literal(w.drawValue(1))
	}
	p := w.drawPath(d)
	return gen{text: p.String(), op: "path", path: p}
}

func (w *world) action(d doc) (actionGen, string) {
	a := actionGen{verb: []string{"SET", "SET", "REMOVE", "ADD", "DELETE"}[w.pick(5, "verb")], path: w.drawPath(d)}
	switch a.verb {
	case "REMOVE":
		return a, a.path.String()
	case "ADD", "DELETE":
		v := w.drawValue(0)
		for !v.Kind().IsSet() && (a.verb == "DELETE" || v.Kind() != item.Number) && w.pick(20, "unfit") > 0 {
			v = w.drawValue(0)
		}
		if have := a.path.find(d); kindOf(have) == "N" && a.verb == "ADD" {
			v = item.NumVal(item.NumFromInt(int64(w.pick(9, "more"))))
		}
		a.value = w.literal(v)
		return a, a.path.String() + " " + a.value.text
	}
	a.value = w.term(d, 2)
	if w.pick(3, "sum") == 0 {
		op, b := []string{"+", "-"}[w.pick(2, "sign")], w.literal(item.NumVal(item.NumFromInt(int64(w.pick(9, "more")))))
		if w.pick(4, "term") == 0 {
			b = w.term(d, 1)
		}
		if w.pick(2, "zero") == 0 {
			p, zero := w.drawPath(d), w.literal(item.NumVal(item.NumFromInt(0)))
			a.value = gen{text: "if_not_exists(" + p.String() + "," + zero.text + ")", op: "if_not_exists", kids: []gen{{op: "path", path: p}, zero}}
		}
		a.value = gen{text: a.value.text + op + b.text, op: op, kids: []gen{a.value, b}}
	}
	return a, a.path.String() + " = " + a.value.text
}

func TestUpdatesAgainstOracle(t *testing.T) {
	refused, failed, tested := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t, map[string]item.Value{}}
		it := w.drawItem(3)
		d := plain(it.Map()).(doc)
		exists := w.pick(8, "exists") > 0
		if !exists {
			it, d = item.Item{}, doc{}
		}
		var actions []actionGen
		sections := map[string][]string{}
		for range 1 + w.pick(4, "actions") {
			a, text := w.action(d)
			actions = append(actions, a)
			sections[a.verb] = append(sections[a.verb], text)
		}
		text := ""
		for verb, parts := range sections {
			text += " " + verb + " " + strings.Join(parts, ", ")
		}
		ast, err := ParseUpdate(text)
		if err != nil && !strings.Contains(err.Error(), "used this way") {
			t.Fatalf("%s: %v", text, err)
		}
		if err != nil {
			refused++
			return
		}
		u, err := ast.Bind(NewParams(nil, w.values))
		if err != nil { // overlapping paths, literals of a wrong type: tables test those
			refused++
			return
		}
		res, err := u.Apply(it, nil)
		want, wrong := update(actions, d, exists)
		if (err != nil) != (len(wrong) > 0) || err != nil && !slices.Contains(wrong, err.Error()) {
			t.Fatalf("%s of %s: %v, not %q", text, show1(it), err, wrong)
		}
		if err != nil {
			failed++
			return
		}
		tested++
		var paths []steps
		for _, a := range actions {
			paths = append(paths, a.path)
		}
		for what, pair := range map[string][2]any{
			"item": {plain(res.Item.Map()), want}, "old": {plain(res.UpdatedOld.Map()), keep(d, paths)}, "new": {plain(res.UpdatedNew.Map()), keep(want, paths)},
		} {
			if (what == "old" && !exists || want == nil) && pair[0] == nil {
				continue
			}
			if repr(pair[0]) != repr(pair[1]) {
				t.Fatalf("%s of %s: %s is %s, not %s", text, show1(it), what, repr(pair[0]), repr(pair[1]))
			}
		}
	})
	t.Logf("%d tested, %d failed at run time, %d refused", tested, failed, refused)
}

func TestProjectionsAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t, map[string]item.Value{}}
		it := w.drawItem(3)
		d := plain(it.Map()).(doc)
		var paths []steps
		var texts []string
		for range 1 + w.pick(4, "paths") {
			p := w.drawPath(d)
			paths, texts = append(paths, p), append(texts, p.String())
		}
		text := strings.Join(texts, ",")
		a, err := ParseProjection(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		p, err := a.Bind(NewParams(nil, nil))
		if disjointSteps(paths) != (err == nil) {
			t.Fatalf("%s: %v", text, err)
		}
		if err != nil {
			return
		}
		if got, want := repr(plain(p.Apply(it).Map())), repr(keep(d, paths)); got != want {
			t.Fatalf("%s of %s: %s, not %s", text, show1(it), got, want)
		}
	})
}

// disjointSteps compares all pairs.
func disjointSteps(paths []steps) bool {
	for i, p := range paths {
		for _, q := range paths[:i] {
			n := 0
			for n < len(p) && n < len(q) && p[n] == q[n] {
				n++
			}
			if n == len(p) || n == len(q) || n > 0 && (p[n].name == "") != (q[n].name == "") {
				return false
			}
		}
	}
	return true
}
