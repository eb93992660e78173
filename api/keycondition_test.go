package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/expr"
)

// keyedTable is table tab (pk S, sk N) with a local index byt (pk, t S) and two global ones: byg (g S) and wide, of four HASH
// and four RANGE attributes (a S, b S, c N, d B; e S, f N, h S, i S); and four items of one partition everywhere.
func keyedTable(c *client) {
	c.t.Helper()
	var defs []string
	for _, a := range strings.Fields("pkS skN tS gS aS bS cN dB eS fN hS iS") {
		defs = append(defs, `{"AttributeName":"`+a[:len(a)-1]+`","AttributeType":"`+a[len(a)-1:]+`"}`)
	}
	c.must("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH", "sk RANGE")+`,"AttributeDefinitions":[`+strings.Join(defs, ",")+`]`+
		lsi(indexOf("byt", keyList("pk HASH", "t RANGE"), ""))+
		gsi(indexOf("byg", keyList("g HASH"), ""), indexOf("wide", keyList("a HASH", "b HASH", "c HASH", "d HASH", "e RANGE", "f RANGE", "h RANGE", "i RANGE"), ""))+`}`)
	for n := range 4 {
		c.must("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"N":"%d"},"t":{"S":"t%d"},"g":{"S":"a"},"a":{"S":"a"},"b":{"S":"a"},"c":{"N":"1"},"d":{"B":"AA=="},`+
			`"e":{"S":"e%d"},"f":{"N":"%d"},"h":{"S":"h%d"},"i":{"S":"i"},"x":{"N":"%d"}}}`, n, n, n%2, n, n, n))
	}
}

// counts asks how many items an index's key condition finds; the base table's if index is "".
func (c *client) counts(index string, rows map[string]int) {
	c.t.Helper()
	for text, want := range rows {
		body := `{"TableName":"tab","Select":"COUNT","KeyConditionExpression":"` + text + `"`
		if index != "" {
			body += `,"IndexName":"` + index + `"`
		}
		c.replies([]reply{{"4.6", "Query", withValues(body, text), fmt.Sprintf(`{"Count":%d,"ScannedCount":%d}`, want, want)}})
	}
}

// DYNAMODB.md 4.6: "Exactly one `=` on every HASH attribute and at most one condition per RANGE attribute, joined by AND, any
// textual order; operand order may be reversed. Range ops: = < <= > >= BETWEEN begins_with."
func TestKeyConditions(t *testing.T) {
	c := newMemoryClient(t)
	keyedTable(c)
	c.counts("", map[string]int{
		"pk = :s": 4, ":s = pk": 4, "(pk = :s)": 4, "pk = :s AND sk = :n": 1, "sk = :n AND pk = :s": 1, "(pk = :s) AND (sk = :n)": 1, "(pk = :s AND sk = :n)": 1, "pk = :s and sk > :n": 2,
		"pk = :s AND sk < :n": 1, "pk = :s AND sk <= :n": 2, "pk = :s AND sk >= :n": 3, "pk = :s AND :n < sk": 2, "pk = :s AND :n <= sk": 3, "pk = :s AND :n > sk": 1, "pk = :s AND :n >= sk": 2, ":n = sk AND :s = pk": 1,
		"pk = :s AND sk BETWEEN :n AND :n2": 2, "sk BETWEEN :n AND :n2 AND pk = :s": 2, "pk = :s AND (sk BETWEEN :n AND :n2)": 2, "pk = :s AND sk BETWEEN :n AND :n": 1, "pk = :s2": 0,
	})
	c.counts("byt", map[string]int{"pk = :s": 4, "pk = :s AND t > :s": 4, "pk = :s AND begins_with(t, :s)": 0, "pk = :s AND t < :s2": 0})
	c.counts("byg", map[string]int{"g = :s": 4, "g = :s2": 0})
	const hash = "a = :s AND b = :s AND c = :n AND d = :b"
	c.counts("wide", map[string]int{
		hash: 4, "d = :b AND c = :n AND b = :s AND a = :s": 4, hash + " AND e > :s": 4, hash + " AND begins_with(e, :s)": 0, hash + " AND e = :s": 0, "f > :n AND e = :s AND " + hash: 0,
		hash + " AND e = :s AND f = :n AND h = :s AND i = :s": 0, hash + " AND e = :s AND f = :n AND h BETWEEN :s AND :s2": 0,
	})
}

