package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/expr"
)

// Texts of DYNAMODB.md 4.5, by what they begin with.
const (
	misusedFunction = "The function is not allowed to be used this way in an expression; function: "
	notDistinct     = "The first operand must be distinct from the remaining operands for this operator or function; operator: "
	needsPath       = "Operator or function requires a document path; operator or function: "
	operandCount    = "Incorrect number of operands for operator or function; operator or function: "
	operandType     = "Incorrect operand type for operator or function; operator or function: "
	reservedKeyword = "Attribute name is a reserved keyword; reserved keyword: "
	unknownFunction = "Invalid function name; function: "
	redundantParens = "The expression has redundant parentheses;"
	tooManyOps      = "The expression contains too many operators; operator count: 301"
	valueUndefined  = "An expression attribute value used in expression is not defined; attribute value: "
	nameUndefined   = "An expression attribute name used in the document path is not defined; attribute name: "
)

// conditional are the kinds that share the grammar of conditions.
var conditional = []expr.Kind{expr.ConditionExpression, expr.FilterExpression}

// DYNAMODB.md 4.5: "ordering ops accept only S/N/B literals; begins_with S/B; contains: any type; size not N/BOOL/NULL";
// equality and IN take any. Every type in every place.
func TestOperandTypes(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	takes := func(kinds ...string) func(string) bool {
		return func(k string) bool {
			for _, have := range kinds {
				if have == k {
					return true
				}
			}
			return false
		}
	}
	every := func(string) bool { return true }
	scalar := takes("S", "N", "B")
	for _, form := range []struct {
		text  string // %s is a placeholder
		name  string
		takes func(kind string) bool
	}{
		{"a = %s", "=", every}, {"%s = a", "=", every}, {"a <> %s", "<>", every}, {"a IN (%s, b)", "IN", every}, {"%s IN (a)", "IN", every},
		{"a < %s", "<", scalar}, {"%s < a", "<", scalar}, {"a <= %s", "<=", scalar}, {"a > %s", ">", scalar}, {"a >= %s", ">=", scalar},
		{"a BETWEEN %s AND b", "BETWEEN", scalar}, {"a BETWEEN b AND %s", "BETWEEN", scalar}, {"%s BETWEEN a AND b", "BETWEEN", scalar},
		{"begins_with(a, %s)", "begins_with", takes("S", "B")}, {"begins_with(%s, a)", "begins_with", takes("S", "B")},
		{"contains(a, %s)", "contains", every}, {"contains(%s, a)", "contains", every},
		{"size(%s) = a", "size", takes("S", "B", "SS", "NS", "BS", "L", "M")},
	} {
		var rows []told
		for kind, p := range ofKind {
			want := operandType + form.name + ", operand type: " + kind
			if form.takes(kind) {
				want = ""
			}
			rows = append(rows, told{"4.5", fmt.Sprintf(form.text, p), want})
		}
		for _, kind := range conditional {
			c.tells(kind, rows)
		}
	}
	var rows []told
	for kind, p := range ofKind { // "2nd must be an S placeholder and a known type"
		want := operandType + "attribute_type, operand type: " + kind
		if kind == "S" {
			want = "Invalid attribute type name found; type: a, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
		}
		rows = append(rows, told{"4.5", "attribute_type(a, " + p + ")", want}, told{"4.5", "attribute_exists(" + p + ")", needsPath + "attribute_exists"},
			told{"4.5", "attribute_not_exists(" + p + ")", needsPath + "attribute_not_exists"}, told{"4.5", "attribute_type(" + p + ", :S)", needsPath + "attribute_type"})
	}
	c.tells(expr.ConditionExpression, rows)
}

