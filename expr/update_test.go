package expr

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/item"
)

// DYNAMODB.md 4.1 to 4.4 and 4.8: what is no update.
func TestUpdateChecks(t *testing.T) {
	const (
		types    = "Incorrect operand type for operator or function; operator or function: "
		operand  = "Incorrect operand type for operator or function; operator: "
		overlap  = "Two document paths overlap with each other; must remove or rewrite one of these paths; "
		conflict = "Two document paths conflict with each other; must remove or rewrite one of these paths; "
		way      = "The function is not allowed to be used this way in an expression; function: "
		pathOnly = "Operator or function requires a document path; operator or function: "
	)
	pluses := func(n int) string {
		var parts []string
		for i := range n {
			parts = append(parts, fmt.Sprintf("x%d=b+:n", i))
		}
		return "SET " + strings.Join(parts, ",")
	}
	checkRefusals(t, UpdateExpression, []refusal{
		{"SET c = :s", ""},
		{"set c = :s remove d add e :n delete f :ss", ""},
		{"DELETE f :ss ADD e :n REMOVE d SET c = :s", ""},
		{"SET c=:s,d=e,f=g+:n,h=:m-:n", ""},
		{"SET c = (d + :n), e = (f) - (:n), g = (h)", ""},
		{"SET c = if_not_exists(c, :n) + :n", ""},
		{"SET c = if_not_exists(c, :n) - if_not_exists(d, :n)", ""},
		{"SET c = (if_not_exists(c, (:n)) + :n)", ""},
		{"SET c = list_append(if_not_exists(c, :l0), :l)", ""},
		{"SET c = if_not_exists(c, if_not_exists(d, if_not_exists(e, :n)))", ""},
		{"SET c.d[0].e = :s, c.d[1] = :s REMOVE c.e, f[0], f[1]", ""},
		{"ADD c.d :n, e[0] :ss DELETE f.g :ss", ""},

		{"INVALID SYNTAX", `Syntax error; token: "INVALID", near: "INVALID SYNTAX"`},
		{"INVALID SYNTAX HERE", `Syntax error; token: "INVALID", near: "INVALID SYNTAX"`},
		{"SET", `Syntax error; token: "<EOF>", near: "SET"`},
		{"SET _123 = :s", `Syntax error; token: "_", near: "SET _123"`},
		{"SET c", `Syntax error; token: "<EOF>", near: "c"`},
		{"SET c =", `Syntax error; token: "<EOF>", near: "="`},
		{"SET c = :s,", `Syntax error; token: "<EOF>", near: ","`},
		{"SET c = :s, SET d = :s", `Syntax error; token: "SET", near: ", SET d"`},
		{"SET c = :s, REMOVE d", `Syntax error; token: "REMOVE", near: ", REMOVE d"`},
		{"SET c :s", `Syntax error; token: ":s", near: "c :s"`},
		{"SET :s = c", `Syntax error; token: ":s", near: "SET :s ="`},
		{"SET c = b + :n + :n", `Syntax error; token: "+", near: ":n + :n"`},
		{"SET c = (b + :n) + :n", `Syntax error; token: "+", near: ") + :n"`},
		{"SET c = :n + (b + :n)", `Syntax error; token: "+", near: "b + :n"`},
		{"SET c = if_not_exists(b, :n + :n)", `Syntax error; token: "+", near: ":n + :n"`},
		{"SET c = b * :n", `Syntax error; token: "*", near: "b * :n"`},
		{"SET c = -:n", `Syntax error; token: "-", near: "= -:n"`},
		{"SET c = b = :n", `Syntax error; token: "=", near: "b = :n"`},
		{"SET c = b AND d", `Syntax error; token: "AND", near: "b AND d"`},
		{"SET c = (b", `Syntax error; token: "<EOF>", near: "b"`},
		{"SET c = list_append()", `Syntax error; token: ")", near: "()"`},
		{"SET list_append(c, :l) = :l", `Syntax error; token: "(", near: "list_append(c"`},
		{"REMOVE c :s", `Syntax error; token: ":s", near: "c :s"`},
		{"REMOVE c = :s", `Syntax error; token: "=", near: "c = :s"`},
		{"ADD c", `Syntax error; token: "<EOF>", near: "c"`},
		{"ADD c = :n", `Syntax error; token: "=", near: "c = :n"`},
		{"ADD c d", `Syntax error; token: "d", near: "c d"`},
		{"DELETE c", `Syntax error; token: "<EOF>", near: "c"`},
		{"ADD c :n :n", `Syntax error; token: ":n", near: ":n :n"`},
		{"SET c = :s; REMOVE d", `Syntax error; token: ";", near: ":s; REMOVE"`},

		{"SET c = :s SET d = :s", `The "SET" section can only be used once in an update expression;`},
		{"remove c set d = :s REMOVE e set f = :s", `The "REMOVE" section can only be used once in an update expression;`},
		{"ADD c :n SET d = :s ADD e :n", `The "ADD" section can only be used once in an update expression;`},
		{"DELETE c :ss DELETE d :ss", `The "DELETE" section can only be used once in an update expression;`},

		{"SET c = f(b)", "Invalid function name; function: f"},
		{"SET c = IF_NOT_EXISTS(c, :n)", "Invalid function name; function: IF_NOT_EXISTS"},
		{"SET c = size(b)", "The function is not allowed in an update expression; function: size"},
		{"SET c = if_not_exists(contains(a, :s), :n)", "The function is not allowed in an update expression; function: contains"},
		{"SET c = list_append(list_append(c, :l), :l)", way + "list_append"},
		{"SET c = if_not_exists(c, list_append(b, :l))", way + "list_append"},
		{"SET c = if_not_exists(c, (list_append(b, :l)))", way + "list_append"},
		{"SET status = :s", "Attribute name is a reserved keyword; reserved keyword: status"},
		{"SET c = d.year", "Attribute name is a reserved keyword; reserved keyword: year"},
		{"REMOVE c.Name", "Attribute name is a reserved keyword; reserved keyword: Name"},
		{"ADD count :n", "Attribute name is a reserved keyword; reserved keyword: count"},
		{pluses(300), ""},
		{pluses(301), "The expression contains too many operators; operator count: 301"},
		{"SET " + "c" + strings.Repeat(".c", 32) + " = :s", "The document path has too many nesting elements; nesting levels: 33"},
		{"SET #c = :s", "An expression attribute name used in the document path is not defined; attribute name: #c"},
		{"SET c = :undefined", "An expression attribute value used in expression is not defined; attribute value: :undefined"},
		{"ADD c :undefined", "An expression attribute value used in expression is not defined; attribute value: :undefined"},
		{"SET c = if_not_exists(c)", "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1"},
		{"SET c = list_append(c, :l, :l)", "Incorrect number of operands for operator or function; operator or function: list_append, number of operands: 3"},
		{"SET c = if_not_exists(:s, :s)", pathOnly + "if_not_exists"},
		{"SET c = if_not_exists(if_not_exists(c, :s), :s)", pathOnly + "if_not_exists"},
		{"SET c = list_append(c, :s)", types + "list_append, operand type: S"},
		{"SET c = list_append(:map, c)", types + "list_append, operand type: M"},
		{"SET c = list_append(:ss, :l)", types + "list_append, operand type: SS"},
		{"SET c = c + :s", types + "+, operand type: S"},
		{"SET c = :null - c", types + "-, operand type: NULL"},
		{"SET c = list_append(b, :l) + :n", types + "+, operand type: L"},
		{"ADD c :s", operand + "ADD, operand type: STRING"},
		{"ADD c :b", operand + "ADD, operand type: BINARY"},
		{"ADD c :null", operand + "ADD, operand type: NULL"},
		{"ADD c :bool", operand + "ADD, operand type: BOOLEAN"},
		{"ADD c :l", operand + "ADD, operand type: LIST"},
		{"ADD c :map", operand + "ADD, operand type: MAP"},
		{"DELETE c :n", operand + "DELETE, operand type: NUMBER"},
		{"DELETE c :s", operand + "DELETE, operand type: STRING"},
		{"DELETE c :l", operand + "DELETE, operand type: LIST"},
		{"ADD c :ns, d :bs DELETE e :ns, f :bs", ""},

		{"SET c = :s, c = :t", overlap + "path one: [c], path two: [c]"},
		{"SET c = :s REMOVE c", overlap + "path one: [c], path two: [c]"},
		{"SET c.d = :s ADD c :n", overlap + "path one: [c, d], path two: [c]"},
		{"REMOVE c[0] SET #a.b = :s, a = :s", overlap + "path one: [a, b], path two: [a]"},
		{"SET c[1] = :s REMOVE c.d", conflict + "path one: [c, [1]], path two: [c, d]"},
		{"SET c = c, d = c.e", ""},

		// Order, as in conditions.
		{"SET c = ((f(status))) SET d = :s", "The expression has redundant parentheses;"},
		{"SET c = f(b) SET d = :s", `The "SET" section can only be used once in an update expression;`},
		{"SET c = size(status), d = f(b)", "Invalid function name; function: f"},
		{"SET status = size(b)", "The function is not allowed in an update expression; function: size"},
		{"SET c = :undefined, status = :s", "Attribute name is a reserved keyword; reserved keyword: status"},
		{"SET c = list_append(:undefined, :s, :s)", "An expression attribute value used in expression is not defined; attribute value: :undefined"},
		{"SET c = :s + :n, c = :undefined", types + "+, operand type: S"},
		{"SET c = :s, c = :s + :n", types + "+, operand type: S"},
	})
}

