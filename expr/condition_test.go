package expr

import (
	"fmt"
	"strings"
	"testing"
)

// DYNAMODB.md 4.1, 4.2: what is an expression and what is not, and how errors quote it.
func TestConditionSyntax(t *testing.T) {
	checkRefusals(t, ConditionExpression, []refusal{
		{"", "The expression can not be empty;"},
		{" \t\r\n", "The expression can not be empty;"},
		{"a = :s", ""},
		{"\n#a\t=\r:s ", ""},
		{"a.b[0].#b [ 3 ] . c = :s", ""},
		{"#1 = :s AND #_x = :s", ""},
		{"a=:s or a=:t and not b=:n", ""},
		{"a BeTweeN :n aNd :m", ""},
		{"a in (:s)", ""},
		{"NOT NOT NOT a = :s", ""},
		{"(a) = (:s)", ""},
		{"(size(a)) > :n", ""},
		{"(a = :s)", ""},
		{"(a = :s) AND (b = :s)", ""},
		{"((a = :s) AND (b = :s))", ""},
		{"a.size = :s", "Attribute name is a reserved keyword; reserved keyword: size"},
		{"_a = :s", `Syntax error; token: "_", near: "_a"`},
		{"1a = :s", `Syntax error; token: "1", near: "1a"`},
		{"a = :", `Syntax error; token: ":", near: "= :"`},
		{"# = :s", `Syntax error; token: "#", near: "# ="`},
		{"a[-1] = :s", `Syntax error; token: "-", near: "[-1"`},
		{"a[] = :s", `Syntax error; token: "]", near: "[] ="`},
		{"a[:n] = :s", `Syntax error; token: ":n", near: "[:n]"`},
		{"a[#a] = :s", `Syntax error; token: "#a", near: "[#a]"`},
		{"a[99999999999] = :s", "List index is not within the allowable range; index: [99999999999]"},
		{"a[4294967295] = :s", "List index is not within the allowable range; index: [4294967295]"},
		{"a[4294967294] = :s", ""},
		{"a[000000000000000000000001] = :s", ""},
		{"a. = :s", `Syntax error; token: "=", near: ". = :s"`},
		{"a = 'x'", `Syntax error; token: "'", near: "= 'x"`},
		{"a == :s", `Syntax error; token: "=", near: "== :s"`},
		{"a = :s é", `Syntax error; token: "é", near: ":s é"`},
		{"a != :s", `Syntax error; token: "!", near: "a !="`},
		{"a", `Syntax error; token: "<EOF>", near: "a"`},
		{":s", `Syntax error; token: "<EOF>", near: ":s"`},
		{"(a)", `Syntax error; token: "<EOF>", near: ")"`},
		{"a =", `Syntax error; token: "<EOF>", near: "="`},
		{"a = :s AND", `Syntax error; token: "<EOF>", near: "AND"`},
		{"a = :s AND b", `Syntax error; token: "<EOF>", near: "b"`},
		{"a AND b = :s", `Syntax error; token: "AND", near: "a AND b"`},
		{"NOT a", `Syntax error; token: "<EOF>", near: "a"`},
		{"a = :s = :t", `Syntax error; token: "=", near: ":s = :t"`},
		{"a = (b = :s)", `Syntax error; token: "=", near: "b = :s"`},
		{"a IN ()", `Syntax error; token: ")", near: "()"`},
		{"a IN :s", `Syntax error; token: ":s", near: "IN :s"`},
		{"a IN (:s", `Syntax error; token: "<EOF>", near: ":s"`},
		{"a BETWEEN :n, :m", `Syntax error; token: ",", near: ":n, :m"`},
		{"a BETWEEN :n OR :m", `Syntax error; token: "OR", near: ":n OR :m"`},
		{"size() = :n", `Syntax error; token: ")", near: "() ="`},
		{"size(a b) = :n", `Syntax error; token: "b", near: "a b)"`},
		{"a + :n = :m", `Syntax error; token: "+", near: "a + :n"`},
		{"a = :s b = :s", `Syntax error; token: "b", near: ":s b ="`},
		{"AND = :s", `Syntax error; token: "AND", near: "AND ="`},
	})
}

