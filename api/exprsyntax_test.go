package api

import (
	"fmt"
	"testing"

	"github.com/meridiandb/meridian/expr"
)

// nears are texts and the token at which each fails, with what stands around it.
func nears(rows ...[3]string) (list []told) {
	for _, r := range rows {
		list = append(list, told{"4.1", r[0], fmt.Sprintf(`Syntax error; token: "%s", near: "%s"`, r[1], r[2])})
	}
	return list
}

// DYNAMODB.md 4.1: "Syntax error text: `Syntax error; token: "<tok>", near: "<prev tok next>"`", at the end of the text
// "<EOF>"; and the grammar of 4.2, by what is not in it.
func TestSyntaxErrors(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", true)
	conditions := nears(
		[3]string{"a", "<EOF>", "a"}, [3]string{":n", "<EOF>", ":n"}, [3]string{"(a)", "<EOF>", ")"}, [3]string{"NOT", "<EOF>", "NOT"},
		[3]string{"NOT a", "<EOF>", "a"}, [3]string{"a = :n AND", "<EOF>", "AND"}, [3]string{"a = :n OR", "<EOF>", "OR"}, [3]string{"(a = :n", "<EOF>", ":n"},
		[3]string{"a = :n OR NOT b", "<EOF>", "b"}, [3]string{"a = :n)", ")", ":n)"}, [3]string{"a ==:n", "=", "==:n"}, [3]string{"a <> :n b", "b", ":n b"},
		[3]string{"AND a = :n", "AND", "AND a"}, [3]string{"a = :n AND OR b = :n", "OR", "AND OR b"}, [3]string{"a IN :n", ":n", "IN :n"},
		[3]string{"a IN ()", ")", "()"}, [3]string{"a IN (:n,)", ")", ",)"}, [3]string{"a IN (:n :n)", ":n", ":n :n)"}, [3]string{"a IN (b = :n)", "=", "b = :n"},
		[3]string{"a BETWEEN :n :n", ":n", ":n :n"}, [3]string{"a BETWEEN :n AND", "<EOF>", "AND"}, [3]string{"a BETWEEN AND :n", "AND", "BETWEEN AND :n"},
		[3]string{"size(a", "<EOF>", "a"}, [3]string{"size() = :n", ")", "() ="}, [3]string{"attribute_exists a", "a", "attribute_exists a"},
		[3]string{"a = :n = :n", "=", ":n = :n"}, [3]string{"(a = :n) = :n", "=", ") = :n"}, [3]string{"a = (b = :n)", "=", "b = :n"}, [3]string{"(a OR b) = :n", "OR", "a OR b"},
		[3]string{"a + b = :n", "+", "a + b"}, [3]string{"a = 5", "5", "= 5"}, [3]string{"a = 'x'", "'", "= 'x"}, [3]string{`a = "x"`, `"`, `= "x`},
		[3]string{"a != :n", "!", "a !="}, [3]string{"a = :n;", ";", ":n;"}, [3]string{"a, b", ",", "a, b"}, [3]string{"1a = :n", "1", "1a"}, [3]string{"_a = :n", "_", "_a"},
		[3]string{"a-b = :n", "-", "a-b"}, [3]string{"é = :n", "é", "é ="}, [3]string{"a = ü", "ü", "= ü"}, [3]string{"#  = :n", "#", "#  ="}, [3]string{": = a", ":", ": ="},
		[3]string{"a = :", ":", "= :"}, [3]string{"#a-b = :n", "-", "#a-b"}, [3]string{"and = :n", "and", "and ="}, [3]string{"between = :n", "between", "between ="},
		[3]string{"a.b. = :n", "=", ". = :n"}, [3]string{"a..b = :n", ".", "..b"}, [3]string{"a[1 = :n", "=", "1 = :n"}, [3]string{"a[1]] = :n", "]", "]] ="},
		[3]string{"a[1.5] = :n", ".", "1.5"}, [3]string{"a[:n] = :n", ":n", "[:n]"}, [3]string{"a[#n] = :n", "#n", "[#n]"}, [3]string{"a[b] = :n", "b", "[b]"},
		[3]string{"a[-1] = :n", "-", "[-1"}, [3]string{"a[] = :n", "]", "[] ="},
	)
	for _, kind := range []expr.Kind{expr.ConditionExpression, expr.FilterExpression, expr.KeyConditionExpression} {
		c.tells(kind, conditions)
	}
	c.tells(expr.UpdateExpression, nears(
		[3]string{"INVALID SYNTAX", "INVALID", "INVALID SYNTAX"}, [3]string{"SET", "<EOF>", "SET"}, [3]string{"SET a", "<EOF>", "a"}, [3]string{"SET a =", "<EOF>", "="},
		[3]string{"SET a = :n,", "<EOF>", ","}, [3]string{"SET a = :n b = :n", "b", ":n b ="}, [3]string{"SET a = :n, REMOVE b", "REMOVE", ", REMOVE b"},
		[3]string{"SET a = :n REMOVE", "<EOF>", "REMOVE"}, [3]string{"SET :n = a", ":n", "SET :n ="}, [3]string{"SET size(a) = :n", "(", "size(a"}, [3]string{"SET a.b", "<EOF>", "b"},
		[3]string{"REMOVE a,", "<EOF>", ","}, [3]string{"REMOVE a b", "b", "a b"}, [3]string{"REMOVE a = :n", "=", "a = :n"}, [3]string{"REMOVE :n", ":n", "REMOVE :n"},
		[3]string{"ADD a", "<EOF>", "a"}, [3]string{"ADD a = :n", "=", "a = :n"}, [3]string{"ADD a b", "b", "a b"}, [3]string{"ADD a (:n)", "(", "a (:n"}, [3]string{"ADD a :n + :n", "+", ":n + :n"},
		[3]string{"DELETE a", "<EOF>", "a"}, [3]string{"DELETE a b", "b", "a b"}, [3]string{"DELETE a, b :ss", ",", "a, b"},
		[3]string{"SET a = n + n + n", "+", "n + n"}, [3]string{"SET a = (n + n) + n", "+", ") + n"}, [3]string{"SET a = n + (n + n)", "+", "n + n"},
		[3]string{"SET a = n * :n", "*", "n * :n"}, [3]string{"SET a = -:n", "-", "= -:n"}, [3]string{"SET a = if_not_exists(b, n + :n)", "+", "n + :n"},
		[3]string{"SET a = if_not_exists()", ")", "()"}, [3]string{"SET a = (n", "<EOF>", "n"}, [3]string{"SET a = n)", ")", "n)"}, [3]string{"SET a = ()", ")", "()"},
		[3]string{"SET a = n = :n", "=", "n = :n"}, [3]string{"SET a = n AND b", "AND", "n AND b"}, [3]string{"SET a = 5", "5", "= 5"}, [3]string{"SET set = :n", "set", "SET set ="},
		[3]string{"SET a = remove", "remove", "= remove"}, [3]string{"REMOVE add", "add", "REMOVE add"}, [3]string{"SET _123 = :n", "_", "SET _123"},
		[3]string{"SET a[-1] = :n", "-", "[-1"}, [3]string{"a = :n", "a", "a ="}, [3]string{"SETa = :n", "SETa", "SETa ="},
	))
	c.tells(expr.ProjectionExpression, nears(
		[3]string{"!!", "!", "!!"}, [3]string{"a,", "<EOF>", ","}, [3]string{",a", ",", ",a"}, [3]string{"a b", "b", "a b"}, [3]string{"a;b", ";", "a;b"}, [3]string{"a,,b", ",", ",,b"},
		[3]string{"(a)", "(", "(a"}, [3]string{"a(b)", "(", "a(b"}, [3]string{"size(a)", "(", "size(a"}, [3]string{":n", ":n", ":n"}, [3]string{"a, :n", ":n", ", :n"}, [3]string{"a.", "<EOF>", "."},
		[3]string{".a", ".", ".a"}, [3]string{"a..b", ".", "..b"}, [3]string{"a[0", "<EOF>", "0"}, [3]string{"a[]", "]", "[]"}, [3]string{"a[-1]", "-", "[-1"}, [3]string{"a[b]", "b", "[b]"},
		[3]string{"[0]", "[", "[0"}, [3]string{"_a", "_", "_a"}, [3]string{"1", "1", "1"}, [3]string{"a.1", "1", ".1"}, [3]string{"a-b", "-", "a-b"}, [3]string{"*", "*", "*"}, [3]string{"a = b", "=", "a = b"},
	))
}

