package api

import (
	"strings"
	"testing"
)

// DYNAMODB.md section 6: what writes, transactions and their repeats consume on a table with indexes of each kind, one that
// projects some attributes and one that projects keys. Sizes are in kilobytes, so that parts can be told from the whole.
func TestCapacityOfIndexes(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", `{"TableName":"cap","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH", "sk RANGE")+`,"AttributeDefinitions":`+defList("pk", "sk", "g", "l")+
		`,"GlobalSecondaryIndexes":[{"IndexName":"gsi","KeySchema":`+keyList("g HASH")+`,"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["p"]}}]`+
		`,"LocalSecondaryIndexes":[{"IndexName":"lsi","KeySchema":`+keyList("pk HASH", "l RANGE")+`,"Projection":{"ProjectionType":"KEYS_ONLY"}}]}`)
	large := strings.Repeat("x", 9000)
	key := func(sk string) string { return `"pk":{"S":"a"},"sk":{"S":"` + sk + `"}` }
	const indexes = `,"ReturnConsumedCapacity":"INDEXES"`
	put := func(sk, rest, more string) string {
		return `{"TableName":"cap","Item":{` + key(sk) + rest + `}` + more + indexes + `}`
	}
	update := func(sk, expression, values string) string {
		if values != "" {
			values = `,"ExpressionAttributeValues":{` + values + `}`
		}
		return `{"TableName":"cap","Key":{` + key(sk) + `},"UpdateExpression":"` + expression + `"` + values + indexes + `}`
	}
	cost := func(total, table, gsi, lsi string) string {
		s := `{"TableName":"cap","CapacityUnits":` + total + `,"Table":{"CapacityUnits":` + table + `}`
		if lsi != "" {
			s += `,"LocalSecondaryIndexes":{"lsi":{"CapacityUnits":` + lsi + `}}`
		}
		if gsi != "" {
			s += `,"GlobalSecondaryIndexes":{"gsi":{"CapacityUnits":` + gsi + `}}`
		}
		return `{"ConsumedCapacity":` + s + `}}`
	}
	c.replies([]reply{
		{"6", "PutItem", put("1", `,"g":{"S":"g"},"l":{"S":"l"},"p":{"S":"p"},"d":{"S":"`+large+`"}`, ""), cost("11.0", "9.0", "1.0", "1.0")},
		{"6", "PutItem", put("1", `,"g":{"S":"g"},"l":{"S":"l"},"p":{"S":"p"},"d":{"S":"`+large+`"}`, ""), cost("9.0", "9.0", "", "")}, // as it was
		{"6", "UpdateItem", update("1", "SET q = :q", `":q":{"S":"q"}`), cost("9.0", "9.0", "", "")},                                   // in no projection
		{"6", "UpdateItem", update("1", "SET p = :q", `":q":{"S":"`+large[:3000]+`"}`), cost("15.0", "12.0", "3.0", "")},               // the index's entry grows
		{"6", "UpdateItem", update("1", "SET p = :q", `":q":{"S":"z"}`), cost("15.0", "12.0", "3.0", "")},                              // and shrinks
		{"6", "UpdateItem", update("1", "SET g = :q", `":q":{"S":"h"}`), cost("11.0", "9.0", "2.0", "")},                               // moves
		{"6", "UpdateItem", update("1", "SET l = :q", `":q":{"S":"m"}`), cost("11.0", "9.0", "", "2.0")},
		{"6", "UpdateItem", update("1", "REMOVE g", ""), cost("10.0", "9.0", "1.0", "")}, // leaves
		{"6", "UpdateItem", update("1", "REMOVE g", ""), cost("9.0", "9.0", "", "")},
		{"6", "UpdateItem", update("9", "REMOVE z", ""), cost("1.0", "1.0", "", "")}, // creates nothing
		{"6", "DeleteItem", `{"TableName":"cap","Key":{` + key("9") + `}` + indexes + `}`, cost("1.0", "1.0", "", "")},
		{"6", "DeleteItem", `{"TableName":"cap","Key":{` + key("1") + `}` + indexes + `}`, cost("10.0", "9.0", "", "1.0")},
	})
	// Transactions double the table's share, and a repeat reads what the first was priced by.
	transaction := func(token, action string) string {
		return `{"ClientRequestToken":"` + token + `","TransactItems":[` + action + `]` + indexes + `}`
	}
	twice := func(side, total, table, gsi, lsi string) string {
		units := func(n string) string { return `"CapacityUnits":` + n + `,"` + side + `CapacityUnits":` + n }
		s := `{"TableName":"cap",` + units(total) + `,"Table":{` + units(table) + `}`
		if lsi != "" {
			s += `,"LocalSecondaryIndexes":{"lsi":{` + units(lsi) + `}}`
		}
		if gsi != "" {
			s += `,"GlobalSecondaryIndexes":{"gsi":{` + units(gsi) + `}}`
		}
		return `{"ConsumedCapacity":[` + s + `}]}`
	}
	putIt := `{"Put":{"TableName":"cap","Item":{` + key("2") + `,"g":{"S":"g"},"l":{"S":"l"},"d":{"S":"` + large + `"}}}}`
	move := `{"Update":{"TableName":"cap","Key":{` + key("2") + `},"UpdateExpression":"SET g = :g","ExpressionAttributeValues":{":g":{"S":"h"}}}}`
	check := `{"ConditionCheck":{"TableName":"cap","Key":{` + key("2") + `},"ConditionExpression":"attribute_exists(pk)"}}`
	checkNone := `{"ConditionCheck":{"TableName":"cap","Key":{` + key("8") + `},"ConditionExpression":"attribute_not_exists(pk)"}}`
	remove := `{"Delete":{"TableName":"cap","Key":{` + key("2") + `}}}`
	const op = "TransactWriteItems"
	c.replies([]reply{
		{"6", op, transaction("1", putIt), twice("Write", "20.0", "18.0", "1.0", "1.0")},
		{"7.3", op, transaction("1", putIt), twice("Read", "6.0", "6.0", "", "")},
		{"6", op, transaction("2", move), twice("Write", "20.0", "18.0", "2.0", "")},
		{"6", op, transaction("3", check), twice("Write", "18.0", "18.0", "", "")},
		{"7.3", op, transaction("3", check), twice("Read", "6.0", "6.0", "", "")},
		{"6", op, transaction("4", checkNone), twice("Write", "2.0", "2.0", "", "")},
		{"7.3", op, transaction("4", checkNone), twice("Read", "2.0", "2.0", "", "")},
		{"6", op, transaction("5", remove), twice("Write", "20.0", "18.0", "1.0", "1.0")},
		{"7.3", op, transaction("5", remove), twice("Read", "6.0", "6.0", "", "")}, // the item is gone, and costs as when it was there
		{"7.3", op, transaction("1", putIt), twice("Read", "6.0", "6.0", "", "")},
		{"7.3", op, strings.Replace(transaction("1", putIt), "INDEXES", "TOTAL", 1), `{"ConsumedCapacity":[{"TableName":"cap","CapacityUnits":6.0,"ReadCapacityUnits":6.0}]}`},
		{"7.3", op, strings.Replace(transaction("1", putIt), indexes, "", 1), `{}`},
	})
	// A cancelled transaction and a failed condition show none.
	if a := c.call("PutItem", put("3", ``, `,"ConditionExpression":"attribute_exists(pk)"`)); a.status != 400 || strings.Contains(a.body, "ConsumedCapacity") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := c.call(op, transaction("6", strings.Replace(check, `"2"`, `"7"`, 1))); a.status != 400 || strings.Contains(a.body, "ConsumedCapacity") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// DYNAMODB.md section 6: what reads of indexes consume: the page is rounded once, whatever is filtered or projected.
