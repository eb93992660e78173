package expr

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/meridiandb/meridian/item"
)

// A second evaluator, slow and obvious, over plain Go values: string, *big.Rat, []byte as bin, bool, nothing (NULL), set,
// list and doc. It is written from DYNAMODB.md 4.5 to 4.8 and shares no code with the package: random expressions are
// generated as trees, evaluated by it as trees, and by the package as texts.

type (
	bin     string
	nothing struct{}
	set     map[string]any // members by their print
	list    []any
	doc     map[string]any
	step    struct {
		name  string
		index int // if name is ""
	}
	steps []step
)

func plain(v item.Value) any {
	switch v.Kind() {
	case item.String:
		return v.Text()
	case item.Number:
		r, _ := new(big.Rat).SetString(v.Num().String())
		return r
	case item.Binary:
		return bin(v.Bytes())
	case item.Bool:
		return v.Bool()
	case item.Null:
		return nothing{}
	case item.List:
		l := list{}
		for e := range v.Elems() {
			l = append(l, plain(e))
		}
		return l
	case item.Map:
		d := doc{}
		for name, e := range v.Fields() {
			d[name] = plain(e)
		}
		return d
	case item.None:
		return nil
	}
	s := set{}
	for e := range v.Elems() {
		s[repr(plain(e))] = plain(e)
	}
	return s
}

// repr prints a value so that equal values, and only they, print alike.
func repr(v any) string {
	switch v := v.(type) {
	case *big.Rat:
		return "n" + v.RatString()
	case set:
		return fmt.Sprint("set", sortedKeys(v))
	case list:
		parts := []string{}
		for _, e := range v {
			parts = append(parts, repr(e))
		}
		return fmt.Sprintf("list%q", parts)
	case doc:
		parts := []string{}
		for _, k := range sortedKeys(v) {
			parts = append(parts, k, repr(v[k]))
		}
		return fmt.Sprintf("doc%q", parts)
	}
	return fmt.Sprintf("%T%#v", v, v)
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return "S"
	case *big.Rat:
		return "N"
	case bin:
		return "B"
	case bool:
		return "BOOL"
	case nothing:
		return "NULL"
	case list:
		return "L"
	case doc:
		return "M"
	case set:
		for _, e := range v {
			return kindOf(e) + "S"
		}
	}
	return ""
}

func (p steps) find(d doc) any {
	var at any = d
	for _, s := range p {
		switch v := at.(type) {
		case doc:
			if s.name == "" {
				return nil
			}
			at = v[s.name]
		case list:
			if s.name != "" || s.index >= len(v) {
				return nil
			}
			at = v[s.index]
		default:
			return nil
		}
	}
	return at
}

func (p steps) String() string {
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.name == "":
			fmt.Fprintf(&b, "[%d]", s.index)
		case i > 0:
			b.WriteString("." + s.name)
		default:
			b.WriteString(s.name)
		}
	}
	return b.String()
}

// tree is a generated expression: its text and what it is.
type gen struct {
	text string
	op   string
	kids []gen
	path steps
	val  item.Value
}

func (g gen) value(d doc) any {
	switch g.op {
	case "path":
		return g.path.find(d)
	case "value":
		return plain(g.val)
	}
	switch v := g.kids[0].value(d).(type) { // size
	case string:
		return big.NewRat(int64(len(utf16.Encode([]rune(v)))), 1)
	case bin:
		return big.NewRat(int64(len(v)), 1)
	case list:
		return big.NewRat(int64(len(v)), 1)
	case doc:
		return big.NewRat(int64(len(v)), 1)
	case set:
		return big.NewRat(int64(len(v)), 1)
	}
	return nil
}

// rank compares two scalars of one type.
func rank(a, b any) (int, bool) {
	if kindOf(a) != kindOf(b) {
		return 0, false
	}
	switch a := a.(type) {
	case string:
		return strings.Compare(a, b.(string)), true
	case bin:
		return strings.Compare(string(a), string(b.(bin))), true
	case *big.Rat:
		return a.Cmp(b.(*big.Rat)), true
	}
	return 0, false
}