const badItem = "\x00" // stands for an error in the cases below

// DYNAMODB.md 4.8: what updates leave, and the parts of it that ReturnValues shows.
func TestUpdateApply(t *testing.T) {
	const doc = `{"pk":{"S":"k"},"a":{"S":"x"},"n":{"N":"3"},"s":{"SS":["x","z"]},"ns":{"NS":["1","7"]},"one":{"SS":["x"]},
		"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"}]},
		"m":{"M":{"k":{"S":"v"},"c":{"N":"1"},"l":{"L":[{"S":"p"},{"S":"q"},{"S":"r"}]},"s":{"SS":["x"]},"d":{"M":{"e":{"N":"9"}}}}}}`
	type want struct{ changed, old, new string } // changed: attributes that differ from doc; null if removed
	for _, c := range []struct {
		text string
		want want
	}{
		{"SET a = :t", want{`"a":{"S":"y"}`, `"a":{"S":"x"}`, `"a":{"S":"y"}`}},
		{"SET a = :s", want{``, `"a":{"S":"x"}`, `"a":{"S":"x"}`}},
		{"SET x = :t", want{`"x":{"S":"y"}`, ``, `"x":{"S":"y"}`}},
		{"SET x = n, n = a, a = pk", want{`"x":{"N":"3"},"n":{"S":"x"},"a":{"S":"k"}`, `"a":{"S":"x"},"n":{"N":"3"}`, `"a":{"S":"k"},"n":{"S":"x"},"x":{"N":"3"}`}},
		{"REMOVE a SET x = a", want{`"a":null,"x":{"S":"x"}`, `"a":{"S":"x"}`, `"x":{"S":"x"}`}},
		{"SET n = n + :n", want{`"n":{"N":"4"}`, `"n":{"N":"3"}`, `"n":{"N":"4"}`}},
		{"SET n = :n - n", want{`"n":{"N":"-2"}`, `"n":{"N":"3"}`, `"n":{"N":"-2"}`}},
		{"SET n = m.c + n", want{`"n":{"N":"4"}`, `"n":{"N":"3"}`, `"n":{"N":"4"}`}},
		{"SET n = if_not_exists(n, :m) + :n, x = if_not_exists(x, :m) + :n", want{`"n":{"N":"4"},"x":{"N":"6"}`, `"n":{"N":"3"}`, `"n":{"N":"4"},"x":{"N":"6"}`}},
		{"SET x = if_not_exists(y, if_not_exists(z, a))", want{`"x":{"S":"x"}`, ``, `"x":{"S":"x"}`}},
		{"SET a = if_not_exists(a, nothing)", want{``, `"a":{"S":"x"}`, `"a":{"S":"x"}`}},
		{"SET x = list_append(l, :l)", want{`"x":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"S":"p"},{"N":"1"}]}`, ``, `"x":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"S":"p"},{"N":"1"}]}`}},
		{"SET m.l = list_append(:l0, m.l)", want{``, `"m":{"M":{"l":{"L":[{"S":"p"},{"S":"q"},{"S":"r"}]}}}`, `"m":{"M":{"l":{"L":[{"S":"p"},{"S":"q"},{"S":"r"}]}}}`}},
		// lists: old positions, appending beyond the end in index order
		{"SET l[1] = :s", want{`"l":{"L":[{"N":"0"},{"S":"x"},{"N":"2"},{"N":"3"}]}`, `"l":{"L":[{"N":"1"}]}`, `"l":{"L":[{"S":"x"}]}`}},
		{"SET l[4] = :s", want{`"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"S":"x"}]}`, ``, `"l":{"L":[{"S":"x"}]}`}},
		{"SET l[90] = :s", want{`"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"S":"x"}]}`, ``, ``}},
		{"SET l[4294967294] = :s", want{`"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"S":"x"}]}`, ``, ``}},
		{"SET l[90] = :s, l[7] = :t, l[5] = :n", want{`"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"},{"N":"1"},{"S":"y"},{"S":"x"}]}`, ``, `"l":{"L":[{"S":"y"}]}`}},
		{"REMOVE l[1] SET l[3] = :s", want{`"l":{"L":[{"N":"0"},{"N":"2"},{"S":"x"}]}`, `"l":{"L":[{"N":"1"},{"N":"3"}]}`, `"l":{"L":[{"N":"2"}]}`}},
		{"REMOVE l[0], l[2]", want{`"l":{"L":[{"N":"1"},{"N":"3"}]}`, `"l":{"L":[{"N":"0"},{"N":"2"}]}`, `"l":{"L":[{"N":"1"}]}`}},
		{"REMOVE l[0], l[1], l[2], l[3]", want{`"l":{"L":[]}`, `"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"3"}]}`, ``}},
		{"REMOVE l[0] SET l[9] = l[0]", want{`"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"},{"N":"0"}]}`, `"l":{"L":[{"N":"0"}]}`, `"l":{"L":[{"N":"1"}]}`}},
		{"REMOVE l[7]", want{}},
		{"REMOVE m.l[1]", want{`"m":{"M":{"k":{"S":"v"},"c":{"N":"1"},"l":{"L":[{"S":"p"},{"S":"r"}]},"s":{"SS":["x"]},"d":{"M":{"e":{"N":"9"}}}}}`, `"m":{"M":{"l":{"L":[{"S":"q"}]}}}`, `"m":{"M":{"l":{"L":[{"S":"r"}]}}}`}},
		{"REMOVE m.d.e", want{`"m":{"M":{"k":{"S":"v"},"c":{"N":"1"},"l":{"L":[{"S":"p"},{"S":"q"},{"S":"r"}]},"s":{"SS":["x"]},"d":{"M":{}}}}`, `"m":{"M":{"d":{"M":{"e":{"N":"9"}}}}}`, ``}},
		{"SET m.d.f = m.d.e, m.d.e = :s", want{`"m":{"M":{"k":{"S":"v"},"c":{"N":"1"},"l":{"L":[{"S":"p"},{"S":"q"},{"S":"r"}]},"s":{"SS":["x"]},"d":{"M":{"e":{"S":"x"},"f":{"N":"9"}}}}}`, `"m":{"M":{"d":{"M":{"e":{"N":"9"}}}}}`, `"m":{"M":{"d":{"M":{"e":{"S":"x"},"f":{"N":"9"}}}}}`}},
		// removing what is not there
		{"REMOVE x", want{}},
		{"REMOVE m.x", want{}},
		{"REMOVE m.d.x, m.l[9]", want{}},
		{"REMOVE x.y", want{changed: badItem + badPath}},
		{"REMOVE a.y", want{changed: badItem + badPath}},
		{"REMOVE m.x.y", want{changed: badItem + badPath}},
		{"REMOVE l.x", want{changed: badItem + badPath}},
		{"REMOVE m[0]", want{changed: badItem + badPath}},
		{"SET x.y = :s", want{changed: badItem + badPath}},
		{"SET x[0] = :s", want{changed: badItem + badPath}},
		{"SET a.b = :s", want{changed: badItem + badPath}},
		{"SET l.b = :s", want{changed: badItem + badPath}},
		{"SET m[0] = :s", want{changed: badItem + badPath}},
		{"SET m.l.x = :s", want{changed: badItem + badPath}},
		{"SET l[7].x = :s", want{changed: badItem + badPath}},
		{"SET l[0].x = :s", want{changed: badItem + badPath}},
		{"ADD x.y :n", want{changed: badItem + badPath}},
		{"SET x = y", want{changed: badItem + noOperand}},
		{"SET x = m.nothing", want{changed: badItem + noOperand}},
		{"SET x = l[4]", want{changed: badItem + noOperand}},
		{"SET x = y + :n", want{changed: badItem + noOperand}},
		{"SET x = list_append(y, :l)", want{changed: badItem + noOperand}},
		{"SET x = if_not_exists(y, z)", want{changed: badItem + noOperand}},
		{"SET x = a + :n", want{changed: badItem + badOperand}},
		{"SET x = :n - s", want{changed: badItem + badOperand}},
		{"SET x = list_append(a, :l)", want{changed: badItem + badOperand}},
		{"SET x = list_append(:l, m)", want{changed: badItem + badOperand}},
		// ADD
		{"ADD n :m, x :n", want{`"n":{"N":"8"},"x":{"N":"1"}`, `"n":{"N":"3"}`, `"n":{"N":"8"},"x":{"N":"1"}`}},
		{"ADD n :neg", want{`"n":{"N":"0"}`, `"n":{"N":"3"}`, `"n":{"N":"0"}`}},
		{"ADD m.c :n, m.fresh :m", want{`"m":{"M":{"k":{"S":"v"},"c":{"N":"2"},"fresh":{"N":"5"},"l":{"L":[{"S":"p"},{"S":"q"},{"S":"r"}]},"s":{"SS":["x"]},"d":{"M":{"e":{"N":"9"}}}}}`, `"m":{"M":{"c":{"N":"1"}}}`, `"m":{"M":{"c":{"N":"2"},"fresh":{"N":"5"}}}`}},
		{"ADD l[1] :n", want{`"l":{"L":[{"N":"0"},{"N":"2"},{"N":"2"},{"N":"3"}]}`, `"l":{"L":[{"N":"1"}]}`, `"l":{"L":[{"N":"2"}]}`}},
		{"ADD s :ss", want{`"s":{"SS":["x","y","z"]}`, `"s":{"SS":["x","z"]}`, `"s":{"SS":["x","y","z"]}`}},
		{"ADD s :ss1", want{``, `"s":{"SS":["x","z"]}`, `"s":{"SS":["x","z"]}`}},
		{"ADD ns :ns", want{`"ns":{"NS":["1","2","7"]}`, `"ns":{"NS":["1","7"]}`, `"ns":{"NS":["1","2","7"]}`}},
		{"ADD x :bs", want{`"x":{"BS":["AQ=="]}`, ``, `"x":{"BS":["AQ=="]}`}},
		{"ADD s :n", want{changed: badItem + badOperand}},
		{"ADD s :ns", want{changed: badItem + badOperand}},
		{"ADD n :ns", want{changed: badItem + badOperand}},
		{"ADD a :n", want{changed: badItem + badOperand}},
		// DELETE
		{"DELETE s :ss", want{`"s":{"SS":["z"]}`, `"s":{"SS":["x","z"]}`, `"s":{"SS":["z"]}`}},
		{"DELETE one :ss", want{`"one":null`, `"one":{"SS":["x"]}`, ``}},
		{"DELETE m.s :ss", want{`"m":{"M":{"k":{"S":"v"},"c":{"N":"1"},"l":{"L":[{"S":"p"},{"S":"q"},{"S":"r"}]},"d":{"M":{"e":{"N":"9"}}}}}`, `"m":{"M":{"s":{"SS":["x"]}}}`, ``}},
		{"DELETE x :ss", want{}},
		{"DELETE m.x :ss", want{}},
		{"DELETE ns :ss", want{changed: badItem + badOperand}},
		{"DELETE a :ss", want{changed: badItem + badOperand}},
		{"DELETE x.y :ss", want{changed: badItem + badPath}},
		// arithmetic is exact and bounded (3.3)
		{"SET n = :big + :big", want{changed: badItem + "Number overflow. Attempting to store a number with magnitude larger than supported range"}},
		{"SET n = :big + :n", want{changed: badItem + "Number overflow. Attempting to store a number with magnitude larger than supported range"}},
		{"SET x = :big - :big", want{`"x":{"N":"0"}`, ``, `"x":{"N":"0"}`}},
		{"ADD n :tiny", want{changed: badItem + "Number overflow. Attempting to store a number with magnitude larger than supported range"}},
	} {
		u, err := bind(t, UpdateExpression, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		res, err := u.(*Update).Apply(an(t, doc), nil)
		if err != nil {
			if badItem+err.Error() != c.want.changed {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		item := show1(merged(t, doc, c.want.changed))
		if got := show1(res.Item); got != item {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, item)
		}
		if got := show1(res.UpdatedOld); got != show1(an(t, "{"+c.want.old+"}")) {
			t.Errorf("%s: UPDATED_OLD %s", c.text, got)
		}
		if got := show1(res.UpdatedNew); got != show1(an(t, "{"+c.want.new+"}")) {
			t.Errorf("%s: UPDATED_NEW %s", c.text, got)
		}
	}
}

// merged is doc with the changed attributes.
func merged(t *testing.T, doc, changed string) item.Item {
	var fields []item.Field
	removed := map[string]bool{}
	for _, name := range []string{"a", "one"} {
		if strings.Contains(changed, `"`+name+`":null`) {
			removed[name] = true
			changed = strings.TrimPrefix(strings.Replace(changed, `"`+name+`":null`, "", 1), ",")
		}
	}
	for name, v := range an(t, doc).Attrs() {
		if !removed[name] {
			fields = append(fields, item.Field{Name: name, Value: v})
		}
	}
	for name, v := range an(t, "{"+changed+"}").Attrs() {
		fields = append(fields, item.Field{Name: name, Value: v})
	}
	return item.NewItem(fields)
}

// DYNAMODB.md 4.8: updates of an item that does not exist.
func TestUpdateOfNothing(t *testing.T) {
	key := []item.Field{{Name: "pk", Value: item.Str("k")}, {Name: "sk", Value: item.Str("r")}}
	for _, c := range []struct{ text, want string }{
		{"SET a = :s", `{"a":{"S":"x"},"pk":{"S":"k"},"sk":{"S":"r"}}`},
		{"ADD a :n, s :ss", `{"a":{"N":"1"},"pk":{"S":"k"},"s":{"SS":["x","y"]},"sk":{"S":"r"}}`},
		{"SET a = if_not_exists(a, :n) REMOVE b", `{"a":{"N":"1"},"pk":{"S":"k"},"sk":{"S":"r"}}`},
		{"REMOVE a", ``},
		{"DELETE a :ss", ``},
		{"REMOVE a, b DELETE c :ss", ``},
		{"SET a = pk", noOperand},
		{"SET a = a + :n", noOperand},
		{"SET a.b = :n", badPath},
		{"REMOVE a.b", badPath},
		{"REMOVE a[0]", badPath},
	} {
		u, err := bind(t, UpdateExpression, c.text)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		res, err := u.(*Update).Apply(item.Item{}, key)
		got := show1(res.Item)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
		if !res.UpdatedOld.IsZero() {
			t.Errorf("%s: UPDATED_OLD %s", c.text, show1(res.UpdatedOld))
		}
	}
}

// What callers ask of an update beside its result.
func TestUpdateFacts(t *testing.T) {
	b, err := bind(t, UpdateExpression, "SET c = :s, d.e = :s, f = g.h + :n REMOVE i ADD j :n, k.l :n DELETE m :ss")
	if err != nil {
		t.Fatal(err)
	}
	u := b.(*Update)
	if got := fmt.Sprint(u.TopLevelNames()); got != "[c d f i j k m]" {
		t.Error(got)
	}
	if got := fmt.Sprint(u.Inside()); got != "[d g k]" {
		t.Error(got)
	}
	adds := u.Adds()
	if len(adds) != 2 || adds[0].Name != "j" || adds[0].Remove || adds[1].Name != "m" || !adds[1].Remove || adds[1].Value.Kind() != item.StringSet {
		t.Error(adds)
	}
	if v, ok := u.Literal("c"); !ok || v.Text() != "x" {
		t.Error("c is literal")
	}
	for _, name := range []string{"d", "e", "f", "i", "j", "zz"} {
		if _, ok := u.Literal(name); ok {
			t.Errorf("%s is not", name)
		}
	}
	for text, bad := range map[string]string{
		"SET pk = :s": "pk", "REMOVE sk": "sk", "ADD pk :n": "pk", "SET sk.a = :s": "sk", "SET a = pk": "", "SET a.pk = :s": "",
	} {
		b, err := bind(t, UpdateExpression, text)
		if err != nil {
			t.Fatal(err)
		}
		want := "One or more parameter values were invalid: Cannot update attribute " + bad + ". This attribute is part of the key"
		if err := b.(*Update).CheckKeys(hashRange); (err == nil) != (bad == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What an update costs is bounded by its text and its item, not by their product.
func TestHostileUpdates(t *testing.T) {
	set := func(from, n int) item.Value {
		elems := make([]item.Value, n)
		for i := range elems {
			elems[i] = item.NumVal(item.NumFromInt(int64(from + i)))
		}
		v, err := item.NewSet(item.NumberSet, elems)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const n = 90_000
	old := item.NewItem([]item.Field{{Name: "s", Value: set(0, n)}, {Name: "a", Value: item.Str(strings.Repeat("x", item.MaxItemSize/2))}})
	for _, c := range []struct {
		op    ChangeOp
		value item.Value
		want  int
	}{
		{ChangeAdd, set(n/2, n), n + n/2}, {ChangeAdd, set(0, n), n}, {ChangeAdd, set(n, n), 2 * n},
		{ChangeDelete, set(n/2, n), n / 2}, {ChangeDelete, set(n, n), n}, {ChangeDelete, set(0, n), 0}, {ChangeDelete, set(1, n), 1},
	} {
		start := time.Now()
		res, err := NewUpdate([]Change{{Name: "s", Op: c.op, Value: c.value}}).Apply(old, nil)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 20*time.Second { // searching took minutes
			t.Errorf("%v", took)
		}
		if got := res.Item.Get("s"); got.Len() != c.want {
			t.Errorf("%d members, not %d", got.Len(), c.want)
		} else if _, err := item.DecodeItem(res.Item.Encoded()); err != nil {
			t.Error(err)
		}
	}
	var sets []string
	for i := range 500 {
		sets = append(sets, fmt.Sprintf("x%d=a", i))
	}
	b, err := bind(t, UpdateExpression, "SET "+strings.Join(sets, ","))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := b.(*Update).Apply(old, nil); err == nil || err.Error() != tooLarge {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d bytes", used)
	}
	// What fits is not refused, whatever its form costs in bytes.
	small := item.NewItem([]item.Field{{Name: "s", Value: set(1, 90_000)}})
	if _, err := mustUpdate(t, "SET x = s").Apply(small, nil); err != nil {
		t.Error(err)
	}
}

func mustUpdate(t *testing.T, text string) *Update {
	b, err := bind(t, UpdateExpression, text)
	if err != nil {
		t.Fatal(err)
	}
	return b.(*Update)
}
