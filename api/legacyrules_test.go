package api

import (
	"fmt"
	"strings"
	"testing"
)

// typed are two values of each type.
var typed = map[string][2]string{
	"S": {`{"S":"a"}`, `{"S":"b"}`}, "N": {`{"N":"1"}`, `{"N":"2"}`}, "B": {`{"B":"AA=="}`, `{"B":"AQ=="}`}, "SS": {`{"SS":["a"]}`, `{"SS":["b"]}`}, "NS": {`{"NS":["1"]}`, `{"NS":["2"]}`},
	"BS": {`{"BS":["AA=="]}`, `{"BS":["AQ=="]}`}, "BOOL": {`{"BOOL":true}`, `{"BOOL":false}`}, "NULL": {`{"NULL":true}`, `{"NULL":true}`}, "L": {`{"L":[]}`, `{"L":[{"N":"1"}]}`}, "M": {`{"M":{}}`, `{"M":{"a":{"N":"1"}}}`},
}

// DYNAMODB.md 4.9: "Arity: NULL/NOT_NULL 0; EQ NE LE LT GE GT CONTAINS NOT_CONTAINS BEGINS_WITH 1; BETWEEN 2; IN >= 1. Types:
// ordering/BETWEEN/IN/CONTAINS S,N,B; BEGINS_WITH S,B; EQ/NE any." Every operator with every type and number of values, in
// Expected, ScanFilter, QueryFilter and KeyConditions.
func TestComparisonOperators(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	const count, kind = "Invalid number of argument(s) for the %s ComparisonOperator", "ComparisonOperator %s is not valid for %s AttributeValue type"
	const hash = `"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}`
	operators := map[string]struct {
		values int // -1: one or more
		kinds  string
	}{
		"EQ": {1, "S N B SS NS BS BOOL NULL L M"}, "NE": {1, "S N B SS NS BS BOOL NULL L M"}, "LT": {1, "S N B"}, "LE": {1, "S N B"}, "GT": {1, "S N B"}, "GE": {1, "S N B"}, "BETWEEN": {2, "S N B"},
		"IN": {-1, "S N B"}, "CONTAINS": {1, "S N B"}, "NOT_CONTAINS": {1, "S N B"}, "BEGINS_WITH": {1, "S B"}, "NULL": {0, ""}, "NOT_NULL": {0, ""},
	}
	for op, o := range operators {
		for k, v := range typed {
			for n, list := range []string{``, v[0], v[0] + `,` + v[1], v[0] + `,` + v[1] + `,` + v[0]} {
				fits := n == o.values || o.values < 0 && n > 0
				if !fits && k != "S" {
					continue // how many there are is looked at before what they are
				}
				want := ""
				switch {
				case !fits:
					want = fmt.Sprintf(count, op)
				case n > 0 && !strings.Contains(" "+o.kinds+" ", " "+k+" "):
					want = fmt.Sprintf(kind, op, k)
				}
				condition := `{"ComparisonOperator":"` + op + `","AttributeValueList":[` + list + `]}`
				for where, body := range map[string]string{
					"DeleteItem": `{"TableName":"tab","Key":{"pk":{"S":"none"}},"Expected":{"x":` + condition + `}}`, "Scan": `{"TableName":"tab","ScanFilter":{"x":` + condition + `}}`,
					"Query": `{"TableName":"tab","KeyConditions":{` + hash + `},"QueryFilter":{"x":` + condition + `}}`,
				} {
					if want != "" {
						c.refuses([]refusal{{"4.9", where, body, validation, invalidParam + want}})
					} else if a := c.call(where, body); a.status != 200 && !strings.Contains(a.body, checkFailed) {
						t.Errorf("4.9: %s %s: %s", where, body, a.body)
					}
				}
				// "KeyConditions ops: EQ LE LT GE GT BEGINS_WITH BETWEEN; other -> `Attempted conditional constraint ...`"
				name, message := validation, invalidParam+want
				switch {
				case want != "":
				case strings.Contains(" NE IN NULL NOT_NULL CONTAINS NOT_CONTAINS ", " "+op+" "):
					message = "Attempted conditional constraint is not an indexable operation"
				default:
					message = "Query key condition not supported" // table tab has no RANGE attribute
				}
				c.refuses([]refusal{{"4.9", "Query", `{"TableName":"tab","KeyConditions":{` + hash + `,"x":` + condition + `}}`, name, message}})
			}
		}
		if o.values < 0 || o.values > 1 {
			mixed := `{"ComparisonOperator":"` + op + `","AttributeValueList":[{"S":"a"},{"N":"1"}]}`
			c.refuses([]refusal{
				{"4.9", "Scan", `{"TableName":"tab","ScanFilter":{"x":` + mixed + `}}`, validation, invalidParam + "AttributeValues inside AttributeValueList must be of same type"},
				{"4.9", "DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}},"Expected":{"x":` + mixed + `}}`, validation, invalidParam + "AttributeValues inside AttributeValueList must be of same type"},
			})
		}
	}
	for _, v := range [][2]string{typed["S"], typed["N"], typed["B"]} {
		reversed := `{"x":{"ComparisonOperator":"BETWEEN","AttributeValueList":[` + v[1] + `,` + v[0] + `]}}`
		const text = "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
		c.refuses([]refusal{
			{"4.9", "Scan", `{"TableName":"tab","ScanFilter":` + reversed + `}`, validation, text}, {"4.9", "DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}},"Expected":` + reversed + `}`, validation, text},
			{"4.9", "Query", `{"TableName":"tab","KeyConditions":` + reversed + `}`, validation, text},
		})
	}
}

// DYNAMODB.md 4.9: "Expected: either {Value, Exists} or {ComparisonOperator, AttributeValueList}", what it says, and
// ConditionalOperator.
func TestExpected(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"5"},"s":{"S":"hello"},"b":{"B":"AAEC"},"ss":{"SS":["x","y"]},"ns":{"NS":["1","2"]},"bs":{"BS":["AA==","AQ=="]},`+
		`"l":{"L":[{"S":"x"},{"N":"1"}]},"z":{"NULL":true},"t":{"BOOL":true}}}`)
	body := func(expected string) string {
		return `{"TableName":"tab","Key":{"pk":{"S":"a"}},"Expected":{` + expected + `}}`
	}
	list := func(attr, op, values string) string {
		return `"` + attr + `":{"ComparisonOperator":"` + op + `","AttributeValueList":[` + values + `]}`
	}
	// The condition, and whether it holds of the item.
	for expected, holds := range map[string]bool{
		`"n":{"Value":{"N":"5.0"}}`: true, `"n":{"Value":{"N":"5"},"Exists":true}`: true, `"n":{"Value":{"S":"5"}}`: false, `"q":{"Value":{"N":"5"}}`: false, `"q":{"Exists":false}`: true, `"n":{"Exists":false}`: false,
		`"n":{"ComparisonOperator":"EQ","Value":{"N":"5"}}`: true, `"n":{"ComparisonOperator":"IN","Value":{"N":"5"}}`: true, `"n":{"ComparisonOperator":"GT","Value":{"N":"5"}}`: false,
		`"n":{"ComparisonOperator":"NULL"}`: false, `"q":{"ComparisonOperator":"NULL"}`: true, `"n":{"ComparisonOperator":"NOT_NULL"}`: true, `"q":{"ComparisonOperator":"NOT_NULL"}`: false,
		`"z":{"ComparisonOperator":"NULL"}`: false, `"z":{"ComparisonOperator":"NOT_NULL"}`: true, // "test existence, not the NULL type"
		list("n", "EQ", `{"N":"5e0"}`): true, list("n", "NE", `{"N":"5"}`): false, list("n", "NE", `{"S":"5"}`): true, list("q", "NE", `{"N":"5"}`): true, // "NE on a missing attribute is true"
		list("q", "EQ", `{"N":"5"}`): false, list("q", "LT", `{"N":"5"}`): false, list("n", "LT", `{"N":"6"}`): true, list("n", "LT", `{"S":"6"}`): false, list("n", "LE", `{"N":"5"}`): true, list("n", "GT", `{"N":"4"}`): true,
		list("n", "GE", `{"N":"6"}`): false, list("n", "BETWEEN", `{"N":"5"},{"N":"5"}`): true, list("n", "BETWEEN", `{"N":"6"},{"N":"9"}`): false, list("s", "BETWEEN", `{"S":"h"},{"S":"i"}`): true, list("q", "BETWEEN", `{"N":"1"},{"N":"9"}`): false,
		list("s", "IN", `{"S":"a"},{"S":"hello"}`): true, list("s", "IN", `{"S":"a"}`): false, list("q", "IN", `{"S":"a"}`): false,
		list("s", "BEGINS_WITH", `{"S":"he"}`): true, list("b", "BEGINS_WITH", `{"B":"AA=="}`): true, list("s", "BEGINS_WITH", `{"S":"el"}`): false, list("n", "BEGINS_WITH", `{"S":"5"}`): false,
		list("s", "CONTAINS", `{"S":"ell"}`): true, list("ss", "CONTAINS", `{"S":"x"}`): true, list("ns", "CONTAINS", `{"N":"1.0"}`): true, list("bs", "CONTAINS", `{"B":"AA=="}`): true, list("l", "CONTAINS", `{"S":"x"}`): true, list("l", "CONTAINS", `{"N":"1"}`): true,
		list("b", "CONTAINS", `{"B":"AQI="}`): true, list("s", "CONTAINS", `{"N":"1"}`): false, list("ss", "CONTAINS", `{"S":"z"}`): false, list("q", "CONTAINS", `{"S":"x"}`): false, list("n", "CONTAINS", `{"N":"5"}`): false,
		list("s", "NOT_CONTAINS", `{"S":"ell"}`): false, list("ss", "NOT_CONTAINS", `{"S":"z"}`): true, list("q", "NOT_CONTAINS", `{"S":"x"}`): true, list("l", "NOT_CONTAINS", `{"N":"1"}`): false,
		list("ss", "EQ", `{"SS":["y","x"]}`): true, list("l", "EQ", `{"L":[{"S":"x"},{"N":"1.0"}]}`): true, list("z", "EQ", `{"NULL":true}`): true, list("t", "EQ", `{"BOOL":true}`): true, list("t", "NE", `{"BOOL":true}`): false,
		`"n":{"Value":{"N":"5"}},"s":{"Value":{"S":"no"}}`: false, `"n":{"Value":{"N":"5"}},"q":{"Exists":false}`: true, ``: true, // "an empty Expected alone always succeeds"
		list("n", "NULL", ``): false, `"n.x":{"Exists":false}`: true,
	} {
		if holds {
			c.replies([]reply{{"4.9", "UpdateItem", body(expected), `{}`}})
		} else {
			c.refuses([]refusal{{"4.9", "UpdateItem", body(expected), checkFailed, "The conditional request failed"}})
		}
	}
	var rows []refusal
	for expected, want := range map[string]string{
		`"a":{"Value":{"S":"x"},"AttributeValueList":[{"S":"x"}]}`:                           "Value and AttributeValueList cannot be used together for Attribute: a",
		`"a":{"Value":{"S":"x"},"AttributeValueList":[{"S":"x"}],"ComparisonOperator":"EQ"}`: "Value and AttributeValueList cannot be used together for Attribute: a",
		`"a":{"ComparisonOperator":"EQ","Value":{"S":"x"},"Exists":true}`:                    "Exists and ComparisonOperator cannot be used together for Attribute: a",
		`"a":{"ComparisonOperator":"NULL","Exists":false}`:                                   "Exists and ComparisonOperator cannot be used together for Attribute: a",
		`"a":{"ComparisonOperator":"EQ"}`:                                                    "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a",
		`"a":{"ComparisonOperator":"IN"}`:                                                    "Value or AttributeValueList must be used with ComparisonOperator: IN for Attribute: a",
		`"a":{"AttributeValueList":[{"S":"x"}]}`:                                             "AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
		`"a":{"Exists":false,"AttributeValueList":[{"S":"x"}]}`:                              "AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
		`"a":{}`:                                 "Value must be provided when Exists is null for Attribute: a",
		`"a":{"Exists":true}`:                    "Value must be provided when Exists is true for Attribute: a",
		`"a":{"Exists":false,"Value":{"S":"x"}}`: "Value cannot be used when Exists is false for Attribute: a",
		`"a":{"ComparisonOperator":"NULL","Value":{"S":"x"}}`:    "Invalid number of argument(s) for the NULL ComparisonOperator",
		`"a":{"ComparisonOperator":"BETWEEN","Value":{"S":"x"}}`: "Invalid number of argument(s) for the BETWEEN ComparisonOperator",
		`"a":{"ComparisonOperator":"LT","Value":{"SS":["x"]}}`:   "ComparisonOperator LT is not valid for SS AttributeValue type",
		`"a":{"Exists":false},"b":{}`:                            "Value must be provided when Exists is null for Attribute: b",
	} {
		rows = append(rows, refusal{"4.9", "UpdateItem", body(expected), validation, invalidParam + want})
	}
	with := func(rest string) string {
		return `{"TableName":"tab","Key":{"pk":{"S":"a"}},"ConditionalOperator":` + rest + `}`
	}
	const two = `{"n":{"Value":{"N":"5"}},"s":{"Value":{"S":"no"}}}`
	const without, few = "ConditionalOperator cannot be used without Filter or Expected", "ConditionalOperator can only be used when Filter or Expected has two or more elements"
	const keys = `"KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}}`
	c.refuses(append(rows, []refusal{
		{"4.9", "UpdateItem", with(`"AND"`), validation, without}, {"4.9", "UpdateItem", with(`"OR","Expected":{}`), validation, without}, {"4.9", "UpdateItem", with(`"AND","AttributeUpdates":{}`), validation, without},
		{"4.9", "DeleteItem", with(`"AND"`), validation, without}, {"4.9", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}},"ConditionalOperator":"OR","Expected":{}}`, validation, without},
		{"4.9", "Scan", `{"TableName":"tab","ConditionalOperator":"AND"}`, validation, without}, {"4.9", "Scan", `{"TableName":"tab","ConditionalOperator":"AND","ScanFilter":{}}`, validation, without},
		{"4.9", "Query", `{"TableName":"tab","ConditionalOperator":"AND",` + keys + `}`, validation, without}, {"4.9", "Query", `{"TableName":"tab","ConditionalOperator":"AND","QueryFilter":{},` + keys + `}`, validation, without},
		{"4.9", "UpdateItem", with(`"AND","Expected":{"n":{"Value":{"N":"5"}}}`), validation, few}, {"4.9", "Scan", `{"TableName":"tab","ConditionalOperator":"OR","ScanFilter":{"n":{"ComparisonOperator":"NULL"}}}`, validation, few},
		{"4.9", "UpdateItem", with(`"AND","Expected":` + two), checkFailed, "The conditional request failed"},
		{"4.10", "UpdateItem", with(`"and","Expected":` + two), validation, violation(enum("and", "conditionalOperator", "OR, AND"))},
	}...))
	c.replies([]reply{{"4.9", "UpdateItem", with(`"OR","Expected":` + two), `{}`}})
	// ReturnValuesOnConditionCheckFailure works beside Expected too.
	a := c.call("UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}},"Expected":{"n":{"Exists":false}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`)
	if !strings.Contains(a.body, `"Item":{"b":{"B":"AAEC"}`) {
		t.Error(a.body)
	}
}

