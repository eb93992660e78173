package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// flaw is something wrong with a request: members, and attributes of the request's item or key, that make it so.
type flaw struct {
	name    string // of the error
	message string
	members map[string]string
	attrs   map[string]string // "" takes an attribute out
}

// faulty is an operation with a sound request and flaws in the order in which they are told.
type faulty struct {
	op      string
	members map[string]string
	object  string // the member whose attributes are attrs
	attrs   map[string]string
	flaws   []flaw
}

// body writes the request with some flaws; ok is false if two of them need one place.
func (f *faulty) body(flaws ...flaw) (body string, ok bool) {
	members, attrs := maps.Clone(f.members), maps.Clone(f.attrs)
	seen := map[string]bool{}
	for _, x := range flaws {
		for m, v := range x.members {
			if seen[m] {
				return "", false
			}
			seen[m], members[m] = true, v
		}
		for a, v := range x.attrs {
			if seen["."+a] {
				return "", false
			}
			seen["."+a], attrs[a] = true, v
		}
	}
	if len(attrs) > 0 && members[f.object] == "" {
		members[f.object] = object(attrs)
	}
	return object(members), true
}

func object(m map[string]string) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if m[k] != "" {
			list = append(list, `"`+k+`":`+m[k])
		}
	}
	return "{" + strings.Join(list, ",") + "}"
}

