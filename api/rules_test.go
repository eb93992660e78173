package api

import (
	"strings"
	"testing"
)

// DYNAMODB.md section 4: what expressions may not say, each rule over HTTP. How expressions compute is package expr's, and
// tested there against slow models.
func TestExpressionRules(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", true)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"p"},"sk":{"S":"s"},"n":{"N":"1"},"s":{"S":"x"},"l":{"L":[{"N":"1"}]},"m":{"M":{"k":{"N":"1"}}},"ss":{"SS":["a"]}}}`)
	const key = `"TableName":"tab","Key":{"pk":{"S":"p"},"sk":{"S":"s"}}`
	eav := func(vs ...string) string {
		if len(vs) == 0 {
			return ""
		}
		return `,"ExpressionAttributeValues":{` + strings.Join(vs, ",") + `}`
	}
	cond := func(text string, vs ...string) string {
		return `{` + key + `,"ConditionExpression":"` + text + `"` + eav(vs...) + `}`
	}
	update := func(text string, vs ...string) string {
		return `{` + key + `,"UpdateExpression":"` + text + `"` + eav(vs...) + `}`
	}
	proj := func(text string) string { return `{` + key + `,"ProjectionExpression":"` + text + `"}` }
	query := func(text string, vs ...string) string {
		return `{"TableName":"tab","KeyConditionExpression":"` + text + `"` + eav(vs...) + `}`
	}
	const (
		del, upd, get = "DeleteItem", "UpdateItem", "GetItem"
		c1            = "Invalid ConditionExpression: "
		u1            = "Invalid UpdateExpression: "
		p1            = "Invalid ProjectionExpression: "
		k1            = "Invalid condition in KeyConditionExpression: "
		vN, vS, vL    = `":v":{"N":"1"}`, `":v":{"S":"a"}`, `":v":{"L":[]}`
		types         = "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
		misused       = "The function is not allowed to be used this way in an expression; function: "
		distinct      = "The first operand must be distinct from the remaining operands for this operator or function; operator: "
		path          = "Operator or function requires a document path; operator or function: "
		operand       = "Incorrect operand type for operator or function; operator or function: "
		count         = "Incorrect number of operands for operator or function; operator or function: "
		badPath       = "The document path provided in the update expression is invalid for update"
		absent        = "The provided expression refers to an attribute that does not exist in the item"
		badType       = "An operand in the update expression has an incorrect data type"
	)
	deepPath := strings.Repeat("a.", 32) + "a"
	c.refuses([]refusal{
		{"4.1", upd, update("SET _123 = :v", vN), validation, u1 + `Syntax error; token: "_", near: "SET _123"`},
		{"4.1", get, proj("!!"), validation, p1 + `Syntax error; token: "!", near: "!!"`},
		{"4.1", get, proj("a[-1]"), validation, p1 + `Syntax error; token: "-", near: "[-1"`},
		{"4.1", get, proj("a[]"), validation, p1 + `Syntax error; token: "]", near: "[]"`},
		{"4.1", del, cond("ATTRIBUTE_EXISTS(a)"), validation, c1 + "Invalid function name; function: ATTRIBUTE_EXISTS"},
		{"4.1", get, proj("a.size"), validation, p1 + "Attribute name is a reserved keyword; reserved keyword: size"},
		{"3.1", get, proj(deepPath), validation, p1 + "The document path has too many nesting elements; nesting levels: 33"},
		{"4.3", del, cond("attribute_exists(a)" + strings.Repeat(" OR attribute_exists(a)", 150)), validation,
			c1 + "The expression contains too many operators; operator count: 301"},
		{"4.3", del, cond("((attribute_exists(a)))"), validation, c1 + "The expression has redundant parentheses;"},
		{"4.5", del, cond("f(a)"), validation, c1 + "Invalid function name; function: f"},
		{"4.5", del, cond("size(a, b) = :v", vN), validation, c1 + count + "size, number of operands: 2"},
		{"4.5", del, cond("attribute_exists(a, b)"), validation, c1 + count + "attribute_exists, number of operands: 2"},
		{"4.5", del, cond("begins_with(a)"), validation, c1 + count + "begins_with, number of operands: 1"},
		{"4.5", del, cond("size(a)"), validation, c1 + misused + "size"},
		{"4.5", del, cond("a = begins_with(b, :v)", vS), validation, c1 + misused + "begins_with"},
		{"4.5", del, cond("a = a"), validation, c1 + distinct + "=, first operand: [a]"},
		{"4.5", del, cond("a.b[1] < a.b[1]"), validation, c1 + distinct + "<, first operand: [a, b, [1]]"},
		{"4.5", del, cond("contains(a, a)"), validation,
			c1 + "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [a]"},
		{"4.5", del, cond("attribute_exists(:v)", vS), validation, c1 + path + "attribute_exists"},
		{"4.5", del, cond("attribute_not_exists(:v)", vS), validation, c1 + path + "attribute_not_exists"},
		{"4.5", del, cond("begins_with(a, :v)", vN), validation, c1 + operand + "begins_with, operand type: N"},
		{"4.5", del, cond("a < :v", vL), validation, c1 + operand + "<, operand type: L"},
		{"4.5", del, cond("size(:v) = :v", vN), validation, c1 + operand + "size, operand type: N"},
		{"4.5", del, cond("attribute_type(a, :v)", vN), validation, c1 + operand + "attribute_type, operand type: N"},
		{"4.5", del, cond("attribute_type(a, :v)", vS), validation, c1 + "Invalid attribute type name found; type: a, valid types: " + types},
		{"4.5", del, cond("a BETWEEN :v AND :w", vS, `":w":{"N":"1"}`), validation,
			c1 + "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:a}, upper bound operand: AttributeValue: {N:1}"},
		{"4.5", del, cond("a BETWEEN :w AND :v", vN, `":w":{"N":"5"}`), validation,
			c1 + "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:1}"},
		{"4.6", "Query", query("pk > :v", vS), validation, "Query key condition not supported"},
		{"4.6", "Query", query("sk = :v", vS), validation, "Query condition missed key schema element: pk"},
		{"4.6", "Query", query("pk = :v OR sk = :v", vS), validation, "Invalid operator used in KeyConditionExpression: OR"},
		{"4.6", "Query", query("pk = :v AND sk IN (:v)", vS), validation, "Invalid operator used in KeyConditionExpression: IN"},
		{"4.6", "Query", query("pk = :v AND sk <> :v", vS), validation, "Invalid operator used in KeyConditionExpression: <>"},
		{"4.6", "Query", query("pk = :v AND contains(sk, :v)", vS), validation, "Invalid operator used in KeyConditionExpression: contains"},
		{"4.6", "Query", query("pk = :v AND attribute_exists(sk)", vS), validation, "Invalid operator used in KeyConditionExpression: attribute_exists"},
		{"4.6", "Query", query("NOT pk = :v", vS), validation, "Invalid operator used in KeyConditionExpression: NOT"},
		{"4.6", "Query", query("pk = :v AND pk = :v", vS), validation, "KeyConditionExpressions must only contain one condition per key"},
		{"4.6", "Query", query("pk.a = :v", vS), validation, "KeyConditionExpressions cannot have conditions on nested attributes"},
		{"4.6", "Query", query("size(pk) = :v", vN), validation, "KeyConditionExpressions cannot contain nested operations"},
		{"4.6", "Query", query("pk = :v AND sk = :v AND x = :v", vS), validation, "Conditions can be of length 1 or 2 only"},
		{"4.6", "Query", query("pk = sk"), validation, k1 + "Multiple attribute names used in one condition"},
		{"4.6", "Query", query(":v = :v", vS), validation, k1 + "No key attribute specified"},
		{"4.6", "Query", query("pk = :v AND :v BETWEEN sk AND :w", vS, `":w":{"S":"b"}`), validation, k1 + "BETWEEN operator must have the key attribute as its first operand"},
		{"4.6", "Query", query("pk = :v", vN), validation, invalidParam + "Condition parameter type does not match schema type"},
		{"4.6", "Query", query("pk = :v", `":v":{"S":""}`), validation,
			"One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{"4.7", get, proj("a.b, a"), validation, p1 + "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a]"},
		{"4.7", get, proj("a.b, a[1]"), validation, p1 + "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [1]]"},
		{"4.7", get, `{` + key + `,"AttributesToGet":["a","a"]}`, validation, invalidParam + "Duplicate value in attribute name: a"},
		{"4.8", upd, update("SET a = :v REMOVE a", vN), validation, u1 + "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"},
		{"4.8", upd, update("SET a.b = :v, a[1] = :v", vN), validation, u1 + "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [1]]"},
		{"4.8", upd, update("SET a = :v SET b = :v", vN), validation, u1 + `The "SET" section can only be used once in an update expression;`},
		{"4.8", upd, update("REMOVE a REMOVE b"), validation, u1 + `The "REMOVE" section can only be used once in an update expression;`},
		{"4.8", upd, update("SET sk = :v", vS), validation, invalidParam + "Cannot update attribute sk. This attribute is part of the key"},
		{"4.8", upd, update("REMOVE pk"), validation, invalidParam + "Cannot update attribute pk. This attribute is part of the key"},
		{"4.8", upd, update("SET nothing.a = :v", vN), validation, badPath},
		{"4.8", upd, update("SET n.a = :v", vN), validation, badPath},
		{"4.8", upd, update("SET m[0] = :v", vN), validation, badPath},
		{"4.8", upd, update("SET l.a = :v", vN), validation, badPath},
		{"4.8", upd, update("REMOVE nothing.a"), validation, badPath},
		{"4.8", upd, update("SET a = nothing"), validation, absent},
		{"4.8", upd, update("SET a = nothing + :v", vN), validation, absent},
		{"4.8", upd, update("SET a = s + :v", vN), validation, badType},
		{"4.8", upd, update("SET a = list_append(s, :v)", vL), validation, badType},
		{"4.8", upd, update("ADD s :v", vN), validation, badType},
		{"4.8", upd, update("ADD n :v", `":v":{"SS":["a"]}`), validation, badType},
		{"4.8", upd, update("DELETE s :v", `":v":{"SS":["a"]}`), validation, badType},
		{"4.8", upd, update("ADD a :v", vS), validation, u1 + "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"},
		{"4.8", upd, update("ADD a :v", vL), validation, u1 + "Incorrect operand type for operator or function; operator: ADD, operand type: LIST"},
		{"4.8", upd, update("DELETE a :v", vN), validation, u1 + "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER"},
		{"4.8", upd, update("SET a = if_not_exists(:v, :v)", vN), validation, u1 + path + "if_not_exists"},
		{"4.8", upd, update("SET a = list_append(list_append(l, :v), :v)", vL), validation, u1 + misused + "list_append"},
		{"4.8", upd, update("SET a = attribute_exists(b)"), validation, u1 + "The function is not allowed in an update expression; function: attribute_exists"},
		{"4.8", upd, update("SET a = f(b)"), validation, u1 + "Invalid function name; function: f"},
		{"4.8", upd, update("SET a = list_append(l)"), validation, u1 + count + "list_append, number of operands: 1"},
		{"4.8", upd, update("SET a = :v + :w", vN, `":w":{"S":"x"}`), validation, u1 + operand + "+, operand type: S"},
		{"3.3", upd, update("SET n = n + :v", `":v":{"N":"`+strings.Repeat("9", 38)+`e87"}`), validation,
			"Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{"3.4", upd, update("SET a = :v", `":v":{"S":"`+strings.Repeat("x", 409600)+`"}`), validation, "Item size to update has exceeded the maximum allowed size"},
	})
	if got := c.must(get, `{`+key+`,"ProjectionExpression":"n, s"}`); got != `{"Item":{"n":{"N":"1"},"s":{"S":"x"}}}` {
		t.Error("a refused write did something:", got)
	}
}