// DYNAMODB.md 4.5: functions: names, numbers of operands, where they may stand, and distinct operands.
func TestFunctionRules(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	rows := []told{
		{"4.5", "f(a)", unknownFunction + "f"}, {"4.5", "f(a) = :n", unknownFunction + "f"}, {"4.5", "a = :n AND f(b)", unknownFunction + "f"}, {"4.5", "NOT f(a)", unknownFunction + "f"},
		{"4.1", "Size(a) = :n", unknownFunction + "Size"}, {"4.1", "BEGINS_WITH(a, :s)", unknownFunction + "BEGINS_WITH"}, {"4.1", "Attribute_exists(a)", unknownFunction + "Attribute_exists"},
		{"4.5", "attribute_exists(a, b)", operandCount + "attribute_exists, number of operands: 2"}, {"4.5", "attribute_not_exists(a, b)", operandCount + "attribute_not_exists, number of operands: 2"},
		{"4.5", "attribute_type(a)", operandCount + "attribute_type, number of operands: 1"}, {"4.5", "attribute_type(a, :S, :S)", operandCount + "attribute_type, number of operands: 3"},
		{"4.5", "begins_with(a)", operandCount + "begins_with, number of operands: 1"}, {"4.5", "begins_with(a, :s, b)", operandCount + "begins_with, number of operands: 3"},
		{"4.5", "contains(a)", operandCount + "contains, number of operands: 1"}, {"4.5", "contains(a, b, c)", operandCount + "contains, number of operands: 3"},
		{"4.5", "size(a, b) = :n", operandCount + "size, number of operands: 2"},
		{"4.5", "size(a)", misusedFunction + "size"}, {"4.5", "NOT size(a)", misusedFunction + "size"}, {"4.5", "a = :n AND size(b)", misusedFunction + "size"}, {"4.5", "(size(a))", misusedFunction + "size"},
		{"4.5", "a = attribute_exists(b)", misusedFunction + "attribute_exists"}, {"4.5", "begins_with(a, :s) = :n", misusedFunction + "begins_with"},
		{"4.5", "contains(a, contains(b, :s))", misusedFunction + "contains"}, {"4.5", "attribute_exists(begins_with(a, :s))", misusedFunction + "begins_with"},
		{"4.5", "a IN (attribute_type(b, :S))", misusedFunction + "attribute_type"}, {"4.5", "a BETWEEN contains(b, :s) AND :n", misusedFunction + "contains"},
		{"4.5", "size(size(a)) = :n", operandType + "size, operand type: N"}, {"4.5", "begins_with(size(a), :s)", operandType + "begins_with, operand type: N"},
		{"4.5", "attribute_exists(size(a))", needsPath + "attribute_exists"}, {"4.5", "attribute_type(a, b)", operandType + "attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}"},
		{"4.5", "a = a", notDistinct + "=, first operand: [a]"}, {"4.5", "(a) = (a)", notDistinct + "=, first operand: [a]"}, {"4.5", "a <> a", notDistinct + "<>, first operand: [a]"},
		{"4.5", "a.b[1] < a.b[1]", notDistinct + "<, first operand: [a, b, [1]]"}, {"4.5", "a IN (b, a)", notDistinct + "IN, first operand: [a]"}, {"4.5", "a BETWEEN :n AND a", notDistinct + "BETWEEN, first operand: [a]"},
		{"4.5", "contains(a, a)", notDistinct + "contains, first operand: [a]"}, {"4.5", "begins_with(a, a)", notDistinct + "begins_with, first operand: [a]"},
		{"4.5", "a = b AND b = a", ""}, {"4.5", "a IN (b, b)", ""}, {"4.5", ":n = :n", ""}, {"4.5", "a BETWEEN b AND b", ""}, {"4.5", "a.b = a.c", ""}, {"4.5", "a[0] = a[1]", ""},
		{"4.5", "a BETWEEN :n2 AND :n", "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"},
		{"4.5", "a BETWEEN :s2 AND :s", "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}"},
		{"4.5", "a BETWEEN :b2 AND :b", "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {B:AQ==}, upper bound operand: AttributeValue: {B:AA==}"},
		{"4.5", "a BETWEEN :s AND :n", "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:a}, upper bound operand: AttributeValue: {N:1}"},
		{"4.5", "NOT (a = :n AND b BETWEEN :b AND :s)", "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {B:AA==}, upper bound operand: AttributeValue: {S:a}"},
		{"4.5", "a BETWEEN :n AND :n", ""}, {"4.5", ":n BETWEEN :n AND :n2", ""},
	}
	for _, kind := range conditional {
		c.tells(kind, rows)
	}
}