// DYNAMODB.md 1.4, 3.1, 4.4, 4.5, 4.10 and 5: of two flaws of one request, which is told. Every flaw is put together with
// every one that comes after it.
func TestPriorityInRequests(t *testing.T) {
	const (
		mixing    = "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {"
		noTable   = "Requested resource not found"
		badNumber = "The parameter cannot be converted to a numeric value: x"
		mismatch  = "The provided key element does not match the schema"
		scalars   = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk"
		pattern   = "1 validation error detected: Value 'a;b' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
	)
	badType := flaw{serialization, "NUMBER_VALUE cannot be converted to String", map[string]string{"ReturnConsumedCapacity": `1`}, nil}
	badName := flaw{validation, pattern, map[string]string{"TableName": `"a;b"`}, nil}
	enumFault := func(member, path, set string) flaw {
		return flaw{validation, violation(enum("x", path, set)), map[string]string{member: `"x"`}, nil}
	}
	returns := enumFault("ReturnValues", "returnValues", "ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW")
	consumed := enumFault("ReturnConsumedCapacity", "returnConsumedCapacity", "INDEXES, TOTAL, NONE")
	missing := flaw{notFound, noTable, map[string]string{"TableName": `"none"`}, nil}
	badAttr := flaw{validation, badNumber, nil, map[string]string{"x": `{"N":"x"}`}}
	values := func(message, v string) flaw {
		return flaw{validation, "ExpressionAttributeValues " + message, map[string]string{"ExpressionAttributeValues": v}, nil}
	}
	emptyNames := flaw{validation, "ExpressionAttributeNames must not be empty", map[string]string{"ExpressionAttributeNames": `{}`}, nil}
	emptyValues := values("must not be empty", `{}`)
	badKey := values(`contains invalid key: Syntax error; key: "v"`, `{"v":{"N":"1"}}`)
	badValue := values("contains invalid value: "+badNumber+" for key :v", `{":v":{"N":"x"}}`)
	expression := func(member, text, message string) flaw {
		return flaw{validation, message, map[string]string{member: `"` + text + `"`}, nil}
	}
	syntax := func(member string) flaw {
		text := map[bool]string{true: "SET a b c", false: "a b c"}[member == "UpdateExpression"]
		return expression(member, text, "Invalid "+member+`: Syntax error; token: "b", near: "a b c"`)
	}
	empty := func(member string) flaw {
		return expression(member, "", "Invalid "+member+": The expression can not be empty;")
	}
	unused := flaw{validation, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}", map[string]string{"ExpressionAttributeNames": `{"#u":"u"}`}, nil}
	const holds, fails = `"attribute_not_exists(zz)"`, `"attribute_exists(zz)"`
	key := map[string]string{"pk": `{"S":"a"}`}
	with := func(m map[string]string) map[string]string {
		m["TableName"] = `"tab"`
		return m
	}
	noArity := flaw{validation, mismatch, nil, map[string]string{"zz": `{"S":"x"}`}}
	intoKey := func(member string) flaw { return expression(member, "attribute_exists(pk.x)", scalars) }
	failed := flaw{checkFailed, "The conditional request failed", map[string]string{"ConditionExpression": fails}, nil}
	badOld := flaw{validation, "ReturnValues can only be ALL_OLD or NONE", map[string]string{"ReturnValues": `"ALL_NEW"`}, nil}
	expected := flaw{validation, mixing + "Expected} Expression parameters: {ConditionExpression}", map[string]string{"Expected": `{"a":{}}`}, nil}
	start := flaw{validation, "The provided starting key is invalid: " + badNumber, nil, map[string]string{"x": `{"N":"x"}`}}
	duplicate := flaw{validation, invalidParam + "Duplicate value in attribute name: a", map[string]string{"AttributesToGet": `["a","a"]`}, nil}
	noIndex := flaw{validation, "The table does not have the specified index: nope", map[string]string{"IndexName": `"nope"`}, nil}

	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}}}`)
	for _, f := range []faulty{
		{"PutItem", with(map[string]string{"ConditionExpression": holds}), "Item", key, []flaw{
			badType, badName, returns, expected, emptyNames, emptyValues, badKey, badValue, badAttr, badOld,
			{validation, "Item size has exceeded the maximum allowed size", nil, map[string]string{"big": `{"S":"` + strings.Repeat("x", 400<<10) + `"}`}},
			syntax("ConditionExpression"), empty("ConditionExpression"), unused, missing,
			{validation, invalidParam + "Missing the key pk in the item", nil, map[string]string{"pk": ""}},
			{validation, invalidParam + "Type mismatch for key pk expected: S actual: N", nil, map[string]string{"pk": `{"N":"1"}`}},
			intoKey("ConditionExpression"), failed,
		}},
		{"DeleteItem", with(map[string]string{"ConditionExpression": holds}), "Key", key, []flaw{
			badType, badName, returns, expected, emptyNames, emptyValues, badKey, badValue, badAttr, badOld, syntax("ConditionExpression"), empty("ConditionExpression"), unused, missing, noArity,
			intoKey("ConditionExpression"), failed,
		}},
		{"UpdateItem", with(map[string]string{"ConditionExpression": holds, "UpdateExpression": `"REMOVE zz"`}), "Key", key, []flaw{
			badType, badName, returns, {validation, mixing + "AttributeUpdates} Expression parameters: {UpdateExpression, ConditionExpression}", map[string]string{"AttributeUpdates": `{"a":{}}`}, nil},
			emptyNames, emptyValues, badKey, badValue, badAttr, syntax("UpdateExpression"), empty("UpdateExpression"), syntax("ConditionExpression"), empty("ConditionExpression"), unused, missing, noArity,
			expression("UpdateExpression", "REMOVE pk", invalidParam+"Cannot update attribute pk. This attribute is part of the key"), intoKey("ConditionExpression"), failed,
			expression("UpdateExpression", "SET a = nothing", "The provided expression refers to an attribute that does not exist in the item"),
		}},
		{"UpdateItem", with(map[string]string{}), "Key", key, []flaw{ // the legacy parameters
			badType, returns, badAttr, {validation, invalidParam + "Only DELETE action is allowed when no attribute value is specified", map[string]string{"AttributeUpdates": `{"a":{}}`}, nil},
			{validation, invalidParam + "Value must be provided when Exists is null for Attribute: a", map[string]string{"Expected": `{"a":{}}`}, nil}, missing, noArity,
			{validation, invalidParam + "Cannot update attribute pk. This attribute is part of the key", map[string]string{"AttributeUpdates": `{"pk":{"Action":"DELETE"}}`}, nil},
			{checkFailed, "The conditional request failed", map[string]string{"Expected": `{"pk":{"Exists":false}}`}, nil},
		}},
		{"GetItem", with(map[string]string{"ProjectionExpression": `"zz"`}), "Key", key, []flaw{
			badType, badName, consumed, {validation, mixing + "AttributesToGet} Expression parameters: {ProjectionExpression}", map[string]string{"AttributesToGet": `["a","a"]`}, nil}, emptyNames, badAttr,
			syntax("ProjectionExpression"), empty("ProjectionExpression"), unused, missing, noArity, expression("ProjectionExpression", "pk.x", scalars),
		}},
		{"GetItem", with(map[string]string{}), "Key", key, []flaw{badType, consumed, badAttr, duplicate, missing, noArity}},
		{"Query", with(map[string]string{"KeyConditionExpression": `"pk = :p"`, "ExpressionAttributeValues": `{":p":{"S":"a"}}`}), "ExclusiveStartKey", map[string]string{}, []flaw{
			badType, badName, consumed, {validation, mixing + "QueryFilter} Expression parameters: {KeyConditionExpression}", map[string]string{"QueryFilter": `{"a":{"ComparisonOperator":"EQ"}}`, "FilterExpression": "", "ProjectionExpression": ""}, nil},
			emptyNames, start, syntax("KeyConditionExpression"), empty("KeyConditionExpression"), syntax("FilterExpression"), empty("FilterExpression"), syntax("ProjectionExpression"), unused, missing, noIndex,
		}},
		{"Query", with(map[string]string{"KeyConditionExpression": `"pk = :p"`, "ExpressionAttributeValues": `{":p":{"S":"a"}}`}), "", nil, []flaw{
			missing, expression("KeyConditionExpression", ":p = zz", "Query condition missed key schema element: pk"),
			expression("FilterExpression", "pk = zz", "Filter Expression can only contain non-primary key attributes: Primary key attribute: pk"), expression("ProjectionExpression", "pk.x", scalars),
		}},
		{"Scan", with(map[string]string{"FilterExpression": `"attribute_exists(zz)"`}), "ExclusiveStartKey", map[string]string{}, []flaw{
			badType, badName, consumed, {validation, mixing + "ScanFilter} Expression parameters: {FilterExpression}", map[string]string{"ScanFilter": `{"a":{"ComparisonOperator":"EQ"}}`, "ProjectionExpression": ""}, nil},
			emptyNames, emptyValues, badKey, badValue, start, syntax("FilterExpression"), empty("FilterExpression"), syntax("ProjectionExpression"), unused, missing, noIndex, intoKey("FilterExpression"),
		}},
	} {
		f.sound(c)
		for i, first := range f.flaws {
			for _, second := range f.flaws[i+1:] {
				body, ok := f.body(first, second)
				if !ok {
					continue
				}
				c.refuses([]refusal{{"priority", f.op, body, first.name, first.message}})
			}
			body, _ := f.body(first)
			c.refuses([]refusal{{"alone", f.op, body, first.name, first.message}})
			if a := c.call(f.op, body[:len(body)-1]); !strings.Contains(a.body, "SerializationException\"}") { // broken JSON before all
				t.Errorf("1.4: %s %.300s: %s", f.op, body, a.body)
			}
		}
	}
}

// sound sends the request without a flaw.
func (f *faulty) sound(c *client) {
	c.t.Helper()
	body, _ := f.body()
	if a := c.call(f.op, body); a.status != http.StatusOK {
		c.t.Errorf("%s %s has a flaw of its own: %s", f.op, body, a.body)
	}
}
