package legacy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
)

func v(t testing.TB, text string) item.Value {
	t.Helper()
	val, err := item.ReadValue(jsontext.NewDecoder(strings.NewReader(text)))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return val
}

func doc(t testing.TB, text string) item.Item {
	if text == "" {
		return item.Item{}
	}
	return v(t, `{"M":`+text+`}`).Item()
}

func message(err error) string {
	if err == nil {
		return ""
	}
	if e := (*expr.Error)(nil); !errors.As(err, &e) {
		return fmt.Sprintf("%T: %v", err, err)
	}
	return strings.TrimPrefix(err.Error(), invalid)
}

// DYNAMODB.md 4.9: numbers and types of values.
func TestConditionRules(t *testing.T) {
	s, n, b, null, ss, l := v(t, `{"S":"a"}`), v(t, `{"N":"1"}`), v(t, `{"B":"AQ=="}`), v(t, `{"NULL":true}`), v(t, `{"SS":["a"]}`), v(t, `{"L":[]}`)
	kinds := map[string][]item.Value{"S": {s}, "N": {n}, "B": {b}, "NULL": {null}, "SS": {ss}, "L": {l}}
	ordered := "S N B"
	for op, takes := range map[string]string{
		"EQ": "S N B NULL SS L", "NE": "S N B NULL SS L", "LT": ordered, "LE": ordered, "GT": ordered, "GE": ordered,
		"IN": ordered, "CONTAINS": ordered, "NOT_CONTAINS": ordered, "BEGINS_WITH": "S B", "BETWEEN": ordered, "NULL": "", "NOT_NULL": "",
	} {
		for kind, vals := range kinds {
			want := ""
			if op == "BETWEEN" {
				vals = append(vals, vals[0])
			}
			switch {
			case takes == "":
				want = "Invalid number of argument(s) for the " + op + " ComparisonOperator"
			case !strings.Contains(" "+takes+" ", " "+kind+" "):
				want = "ComparisonOperator " + op + " is not valid for " + kind + " AttributeValue type"
			}
			if _, err := Filter([]Condition{{"a", op, vals}}, ""); message(err) != want {
				t.Errorf("%s %s: %v", op, kind, err)
			}
		}
		for count := range 4 {
			ok := map[string]bool{"IN": count > 0, "BETWEEN": count == 2, "NULL": count == 0, "NOT_NULL": count == 0}
			fine, special := ok[op]
			if !special {
				fine = count == 1
			}
			want := ""
			if !fine {
				want = "Invalid number of argument(s) for the " + op + " ComparisonOperator"
			}
			if _, err := Filter([]Condition{{"a", op, []item.Value{s, s, s}[:count]}}, ""); message(err) != want {
				t.Errorf("%s of %d: %v", op, count, err)
			}
		}
	}
	for _, c := range []struct {
		op   string
		vals []item.Value
		want string
	}{
		{"IN", []item.Value{s, n}, "AttributeValues inside AttributeValueList must be of same type"},
		{"BETWEEN", []item.Value{s, ss}, "AttributeValues inside AttributeValueList must be of same type"},
		{"BETWEEN", []item.Value{v(t, `{"N":"10"}`), v(t, `{"N":"9"}`)}, "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"},
		{"BETWEEN", []item.Value{v(t, `{"S":"10"}`), v(t, `{"S":"9"}`)}, ""},
		{"EQ", []item.Value{s, n}, "Invalid number of argument(s) for the EQ ComparisonOperator"},
	} {
		if _, err := Filter([]Condition{{"a", c.op, c.vals}}, ""); message(err) != c.want {
			t.Errorf("%s: %v", c.op, err)
		}
	}
}

