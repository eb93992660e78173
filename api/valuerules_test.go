package api

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

const tooDeepText = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"

// DYNAMODB.md 3.1: "Nesting: 32 levels allowed; 33 -> ValidationException", the scalar's own included (measured on the service
// in 2026), wherever a value comes in or grows.
func TestNestingEverywhere(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	const key = `{"TableName":"tab","Key":{"pk":{"S":"a"}}`
	for _, shape := range [][2]string{{`{"L":[`, `]}`}, {`{"M":{"x":`, `}}`}} {
		for _, core := range []string{`{"S":"x"}`, `{"SS":["x"]}`, `{"L":[]}`, `{"M":{}}`} {
			deep := func(n int) string { return strings.Repeat(shape[0], n) + core + strings.Repeat(shape[1], n) }
			for op, frame := range map[string][2]string{
				"PutItem": {`{"TableName":"tab","Item":{"pk":{"S":"a"},"v":`, `}}`}, "UpdateItem": {key + `,"UpdateExpression":"SET v = :v","ExpressionAttributeValues":{":v":`, `}}`},
				"UpdateItem ": {key + `,"AttributeUpdates":{"v":{"Value":`, `}}}`}, "DeleteItem": {`{"TableName":"tab","Key":{"pk":{"S":"z"}},"Expected":{"v":{"ComparisonOperator":"NE","Value":`, `}}}`},
				"Scan": {`{"TableName":"tab","FilterExpression":"v <> :v","ExpressionAttributeValues":{":v":`, `}}`}, "ExecuteStatement": {`{"Statement":"SELECT * FROM tab WHERE v = ?","Parameters":[`, `]}`},
			} {
				want := tooDeepText
				if strings.Contains(frame[0], "ExpressionAttributeValues") {
					want = "ExpressionAttributeValues contains invalid value: " + want + " for key :v"
				}
				c.must(strings.TrimSpace(op), frame[0]+deep(31)+frame[1])
				c.refuses([]refusal{{"3.1", strings.TrimSpace(op), frame[0] + deep(32) + frame[1], validation, want}})
			}
		}
	}
	// An update that makes a sound value part of another.
	deep := strings.Repeat(`{"L":[`, 20) + `{"S":"x"}` + strings.Repeat(`]}`, 20)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"v":`+deep+`}}`)
	into := func(n int) string {
		return key + `,"UpdateExpression":"SET v` + strings.Repeat("[0]", n) + ` = :v","ExpressionAttributeValues":{":v":` + deep + `}}`
	}
	c.refuses([]refusal{{"3.1", "UpdateItem", into(12), validation, tooDeepText}, {"3.1", "UpdateItem", into(20), validation, tooDeepText}})
	c.must("UpdateItem", into(11))
}

// DYNAMODB.md 3.1: "Base64 (SerializationException): length not a multiple of 4, non-canonical tail; standard alphabet with
// padding", in a B, in a BS and as a key.
func TestBinaries(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	const bytes, shape = "only base-64-encoded strings are convertible to bytes", "Unrecognized collection type class java.nio.ByteBuffer"
	count := func(n int) string {
		return fmt.Sprint("Base64 encoded length is expected a multiple of 4 bytes but found: ", n)
	}
	const tail, letter = "Invalid last non-pad Base64 character dectected", "Invalid Base64 character"
	for v, want := range map[string]string{
		`"a"`: count(1), `"ab"`: count(2), `"abc"`: count(3), `"abcde"`: count(5), `"AA== "`: count(5), `"AB=="`: tail, `"AAF="`: tail, `"AAAAAB=="`: tail, `"!!!!"`: letter, `"AA_-"`: letter, `"AA=A"`: letter, `"===="`: letter, `"AA==AA=="`: letter, `"A A="`: letter, `"AA\n="`: letter,
		`1`: bytes, `1.5`: bytes, `true`: bytes, `false`: bytes, `[]`: shape, `["AA=="]`: shape, `{}`: "Start of structure or map found where not expected",
	} {
		c.refuses([]refusal{
			{"3.1", "PutItem", putValue(`{"B":` + v + `}`), serialization, want}, {"3.1", "PutItem", putValue(`{"BS":["AAAA",` + v + `]}`), serialization, want}, {"3.1", "PutItem", putValue(`{"L":[{"M":{"x":{"B":` + v + `}}}]}`), serialization, want},
			{"3.1", "GetItem", `{"TableName":"tab","Key":{"pk":{"B":` + v + `}}}`, serialization, want},
			{"3.1", "Scan", `{"TableName":"tab","FilterExpression":"a = :b","ExpressionAttributeValues":{":b":{"B":` + v + `}}}`, serialization, want},
		})
	}
	for n := range 7 {
		v := `{"B":"` + base64.StdEncoding.EncodeToString([]byte("\xff\xfe\x00abc")[:min(n, 6)]) + `"}`
		c.must("PutItem", putValue(v))
		c.replies([]reply{{"3.1", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"k"}},"ProjectionExpression":"v"}`, `{"Item":{"v":` + v + `}}`}})
	}
}

