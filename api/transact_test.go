package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/table"
)

func transact(actions ...string) string {
	return `{"TransactItems":[` + strings.Join(actions, ",") + `]}`
}

func putOf(pk, rest string) string {
	return `{"Put":{"TableName":"tab","Item":{"pk":{"S":"` + pk + `"},"v":{"N":"1"}}` + rest + `}}`
}
func deleteOf(pk, rest string) string {
	return `{"Delete":{"TableName":"tab","Key":{"pk":{"S":"` + pk + `"}}` + rest + `}}`
}
func updateOf(pk, rest string) string {
	return `{"Update":{"TableName":"tab","Key":{"pk":{"S":"` + pk + `"}},"UpdateExpression":"SET v = :v","ExpressionAttributeValues":{":v":{"N":"2"}}` + rest + `}}`
}
func checkOf(pk, condition string) string {
	return `{"ConditionCheck":{"TableName":"tab","Key":{"pk":{"S":"` + pk + `"}},"ConditionExpression":"` + condition + `"}}`
}

// DYNAMODB.md 7.3: a transaction happens as a whole.
func TestTransactWrite(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"old"}}}`)
	c.replies([]reply{
		{"7.3", "TransactWriteItems", transact(putOf("a", ""), updateOf("b", ""), deleteOf("old", ""), checkOf("none", "attribute_not_exists(pk)")), `{}`},
		{"7.4", "TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"tab","Key":{"pk":{"S":"a"}}}},{"Get":{"TableName":"tab","Key":{"pk":{"S":"old"}}}},` +
			`{"Get":{"TableName":"tab","Key":{"pk":{"S":"b"}},"ProjectionExpression":"#v","ExpressionAttributeNames":{"#v":"v"}}}]}`,
			`{"Responses":[{"Item":{"pk":{"S":"a"},"v":{"N":"1"}}},{},{"Item":{"v":{"N":"2"}}}]}`},
		{"6", "TransactGetItems", `{"ReturnConsumedCapacity":"TOTAL","TransactItems":[{"Get":{"TableName":"tab","Key":{"pk":{"S":"a"}}}},{"Get":{"TableName":"tab","Key":{"pk":{"S":"zz"}}}}]}`,
			`{"Responses":[{"Item":{"pk":{"S":"a"},"v":{"N":"1"}}},{}],"ConsumedCapacity":[{"TableName":"tab","CapacityUnits":4.0,"ReadCapacityUnits":4.0}]}`},
		{"6", "TransactWriteItems", strings.Replace(transact(putOf("a", ""), putOf("c", "")), "{", `{"ReturnConsumedCapacity":"INDEXES",`, 1),
			`{"ConsumedCapacity":[{"TableName":"tab","CapacityUnits":4.0,"WriteCapacityUnits":4.0,"Table":{"CapacityUnits":4.0,"WriteCapacityUnits":4.0}}]}`},
	})
	c.must("TransactWriteItems", transact(some(100, func(i int) string { return putOf(fmt.Sprint(i), "") })))
	// 4 MB is a limit on what is sent, not on what is deleted.
	for i := range 11 {
		c.must("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"big%d"},"v":{"S":"%s"}}}`, i, strings.Repeat("x", 390<<10)))
	}
	c.must("TransactWriteItems", transact(some(11, func(i int) string { return deleteOf(fmt.Sprint("big", i), "") })))
}