// DYNAMODB.md 4.9: the forms of Expected and what may not stand together.
func TestExpectedRules(t *testing.T) {
	s := v(t, `{"S":"x"}`)
	list := []item.Value{s}
	for _, c := range []struct {
		e    Expectation
		want string
	}{
		{Expectation{Value: s}, ""},
		{Expectation{Value: s, Exists: true, ExistsSet: true}, ""},
		{Expectation{ExistsSet: true}, ""},
		{Expectation{Operator: "EQ", Values: list, ValuesSet: true}, ""},
		{Expectation{Operator: "EQ", Value: s}, ""},
		{Expectation{Operator: "NULL"}, ""},
		{Expectation{Operator: "NOT_NULL", ValuesSet: true}, ""},
		{Expectation{Value: s, Values: list, ValuesSet: true}, "Value and AttributeValueList cannot be used together for Attribute: a"},
		{Expectation{Value: s, Values: list, ValuesSet: true, Operator: "EQ", ExistsSet: true}, "Value and AttributeValueList cannot be used together for Attribute: a"},
		{Expectation{ExistsSet: true, Operator: "EQ", Values: list, ValuesSet: true}, "Exists and ComparisonOperator cannot be used together for Attribute: a"},
		{Expectation{Operator: "EQ"}, "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a"},
		{Expectation{Operator: "BETWEEN"}, "Value or AttributeValueList must be used with ComparisonOperator: BETWEEN for Attribute: a"},
		{Expectation{Values: list, ValuesSet: true}, "AttributeValueList can only be used with a ComparisonOperator for Attribute: a"},
		{Expectation{Values: list, ValuesSet: true, ExistsSet: true}, "AttributeValueList can only be used with a ComparisonOperator for Attribute: a"},
		{Expectation{}, "Value must be provided when Exists is null for Attribute: a"},
		{Expectation{Exists: true, ExistsSet: true}, "Value must be provided when Exists is true for Attribute: a"},
		{Expectation{Value: s, ExistsSet: true}, "Value cannot be used when Exists is false for Attribute: a"},
		{Expectation{Operator: "EQ", ValuesSet: true}, "Invalid number of argument(s) for the EQ ComparisonOperator"},
		{Expectation{Operator: "NULL", Value: s}, "Invalid number of argument(s) for the NULL ComparisonOperator"},
		{Expectation{Operator: "BETWEEN", Value: s}, "Invalid number of argument(s) for the BETWEEN ComparisonOperator"},
		{Expectation{Operator: "LT", Value: v(t, `{"SS":["x"]}`)}, "ComparisonOperator LT is not valid for SS AttributeValue type"},
	} {
		c.e.Name = "a"
		if _, err := Expected([]Expectation{c.e}, ""); message(err) != c.want {
			t.Errorf("%+v: %v", c.e, err)
		}
	}
}

// DYNAMODB.md 4.9: ConditionalOperator needs something to join; nothing expected always holds.
func TestConditionalOperator(t *testing.T) {
	entry := Condition{"a", "NULL", nil}
	expected := Expectation{Name: "a", Operator: "NULL"}
	const (
		none = "ConditionalOperator cannot be used without Filter or Expected"
		one  = "ConditionalOperator can only be used when Filter or Expected has two or more elements"
	)
	for n, wants := range []map[string]string{
		{"": "", "AND": none, "OR": none},
		{"": "", "AND": one, "OR": one},
		{"": "", "AND": "", "OR": ""},
	} {
		for op, want := range wants {
			c, err := Filter([]Condition{entry, entry}[:n], op)
			if message(err) != want || (c == nil) != (n == 0 || want != "") {
				t.Errorf("filter of %d %q: %v %v", n, op, c, err)
			}
			c, err = Expected([]Expectation{expected, expected}[:n], op)
			if message(err) != want || (c == nil) != (n == 0 || want != "") {
				t.Errorf("expected of %d %q: %v %v", n, op, c, err)
			}
		}
	}
}