// DYNAMODB.md 3.2 and 3.4: sizes at their bounds.
func TestSizesAtTheirBounds(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH", "sk RANGE")+`,"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"B"},`+
		`{"AttributeName":"l","AttributeType":"S"},{"AttributeName":"g","AttributeType":"S"}]`+lsi(indexOf("loc", keyList("pk HASH", "l RANGE"), ""))+gsi(indexOf("glo", keyList("g HASH", "l RANGE"), ""))+`}`)
	x := func(n int) string { return strings.Repeat("x", n) }
	b := func(n int) string { return base64.StdEncoding.EncodeToString([]byte(x(n))) }
	key := func(pk, sk int) string { return `{"pk":{"S":"` + x(pk) + `"},"sk":{"B":"` + b(sk) + `"}}` }
	item := func(rest string) string {
		return `{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"B":"YQ=="}` + rest + `}}`
	}
	const hash, rng = invalidParam + "Size of hashkey has exceeded the maximum size limit of2048 bytes", invalidParam + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
	const noEmpty = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
	for _, op := range []string{"PutItem", "GetItem", "UpdateItem", "DeleteItem"} {
		member := map[bool]string{true: "Item", false: "Key"}[op == "PutItem"]
		body := func(pk, sk int) string { return `{"TableName":"tab","` + member + `":` + key(pk, sk) + `}` }
		c.must(op, body(2048, 1024)) // "raw bytes, not base64"
		c.must(op, body(1, 1))
		c.refuses([]refusal{
			{"3.2", op, body(2049, 1), validation, hash}, {"3.2", op, body(1, 1025), validation, rng}, {"3.2", op, body(2049, 1025), validation, hash}, {"3.2", op, body(0, 1), validation, noEmpty + "string value. Key: pk"},
			{"3.2", op, body(1, 0), validation, noEmpty + "binary value. Key: sk"}, {"3.2", op, body(0, 0), validation, noEmpty + "string value. Key: pk"},
		})
	}
	c.must("PutItem", item(`,"g":{"S":"`+x(2048)+`"},"l":{"S":"`+x(1024)+`"}`))
	c.refuses([]refusal{{"3.2", "PutItem", item(`,"g":{"S":"` + x(2049) + `"}`), validation, hash}, {"3.2", "PutItem", item(`,"l":{"S":"` + x(1025) + `"}`), validation, rng}})
	// "Limit 409,600 bytes inclusive": pk, a, sk, a, v and its value.
	const most = 409600 - 7
	c.must("PutItem", item(`,"v":{"S":"`+x(most)+`"}`))
	c.must("PutItem", item(`,"v":{"B":"`+b(most)+`"}`))
	c.must("PutItem", item(`,"v":{"S":"`+strings.Repeat("é", most/2)+`"}`)) // bytes, not characters
	c.must("PutItem", item(`,"v":{"L":[{"S":"`+x(most-4)+`"}]}`))           // 3 for the list, 1 for its element
	c.must("PutItem", item(`,"v":{"M":{"k":{"S":"`+x(most-5)+`"}}}`))
	c.must("PutItem", item(`,"v":{"SS":["`+x(most-2)+`","ab"]}`)) // "no overhead"
	const large, grown = "Item size has exceeded the maximum allowed size", "Item size to update has exceeded the maximum allowed size"
	for _, v := range []string{`{"S":"` + x(most+1) + `"}`, `{"B":"` + b(most+1) + `"}`, `{"L":[{"S":"` + x(most-3) + `"}]}`, `{"M":{"k":{"S":"` + x(most-4) + `"}}}`, `{"SS":["` + x(most-1) + `","ab"]}`} {
		c.refuses([]refusal{{"3.4", "PutItem", item(`,"v":` + v), validation, large}})
	}
	update := func(n int) string {
		return `{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"B":"YQ=="}},"UpdateExpression":"SET v = :v","ExpressionAttributeValues":{":v":{"S":"` + x(n) + `"}}}`
	}
	c.must("UpdateItem", update(most))
	c.refuses([]refusal{{"3.4", "UpdateItem", update(most + 1), validation, grown}})
	// "LSI: item + its entries in each LSI also <= 400 KB": with l, the item stands twice.
	const half = 204800 - 7 - 2
	c.must("PutItem", item(`,"l":{"S":"l"},"v":{"S":"`+x(half)+`"}`))
	c.refuses([]refusal{{"3.4", "PutItem", item(`,"l":{"S":"l"},"v":{"S":"` + x(half+1) + `"}`), validation, large}, {"3.4", "UpdateItem", update(half + 1), validation, grown}})
}

// DYNAMODB.md 3.5: "Range order: S by UTF-8 bytes (unsigned), B by unsigned bytes"; numbers are TestNumbersAreOne's.
func TestOrderOfRangeKeys(t *testing.T) {
	c := newMemoryClient(t)
	ordered := map[string][]string{
		"S": {`\u0000`, `\u0000\u0000`, `\u0001`, " ", "!", "0", "10", "9", "A", "Z", "a", "aa", "b", "z", "~", "é", "€", "\uffff", "😀"},
		"B": {"AA==", "AAA=", "AAE=", "AQ==", "fw==", "gA==", "/w==", "/wA=", "//8="},
	}
	for kind, list := range ordered {
		c.must("CreateTable", `{"TableName":"ord`+kind+`","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH", "sk RANGE")+`,"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"`+kind+`"}]}`)
		for i := range list {
			j := (i*5 + 3) % len(list)
			c.must("PutItem", fmt.Sprintf(`{"TableName":"ord%s","Item":{"pk":{"S":"p"},"sk":{"%s":"%s"},"place":{"N":"%d"}}}`, kind, kind, list[j], j))
		}
		query := `{"TableName":"ord` + kind + `","KeyConditionExpression":"pk = :p%s","ExpressionAttributeValues":{":p":{"S":"p"}%s},"ProjectionExpression":"place"}`
		at := func(from, to int) string {
			return fmt.Sprintf(`{"Items":[%s],"Count":%d,"ScannedCount":%d}`, some(to-from, func(i int) string { return fmt.Sprintf(`{"place":{"N":"%d"}}`, from+i) }), to-from, to-from)
		}
		c.replies([]reply{{"3.5", "Query", fmt.Sprintf(query, "", ""), at(0, len(list))}})
		for i, v := range list {
			v = `,":v":{"` + kind + `":"` + v + `"}`
			c.replies([]reply{{"3.5", "Query", fmt.Sprintf(query, " AND sk < :v", v), at(0, i)}, {"3.5", "Query", fmt.Sprintf(query, " AND sk >= :v", v), at(i, len(list))}, {"3.5", "Query", fmt.Sprintf(query, " AND sk BETWEEN :v AND :v", v), at(i, i+1)}})
		}
	}
}