// DYNAMODB.md 4.9: "AttributeUpdates {Action PUT|ADD|DELETE, Value}", every action with every type.
func TestAttributeUpdates(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	body := func(updates, returns string) string {
		return `{"TableName":"tab","Key":{"pk":{"S":"a"}},"AttributeUpdates":{` + updates + `},"ReturnValues":"` + returns + `"}`
	}
	for kind, v := range typed {
		set := `,"Value":` + v[0]
		c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}}}`)
		c.replies([]reply{{"4.9", "UpdateItem", body(`"x":{"Action":"PUT"`+set+`}`, "UPDATED_NEW"), `{"Attributes":{"x":` + v[0] + `}}`}, {"4.9", "UpdateItem", body(`"y":{"Value":`+v[0]+`}`, "UPDATED_NEW"), `{"Attributes":{"y":` + v[0] + `}}`}})
		if isSet := len(kind) == 2; isSet {
			c.replies([]reply{{"4.9", "UpdateItem", body(`"x":{"Action":"DELETE"`+set+`}`, "ALL_NEW"), `{"Attributes":{"pk":{"S":"a"},"y":` + v[0] + `}}`}})
		} else {
			c.refuses([]refusal{{"4.9", "UpdateItem", body(`"x":{"Action":"DELETE"`+set+`}`, "NONE"), validation, invalidParam + "DELETE action with value is not supported for the type " + kind}})
		}
		if kind == "N" || kind == "L" || len(kind) == 2 { // "ADD accepts L (append)"
			c.replies([]reply{{"4.9", "UpdateItem", body(`"new":{"Action":"ADD"`+set+`}`, "UPDATED_NEW"), `{"Attributes":{"new":` + v[0] + `}}`}})
			c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"x":{"S":"x"}}}`)
			c.refuses([]refusal{{"4.8", "UpdateItem", body(`"x":{"Action":"ADD"`+set+`}`, "NONE"), validation, "Type mismatch for attribute to update"}})
		} else {
			c.refuses([]refusal{{"4.9", "UpdateItem", body(`"new":{"Action":"ADD"`+set+`}`, "NONE"), validation, invalidParam + "ADD action is not supported for the type " + kind}})
		}
	}
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"5"},"ss":{"SS":["a","b"]},"l":{"L":[{"N":"1"}]}}}`)
	const only = invalidParam + "Only DELETE action is allowed when no attribute value is specified"
	c.refuses([]refusal{
		{"4.9", "UpdateItem", body(`"x":{"Action":"PUT"}`, "NONE"), validation, only}, {"4.9", "UpdateItem", body(`"x":{"Action":"ADD"}`, "NONE"), validation, only}, {"4.9", "UpdateItem", body(`"x":{}`, "NONE"), validation, only},
		{"4.8", "UpdateItem", body(`"ss":{"Action":"ADD","Value":{"NS":["1"]}}`, "NONE"), validation, "Type mismatch for attribute to update"}, {"4.8", "UpdateItem", body(`"n":{"Action":"DELETE","Value":{"SS":["a"]}}`, "NONE"), validation, "Type mismatch for attribute to update"},
		{"4.8", "UpdateItem", body(`"x":{"Value":{"S":"x"}},"pk":{"Value":{"S":"x"}}`, "NONE"), validation, invalidParam + "Cannot update attribute pk. This attribute is part of the key"},
		{"3.3", "UpdateItem", body(`"n":{"Action":"ADD","Value":{"N":"9.9e125"}}`, "NONE"), validation, "Number overflow. Attempting to store a number with magnitude larger than supported range"},
	})
	c.replies([]reply{
		{"4.9", "UpdateItem", body(`"n":{"Action":"ADD","Value":{"N":"-2"}},"l":{"Action":"ADD","Value":{"L":[{"N":"2"}]}},"ss":{"Action":"ADD","Value":{"SS":["b","c"]}}`, "UPDATED_NEW"),
			`{"Attributes":{"l":{"L":[{"N":"1"},{"N":"2"}]},"n":{"N":"3"},"ss":{"SS":["a","b","c"]}}}`},
		{"4.9", "UpdateItem", body(`"n":{"Action":"DELETE"},"ss":{"Action":"DELETE","Value":{"SS":["a","c","z"]}},"z":{"Action":"DELETE"}`, "UPDATED_OLD"), `{"Attributes":{"n":{"N":"3"},"ss":{"SS":["a","b","c"]}}}`},
		{"4.9", "UpdateItem", body(`"ss":{"Action":"DELETE","Value":{"SS":["b"]}}`, "ALL_NEW"), `{"Attributes":{"l":{"L":[{"N":"1"},{"N":"2"}]},"pk":{"S":"a"}}}`},
		{"4.8", "UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"none"}},"AttributeUpdates":{"x":{"Action":"DELETE"},"y":{"Action":"DELETE","Value":{"SS":["a"]}}},"ReturnValues":"ALL_NEW"}`, `{}`},
		{"4.8", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"none"}}}`, `{}`},
	})
}

// DYNAMODB.md 4.4 and 4.9: "Can not use both expression and non-expression parameters", with all names, in order;
// "KeyConditions may be combined with FilterExpression/ProjectionExpression (special case)".
func TestMixedDialects(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"1"}}}`)
	const key, item, tab = `{"TableName":"tab","Key":{"pk":{"S":"a"}}`, `{"TableName":"tab","Item":{"pk":{"S":"a"}}`, `{"TableName":"tab"`
	const keys, filter = `,"KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}}`, `{"n":{"ComparisonOperator":"NOT_NULL"}}`
	const cond, update = `,"ConditionExpression":"attribute_exists(pk)"`, `,"UpdateExpression":"REMOVE x"`
	mixed := func(op, body, old, new string) refusal {
		return refusal{"4.4", op, body, validation, "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {" + old + "} Expression parameters: {" + new + "}"}
	}
	c.refuses([]refusal{
		mixed("PutItem", item+cond+`,"Expected":{}}`, "Expected", "ConditionExpression"), mixed("PutItem", item+cond+`,"ConditionalOperator":"AND"}`, "ConditionalOperator", "ConditionExpression"),
		mixed("DeleteItem", key+cond+`,"ConditionalOperator":"AND","Expected":{}}`, "Expected, ConditionalOperator", "ConditionExpression"),
		mixed("UpdateItem", key+cond+`,"AttributeUpdates":{}}`, "AttributeUpdates", "ConditionExpression"), mixed("UpdateItem", key+update+`,"Expected":{}}`, "Expected", "UpdateExpression"),
		mixed("UpdateItem", key+cond+update+`,"Expected":{},"AttributeUpdates":{}}`, "AttributeUpdates, Expected", "UpdateExpression, ConditionExpression"),
		mixed("GetItem", key+`,"AttributesToGet":["n"],"ProjectionExpression":"n"}`, "AttributesToGet", "ProjectionExpression"),
		mixed("Scan", tab+`,"ScanFilter":{},"ProjectionExpression":"n"}`, "ScanFilter", "ProjectionExpression"), mixed("Scan", tab+`,"AttributesToGet":["n"],"FilterExpression":"n = pk"}`, "AttributesToGet", "FilterExpression"),
		mixed("Scan", tab+`,"ConditionalOperator":"OR","AttributesToGet":["n"],"ScanFilter":{},"ProjectionExpression":"n","FilterExpression":"n = pk"}`, "AttributesToGet, ScanFilter, ConditionalOperator", "ProjectionExpression, FilterExpression"),
		mixed("Query", tab+keys+`,"KeyConditionExpression":"pk = n"}`, "KeyConditions", "KeyConditionExpression"), mixed("Query", tab+keys+`,"QueryFilter":{},"FilterExpression":"n = x"}`, "QueryFilter", "FilterExpression"),
		mixed("Query", tab+keys+`,"AttributesToGet":["n"],"KeyConditionExpression":"pk = n","ConditionalOperator":"OR","QueryFilter":{}}`, "AttributesToGet, QueryFilter, ConditionalOperator, KeyConditions", "KeyConditionExpression"),
		mixed("BatchGetItem", `{"RequestItems":{"tab":{"Keys":[{"pk":{"S":"a"}}],"AttributesToGet":["n"],"ProjectionExpression":"n"}}}`, "AttributesToGet", "ProjectionExpression"),
		{"4.4", "Query", tab + keys + `,"QueryFilter":` + filter + `,"ExpressionAttributeValues":{":v":{"N":"1"}}}`, validation,
			"ExpressionAttributeValues can only be specified when using expressions: FilterExpression and KeyConditionExpression are null"},
		{"4.4", "UpdateItem", key + `,"AttributeUpdates":{},"ExpressionAttributeNames":{"#n":"n"}}`, validation, "ExpressionAttributeNames can only be specified when using expressions"},
	})
	c.replies([]reply{
		{"4.9", "Query", tab + keys + `,"FilterExpression":"n = :n","ExpressionAttributeValues":{":n":{"N":"1"}}}`, `{"Items":[{"n":{"N":"1"},"pk":{"S":"a"}}],"Count":1,"ScannedCount":1}`},
		{"4.9", "Query", tab + keys + `,"ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":"n"}}`, `{"Items":[{"n":{"N":"1"}}],"Count":1,"ScannedCount":1}`},
		{"4.9", "Query", tab + keys + `,"AttributesToGet":["n"],"QueryFilter":` + filter + `}`, `{"Items":[{"n":{"N":"1"}}],"Count":1,"ScannedCount":1}`},
		{"4.9", "Scan", tab + `,"AttributesToGet":["n"],"ScanFilter":` + filter + `}`, `{"Items":[{"n":{"N":"1"}}],"Count":1,"ScannedCount":1}`},
	})
}
