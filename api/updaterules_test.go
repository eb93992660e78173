package api

import (
	"strings"
	"testing"

	"github.com/meridiandb/meridian/expr"
)

// updated is an update of one fixed item and what each ReturnValues answers; "" is no Attributes.
type updated struct {
	text     string
	old, new string // UPDATED_OLD, UPDATED_NEW
}

const updatedItem = `{"d":{"S":"x"},"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"}]},"m":{"M":{"k":{"L":[{"S":"u"},{"S":"v"},{"S":"w"}]},"o":{"M":{"x":{"N":"7"}}},"q":{"N":"1"}}},` +
	`"n":{"N":"5"},"pk":{"S":"a"},"ss":{"SS":["a","b"]}}`

// DYNAMODB.md 4.8: what updates do: "All right-hand sides and indexes refer to the item BEFORE the update", "i beyond end
// appends (several beyond-end indexes are compacted in order)", "UPDATED_* give only the touched paths nested in their
// hierarchy", "set beyond end of list is not in UPDATED_NEW; REMOVE a.c[1] yields the element that shifted into [1]".
func TestUpdates(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	list := func(elems string) string { return `"l":{"L":[` + elems + `]}` }
	mk := func(elems string) string { return `"m":{"M":{"k":{"L":[` + elems + `]}}}` }
	for _, r := range []updated{
		{"SET n = :n", `"n":{"N":"5"}`, `"n":{"N":"1"}`},
		{"SET n = n", `"n":{"N":"5"}`, `"n":{"N":"5"}`}, // "includes same-value writes"
		{"SET x = :m", ``, `"x":{"M":{}}`},
		{"SET x = :n, y = n REMOVE n", `"n":{"N":"5"}`, `"x":{"N":"1"},"y":{"N":"5"}`},
		{"SET n = :n, x = n", `"n":{"N":"5"}`, `"n":{"N":"1"},"x":{"N":"5"}`},
		{"REMOVE n SET x = n", `"n":{"N":"5"}`, `"x":{"N":"5"}`},
		{"SET x = pk", ``, `"x":{"S":"a"}`}, // "RHS may read keys"
		{"SET n = n + :n2", `"n":{"N":"5"}`, `"n":{"N":"7"}`}, {"SET n = :n2 - n", `"n":{"N":"5"}`, `"n":{"N":"-3"}`}, {"SET x = (n) + (m.q)", ``, `"x":{"N":"6"}`},
		{"SET x = if_not_exists(n, :n2)", ``, `"x":{"N":"5"}`}, {"SET x = if_not_exists(z, :n2)", ``, `"x":{"N":"2"}`}, {"SET x = if_not_exists(m.o.x, :n)", ``, `"x":{"N":"7"}`},
		{"SET x = if_not_exists(z.z[3], :n) + if_not_exists(z, n)", ``, `"x":{"N":"6"}`}, {"SET x = if_not_exists(z, if_not_exists(y, :n))", ``, `"x":{"N":"1"}`},
		{"SET l = list_append(l, :l)", list(`{"N":"0"},{"N":"1"},{"N":"2"}`), list(`{"N":"0"},{"N":"1"},{"N":"2"},{"N":"9"}`)},
		{"SET l = list_append(:l, l)", list(`{"N":"0"},{"N":"1"},{"N":"2"}`), list(`{"N":"9"},{"N":"0"},{"N":"1"},{"N":"2"}`)},
		{"SET x = list_append(if_not_exists(z, :l), :l)", ``, `"x":{"L":[{"N":"9"},{"N":"9"}]}`},
		{"SET l[1] = :s", list(`{"N":"1"}`), list(`{"S":"a"}`)},
		{"SET l[0] = l[1], l[1] = l[0]", list(`{"N":"0"},{"N":"1"}`), list(`{"N":"1"},{"N":"0"}`)},
		{"SET l[5] = :n, l[10] = :n2", ``, ``}, {"SET l[1] = :s, l[7] = :n2", list(`{"N":"1"}`), list(`{"S":"a"}`)},
		{"SET l[3] = :n", ``, list(`{"N":"1"}`)}, // the very next place is where it comes to stand
		{"REMOVE l[0]", list(`{"N":"0"}`), list(`{"N":"1"}`)}, {"REMOVE l[1], l[9]", list(`{"N":"1"}`), list(`{"N":"2"}`)}, {"REMOVE l[0], l[1], l[2]", list(`{"N":"0"},{"N":"1"},{"N":"2"}`), ``},
		{"REMOVE l[1] SET l[3] = :n", list(`{"N":"1"}`), list(`{"N":"2"}`)}, {"REMOVE l[0] SET l[1] = :s", list(`{"N":"0"},{"N":"1"}`), list(`{"S":"a"},{"N":"2"}`)},
		{"REMOVE m.k[1]", mk(`{"S":"v"}`), mk(`{"S":"w"}`)}, {"REMOVE m.k[0], m.k[2]", mk(`{"S":"u"},{"S":"w"}`), mk(`{"S":"v"}`)}, {"SET m.k[1] = :n, m.k[0] = :n", mk(`{"S":"u"},{"S":"v"}`), mk(`{"N":"1"},{"N":"1"}`)},
		{"SET m.x = :n", ``, `"m":{"M":{"x":{"N":"1"}}}`}, {"SET m.q = :n2, m.o.x = :n", `"m":{"M":{"o":{"M":{"x":{"N":"7"}}},"q":{"N":"1"}}}`, `"m":{"M":{"o":{"M":{"x":{"N":"1"}}},"q":{"N":"2"}}}`},
		{"REMOVE m.o.x", `"m":{"M":{"o":{"M":{"x":{"N":"7"}}}}}`, ``}, {"REMOVE m.o", `"m":{"M":{"o":{"M":{"x":{"N":"7"}}}}}`, ``}, {"REMOVE d", `"d":{"S":"x"}`, ``},
		{"REMOVE z", ``, ``}, {"REMOVE m.z", ``, ``}, {"REMOVE l[9]", ``, ``}, {"REMOVE m.k[9], z", ``, ``}, // "a no-op"
		{"ADD n :n", `"n":{"N":"5"}`, `"n":{"N":"6"}`}, {"ADD z :n", ``, `"z":{"N":"1"}`}, {"ADD m.q :n2", `"m":{"M":{"q":{"N":"1"}}}`, `"m":{"M":{"q":{"N":"3"}}}`},
		{"ADD m.z :ss", ``, `"m":{"M":{"z":{"SS":["a"]}}}`}, {"ADD l[0] :n", list(`{"N":"0"}`), list(`{"N":"1"}`)}, {"ADD ss :ss", `"ss":{"SS":["a","b"]}`, `"ss":{"SS":["a","b"]}`}, {"ADD z :bs", ``, `"z":{"BS":["AA=="]}`},
		{"DELETE ss :ss", `"ss":{"SS":["a","b"]}`, `"ss":{"SS":["b"]}`}, {"DELETE z :ss", ``, ``}, {"DELETE m.z :ns", ``, ``},
	} {
		for returns, want := range map[string]string{"UPDATED_OLD": r.old, "UPDATED_NEW": r.new} {
			if want = `{"Attributes":{` + want + `}}`; want == `{"Attributes":{}}` {
				want = `{}`
			}
			c.must("PutItem", `{"TableName":"tab","Item":`+updatedItem+`}`)
			_, body := expressed(expr.UpdateExpression, r.text)
			c.replies([]reply{{"4.8", "UpdateItem", strings.TrimSuffix(body, "}") + `,"ReturnValues":"` + returns + `"}`, want}})
		}
	}
	// What stands in the end, where the touched paths do not tell it.
	for text, want := range map[string]string{
		"SET l[9] = :n2, l[5] = :n": list(`{"N":"0"},{"N":"1"},{"N":"2"},{"N":"1"},{"N":"2"}`), "REMOVE l[0] SET l[7] = :s, l[1] = :n": list(`{"N":"1"},{"N":"2"},{"S":"a"}`),
		"REMOVE l[0], l[1], l[2]": list(``), "REMOVE l[2], l[0]": list(`{"N":"1"}`),
	} {
		c.must("PutItem", `{"TableName":"tab","Item":`+updatedItem+`}`)
		_, body := expressed(expr.UpdateExpression, text)
		c.must("UpdateItem", body)
		c.replies([]reply{{"4.8", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}},"ProjectionExpression":"l"}`, `{"Item":{` + want + `}}`}})
	}
	c.must("UpdateItem", withValues(`{"TableName":"tab","Key":{"pk":{"S":"a"}},"UpdateExpression":"DELETE ss :both","ExpressionAttributeValues":{":both":{"SS":["b","a","z"]}}`))
	c.replies([]reply{{"4.8", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}},"ProjectionExpression":"ss"}`, `{"Item":{}}`}}) // "removing last element removes the attribute"
}