// DYNAMODB.md 4.9: what the operators mean.
func TestConditionSense(t *testing.T) {
	it := doc(t, `{"a":{"S":"xyz"},"n":{"N":"3"},"null":{"NULL":true},"ss":{"SS":["p","q"]},"l":{"L":[{"N":"1"},{"S":"p"}]},"a.b":{"S":"dot"},"d":{"M":{"e":{"N":"1"}}}}`)
	vals := func(texts ...string) (out []item.Value) {
		for _, x := range texts {
			out = append(out, v(t, x))
		}
		return out
	}
	for _, c := range []struct {
		name, op string
		vals     []item.Value
		want     bool
	}{
		{"a", "EQ", vals(`{"S":"xyz"}`), true}, {"a", "EQ", vals(`{"N":"3"}`), false}, {"x", "EQ", vals(`{"S":"a"}`), false},
		{"ss", "EQ", vals(`{"SS":["q","p"]}`), true}, {"a.b", "EQ", vals(`{"S":"dot"}`), true}, {"d.e", "EQ", vals(`{"N":"1"}`), false},
		{"n", "NE", vals(`{"N":"3.0"}`), false}, {"n", "NE", vals(`{"S":"3"}`), true}, {"x", "NE", vals(`{"S":"a"}`), true},
		{"n", "LT", vals(`{"N":"4"}`), true}, {"n", "LE", vals(`{"N":"3"}`), true}, {"n", "GT", vals(`{"N":"3"}`), false},
		{"n", "GE", vals(`{"N":"3"}`), true}, {"n", "LT", vals(`{"S":"9"}`), false}, {"x", "LT", vals(`{"N":"4"}`), false},
		{"n", "BETWEEN", vals(`{"N":"3"}`, `{"N":"4"}`), true}, {"n", "BETWEEN", vals(`{"N":"4"}`, `{"N":"5"}`), false},
		{"n", "IN", vals(`{"N":"1"}`, `{"N":"3"}`), true}, {"n", "IN", vals(`{"N":"1"}`), false}, {"x", "IN", vals(`{"N":"1"}`), false},
		{"a", "BEGINS_WITH", vals(`{"S":"xy"}`), true}, {"a", "BEGINS_WITH", vals(`{"S":"y"}`), false}, {"n", "BEGINS_WITH", vals(`{"S":"3"}`), false},
		{"a", "CONTAINS", vals(`{"S":"yz"}`), true}, {"ss", "CONTAINS", vals(`{"S":"p"}`), true}, {"l", "CONTAINS", vals(`{"N":"1"}`), true},
		{"ss", "CONTAINS", vals(`{"N":"1"}`), false}, {"x", "CONTAINS", vals(`{"S":"p"}`), false},
		{"a", "NOT_CONTAINS", vals(`{"S":"yz"}`), false}, {"ss", "NOT_CONTAINS", vals(`{"S":"z"}`), true}, {"x", "NOT_CONTAINS", vals(`{"S":"p"}`), true},
		{"null", "NULL", nil, false}, {"null", "NOT_NULL", nil, true}, {"x", "NULL", nil, true}, {"x", "NOT_NULL", nil, false},
	} {
		f, err := Filter([]Condition{{c.name, c.op, c.vals}}, "")
		if err != nil {
			t.Errorf("%s %s: %v", c.name, c.op, err)
			continue
		}
		if got, _ := f.Eval(it); got != c.want {
			t.Errorf("%s %s %v: %v", c.name, c.op, c.vals, got)
		}
		if got := f.TopLevelNames(); len(got) != 1 || got[0] != c.name || len(f.Inside()) != 0 {
			t.Error(got, f.Inside())
		}
	}
	yes, no := Condition{"a", "NOT_NULL", nil}, Condition{"x", "NOT_NULL", nil}
	for _, c := range []struct {
		entries []Condition
		op      string
		want    bool
	}{
		{[]Condition{yes, yes, yes}, "", true}, {[]Condition{yes, no, yes}, "AND", false}, {[]Condition{no, no, yes}, "OR", true},
		{[]Condition{no, no, no}, "OR", false}, {[]Condition{yes, yes, no}, "", false},
	} {
		f, err := Filter(c.entries, c.op)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := f.Eval(it); got != c.want {
			t.Errorf("%v %s: %v", c.entries, c.op, got)
		}
	}
	for _, c := range []struct {
		e    Expectation
		want bool
	}{
		{Expectation{Name: "a", Value: v(t, `{"S":"xyz"}`)}, true},
		{Expectation{Name: "a", Value: v(t, `{"S":"x"}`), Exists: true, ExistsSet: true}, false},
		{Expectation{Name: "a", ExistsSet: true}, false},
		{Expectation{Name: "x", ExistsSet: true}, true},
		{Expectation{Name: "n", Operator: "GE", Value: v(t, `{"N":"3"}`)}, true},
	} {
		f, err := Expected([]Expectation{c.e}, "")
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := f.Eval(it); got != c.want {
			t.Errorf("%+v: %v", c.e, got)
		}
		if got, _ := f.Eval(item.Item{}); got != (c.e.ExistsSet && !c.e.Exists) {
			t.Errorf("%+v of no item: %v", c.e, got)
		}
	}
	many := make([]Condition, 100_000)
	for i := range many {
		many[i] = yes
	}
	f, err := Filter(many, "")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := f.Eval(it); !ok {
		t.Error("many")
	}
}