// DYNAMODB.md 4.3 and 4.5: "Error priority inside one expression: redundant parens, unknown function, misused function,
// reserved word, then per condition: undefined name/value, operand count, distinctness, operand type." Each row has two faults.
func TestPriorityInExpressions(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	rows := []told{
		{"4.1", "((a = :n)) AND f(b) AND", `Syntax error; token: "<EOF>", near: "AND"`}, // the text must be readable first
		{"4.5", "f(a) AND ((b = :n))", redundantParens}, {"4.5", "size(a) AND ((b = :n))", redundantParens}, {"4.5", "zone = :n AND ((b = :n))", redundantParens},
		{"4.5", "#x = :n AND ((b = :n))", redundantParens}, {"4.3", "((a)) = :n", redundantParens}, {"4.3", "a = ((:n))", redundantParens}, {"4.3", "a IN (((:n)))", redundantParens},
		{"4.5", "size(a) AND f(b)", unknownFunction + "f"}, {"4.5", "zone = :n AND f(b)", unknownFunction + "f"}, {"4.5", "#x = :n AND f(b)", unknownFunction + "f"}, {"4.5", "a = a AND f(b)", unknownFunction + "f"},
		{"4.5", "zone = :n AND size(b)", misusedFunction + "size"}, {"4.5", "#x = :n AND size(b)", misusedFunction + "size"}, {"4.5", "a = a AND contains(size(a), contains(a, b))", misusedFunction + "contains"},
		{"4.5", "#x = :n AND zone = :n", reservedKeyword + "zone"}, {"4.5", "a = :x AND zone = :n", reservedKeyword + "zone"}, {"4.5", "begins_with(a) AND zone = :n", reservedKeyword + "zone"},
		{"4.5", "a = a AND b.name = :n", reservedKeyword + "name"}, {"4.5", "begins_with(a, :n) AND b.zone = :n", reservedKeyword + "zone"},
		{"4.5", "begins_with(#x, :n)", nameUndefined + "#x"}, {"4.5", "begins_with(a, :x, :n)", valueUndefined + ":x"}, {"4.5", "#x = #x", nameUndefined + "#x"}, {"4.5", "#x = :x", nameUndefined + "#x"}, {"4.5", ":x = #x", valueUndefined + ":x"},
		{"4.5", "contains(a, a, :n)", operandCount + "contains, number of operands: 3"}, {"4.5", "begins_with(a, a, :n)", operandCount + "begins_with, number of operands: 3"},
		{"4.5", "a BETWEEN :l AND a", notDistinct + "BETWEEN, first operand: [a]"}, {"4.5", "a = a AND b = :x", notDistinct + "=, first operand: [a]"}, // condition by condition
		{"4.5", "begins_with(a, :n) AND b = :x", operandType + "begins_with, operand type: N"}, {"4.5", "a BETWEEN :l AND :n", operandType + "BETWEEN, operand type: L"},
	}
	for _, kind := range conditional {
		c.tells(kind, rows)
	}
	c.tells(expr.UpdateExpression, []told{
		{"4.1", "SET a = ((:n)), b = f(b),", `Syntax error; token: "<EOF>", near: ","`},
		{"4.5", "SET a = ((:n)), b = f(b)", redundantParens}, {"4.5", "SET a = size(b), c = f(b)", unknownFunction + "f"}, {"4.5", "SET zone = f(b)", unknownFunction + "f"},
		{"4.5", "SET zone = list_append(list_append(a, b), c)", misusedFunction + "list_append"}, {"4.5", "SET #x = :n, zone = :n", reservedKeyword + "zone"}, {"4.5", "SET a = :x, a = name", reservedKeyword + "name"},
		{"4.8", "SET a = :n SET zone = :n", `The "SET" section can only be used once in an update expression;`}, {"4.8", "SET a = :n SET b = f(a)", `The "SET" section can only be used once in an update expression;`},
		{"4.5", "SET a = :x, a = :n", valueUndefined + ":x"}, {"4.5", "SET #x = :x", nameUndefined + "#x"}, {"4.5", "SET a = :s + :n, a = :n", operandType + "+, operand type: S"}, // before overlaps
		{"4.5", "SET a = if_not_exists(:n)", operandCount + "if_not_exists, number of operands: 1"}, {"4.5", "SET pk = :n, a = :x", valueUndefined + ":x"},
	})
	c.tells(expr.ProjectionExpression, []told{
		{"4.5", "zone, #x", reservedKeyword + "zone"}, {"4.5", "#x, zone", reservedKeyword + "zone"}, {"4.5", "a, a, #x", nameUndefined + "#x"}, {"4.5", "a, a, zone", reservedKeyword + "zone"},
	})
}

