package api

import (
	"strings"
	"testing"

	"github.com/meridiandb/meridian/expr"
)

// DYNAMODB.md 3.2 and 4.8: what may not stand as an index's key, written and computed: "placeholder literal -> `Type mismatch for
// Index Key ...`; computed value -> `The update expression attempted to update the secondary index key to unsupported type`;
// too large -> `... beyond allowed size limits`". (The text for an empty one is the live service's.)
func TestIndexKeyRules(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH", "sk RANGE")+`,"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},`+
		`{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"gn","AttributeType":"N"},{"AttributeName":"gb","AttributeType":"B"},{"AttributeName":"loc","AttributeType":"S"}]`+
		lsi(indexOf("byloc", keyList("pk HASH", "loc RANGE"), ""))+gsi(indexOf("byg", keyList("g HASH", "gn RANGE"), ""), indexOf("bygb", keyList("gb HASH"), ""))+`}`)
	x := func(n int) string { return strings.Repeat("x", n) }
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"S":"b"},"n":{"N":"1"},"e":{"S":""},"eb":{"B":""},"m":{"M":{}},"ss":{"SS":["a"]},"k1":{"S":"`+x(1025)+`"},"k2":{"S":"`+x(2049)+`"}}}`)
	mismatch := func(key, want, got, index string) string {
		return invalidParam + "Type mismatch for Index Key " + key + " Expected: " + want + " Actual: " + got + " IndexName: " + index
	}
	const (
		unsupported = "The update expression attempted to update the secondary index key to unsupported type"
		beyond      = "The update expression attempted to update the secondary index key beyond allowed size limits"
		emptyUpdate = "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty "
		emptyPut    = "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty "
		hash        = invalidParam + "Size of hashkey has exceeded the maximum size limit of2048 bytes"
		rng         = invalidParam + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
		scalars     = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: g"
	)
	var rows []refusal
	put := func(attr, value, want string) {
		rows = append(rows, refusal{"3.2", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"S":"b"},"` + attr + `":` + value + `}}`, validation, want})
	}
	update := func(text, value, want string) {
		body := `{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"S":"b"}},"UpdateExpression":"` + text + `"`
		if value != "" {
			body += `,"ExpressionAttributeValues":{":v":` + value + `}`
		}
		rows = append(rows, refusal{"4.8", "UpdateItem", body + `}`, validation, want})
	}
	legacy := func(attr, value, want string) {
		rows = append(rows, refusal{"4.9", "UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"S":"b"}},"AttributeUpdates":{"` + attr + `":{"Value":` + value + `}}}`, validation, want})
	}
	for kind, v := range typed { // what is written down, of every type
		for attr, of := range map[string][2]string{"g": {"S", "byg"}, "gn": {"N", "byg"}, "gb": {"B", "bygb"}, "loc": {"S", "byloc"}} {
			if kind == of[0] {
				continue
			}
			put(attr, v[0], mismatch(attr, of[0], kind, of[1]))
			update("SET "+attr+" = :v", v[0], mismatch(attr, of[0], kind, of[1]))
			legacy(attr, v[0], mismatch(attr, of[0], kind, of[1]))
			if kind != "N" && len(kind) != 2 {
				update("SET "+attr+" = if_not_exists(nothing, :v)", v[0], unsupported)
			} else {
				update("ADD "+attr+" :v", v[0], unsupported)
			}
		}
	}
	put("g", `{"S":""}`, emptyPut+"string value. IndexName: byg, IndexKey: g")
	put("gb", `{"B":""}`, emptyPut+"binary value. IndexName: bygb, IndexKey: gb")
	put("loc", `{"S":""}`, emptyPut+"string value. IndexName: byloc, IndexKey: loc")
	put("g", `{"S":"`+x(2049)+`"}`, hash)
	put("loc", `{"S":"`+x(1025)+`"}`, rng)
	update("SET g = :v", `{"S":""}`, emptyUpdate+"string value.")
	update("SET gb = :v", `{"B":""}`, emptyUpdate+"binary value.")
	update("SET g = e", "", emptyUpdate+"string value.")
	update("SET gb = eb", "", emptyUpdate+"binary value.")
	update("SET g = :v", `{"S":"`+x(2049)+`"}`, hash)
	update("SET loc = :v", `{"S":"`+x(1025)+`"}`, rng)
	update("SET g = k2", "", beyond)
	update("SET loc = k1", "", beyond)
	update("SET g = n", "", unsupported)
	update("SET g = n + :v", `{"N":"1"}`, unsupported)
	update("SET gn = e", "", unsupported)
	update("SET g = m", "", unsupported)
	update("SET loc = ss", "", unsupported)
	update("SET g.x = :v", `{"S":"x"}`, scalars)
	update("SET y = g.x", "", scalars)
	update("REMOVE g[0]", "", scalars)
	update("SET g = :v, gn = g.x", `{"S":"x"}`, scalars)
	c.refuses(rows)
	for _, text := range []string{"SET gn = n", "SET gn = n + :n", "ADD gn :n", "SET g = k1", "SET g = :s, loc = :s", "REMOVE g, loc", "SET g = if_not_exists(nothing, :s)", "SET gb = :b"} {
		_, body := expressed(expr.UpdateExpression, text)
		c.must("UpdateItem", strings.Replace(body, `{"pk":{"S":"a"}}`, `{"pk":{"S":"a"},"sk":{"S":"b"}}`, 1))
	}
}