// DYNAMODB.md 4.9: AttributeUpdates.
func TestAttributeUpdates(t *testing.T) {
	for _, c := range []struct{ action, value, want string }{
		{"", "", "Only DELETE action is allowed when no attribute value is specified"},
		{"PUT", "", "Only DELETE action is allowed when no attribute value is specified"},
		{"ADD", "", "Only DELETE action is allowed when no attribute value is specified"},
		{"DELETE", `{"S":"x"}`, "DELETE action with value is not supported for the type S"},
		{"DELETE", `{"N":"1"}`, "DELETE action with value is not supported for the type N"},
		{"DELETE", `{"L":[]}`, "DELETE action with value is not supported for the type L"},
		{"ADD", `{"S":"x"}`, "ADD action is not supported for the type S"},
		{"ADD", `{"M":{}}`, "ADD action is not supported for the type M"},
		{"ADD", `{"BOOL":true}`, "ADD action is not supported for the type BOOL"},
		{"ADD", `{"NULL":true}`, "ADD action is not supported for the type NULL"},
	} {
		e := AttributeUpdate{Name: "a", Action: c.action}
		if c.value != "" {
			e.Value = v(t, c.value)
		}
		if _, err := AttributeUpdates([]AttributeUpdate{e}); message(err) != c.want || !strings.HasPrefix(err.Error(), invalid) {
			t.Errorf("%s %s: %v", c.action, c.value, err)
		}
	}
	if u, err := AttributeUpdates(nil); u != nil || err != nil {
		t.Error(u, err)
	}
	const before = `{"pk":{"S":"k"},"a":{"S":"x"},"n":{"N":"3"},"ss":{"SS":["p","q"]},"l":{"L":[{"N":"1"}]}}`
	for _, c := range []struct {
		old, name, action, value, want string
	}{
		{before, "a", "", `{"S":"y"}`, `{"a":{"S":"y"},"l":{"L":[{"N":"1"}]},"n":{"N":"3"},"pk":{"S":"k"},"ss":{"SS":["p","q"]}}`},
		{before, "a.b", "PUT", `{"S":"y"}`, `{"a":{"S":"x"},"a.b":{"S":"y"},"l":{"L":[{"N":"1"}]},"n":{"N":"3"},"pk":{"S":"k"},"ss":{"SS":["p","q"]}}`},
		{before, "n", "ADD", `{"N":"4"}`, `{"a":{"S":"x"},"l":{"L":[{"N":"1"}]},"n":{"N":"7"},"pk":{"S":"k"},"ss":{"SS":["p","q"]}}`},
		{before, "l", "ADD", `{"L":[{"S":"z"}]}`, `{"a":{"S":"x"},"l":{"L":[{"N":"1"},{"S":"z"}]},"n":{"N":"3"},"pk":{"S":"k"},"ss":{"SS":["p","q"]}}`},
		{before, "ss", "ADD", `{"SS":["q","r"]}`, `{"a":{"S":"x"},"l":{"L":[{"N":"1"}]},"n":{"N":"3"},"pk":{"S":"k"},"ss":{"SS":["p","q","r"]}}`},
		{before, "ss", "DELETE", `{"SS":["q","r"]}`, `{"a":{"S":"x"},"l":{"L":[{"N":"1"}]},"n":{"N":"3"},"pk":{"S":"k"},"ss":{"SS":["p"]}}`},
		{before, "ss", "DELETE", `{"SS":["q","p"]}`, `{"a":{"S":"x"},"l":{"L":[{"N":"1"}]},"n":{"N":"3"},"pk":{"S":"k"}}`},
		{before, "ss", "DELETE", ``, `{"a":{"S":"x"},"l":{"L":[{"N":"1"}]},"n":{"N":"3"},"pk":{"S":"k"}}`},
		{before, "x", "DELETE", ``, before},
		{before, "a", "ADD", `{"N":"4"}`, "Type mismatch for attribute to update"},
		{before, "n", "ADD", `{"L":[]}`, "Type mismatch for attribute to update"},
		{before, "ss", "DELETE", `{"NS":["1"]}`, "Type mismatch for attribute to update"},
		{"", "n", "ADD", `{"N":"4"}`, `{"n":{"N":"4"},"pk":{"S":"k"}}`},
		{"", "l", "ADD", `{"L":[]}`, `{"l":{"L":[]},"pk":{"S":"k"}}`},
		{"", "a", "PUT", `{"S":"y"}`, `{"a":{"S":"y"},"pk":{"S":"k"}}`},
		{"", "a", "DELETE", ``, ``},
		{"", "a", "DELETE", `{"SS":["q"]}`, ``},
	} {
		e := AttributeUpdate{Name: c.name, Action: c.action}
		if c.value != "" {
			e.Value = v(t, c.value)
		}
		u, err := AttributeUpdates([]AttributeUpdate{e})
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		res, err := u.Apply(doc(t, c.old), []item.Field{{Name: "pk", Value: item.Str("k")}})
		got := message(err)
		if err == nil && !res.Item.IsZero() {
			got = string(res.Item.AppendJSON(nil))
		}
		want := c.want
		if strings.HasPrefix(want, "{") {
			want = string(doc(t, want).AppendJSON(nil))
		}
		if got != want {
			t.Errorf("%+v\n got %s", c, got)
		}
	}
	u, err := AttributeUpdates([]AttributeUpdate{
		{"n", "ADD", v(t, `{"N":"1"}`)}, {"l", "ADD", v(t, `{"L":[]}`)}, {"s", "DELETE", v(t, `{"SS":["x"]}`)}, {"x", "DELETE", item.Value{}}, {"y", "", v(t, `{"S":"x"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := u.Adds(); len(a) != 2 || a[0].Name != "n" || a[1].Name != "s" || !a[1].Remove {
		t.Error(a)
	}
	if got := fmt.Sprint(u.TopLevelNames()); got != "[l n s x y]" {
		t.Error(got)
	}
}

// DYNAMODB.md 4.9 and 4.6: KeyConditions.
func TestKeyConditions(t *testing.T) {
	schema := item.KeySchema{Hash: []item.KeyAttr{{Name: "pk", Kind: item.String}}, Range: []item.KeyAttr{{Name: "sk", Kind: item.Number}}}
	s, n, m := v(t, `{"S":"x"}`), v(t, `{"N":"1"}`), v(t, `{"N":"2"}`)
	hash := Condition{"pk", "EQ", []item.Value{s}}
	for _, c := range []struct {
		entries []Condition
		want    string
		op      expr.RangeOp
	}{
		{[]Condition{hash}, "", expr.RangeAll},
		{[]Condition{{"sk", "LT", []item.Value{n}}, hash}, "", expr.RangeLT},
		{[]Condition{{"sk", "LE", []item.Value{n}}, hash}, "", expr.RangeLE},
		{[]Condition{{"sk", "GT", []item.Value{n}}, hash}, "", expr.RangeGT},
		{[]Condition{{"sk", "GE", []item.Value{n}}, hash}, "", expr.RangeGE},
		{[]Condition{{"sk", "BETWEEN", []item.Value{n, m}}, hash}, "", expr.RangeBetween},
		{[]Condition{{"sk", "BETWEEN", []item.Value{m, n}}, hash}, "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound", 0},
		{[]Condition{hash, {"sk", "NE", []item.Value{n}}}, "Attempted conditional constraint is not an indexable operation", 0},
		{[]Condition{hash, {"sk", "IN", []item.Value{n}}}, "Attempted conditional constraint is not an indexable operation", 0},
		{[]Condition{hash, {"sk", "NULL", nil}}, "Attempted conditional constraint is not an indexable operation", 0},
		{[]Condition{hash, {"sk", "CONTAINS", []item.Value{n}}}, "Attempted conditional constraint is not an indexable operation", 0},
		{[]Condition{hash, {"sk", "BEGINS_WITH", []item.Value{n}}}, "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type", 0},
		{[]Condition{hash, {"sk", "LT", nil}}, "Invalid number of argument(s) for the LT ComparisonOperator", 0},
		{[]Condition{hash, {"sk", "LT", []item.Value{s}}}, "Condition parameter type does not match schema type", 0},
		{nil, "Conditions can be of length 1 or 2 only", 0},
		{[]Condition{hash, {"sk", "EQ", []item.Value{n}}, {"x", "EQ", []item.Value{n}}}, "Conditions can be of length 1 or 2 only", 0},
		{[]Condition{{"sk", "EQ", []item.Value{n}}}, "Query condition missed key schema element: pk", 0},
		{[]Condition{{"pk", "GT", []item.Value{s}}}, "Query key condition not supported", 0},
	} {
		k, err := KeyConditions(c.entries)
		var r expr.KeyRange
		if err == nil {
			r, err = k.Resolve(schema)
		}
		if message(err) != c.want || r.Op != c.op && err == nil {
			t.Errorf("%v: %v %v", c.entries, r, err)
		}
	}
}

// DYNAMODB.md 4.7: AttributesToGet.
func TestAttributesToGet(t *testing.T) {
	p, err := AttributesToGet([]string{"b", "a.b", "x"})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(p.Apply(doc(t, `{"a":{"M":{"b":{"N":"1"}}},"a.b":{"N":"2"},"b":{"N":"3"}}`)).AppendJSON(nil)); got != `{"a.b":{"N":"2"},"b":{"N":"3"}}` {
		t.Error(got)
	}
	if _, err := AttributesToGet([]string{"a", "b", "a"}); message(err) != "Duplicate value in attribute name: a" {
		t.Error(err)
	}
}