// DYNAMODB.md 4.1 and 4.2: what the grammar has. "Keywords are case-insensitive", "whitespace: space, tab, CR, LF", "NOT nests",
// and each section "at most once, any order".
func TestSyntaxAccepted(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	conditions := wants("4.2", "",
		"a = :n", ":n = a", "a=:n", "(a) = (:n)", "(a = :n)", "a = :n AND (b = :n)", "(a = :n) AND (b = :n)", "(a = :n AND (b = :n OR c = :n))",
		"NOT a = :n", "NOT NOT a = :n", "NOT (NOT (a = :n))", "not a = :n And b = :n oR c = :n", "a between :n and :n2", "a in (:n)", "a IN (:n, :n2, b)",
		"a <> :n", "a < :n", "a <= :n", "a > :n", "a >= :n", "a = b", "a.b[0].c = :n", "a[0][1][2] = :n", "a . b [ 0 ] = :n", "a[01] = :n",
		"size(a) = :n", ":n = size(a)", "size(a) = size(b)", "size(a) BETWEEN :n AND :n2", "size(a) IN (:n, :n2)", "a IN (size(b), :n)", "size(:s) = :n", "(size(a)) = :n",
		"attribute_exists(a)", "attribute_not_exists(a.b[0])", "attribute_type(a, :S)", "begins_with(a, :s)", "begins_with(:s, a)", "begins_with(a, b)", "begins_with(:s, :s2)",
		"contains(a, :s)", "contains(a, b)", "contains(:s, a)", "contains(:l, :n)", "( attribute_exists ( a ) )", "a BETWEEN b AND c", ":n BETWEEN a AND b", "a = :n AND b BETWEEN :n AND :n2 AND c = :n",
		"A_1 = :n", "abc123_ = :n", "NOTa = :n", "a_and_b = :n",
	)
	for _, kind := range []expr.Kind{expr.ConditionExpression, expr.FilterExpression} {
		c.tells(kind, conditions)
	}
	for _, space := range []string{` `, `   `, `\t`, `\r`, `\n`, `\r\n\t `} {
		text := "a" + space + "=" + space + ":n" + space
		c.must("Scan", withValues(`{"TableName":"tab","FilterExpression":"`+text+`"`, text))
	}
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"5"},"l":{"L":[]},"ss":{"SS":["a","b"]},"m":{"M":{}}}}`)
	c.tells(expr.UpdateExpression, wants("4.2", "",
		"SET a = :n", "set a=:n", "SET a = (:n)", "SET a = n + :n", "SET a = (n + :n)", "SET a = (n) - (:n)", "SET a = n", "SET a = if_not_exists(b, :n) + if_not_exists(n, :n)",
		"SET a = if_not_exists(b, if_not_exists(n, :n))", "SET a = list_append(l, :l)", "SET a = list_append(if_not_exists(b, :l), (l))", "SET a = (list_append(:l, :l))", "SET m.x = :n, l[0] = :n",
		"remove a", "Remove a, b", "ADD n :n", "add n :n, cnt :n", "DELETE ss :ss", "DELETE ss :ss ADD n :n REMOVE a SET b = :n", "SET b = :n DELETE ss :ss REMOVE a ADD n :n",
	))
	c.tells(expr.ProjectionExpression, wants("4.2", "", "a", "a, b", "a,b , c", "a.b, a.c", "a[0], a[1].b", "a [ 1 ] . b", "pk"))
}