// DYNAMODB.md 4.3: limits, each at its bound and one past it, for every kind of expression.
func TestExpressionLimits(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"5"}}}`)
	const size = "Expression size has exceeded the maximum allowed size; expression size: 4097"
	pad := func(text string, n int) string { return text + strings.Repeat(" ", n-len(text)) }
	for kind, text := range map[expr.Kind]string{
		expr.ConditionExpression: "a = :n", expr.FilterExpression: "a = :n", expr.UpdateExpression: "SET a = :n", expr.ProjectionExpression: "a", expr.KeyConditionExpression: "pk = :s",
	} {
		c.tells(kind, []told{{"4.3", pad(text, 4096), ""}, {"4.3", pad(text, 4097), size}, {"4.3", pad("syntax error", 4097), size}}) // "checked before parsing"
	}
	c.tells(expr.ConditionExpression, []told{{"4.3", strings.Repeat("é", 2049)[:4096] + "é", "Expression size has exceeded the maximum allowed size; expression size: 4098"}}) // bytes
	many := func(n int, text, join string) string { return strings.TrimSuffix(strings.Repeat(text+join, n), join) }
	over := "a = :n" + strings.Repeat(" OR a = :n", 150) // 151 comparators and 150 ORs
	for _, kind := range conditional {
		c.tells(kind, []told{
			{"4.3", over, tooManyOps}, {"4.3", "NOT " + many(150, "a = :n", " OR "), ""}, // 300 with NOT
			{"4.3", "NOT NOT " + many(150, "a = :n", " OR "), tooManyOps}, {"4.3", many(150, "contains(a, b)", " OR "), ""},
			{"4.3", many(151, "contains(a, b)", " OR "), tooManyOps}, {"4.3", many(100, "size(a) = :n", " OR "), ""}, {"4.3", many(101, "size(a) = :n", " OR "), tooManyOps},
			{"4.3", many(100, "(a = :n)", " OR "), ""}, // parentheses count for nothing
			{"4.3", "a IN (" + many(100, ":n", ",") + ")", ""},
			{"4.3", "a IN (" + many(101, ":n", ",") + ")", "The IN operator is provided with too many operands; number of operands: 101"},
		})
	}
	sets := func(n int, value string) string {
		return "SET " + some(n, func(i int) string { return fmt.Sprintf("a%d=%s", i, value) })
	}
	c.tells(expr.UpdateExpression, []told{
		{"4.3", sets(301, "n"), ""}, // the = of SET counts for nothing
		{"4.3", sets(300, "n+n"), ""}, {"4.3", sets(301, "n+n"), tooManyOps}, {"4.3", sets(100, "if_not_exists(b,n)-n"), ""},
	})
	deep := func(n int, step string) string { return "a" + strings.Repeat(step, n-1) }
	for _, step := range []string{".a", "[0]"} {
		tooDeep := "The document path has too many nesting elements; nesting levels: 33"
		c.tells(expr.ProjectionExpression, []told{{"3.1", deep(32, step), ""}, {"3.1", deep(33, step), tooDeep}})
		c.tells(expr.ConditionExpression, []told{{"3.1", "attribute_exists(" + deep(32, step) + ")", ""}, {"3.1", deep(33, step) + " = :n", tooDeep}})
		c.tells(expr.UpdateExpression, []told{{"3.1", "REMOVE " + deep(33, step), tooDeep}, {"3.1", "SET b = " + deep(33, step), tooDeep}})
	}
	c.tells(expr.ProjectionExpression, []told{
		{"4.1", "a[4294967294]", ""}, {"4.1", "a[4294967295]", "List index is not within the allowable range; index: [4294967295]"},
		{"4.1", "a[99999999999999999999]", "List index is not within the allowable range; index: [99999999999999999999]"},
	})
}

// DYNAMODB.md 4.1: "573 words, case-insensitive, may not be a bare path element (aliases bypass). Check applies to every bare
// element of the path, nested too." All of them are package expr's to test.
func TestReservedWords(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	for _, w := range []string{"FLATTERN", "INNTER", "LOGED", "abort", "Zone", "dAtA", "ttl", "value", "NAME", "Size", "user"} { // "includes oddities"
		c.tells(expr.ConditionExpression, []told{{"4.1", "attribute_exists(" + w + ")", reservedKeyword + w}})
		c.tells(expr.UpdateExpression, []told{{"4.1", "SET " + w + " = :n", reservedKeyword + w}, {"4.1", "SET b = c." + w, reservedKeyword + w}, {"4.1", "REMOVE b." + w, reservedKeyword + w}})
		c.tells(expr.KeyConditionExpression, []told{{"4.1", w + " = :s", reservedKeyword + w}})
	}
	c.must("GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}},"ProjectionExpression":"#a.#b, c","ExpressionAttributeNames":{"#a":"SELECT","#b":"zone"}}`)
	c.tells(expr.ProjectionExpression, wants("4.1", "", "status_, xname, a.selects, Names_"))
}