// DYNAMODB.md 4.4: the maps of substitutions, in every operation that takes them.
func TestSubstitutionMaps(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	long := strings.Repeat("a", 255)
	for _, f := range []struct{ op, head, kind string }{
		{"PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}},"ConditionExpression":"%s"`, "ConditionExpression"}, {"DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}},"ConditionExpression":"%s"`, "ConditionExpression"},
		{"UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}},"ConditionExpression":"%s"`, "ConditionExpression"}, {"Scan", `{"TableName":"tab","FilterExpression":"%s"`, "FilterExpression"}, {"Query", `{"TableName":"tab","KeyConditionExpression":"%s"`, "KeyConditionExpression"},
	} {
		body := func(text, rest string) string { return fmt.Sprintf(f.head, text) + rest + `}` }
		names := func(m string) string { return `,"ExpressionAttributeNames":{` + m + `}` }
		values := func(m string) string { return `,"ExpressionAttributeValues":{` + m + `}` }
		const unusedNames, unusedValues = "Value provided in ExpressionAttributeNames unused in expressions: keys: {", "Value provided in ExpressionAttributeValues unused in expressions: keys: {"
		const v = `":v":{"S":"a"}`
		rows := []refusal{
			{"4.4", f.op, body("#x = :v", values(v)), validation, "Invalid " + f.kind + ": " + nameUndefined + "#x"}, {"4.4", f.op, body("#x.#y = :v", names(`"#x":"pk"`)+values(v)), validation, "Invalid " + f.kind + ": " + nameUndefined + "#y"},
			{"4.4", f.op, body("pk = :w", values(v)), validation, "Invalid " + f.kind + ": " + valueUndefined + ":w"}, {"4.4", f.op, body("pk = :V", values(v)), validation, "Invalid " + f.kind + ": " + valueUndefined + ":V"},
			{"4.4", f.op, body("pk = :v", names(`"#a":"a"`)+values(v)), validation, unusedNames + "#a}"}, {"4.4", f.op, body("pk = :v", names(`"#c":"a","#a":"a","#b":"a"`)+values(v)), validation, unusedNames + "#a, #b, #c}"},
			{"4.4", f.op, body("pk = :v", values(v+`,":c":{"S":"a"},":b":{"N":"1"}`)), validation, unusedValues + ":b, :c}"}, {"4.4", f.op, body("pk = :v", names(`"#a":"a"`)+values(v+`,":b":{"N":"1"}`)), validation, unusedNames + "#a}"}, // names first
			{"4.4", f.op, body("pk = :w", names(`"#a":"a"`)+values(v)), validation, "Invalid " + f.kind + ": " + valueUndefined + ":w"},
			{"4.4", f.op, body("pk = :v", names(``)+values(v)), validation, "ExpressionAttributeNames must not be empty"}, {"4.4", f.op, body("pk = :v", values(``)), validation, "ExpressionAttributeValues must not be empty"}, {"4.4", f.op, body("pk = :v", names(``)+values(``)), validation, "ExpressionAttributeNames must not be empty"},
			{"4.4", f.op, body("pk = :v", values(`":v":{}`)), validation, "ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes for key :v"},
			{"4.4", f.op, body("pk = :v", values(`":v":{"S":"a","N":"1"}`)), validation, "ExpressionAttributeValues contains invalid value: Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes for key :v"},
			{"4.4", f.op, body("pk = :v", values(`":v":{"NULL":false}`)), validation, "ExpressionAttributeValues contains invalid value: " + invalidParam + "Null attribute value types must have the value of true for key :v"},
			{"4.4", f.op, body("pk = :v", values(`":v":{"SS":["a","a"]}`)), validation, "ExpressionAttributeValues contains invalid value: " + invalidParam + "Input collection [a, a] contains duplicates. for key :v"},
			{"4.4", f.op, body("pk = :v", values(`":v":{"N":"x"},"w":{"S":"a"}`)), validation, `ExpressionAttributeValues contains invalid key: Syntax error; key: "w"`}, // keys before values
			{"4.3", f.op, body("pk = :v", names(`"#`+long+`":"a"`)), validation, `ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; key: "#` + long + `"`},
			{"4.3", f.op, body("pk = :v", values(`":`+long+`":{"S":"a"}`)), validation, `ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long; key: ":` + long + `"`},
		}
		for _, k := range []string{"", "#", "##", "a", "#a-b", "#a b", "#a.b", ":a", "#é", "# a"} {
			rows = append(rows, refusal{"4.4", f.op, body("pk = :v", names(`"`+k+`":"a"`)), validation, `ExpressionAttributeNames contains invalid key: Syntax error; key: "` + k + `"`})
		}
		for _, k := range []string{"", ":", "::", "v", ":a-b", ":a b", ":a.b", "#a", ":é"} {
			rows = append(rows, refusal{"4.4", f.op, body("pk = :v", values(`"`+k+`":{"S":"a"}`)), validation, `ExpressionAttributeValues contains invalid key: Syntax error; key: "` + k + `"`})
		}
		c.refuses(rows)
		if f.op != "Query" && f.op != "Scan" {
			continue
		}
		for _, k := range []string{"1", "_", "a_1", "A", long[1:]} {
			c.must(f.op, body("#"+k+" = :"+k, names(`"#`+k+`":"pk"`)+values(`":`+k+`":{"S":"a"}`)))
		}
	}
	// 4.3: "Sum of substitution lengths <= 2 MB", at its bound: #p pk :v and the value.
	sum := func(n int) string {
		return `{"TableName":"tab","FilterExpression":"#p = :v","ExpressionAttributeNames":{"#p":"pk"},"ExpressionAttributeValues":{":v":{"S":"` + strings.Repeat("x", n) + `"}}}`
	}
	c.must("Scan", sum(2<<20-6))
	c.refuses([]refusal{{"4.3", "Scan", sum(2<<20 - 5), validation, "ExpressionAttributeNames and ExpressionAttributeValues have exceeded the maximum allowed size; size: 2097153"}})
}