// DYNAMODB.md 4.3: limits.
func TestConditionLimits(t *testing.T) {
	pad := func(n int) string { return "a = :s" + strings.Repeat(" ", n-len("a = :s")) }
	ops := func(n int) string { // n is odd
		return "a=:s" + strings.Repeat(" OR a=:s", (n-1)/2)
	}
	in := func(n int) string { return "a IN (:s" + strings.Repeat(",:s", n-1) + ")" }
	deep := func(n int) string { return "a" + strings.Repeat(".a", n-1) + " = :s" }
	checkRefusals(t, FilterExpression, []refusal{
		{pad(4096), ""},
		{pad(4097), "Expression size has exceeded the maximum allowed size; expression size: 4097"},
		{strings.Repeat("(", 4097), "Expression size has exceeded the maximum allowed size; expression size: 4097"},
		{ops(299), ""},
		{"NOT " + ops(299), ""},
		{"NOT NOT " + ops(299), "The expression contains too many operators; operator count: 301"},
		{ops(401), "The expression contains too many operators; operator count: 301"},
		{in(100), ""},
		{in(101), "The IN operator is provided with too many operands; number of operands: 101"},
		{deep(32), ""},
		{deep(33), "The document path has too many nesting elements; nesting levels: 33"},
	})
}

// DYNAMODB.md 4.3: parentheses.
func TestRedundantParentheses(t *testing.T) {
	const redundant = "The expression has redundant parentheses;"
	checkRefusals(t, ConditionExpression, []refusal{
		{"((a = :s))", redundant},
		{"((a)) = :s", redundant},
		{"a = ((:s))", redundant},
		{"size(((a))) = :n", redundant},
		{"a = :s AND ((b = :s))", redundant},
		{strings.Repeat("(", 2000) + "a=:s" + strings.Repeat(")", 2000), redundant},
		{"((f(a)))", redundant},
		{"(a) = :s", ""},
		{"((a) = :s)", ""},
	})
	checkRefusals(t, UpdateExpression, []refusal{
		{"SET c = ((a))", redundant},
		{"SET c = ((a + :n))", redundant},
		{"SET c = ((a) + :n)", ""},
		{"SET c = ((a) + (:n))", ""},
		{"SET c = list_append(((a)), :l)", redundant},
	})
}