// DYNAMODB.md 4.8: "An update whose only effect is REMOVE/DELETE on a non-existing item creates NOTHING (no item, no stream
// record, no Attributes in ALL_NEW)"; others create it, and answer as if it had been empty.
func TestUpdatesOfNothing(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	for text, made := range map[string]string{
		"SET x = :n": `"x":{"N":"1"}`, "ADD x :n": `"x":{"N":"1"}`, "ADD x :ss": `"x":{"SS":["a"]}`, "SET x = if_not_exists(y, :n)": `"x":{"N":"1"}`, "DELETE y :ss SET x = :n": `"x":{"N":"1"}`,
		"REMOVE x": "", "REMOVE x, y": "", "DELETE x :ss": "", "REMOVE y DELETE x :ns": "",
	} {
		wants := map[string]string{"NONE": `{}`, "ALL_OLD": `{}`, "UPDATED_OLD": `{}`, "UPDATED_NEW": `{"Attributes":{` + made + `}}`, "ALL_NEW": `{"Attributes":{"pk":{"S":"a"},` + made + `}}`}
		item := `{"Item":{"pk":{"S":"a"},` + made + `}}`
		if made == "" {
			wants["UPDATED_NEW"], wants["ALL_NEW"], item = `{}`, `{}`, `{}`
		}
		for returns, want := range wants {
			_, body := expressed(expr.UpdateExpression, text)
			c.must("DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}}}`)
			c.replies([]reply{
				{"4.8", "UpdateItem", strings.TrimSuffix(body, "}") + `,"ReturnValues":"` + returns + `"}`, want}, {"4.8", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}}}`, item},
			})
		}
	}
	// "UpdateItem with no UpdateExpression and no AttributeUpdates, or empty AttributeUpdates {}, creates a key-only item if missing"
	for _, rest := range []string{``, `,"AttributeUpdates":{}`, `,"ConditionExpression":"attribute_not_exists(pk)"`, `,"AttributeUpdates":{},"Expected":{"pk":{"Exists":false}}`} {
		c.must("DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}}}`)
		c.replies([]reply{
			{"4.8", "UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}},"ReturnValues":"ALL_NEW"` + rest + `}`, `{"Attributes":{"pk":{"S":"a"}}}`},
			{"4.8", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}}}`, `{"Item":{"pk":{"S":"a"}}}`},
		})
	}
}

// DYNAMODB.md 4.8: what updates are refused for, in the text and at run time.
func TestUpdatesRefused(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":`+updatedItem+`}`)
	const (
		badPath = "!The document path provided in the update expression is invalid for update"
		absent  = "!The provided expression refers to an attribute that does not exist in the item"
		badType = "!An operand in the update expression has an incorrect data type"
		key     = "!" + invalidParam + "Cannot update attribute pk. This attribute is part of the key"
		overlap = "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: "
		clash   = "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: "
		verb    = "Incorrect operand type for operator or function; operator: "
	)
	var rows []told
	for want, texts := range map[string][]string{
		badPath: {"SET z.a = :n", "SET n.a = :n", "SET m[0] = :n", "SET l.a = :n", "SET l[0].a = :n", "SET l[9].a = :n", "SET m.z.a = :n", "SET z[0] = :n", "SET ss[0] = :s", "REMOVE z.a", "REMOVE z[0]", "REMOVE n.a",
			"REMOVE m.q.z", "REMOVE l.a", "REMOVE m[0]", "ADD z.a :n", "ADD n.a :n", "ADD m.z.a :ss", "DELETE z.a :ss", "DELETE d.x :ss", "SET a = :n REMOVE z.a"},
		absent: {"SET a = z", "SET a = z + :n", "SET a = :n - z", "SET a = m.z", "SET a = l[9]", "SET a = if_not_exists(z, y)", "SET a = list_append(z, :l)", "SET a = list_append(:l, z)", "SET a = n.x", "SET a = :n, b = z"},
		badType: {"SET a = d + :n", "SET a = :n + d", "SET a = n - ss", "SET a = l + :n", "SET a = if_not_exists(z, :s) + :n", "SET a = list_append(d, :l)", "SET a = list_append(:l, ss)", "SET a = list_append(m, l)",
			"ADD d :n", "ADD n :ss", "ADD ss :n", "ADD ss :ns", "ADD l :n", "ADD m :ss", "ADD l[0] :ss", "DELETE d :ss", "DELETE n :ss", "DELETE ss :ns", "DELETE l :ss", "DELETE m.q :ns"},
		key:                               {"SET pk = :s", "SET a = :n, pk = :s", "REMOVE pk", "ADD pk :n", "DELETE pk :ss", "SET pk.a = :n", "REMOVE pk[0]", "SET pk = pk"},
		overlap + "[a], path two: [a]":    {"SET a = :n, a = :n2", "SET a = :n REMOVE a", "SET a = :n ADD a :n2", "REMOVE a, a", "REMOVE a ADD a :n", "ADD a :n DELETE a :ss", "DELETE a :ss, a :ss"},
		overlap + "[a, b], path two: [a]": {"SET a.b = :n, a = :n", "SET a.b = :n REMOVE a", "REMOVE a.b ADD a :n"}, overlap + "[a], path two: [a, b]": {"SET a = :n, a.b = :n", "REMOVE a, a.b"},
		overlap + "[a, [0]], path two: [a, [0], b]": {"SET a[0] = :n, a[0].b = :n"}, overlap + "[a, b, [1]], path two: [a, b, [1]]": {"SET a.b[1] = :n, c = :n REMOVE a.b[1]"},
		clash + "[a, b], path two: [a, [1]]": {"SET a.b = :n, a[1] = :n", "SET a.b = :n REMOVE a[1]"}, clash + "[a, [0]], path two: [a, b]": {"REMOVE a[0], a.b"},
		`The "SET" section can only be used once in an update expression;`: {"SET a = :n SET b = :n", "SET a = :n REMOVE b SET c = :n"}, `The "ADD" section can only be used once in an update expression;`: {"ADD a :n ADD b :n"},
		`The "REMOVE" section can only be used once in an update expression;`: {"REMOVE a REMOVE b", "REMOVE a SET b = :n REMOVE c"}, `The "DELETE" section can only be used once in an update expression;`: {"DELETE a :ss delete b :ss"},
		needsPath + "if_not_exists":                           {"SET a = if_not_exists(:n, :n2)", "SET a = if_not_exists(if_not_exists(a, b), :n)"},
		misusedFunction + "list_append":                       {"SET a = list_append(list_append(l, :l), :l)", "SET a = list_append(:l, list_append(l, :l))", "SET a = if_not_exists(z, list_append(l, :l))"},
		operandCount + "if_not_exists, number of operands: 1": {"SET a = if_not_exists(b)"}, operandCount + "if_not_exists, number of operands: 3": {"SET a = if_not_exists(b, :n, :n2)"},
		operandCount + "list_append, number of operands: 1": {"SET a = list_append(l)"}, operandCount + "list_append, number of operands: 3": {"SET a = list_append(l, l, l)"},
		unknownFunction + "f": {"SET a = f(b)", "SET a = :n + f(b)"}, unknownFunction + "IF_NOT_EXISTS": {"SET a = IF_NOT_EXISTS(a, :n)"},
		"The function is not allowed in an update expression; function: size": {"SET a = size(l)", "SET a = :n + size(l)"}, "The function is not allowed in an update expression; function: contains": {"SET a = contains(d, :s)"},
	} {
		rows = append(rows, wants("4.8", want, texts...)...)
	}
	long := map[string]string{"S": "STRING", "N": "NUMBER", "B": "BINARY", "NULL": "NULL", "BOOL": "BOOLEAN", "L": "LIST", "M": "MAP"}
	for kind, p := range ofKind {
		set := strings.HasSuffix(kind, "S") && kind != "S"
		if kind != "N" && !set { // "literal N or set only"
			rows = append(rows, told{"4.8", "ADD z " + p, verb + "ADD, operand type: " + long[kind]})
		}
		if !set { // "literal set only"
			rows = append(rows, told{"4.8", "DELETE z " + p, verb + "DELETE, operand type: " + long[kind]})
		}
		if kind != "N" {
			rows = append(rows, told{"4.8", "SET a = n + " + p, operandType + "+, operand type: " + kind}, told{"4.8", "SET a = " + p + " - n", operandType + "-, operand type: " + kind})
		}
		if kind != "L" {
			rows = append(rows, told{"4.8", "SET a = list_append(l, " + p + ")", operandType + "list_append, operand type: " + kind}, told{"4.8", "SET a = list_append(" + p + ", l)", operandType + "list_append, operand type: " + kind})
		}
	}
	c.tells(expr.UpdateExpression, rows)
	c.replies([]reply{{"4.8", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}}}`, `{"Item":` + updatedItem + `}`}}) // a refused update does nothing
}