// DYNAMODB.md 4.9: KeyConditions say the same, on an index of many key attributes too.
func TestLegacyKeyConditions(t *testing.T) {
	c := newMemoryClient(t)
	keyedTable(c)
	query := func(index string, conditions ...string) string {
		list := some(len(conditions), func(i int) string {
			name, rest, _ := strings.Cut(conditions[i], " ")
			op, values, _ := strings.Cut(rest, " ")
			return `"` + name + `":{"ComparisonOperator":"` + op + `","AttributeValueList":[` + values + `]}`
		})
		if index != "" {
			index = `,"IndexName":"` + index + `"`
		}
		return `{"TableName":"tab","Select":"COUNT"` + index + `,"KeyConditions":{` + list + `}}`
	}
	const pk, one, two = `pk EQ {"S":"a"}`, `{"N":"1"}`, `{"N":"2"}`
	wide := []string{`d EQ {"B":"AA=="}`, `a EQ {"S":"a"}`, `c EQ {"N":"1"}`, `b EQ {"S":"a"}`}
	for body, n := range map[string]int{
		query("", pk): 4, query("", pk, "sk EQ "+one): 1, query("", "sk LT "+two, pk): 2, query("", pk, "sk LE "+two): 3, query("", pk, "sk GT "+one): 2, query("", pk, "sk GE "+one): 3, query("", pk, "sk BETWEEN "+one+","+two): 2,
		query("byt", pk, `t BEGINS_WITH {"S":"t"}`): 4, query("byt", pk, `t EQ {"S":"t2"}`): 1, query("byg", `g EQ {"S":"a"}`): 4, query("wide", wide...): 4, query("wide", append(wide, `e EQ {"S":"e1"}`)...): 2,
		query("wide", append(wide, `e EQ {"S":"e1"}`, `f GT {"N":"1"}`)...): 1, query("wide", append(wide, `e EQ {"S":"e0"}`, `f EQ {"N":"0"}`, `h EQ {"S":"h0"}`, `i BEGINS_WITH {"S":"i"}`)...): 1,
	} {
		c.replies([]reply{{"4.9", "Query", body, fmt.Sprintf(`{"Count":%d,"ScannedCount":%d}`, n, n)}})
	}
	c.refuses([]refusal{
		{"4.9", "Query", query("", "pk GT {\"S\":\"a\"}"), validation, "Query key condition not supported"}, {"4.9", "Query", query("", "sk EQ "+one), validation, "Query condition missed key schema element: pk"},
		{"4.9", "Query", query("", pk, "x EQ "+one), validation, "Query condition missed key schema element: sk"}, {"4.9", "Query", query("", pk, "sk EQ "+one, "x EQ "+one), validation, "Conditions can be of length 1 or 2 only"}, {"4.9", "Query", query(""), validation, "Conditions can be of length 1 or 2 only"},
		{"4.9", "Query", query("", pk, `sk EQ {"S":"a"}`), validation, invalidParam + "Condition parameter type does not match schema type"}, {"4.9", "Query", query("", pk, `sk BEGINS_WITH {"S":"a"}`), validation, invalidParam + "Condition parameter type does not match schema type"},
		{"4.9", "Query", query("", pk, "sk NE "+one), validation, "Attempted conditional constraint is not an indexable operation"}, {"4.9", "Query", query("", "pk IN {\"S\":\"a\"}"), validation, "Attempted conditional constraint is not an indexable operation"},
		{"4.9", "Query", query("", `pk EQ {"S":""}`), validation, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{"4.9", "Query", query("wide", append(wide, `f EQ {"N":"1"}`)...), validation, "Query condition missed key schema element: e"}, {"4.9", "Query", query("wide", wide[1:]...), validation, "Query condition missed key schema element: d"},
	})
}

// DYNAMODB.md 4.6: what key conditions may not be, and 4.5 on filters of a Query.
func TestKeyConditionsRefused(t *testing.T) {
	c := newMemoryClient(t)
	keyedTable(c)
	const (
		missed    = "!Query condition missed key schema element: "
		not       = "!Query key condition not supported"
		operator  = "!Invalid operator used in KeyConditionExpression: "
		condition = "!Invalid condition in KeyConditionExpression: "
		once      = "!KeyConditionExpressions must only contain one condition per key"
		nested    = "!KeyConditionExpressions cannot have conditions on nested attributes"
		nestedOps = "!KeyConditionExpressions cannot contain nested operations"
		mismatch  = "!" + invalidParam + "Condition parameter type does not match schema type"
		length    = "!Conditions can be of length 1 or 2 only"
		first     = "operator must have the key attribute as its first operand"
	)
	var rows []told
	for want, texts := range map[string][]string{
		missed + "pk": {"x = :n", "sk = :n", "x = :n AND y = :n", "sk = :n AND x = :n"}, missed + "sk": {"pk = :s AND x = :n", "x = :n AND pk = :s", "pk = :s AND t = :s"},
		not:                   {"pk > :s", ":s > pk", "pk BETWEEN :s AND :s2", "begins_with(pk, :s)", "pk <= :s AND sk = :n"},
		length:                {"pk = :s AND sk = :n AND x = :n", "x = :n AND y = :n AND pk = :s"},
		operator + "OR":       {"pk = :s OR sk = :n", "pk = :s AND (sk = :n OR sk = :n2)"},
		operator + "NOT":      {"NOT pk = :s", "pk = :s AND NOT sk = :n"},
		operator + "IN":       {"pk IN (:s)", "pk = :s AND sk IN (:n, :n2)"},
		operator + "<>":       {"pk <> :s", "pk = :s AND sk <> :n"},
		operator + "contains": {"contains(pk, :s)", "pk = :s AND contains(sk, :n)"}, operator + "attribute_exists": {"attribute_exists(pk)", "pk = :s AND attribute_exists(sk)"},
		operator + "attribute_not_exists": {"attribute_not_exists(pk)"}, operator + "attribute_type": {"pk = :s AND attribute_type(sk, :N)"},
		once:      {"pk = :s AND pk = :s", "pk = :s AND sk > :n AND sk < :n2", "pk = :s AND (sk > :n AND sk < :n2)", "sk = :n AND sk = :n"},
		nested:    {"pk.a = :s", "pk[0] = :s", "pk = :s AND sk.a = :n", "pk = :s AND :n = sk.a", "x.y = :s"},
		nestedOps: {"size(pk) = :n", "pk = :s AND size(sk) > :n", "pk = size(sk)"},
		condition + "Multiple attribute names used in one condition": {"pk = sk", "pk = :s AND sk = x", "pk = :s AND sk BETWEEN x AND :n"},
		condition + "No key attribute specified":                     {":s = :s", "pk = :s AND :n = :n2", "pk = :s AND :n BETWEEN :n AND :n2"},
		condition + "BETWEEN " + first:                               {"pk = :s AND :n BETWEEN sk AND :n2", "pk = :s AND :n BETWEEN :n AND sk"},
		condition + "begins_with " + first:                           {"pk = :s AND begins_with(:s, sk)"},
		mismatch:                                                     {"pk = :n", "pk = :null", "pk = :ss", "pk = :l", "pk = :s AND sk = :s", "pk = :s AND sk > :b", "pk = :s AND sk BETWEEN :s AND :s2", "pk = :s AND begins_with(sk, :s)"},
		"!One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk": {"pk = :empty", "pk = :empty AND sk = :n"},
		// What no condition may be, no key condition may be.
		operandType + "begins_with, operand type: N": {"pk = :s AND begins_with(sk, :n)"}, operandType + ">, operand type: L": {"pk = :s AND sk > :l"},
		notDistinct + "=, first operand: [pk]": {"pk = pk"}, redundantParens: {"((pk = :s))", "pk = :s AND ((sk = :n))"}, unknownFunction + "f": {"pk = :s AND f(sk)"},
		valueUndefined + ":x": {"pk = :x", "pk > :x"}, nameUndefined + "#x": {"#x = :s", "pk = :s AND #x = :n"}, reservedKeyword + "name": {"name = :s"}, misusedFunction + "size": {"size(pk)"},
		"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}": {"pk = :s AND sk BETWEEN :n2 AND :n"},
	} {
		rows = append(rows, wants("4.6", want, texts...)...)
	}
	c.tells(expr.KeyConditionExpression, rows)

	on := func(index, text, rest string) string {
		return withValues(`{"TableName":"tab","IndexName":"`+index+`","KeyConditionExpression":"`+text+`"`+rest, text+rest)
	}
	const hash = "a = :s AND b = :s AND c = :n AND d = :b"
	var refused []refusal
	for _, r := range []struct{ index, text, want string }{
		{"byt", "pk = :s AND sk = :n", missed + "t"}, {"byg", "g = :s AND sk = :n", not}, {"byg", "pk = :s", missed + "g"}, {"byg", "g = :n", mismatch},
		{"byt", "pk = :s AND t = :empty", "!One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: t"},
		// "all HASH attributes by =; RANGE attributes used left to right without gaps, non-= operator only on the LAST used one"
		{"wide", "a = :s", missed + "b"}, {"wide", "a = :s AND b = :s AND d = :b", missed + "c"}, {"wide", "a = :s AND b = :s AND c = :n AND d > :b", not},
		{"wide", hash + " AND f = :n", missed + "e"}, {"wide", hash + " AND e = :s AND h = :s", missed + "f"}, {"wide", hash + " AND x = :n", missed + "e"},
		{"wide", hash + " AND e > :s AND f = :n", not}, {"wide", hash + " AND e = :s AND begins_with(h, :s)", missed + "f"}, {"wide", hash + " AND e = :s AND f > :n AND h = :s", not},
		{"wide", hash + " AND a = :s", once}, {"wide", hash + " AND e = :n", mismatch}, {"wide", hash + " AND e = :s AND f = :s", mismatch},
	} {
		refused = append(refused, refusal{"4.6", "Query", on(r.index, r.text, ""), validation, r.want[1:]})
	}
	// 4.5: "Filter Expression can only contain non-primary key attributes: Primary key attribute: <k>"
	const filter = "Filter Expression can only contain non-primary key attributes: Primary key attribute: "
	query := func(text string) string {
		return withValues(`{"TableName":"tab","KeyConditionExpression":"pk = :s","FilterExpression":"`+text+`"`, "pk = :s "+text)
	}
	for text, key := range map[string]string{
		"pk = :s2": "pk", "sk = :n": "sk", "attribute_exists(sk)": "sk", "size(sk) > :n": "sk", "x > sk": "sk", "x = :n AND NOT (y = :n OR sk = :n)": "sk", "sk.a = :n": "sk", "begins_with(pk, :s)": "pk",
	} {
		refused = append(refused, refusal{"4.5", "Query", query(text), validation, filter + key})
	}
	refused = append(refused,
		refusal{"4.5", "Query", on("byt", "pk = :s", `,"FilterExpression":"t > :s"`), validation, filter + "t"}, refusal{"4.5", "Query", on("byg", "g = :s", `,"FilterExpression":"g = :s"`), validation, filter + "g"},
		refusal{"4.5", "Query", on("wide", hash, `,"FilterExpression":"h = :s"`), validation, filter + "h"},
		refusal{"4.5", "Query", query("t.x = :n"), validation, "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: t"},
		refusal{"4.6", "Query", `{"TableName":"tab"}`, validation, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."},
		refusal{"4.6", "Query", `{"TableName":"tab","KeyConditionExpression":"pk = :v","ExpressionAttributeValues":{":v":{"S":"` + strings.Repeat("x", 2049) + `"}}}`, validation,
			invalidParam + "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		refusal{"3.2", "Query", `{"TableName":"tab","IndexName":"byt","KeyConditionExpression":"pk = :p AND t = :v","ExpressionAttributeValues":{":p":{"S":"a"},":v":{"S":"` + strings.Repeat("x", 1025) + `"}}}`,
			validation, invalidParam + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"},
		// "Scan has no KeyConditionExpression": an unknown member, passed over, and its values are then used by nothing.
		refusal{"4.6", "Scan", `{"TableName":"tab","KeyConditionExpression":"pk = :s","ExpressionAttributeValues":{":s":{"S":"a"}}}`, validation,
			"ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null"},
	)
	c.refuses(refused)
	// "base-table keys are fine when querying an index", and Scan may filter on keys.
	c.replies([]reply{
		{"4.5", "Query", on("byg", "g = :s", `,"FilterExpression":"pk = :s AND sk > :n","Select":"COUNT"`), `{"Count":2,"ScannedCount":4}`},
		{"4.5", "Query", on("byt", "pk = :s", `,"FilterExpression":"sk > :n","Select":"COUNT"`), `{"Count":2,"ScannedCount":4}`},
		{"4.5", "Scan", withValues(`{"TableName":"tab","FilterExpression":"pk = :s AND sk > :n","Select":"COUNT"`, ":s :n"), `{"Count":2,"ScannedCount":4}`},
	})
}