// DYNAMODB.md 4.4 and 4.5: what is wrong with functions, names, values and operands, and which of them is told first.
func TestConditionChecks(t *testing.T) {
	const (
		way      = "The function is not allowed to be used this way in an expression; function: "
		operands = "Incorrect number of operands for operator or function; operator or function: "
		types    = "Incorrect operand type for operator or function; operator or function: "
		distinct = "The first operand must be distinct from the remaining operands for this operator or function; operator: "
		pathOnly = "Operator or function requires a document path; operator or function: "
		noName   = "An expression attribute name used in the document path is not defined; attribute name: "
		noValue  = "An expression attribute value used in expression is not defined; attribute value: "
	)
	checkRefusals(t, ConditionExpression, []refusal{
		{"f(a)", "Invalid function name; function: f"},
		{"Size(a) = :n", "Invalid function name; function: Size"},
		{"ATTRIBUTE_EXISTS(a)", "Invalid function name; function: ATTRIBUTE_EXISTS"},
		{"if_not_exists(a, :s) = :s", "The function is not allowed in a condition expression; function: if_not_exists"},
		{"a = list_append(a, :l)", "The function is not allowed in a condition expression; function: list_append"},
		{"size(a)", way + "size"},
		{"NOT size(a)", way + "size"},
		{"a = :s AND size(a)", way + "size"},
		{"attribute_exists(a) = :bool", way + "attribute_exists"},
		{"a = contains(a, :s)", way + "contains"},
		{"size(attribute_exists(a)) = :n", way + "attribute_exists"},
		{"contains(a, begins_with(a, :s))", way + "begins_with"},
		{"status = :s", "Attribute name is a reserved keyword; reserved keyword: status"},
		{"a.StaTus = :s", "Attribute name is a reserved keyword; reserved keyword: StaTus"},
		{"#a.#size = :n", ""},
		{"size(#size) = :n", ""},
		{"#c = :s", noName + "#c"},
		{"a.#c = :s", noName + "#c"},
		{"a = :undefined", noValue + ":undefined"},
		{"attribute_exists(a, b)", operands + "attribute_exists, number of operands: 2"},
		{"size(a, b) = :n", operands + "size, number of operands: 2"},
		{"begins_with(a)", operands + "begins_with, number of operands: 1"},
		{"contains(a, :s, :t)", operands + "contains, number of operands: 3"},
		{"attribute_type(a)", operands + "attribute_type, number of operands: 1"},
		{"a = a", distinct + "=, first operand: [a]"},
		{"a = #a", distinct + "=, first operand: [a]"},
		{"a.b[2] <> a.#b[2]", distinct + "<>, first operand: [a, b, [2]]"},
		{"#dot = a.b", ""},
		{"a IN (b, :s, a)", distinct + "IN, first operand: [a]"},
		{"a BETWEEN :s AND a", distinct + "BETWEEN, first operand: [a]"},
		{"contains(a, a)", distinct + "contains, first operand: [a]"},
		{"begins_with(a, a)", distinct + "begins_with, first operand: [a]"},
		{":s = :s", ""},
		{"size(a) = size(a)", ""},
		{"attribute_exists(:s)", pathOnly + "attribute_exists"},
		{"attribute_not_exists(size(a))", pathOnly + "attribute_not_exists"},
		{"attribute_type(:s, :S)", pathOnly + "attribute_type"},
		{"a < :bool", types + "<, operand type: BOOL"},
		{"a <= :null", types + "<=, operand type: NULL"},
		{":l > a", types + ">, operand type: L"},
		{"a >= :map", types + ">=, operand type: M"},
		{"a > :ss", types + ">, operand type: SS"},
		{"a BETWEEN :ns AND :m", types + "BETWEEN, operand type: NS"},
		{"a = :map AND b <> :null AND a IN (:ss, :bool)", ""},
		{"begins_with(a, :n)", types + "begins_with, operand type: N"},
		{"begins_with(:l, a)", types + "begins_with, operand type: L"},
		{"begins_with(:s, a) AND begins_with(a, b) AND begins_with(a, :b)", ""},
		{"contains(a, :map) AND contains(:n, a)", ""},
		{"size(:n) = :n", types + "size, operand type: N"},
		{"size(:bool) = :n", types + "size, operand type: BOOL"},
		{"size(:null) = :n", types + "size, operand type: NULL"},
		{"size(:s) = :n AND size(:l) = :n AND size(:ss) = :n", ""},
		{"size(size(a)) = :n", types + "size, operand type: N"},
		{"attribute_type(a, :n)", types + "attribute_type, operand type: N"},
		{"attribute_type(a, b)", types + "attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}"},
		{"attribute_type(a, :s)", "Invalid attribute type name found; type: x, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
		{"attribute_type(a, :S) AND attribute_type(b, :L)", ""},
		{"a BETWEEN :s AND :n", "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:x}, upper bound operand: AttributeValue: {N:1}"},
		{"a BETWEEN :m AND :n", "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:1}"},
		{"a BETWEEN :b AND :s", "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {B:AQI=}, upper bound operand: AttributeValue: {S:x}"},
		{"a BETWEEN :n AND :n", ""},
		{"a BETWEEN :m AND b", ""},
		// Order: parentheses, unknown functions, misuse, reserved words; then in each condition: names and values, number of
		// operands, distinctness, types.
		{"((f(status) = :undefined))", "The expression has redundant parentheses;"},
		{"size(status) AND f(a)", "Invalid function name; function: f"},
		{"status = :s AND size(a)", way + "size"},
		{"a = :undefined AND status = :s", "Attribute name is a reserved keyword; reserved keyword: status"},
		{"contains(a, :undefined, :s)", noValue + ":undefined"},
		{"contains(a, a, a)", operands + "contains, number of operands: 3"},
		{"a < a", distinct + "<, first operand: [a]"},
		{"a < :bool AND a = :undefined", types + "<, operand type: BOOL"},
		{"a = :undefined AND a < :bool", noValue + ":undefined"},
		{"a = :s b", `Syntax error; token: "b", near: ":s b"`},
		{"f(a) = :s b", `Syntax error; token: "b", near: ":s b"`},
	})
}

// The messages begin with the kind of expression.
func TestKindOfExpression(t *testing.T) {
	for _, k := range []Kind{ConditionExpression, FilterExpression, KeyConditionExpression, ProjectionExpression, UpdateExpression} {
		want := fmt.Sprintf("Invalid %s: The expression can not be empty;", k)
		if _, err := bind(t, k, ""); err == nil || err.Error() != want {
			t.Errorf("%s: %v", k, err)
		}
	}
}

// DYNAMODB.md 3.5 and 4.5: what conditions say of items.
func TestConditionSense(t *testing.T) {
	const doc = `{"a":{"S":"x"},"n":{"N":"3"},"b":{"B":"AQID"},"t":{"BOOL":true},"nul":{"NULL":true},
		"ss":{"SS":["y","x"]},"ns":{"NS":["2","1"]},"l":{"L":[{"S":"p"},{"N":"1.0"},{"M":{"k":{"S":"v"}}},{"SS":["y","x"]}]},
		"m":{"M":{"k":{"S":"v"},"n":{"M":{"deep":{"N":"1"}}}}},"a.b":{"S":"dot"},"e":{"S":""},"u":{"S":"é𝄞"}}`
	for _, c := range []struct {
		text string
		want bool
	}{
		{"a = :s", true}, {"a = :t", false}, {"a <> :t", true}, {":s = a", true},
		{"n = :n", false}, {"n > :n", true}, {"n < :m", true}, {"n >= :neg", true}, {"n <= :neg", false},
		{"a < :t", true}, {"a > :t", false},
		{"l[1] = :n", true}, {"l[1] < :m", true},
		{"#dot = :s", false}, {"attribute_exists(#dot)", true}, {"attribute_exists(a.b)", false},
		{"m.k = l[2].k", true}, {"m.n.deep = :n", true}, {"l[3] = :ss", true}, {"ss = :ss", true}, {"ss = :ns", false},
		{"l[2] = :map", true}, {"m = :map", false},
		// types never mix
		{"a = :n", false}, {"a <> :n", true}, {"a < :n", false}, {"a >= :n", false}, {"n BETWEEN :s AND :t", false},
		// missing
		{"x = :s", false}, {"x <> :s", true}, {"x < :s", false}, {"x = y", false}, {"x <> y", true}, {"a <> y", true},
		{"x IN (:s, y)", false}, {"x BETWEEN :n AND :m", false}, {"contains(x, :s)", false}, {"contains(a, x)", false},
		{"begins_with(x, :s)", false}, {"begins_with(a, x)", false}, {"NOT x = :s", true}, {"attribute_type(x, :S)", false},
		{"l[9] = :s", false}, {"l.k = :s", false}, {"m[0] = :s", false}, {"a[0] = :s", false}, {"l[2][0] <> :s", true},
		{"size(x) = :n", false}, {"size(x) <> :n", false}, {"size(x) < :n", false}, {"size(n) <> :n", false},
		{"attribute_exists(nul)", true}, {"attribute_not_exists(nul)", false}, {"attribute_exists(m.n.deep)", true},
		{"attribute_not_exists(m.n.not1)", true}, {"attribute_exists(l[3])", true}, {"attribute_exists(l[4])", false},
		{"attribute_type(a, :S)", true}, {"attribute_type(n, :N)", true}, {"attribute_type(n, :S)", false}, {"attribute_type(l, :L)", true},
		{"begins_with(a, :s)", true}, {"begins_with(a, :e)", true}, {"begins_with(b, :b)", true}, {"begins_with(:s, a)", true},
		{"begins_with(n, :s)", false}, {"begins_with(a, :b)", false},
		{"contains(a, :s)", true}, {"contains(a, :e)", true}, {"contains(a, :n)", false}, {"contains(ss, :t)", true},
		{"contains(ss, :n)", false}, {"contains(ns, :n)", true}, {"contains(ns, :m)", false}, {"contains(l, :n)", true},
		{"contains(l, :map)", true}, {"contains(l, :ss)", true}, {"contains(l, :t)", false}, {"contains(b, :b)", true}, {"contains(m, :s)", false},
		{"contains(:ss, a)", true}, {"contains(l, l[2])", true},
		{"a IN (:t, :s)", true}, {"a IN (:n)", false}, {"ss IN (:n, :ss)", true}, {"nul IN (:null)", true},
		{"n BETWEEN :n AND :m", true}, {"n BETWEEN n1 AND :m", false}, {":n BETWEEN :neg AND n", true}, {"a BETWEEN :s AND :t", true},
		{"size(a) = :n", true}, {"size(u) = n", true}, {"size(:u) = n", true}, {"size(b) > :n", true}, {"size(ss) > :n", true},
		{"size(l) > n", true}, {"size(m) = size(ss)", true}, {"size(e) < :n", true}, {"size(a) BETWEEN :neg AND n", true}, {"size(a) IN (:n)", true},
		{"a = :s AND n = :n OR t = :bool", true}, {"a = :s AND (n = :n OR t = :n)", false}, {"t = :n OR a = :s AND n = :n", false},
		{"NOT a = :t AND NOT (n = :n)", true}, {"NOT (a = :s AND n > :n)", false},
	} {
		got, err := bind(t, ConditionExpression, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if ok, err := got.(*Condition).Eval(an(t, doc)); ok != c.want || err != nil {
			t.Errorf("%s: %v %v", c.text, ok, err)
		}
	}
}

// An item that does not exist has no attributes.
func TestConditionOfNothing(t *testing.T) {
	for text, want := range map[string]bool{
		"attribute_not_exists(a)": true, "attribute_exists(a)": false, "a = :s": false, "a <> :s": true, ":s = :s": true, "a <> b": true,
	} {
		c, err := bind(t, ConditionExpression, text)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := c.(*Condition).Eval(an(t, "")); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// DYNAMODB.md 4.1: the reserved words, in any case of letters, at any place of a path; names near them are free.
func TestReservedWords(t *testing.T) {
	if len(reservedWords) != 573 {
		t.Errorf("%d words", len(reservedWords))
	}
	for w := range reservedWords {
		for _, name := range []string{w, strings.ToLower(w), w[:1] + strings.ToLower(w[1:])} {
			want := "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: " + name
			for _, text := range []string{name, "a, b.c[1]." + name} {
				if _, err := ParseProjection(text); err == nil || err.Error() != want {
					t.Errorf("%s: %v", text, err)
				}
			}
		}
	}
	// The list's misspelt words are reserved as they are misspelt.
	for _, w := range []string{"a", "pk", "sk", "id", "FLATTEN", "INNER2", "LOGGED1", "metadata", "a1", strings.Repeat("LONG", 30)} {
		if _, err := ParseProjection(w); err != nil {
			t.Errorf("%s: %v", w, err)
		}
	}
}

// DYNAMODB.md 4.4: substitutions that no expression uses.
func TestUnused(t *testing.T) {
	p := params(t)
	a, err := ParseCondition(ConditionExpression, "#a = :s")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Bind(p); err != nil {
		t.Fatal(err)
	}
	want := "Value provided in ExpressionAttributeNames unused in expressions: keys: {#1, #_x, #b, #dot, #size}"
	if err := p.CheckUnused(); err == nil || err.Error() != want {
		t.Error(err)
	}
	proj, err := ParseProjection("#1, #_x, #b, #dot, #size")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proj.Bind(p); err != nil {
		t.Fatal(err)
	}
	want = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:L, :N, :S, :b,"
	if err := p.CheckUnused(); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Error(err)
	}
	if err := NewParams(nil, nil).CheckUnused(); err != nil {
		t.Error(err)
	}
}

func TestNamesOfCondition(t *testing.T) {
	c, err := bind(t, FilterExpression, "size(b.c) > :n AND (a = :s OR #b IN (:s, #dot)) AND l[0] = :s")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.(*Condition).TopLevelNames()); got != "[b a a.b l]" {
		t.Error(got)
	}
	if got := fmt.Sprint(c.(*Condition).Inside()); got != "[b l]" {
		t.Error(got)
	}
}