// DYNAMODB.md 7.3: what is wrong with a request as a whole.
func TestTransactRefused(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	many := some(101, func(i int) string { return putOf(fmt.Sprint(i), "") })
	const same = "Transaction request cannot include multiple operations on one item"
	const one = "TransactItems can only contain one of Check, Put, Update or Delete"
	get := func(pk string) string { return `{"Get":{"TableName":"tab","Key":{"pk":{"S":"` + pk + `"}}}}` }
	large := putOf("x", "")
	large = strings.Replace(large, `{"N":"1"}`, `{"S":"`+strings.Repeat("x", 390<<10)+`"}`, 1)
	c.refuses([]refusal{
		{"4.10", "TransactWriteItems", `{}`, validation, violation(null("transactItems"))},
		{"4.10", "TransactWriteItems", transact(), validation,
			violation("Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"4.10", "TransactWriteItems", transact(many), validation,
			violation("Value '[101 actions]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100")},
		{"4.10", "TransactGetItems", transact(), validation,
			violation("Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"4.10", "TransactWriteItems", `{"ClientRequestToken":"` + strings.Repeat("t", 37) + `","TransactItems":[` + putOf("a", "") + `]}`, validation,
			violation("Value '" + strings.Repeat("t", 37) + "' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36")},
		{"4.10", "TransactWriteItems", `{"ClientRequestToken":"","TransactItems":[` + putOf("a", "") + `]}`, validation,
			violation("Value '' at 'clientRequestToken' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"7.3", "TransactWriteItems", transact(`{}`), validation, one},
		{"7.3", "TransactWriteItems", transact(`{"Put":{"TableName":"tab","Item":{"pk":{"S":"a"}}},"Delete":{"TableName":"tab","Key":{"pk":{"S":"b"}}}}`), validation, one},
		{"7.3", "TransactWriteItems", transact(`{"ConditionCheck":{"TableName":"tab","Key":{"pk":{"S":"a"}}}}`), validation,
			violation(null("transactItems.1.member.conditionCheck.conditionExpression"))},
		{"7.3", "TransactWriteItems", transact(putOf("a", ""), `{"Update":{"TableName":"tab","Key":{"pk":{"S":"b"}}}}`), validation,
			violation(null("transactItems.2.member.update.updateExpression"))},
		{"7.3", "TransactWriteItems", transact(`{"Put":{"Item":{"pk":{"S":"a"}}}}`), validation, violation(null("transactItems.1.member.put.tableName"))},
		{"7.3", "TransactWriteItems", transact(putOf("a", `,"ReturnValuesOnConditionCheckFailure":"x"`)), validation,
			violation(enum("x", "transactItems.1.member.put.returnValuesOnConditionCheckFailure", "ALL_OLD, NONE"))},
		{"7.3", "TransactWriteItems", transact(putOf("a", ""), deleteOf("a", "")), validation, same},
		{"7.3", "TransactWriteItems", transact(checkOf("a", "attribute_exists(pk)"), updateOf("a", "")), validation, same},
		{"7.4", "TransactGetItems", transact(get("a"), get("b"), get("a")), validation, same},
		{"7.3", "TransactWriteItems", transact(putOf("a", `,"ConditionExpression":"bad("`)), validation, `Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("`},
		{"7.3", "TransactWriteItems", transact(putOf("a", `,"ExpressionAttributeNames":{"#a":"b"}`)), validation,
			"ExpressionAttributeNames can only be specified when using expressions"},
		{"7.3", "TransactWriteItems", transact(putOf("a", `,"ConditionExpression":"attribute_exists(v)","ExpressionAttributeNames":{"#a":"b"}`)), validation,
			"Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"},
		{"7.3", "TransactWriteItems", transact(putOf("a", ""), strings.Replace(putOf("b", ""), "tab", "none", 1)), notFound, "Requested resource not found"},
		{"7.4", "TransactGetItems", transact(get("a"), strings.Replace(get("b"), "tab", "none", 1)), notFound, "Requested resource not found"},
		{"7.3", "TransactWriteItems", transact(some(11, func(i int) string { return strings.Replace(large, `"x"`, fmt.Sprintf(`"%d"`, i), 1) })), validation,
			"Transaction request size cannot exceed 4194304 bytes"},
	})
	c.replies([]reply{{"7.3", "Scan", `{"TableName":"tab"}`, `{"Items":[],"Count":0,"ScannedCount":0}`}})
}

// cancels checks a cancelled transaction's whole body.
func (c *client) cancels(section, op, body, codes, reasons string) {
	c.t.Helper()
	want := `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled, please refer cancellation reasons ` +
		`for specific reasons [` + codes + `]","CancellationReasons":[` + reasons + `]}`
	if a := c.call(op, body); a.status != http.StatusBadRequest || a.body != want {
		c.t.Errorf("%s: %s %.300s\n got  %d %.600s\n want %.600s", section, op, body, a.status, a.body, want)
	}
}

// DYNAMODB.md 7.3: cancellation reasons, in order.
func TestTransactCanceled(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"v":{"S":"text"}}}`)
	const none = `{"Code":"None"}`
	const failed = `{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"}`
	withItem := `{"Code":"ConditionalCheckFailed","Message":"The conditional request failed","Item":{"pk":{"S":"a"},"v":{"S":"text"}}}`
	invalid := func(message string) string { return `{"Code":"ValidationError","Message":"` + message + `"}` }
	const absent = `,"ConditionExpression":"attribute_not_exists(pk)"`
	const mismatch = "The provided key element does not match the schema"
	badKey := `{"Delete":{"TableName":"tab","Key":{"x":{"S":"a"}}}}`
	add := `{"Update":{"TableName":"tab","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET v = v + :v","ExpressionAttributeValues":{":v":{"N":"2"}}}}`
	for _, r := range []struct{ body, codes, reasons string }{
		{transact(putOf("b", ""), putOf("a", absent)), "None, ConditionalCheckFailed", none + "," + failed},
		{transact(putOf("a", absent+`,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"`), putOf("b", "")), "ConditionalCheckFailed, None", withItem + "," + none},
		{transact(putOf("a", absent), checkOf("zz", "attribute_exists(pk)"), putOf("b", "")), "ConditionalCheckFailed, ConditionalCheckFailed, None", failed + "," + failed + "," + none},
		{transact(deleteOf("zz", `,"ConditionExpression":"attribute_exists(pk)","ReturnValuesOnConditionCheckFailure":"ALL_OLD"`)), "ConditionalCheckFailed", failed},
		{transact(putOf("b", ""), badKey), "None, ValidationError", none + "," + invalid(mismatch)},
		// Only the first broken action is told, and conditions are not looked at.
		{transact(putOf("a", absent), badKey, strings.Replace(badKey, `"x"`, `"y"`, 1)), "None, ValidationError, None", none + "," + invalid(mismatch) + "," + none},
		{transact(putOf("b", ""), `{"Put":{"TableName":"tab","Item":{"pk":{"N":"1"}}}}`), "None, ValidationError",
			none + "," + invalid(invalidParam+"Type mismatch for key pk expected: S actual: N")},
		{transact(`{"Put":{"TableName":"tab","Item":{"x":{"N":"1"}}}}`), "ValidationError", invalid(invalidParam + "Missing the key pk in the item")},
		{transact(`{"Put":{"TableName":"tab","Item":{"pk":{"S":"q"},"v":{"N":"1e200"}}}}`), "ValidationError",
			invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")},
		{transact(`{"Put":{"TableName":"tab","Item":{"pk":{"S":"q"},"v":{"S":"` + strings.Repeat("x", 400<<10) + `"}}}}`), "ValidationError",
			invalid("Item size has exceeded the maximum allowed size")},
		{transact(putOf("b", ""), add), "None, ValidationError", none + "," + invalid("An operand in the update expression has an incorrect data type")},
		{transact(`{"Update":{"TableName":"tab","Key":{"pk":{"S":"a"}},"UpdateExpression":"REMOVE pk"}}`), "ValidationError",
			invalid(invalidParam + "Cannot update attribute pk. This attribute is part of the key")},
	} {
		c.cancels("7.3", "TransactWriteItems", r.body, r.codes, r.reasons)
	}
	c.cancels("7.4", "TransactGetItems", transact(`{"Get":{"TableName":"tab","Key":{"pk":{"S":"a"}}}}`, `{"Get":{"TableName":"tab","Key":{"x":{"S":"a"}}}}`),
		"None, ValidationError", none+","+invalid(mismatch))
	c.replies([]reply{{"7.3", "Scan", `{"TableName":"tab"}`, `{"Items":[{"pk":{"S":"a"},"v":{"S":"text"}}],"Count":1,"ScannedCount":1}`}})
}

// DYNAMODB.md 7.3: tokens.
func TestTransactToken(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"n"},"v":{"N":"0"}}}`)
	add := func(token, members string) string {
		return `{"ClientRequestToken":"` + token + `","TransactItems":[{"Update":{` + members + `}}],"ReturnConsumedCapacity":"TOTAL"}`
	}
	const table, key, up = `"TableName":"tab"`, `"Key":{"pk":{"S":"n"}}`, `"UpdateExpression":"ADD v :v","ExpressionAttributeValues":{":v":{"N":"1"}}`
	const once = `{"ConsumedCapacity":[{"TableName":"tab","CapacityUnits":2.0,"WriteCapacityUnits":2.0}]}`
	const again = `{"ConsumedCapacity":[{"TableName":"tab","CapacityUnits":2.0,"ReadCapacityUnits":2.0}]}`
	c.replies([]reply{
		{"7.3", "TransactWriteItems", add("one", table+","+key+","+up), once},
		{"7.3", "TransactWriteItems", add("one", table+","+key+","+up), again},
		{"7.3", "TransactWriteItems", add("one", up+","+key+","+table), again}, // the same in another order
		{"7.3", "TransactWriteItems", add("two", table+","+key+","+up), once},
		{"7.3", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"n"}}}`, `{"Item":{"pk":{"S":"n"},"v":{"N":"2"}}}`},
	})
	for _, other := range []string{
		add("one", table+","+key+","+strings.Replace(up, `"1"`, `"2"`, 1)),
		add("one", table+","+strings.Replace(key, `"n"`, `"m"`, 1)+","+up),
		add("one", table+","+key+","+up+`,"ConditionExpression":"attribute_exists(pk)"`),
	} {
		if a := c.call("TransactWriteItems", other); a.status != 400 || !strings.Contains(a.body, `#IdempotentParameterMismatchException","Message":"`) {
			t.Errorf("7.3: another request under a used token: %d %s", a.status, a.body)
		}
	}
	// A transaction that did not happen leaves its token free.
	c.call("TransactWriteItems", add("three", table+","+key+","+up+`,"ConditionExpression":"attribute_not_exists(pk)"`))
	c.replies([]reply{{"7.3", "TransactWriteItems", add("three", table+","+key+","+up), once}})
}