func TestCapacityOfReads(t *testing.T) {
	c := newMemoryClient(t)
	musicTable(c, 0)
	large := strings.Repeat("x", 3000)
	for _, sk := range []string{"1", "2", "3"} {
		c.must("PutItem", `{"TableName":"mus","Item":{"pk":{"S":"p"},"sk":{"N":"`+sk+`"},"art":{"S":"a"},"y":{"S":"`+large+`"}}}`)
	}
	total := func(n string) string { return `,"ConsumedCapacity":{"TableName":"mus","CapacityUnits":` + n + `}}` }
	const all, count, none = `"ReturnConsumedCapacity":"TOTAL"`, `,"Select":"COUNT"`, `,"FilterExpression":"z = :z","ExpressionAttributeValues":{":p":{"S":"p"},":z":{"S":"z"}}`
	const three, nothing = `{"Count":3,"ScannedCount":3`, `{"Count":0,"ScannedCount":3`
	c.replies([]reply{
		{"6", "Scan", read(all + count), three + total("1.5")}, // 9 KB are 3 units, half of them
		{"6", "Scan", read(all + count + `,"ConsistentRead":true`), three + total("3.0")},
		{"6", "Scan", read(all + count + `,"FilterExpression":"z = :z","ExpressionAttributeValues":{":z":{"S":"z"}}`), nothing + total("1.5")},
		{"6", "Scan", read(all + count + `,"ProjectionExpression":"pk"`), three + total("1.5")},
		{"6", "Query", read(all + count + `,` + strings.Split(ofP, `,"Expr`)[0] + none), nothing + total("1.5")},
		{"6", "Query", read(all + count + `,"Limit":1,` + ofP), `{"Count":1,"ScannedCount":1,"LastEvaluatedKey":{"pk":{"S":"p"},"sk":{"N":"1"}}` + total("0.5")},
		{"6", "Scan", read(all + count + `,"IndexName":"all"`), three + total("1.5")},
		{"6", "Scan", read(all + count + `,"IndexName":"glo"`), three + total("0.5")}, // small entries
		{"6", "Scan", read(all + count + `,"IndexName":"loc"`), three + total("0.5")},
	})
	keys := `{"pk":{"S":"p"},"sk":{"N":"1"}},{"pk":{"S":"p"},"sk":{"N":"2"}},{"pk":{"S":"q"},"sk":{"N":"2"}}`
	body := c.must("BatchGetItem", `{"RequestItems":{"mus":{"Keys":[`+keys+`],"ProjectionExpression":"pk","ConsistentRead":true}},"ReturnConsumedCapacity":"INDEXES"}`)
	contains(t, body, `"ConsumedCapacity":[{"TableName":"mus","CapacityUnits":3.0,"Table":{"CapacityUnits":3.0}}]`) // each rounded by itself, a missing one too
}