func (g gen) holds(d doc) bool {
	switch g.op {
	case "and":
		return g.kids[0].holds(d) && g.kids[1].holds(d)
	case "or":
		return g.kids[0].holds(d) || g.kids[1].holds(d)
	case "not":
		return !g.kids[0].holds(d)
	}
	v := make([]any, len(g.kids))
	for i, k := range g.kids {
		v[i] = k.value(d)
	}
	same := func(a, b any) bool { return a != nil && b != nil && repr(a) == repr(b) }
	switch g.op {
	case "=":
		return same(v[0], v[1])
	case "<>":
		if g.kids[0].op == "size" && v[0] == nil || g.kids[1].op == "size" && v[1] == nil {
			return false
		}
		return !same(v[0], v[1])
	case "<", "<=", ">", ">=":
		c, ok := rank(v[0], v[1])
		return ok && map[string]bool{"<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[g.op]
	case "between":
		lo, ok1 := rank(v[1], v[0])
		hi, ok2 := rank(v[0], v[2])
		return ok1 && ok2 && lo <= 0 && hi <= 0
	case "in":
		return slices.ContainsFunc(v[1:], func(w any) bool { return same(v[0], w) })
	case "attribute_exists":
		return v[0] != nil
	case "attribute_not_exists":
		return v[0] == nil
	case "attribute_type":
		return v[0] != nil && kindOf(v[0]) == v[1].(string)
	case "begins_with":
		switch a := v[0].(type) {
		case string:
			b, ok := v[1].(string)
			return ok && strings.HasPrefix(a, b)
		case bin:
			b, ok := v[1].(bin)
			return ok && strings.HasPrefix(string(a), string(b))
		}
		return false
	}
	switch a := v[0].(type) { // contains
	case string:
		b, ok := v[1].(string)
		return ok && strings.Contains(a, b)
	case bin:
		b, ok := v[1].(bin)
		return ok && strings.Contains(string(a), string(b))
	case set:
		return v[1] != nil && a[repr(v[1])] != nil
	case list:
		return slices.ContainsFunc(a, func(e any) bool { return same(e, v[1]) })
	}
	return false
}

// world draws items, values and expressions from few names and values, so that they meet.
type world struct {
	t      *rapid.T
	values map[string]item.Value
}

var attrNames = []string{"a", "b", "c", "d"}

func (w *world) pick(n int, label string) int { return rapid.IntRange(0, n-1).Draw(w.t, label) }

func (w *world) scalar() item.Value {
	switch w.pick(3, "scalar") {
	case 0:
		return item.Str([]string{"", "x", "xy", "y", "é𝄞", "S", "L"}[w.pick(7, "string")])
	case 1:
		return item.NumVal(item.NumFromInt(int64(w.pick(5, "number")) - 1))
	}
	return item.Bin([]byte{1, 2, 3}[w.pick(3, "from"):])
}

func (w *world) drawValue(depth int) item.Value {
	switch k := w.pick(9, "kind"); {
	case k < 4:
		return w.scalar()
	case k == 4:
		return item.BoolVal(w.pick(2, "bool") == 0)
	case k == 5:
		return item.NullVal()
	case k == 6:
		var elems []item.Value
		for i := range 1 + w.pick(3, "members") {
			elems = append(elems, item.NumVal(item.NumFromInt(int64(i+w.pick(3, "member")*10))))
		}
		if w.pick(2, "strings") == 0 {
			for i := range elems {
				elems[i] = item.Str("xyz"[:i+1])
			}
			v, _ := item.NewSet(item.StringSet, elems)
			return v
		}
		v, _ := item.NewSet(item.NumberSet, elems)
		return v
	case depth == 0:
		return w.scalar()
	case k == 7:
		var elems []item.Value
		for range w.pick(4, "len") {
			elems = append(elems, w.drawValue(depth-1))
		}
		return item.NewList(elems)
	}
	return w.drawItem(depth - 1).Map()
}

func (w *world) drawItem(depth int) item.Item {
	var fields []item.Field
	for _, name := range attrNames {
		if w.pick(3, name) > 0 {
			fields = append(fields, item.Field{Name: name, Value: w.drawValue(depth)})
		}
	}
	return item.NewItem(fields)
}

// drawPath leads into the item more often than not.
func (w *world) drawPath(d doc) steps {
	p := steps{{name: attrNames[w.pick(4, "attr")]}}
	for range w.pick(4, "steps") {
		isList := false
		switch p.find(d).(type) {
		case doc:
		case list:
			isList = true
		default:
			if w.pick(12, "on") > 0 {
				return p
			}
		}
		if isList != (w.pick(20, "astray") == 0) {
			p = append(p, step{index: w.pick(4, "index")})
		} else {
			p = append(p, step{name: attrNames[w.pick(4, "attr")]})
		}
	}
	return p
}

func (w *world) literal(v item.Value) gen {
	name := fmt.Sprintf(":v%d", len(w.values))
	w.values[name] = v
	return gen{text: name, op: "value", val: v}
}

func (w *world) operand(d doc) gen {
	switch k := w.pick(6, "operand"); {
	case k < 3:
		p := w.drawPath(d)
		return gen{text: p.String(), op: "path", path: p}
	case k == 3:
		p := w.drawPath(d)
		return gen{text: "size(" + p.String() + ")", op: "size", kids: []gen{{op: "path", path: p}}}
	case k == 4:
		g := w.operand(d)
		if strings.HasPrefix(g.text, "(") {
			return g
		}
		g.text = "(" + g.text + ")"
		return g
	}
	return w.literal(w.drawValue(1))
}

func (w *world) condition(d doc, depth int) gen {
	if depth > 0 {
		switch w.pick(4, "join") {
		case 0, 1:
			op := []string{"and", "or"}[w.pick(2, "and")]
			l, r := w.condition(d, depth-1), w.condition(d, depth-1)
			return gen{text: group(l) + " " + op + " " + group(r), op: op, kids: []gen{l, r}}
		case 2:
			g := w.condition(d, depth-1)
			return gen{text: "NOT " + group(g), op: "not", kids: []gen{g}}
		}
	}
	a := w.operand(d)
	switch w.pick(6, "condition") {
	case 0:
		b, c := w.literal(w.scalar()), w.literal(w.scalar())
		return gen{text: a.text + " BETWEEN " + b.text + " AND " + c.text, op: "between", kids: []gen{a, b, c}}
	case 1:
		b, c := w.operand(d), w.operand(d)
		return gen{text: a.text + " IN (" + b.text + ", " + c.text + ")", op: "in", kids: []gen{a, b, c}}
	case 2:
		f := []string{"attribute_exists", "attribute_not_exists", "attribute_type"}[w.pick(3, "function")]
		p := w.drawPath(d)
		g := gen{op: f, kids: []gen{{op: "path", path: p}}}
		if f != "attribute_type" {
			g.text = f + "(" + p.String() + ")"
			return g
		}
		b := w.literal(item.Str([]string{"S", "N", "B", "BOOL", "NULL", "SS", "NS", "L", "M"}[w.pick(9, "type")]))
		g.text, g.kids = f+"("+p.String()+","+b.text+")", append(g.kids, b)
		return g
	case 3:
		f := []string{"contains", "begins_with"}[w.pick(2, "function")]
		b := w.operand(d)
		return gen{text: f + "(" + a.text + "," + b.text + ")", op: f, kids: []gen{a, b}}
	}
	op := []string{"=", "<>", "<", "<=", ">", ">="}[w.pick(6, "comparator")]
	b := w.operand(d)
	return gen{text: a.text + op + b.text, op: op, kids: []gen{a, b}}
}

func group(g gen) string {
	switch g.op {
	case "and", "or", "not":
		return "(" + g.text + ")"
	}
	return g.text
}

func TestConditionsAgainstOracle(t *testing.T) {
	refused, tested := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t, map[string]item.Value{}}
		it := w.drawItem(3)
		d := plain(it.Map()).(doc)
		g := w.condition(d, 3)
		a, err := ParseCondition(FilterExpression, g.text)
		if err != nil {
			t.Fatalf("%s: %v", g.text, err)
		}
		c, err := a.Bind(NewParams(nil, w.values))
		if err != nil { // two equal paths, a literal of a wrong type: tables test those
			refused++
			return
		}
		tested++
		if got, err := c.Eval(it); err != nil || got != g.holds(d) {
			t.Fatalf("%s of %s: %v %v", g.text, it.AppendJSON(nil), got, err)
		}
	})
	t.Logf("%d tested, %d refused", tested, refused)
	if tested < refused/4 {
		t.Errorf("%d tested, %d refused", tested, refused)
	}
}