// DYNAMODB.md 7.3: a token that is in use at this moment.
func TestTransactTokenRunning(t *testing.T) {
	c := newClient(t)
	c.table("tab", false)
	body := `{"ClientRequestToken":"one","TransactItems":[` + putOf("a", "") + `]}`
	c.fake.transacting = func() {
		c.fake.transacting = nil
		c.refuses([]refusal{{"7.3", "TransactWriteItems", body, "TransactionInProgressException",
			"The transaction with the given request token is already in progress."}})
	}
	c.must("TransactWriteItems", body)
	c.must("TransactWriteItems", body)
}

// DYNAMODB.md 7.3: the codes of reasons that only a busy service gives.
func TestReasonCodes(t *testing.T) {
	c := newClient(t)
	c.table("tab", false)
	for _, r := range []struct {
		err    error
		reason string
	}{
		{fault.New(fault.Conflict, "x"), `{"Code":"TransactionConflict","Message":"Transaction is ongoing for the item"}`},
		{fault.New(fault.Throttled, "slow"), `{"Code":"ProvisionedThroughputExceeded","Message":"slow"}`},
		{fault.New(fault.CollectionFull, "Collection size exceeded."), `{"Code":"ItemCollectionSizeLimitExceeded","Message":"Collection size exceeded."}`},
	} {
		c.fake.fail = &region.Canceled{Reasons: []error{r.err}}
		code := strings.Split(strings.TrimPrefix(r.reason, `{"Code":"`), `"`)[0]
		c.cancels("7.3", "TransactWriteItems", transact(putOf("a", "")), code, r.reason)
	}
	c.fake.fail = &region.Canceled{Reasons: []error{&table.ConditionFailed{}, errInternal()}}
	if a := c.call("TransactWriteItems", transact(putOf("a", ""), putOf("b", ""))); a.status != 500 {
		t.Errorf("our own failure inside a transaction: %d %s", a.status, a.body)
	}
}
