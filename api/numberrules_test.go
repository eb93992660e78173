package api

import (
	"fmt"
	"strings"
	"testing"
)

// DYNAMODB.md 3.3: "38 significant digits; magnitude 0 or 1E-130 .. 9.99..9(38 digits)E+125, both signs. Input grammar:
// optional sign (+ ok), digits, optional fraction, optional e/E exponent; no spaces, NaN, Infinity", wherever a number comes in.
func TestNumbersEverywhere(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("CreateTable", `{"TableName":"num","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH")+`,"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"N"}]}`)
	const (
		overflow  = "Number overflow. Attempting to store a number with magnitude larger than supported range"
		underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
		digits    = "Attempting to store more than 38 significant digits in a Number"
		numeric   = "The parameter cannot be converted to a numeric value"
		tab       = `{"TableName":"tab","Key":{"pk":{"S":"a"}}`
	)
	nines, zeros := strings.Repeat("9", 38), strings.Repeat("0", 128)
	for text, want := range map[string]string{
		"": numeric, ".": numeric + ": .", "-": numeric + ": -", "+": numeric + ": +", "e5": numeric + ": e5", ".e5": numeric + ": .e5", "1e": numeric + ": 1e", "1e+": numeric + ": 1e+", "--1": numeric + ": --1",
		"1-": numeric + ": 1-", "1 2": numeric + ": 1 2", " 1": numeric + ":  1", "1_0": numeric + ": 1_0", "1,0": numeric + ": 1,0", "0x1": numeric + ": 0x1", "1f": numeric + ": 1f", "1e5.5": numeric + ": 1e5.5", "1..2": numeric + ": 1..2",
		"nan": numeric + ": nan", "-Infinity": numeric + ": -Infinity", "٣": numeric + ": ٣", "one": numeric + ": one",
		"1e126": overflow, "-1e126": overflow, "10e125": overflow, nines + "e89": overflow, "1" + strings.Repeat("0", 126): overflow, "1e99999999999999999999": overflow,
		"1e-131": underflow, "-1e-131": underflow, "0.1e-130": underflow, "0." + zeros + "001": underflow, "1e-99999999999999999999": underflow,
		nines + "9": digits, "0." + nines + "9": digits, "1" + strings.Repeat("0", 37) + "1": digits, "1." + nines: digits, "-" + nines + "1e-10": digits,
	} {
		n := `{"N":"` + text + `"}`
		eav := func(v string) string { return "ExpressionAttributeValues contains invalid value: " + v + " for key :v" }
		c.refuses([]refusal{
			{"3.3", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"v":` + n + `}}`, validation, want},
			{"3.3", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"v":{"L":[{"M":{"x":` + n + `}}]}}}`, validation, want},
			{"3.3", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"v":{"NS":["1","` + text + `"]}}}`, validation, want},
			{"3.3", "PutItem", `{"TableName":"num","Item":{"pk":` + n + `}}`, validation, want},
			{"3.3", "GetItem", `{"TableName":"num","Key":{"pk":` + n + `}}`, validation, want},
			{"3.3", "UpdateItem", tab + `,"UpdateExpression":"SET v = :v","ExpressionAttributeValues":{":v":` + n + `}}`, validation, eav(want)},
			{"3.3", "Scan", `{"TableName":"tab","FilterExpression":"v = :v","ExpressionAttributeValues":{":v":` + n + `}}`, validation, eav(want)},
			{"3.3", "UpdateItem", tab + `,"AttributeUpdates":{"v":{"Value":` + n + `}}}`, validation, want},
			{"3.3", "DeleteItem", tab + `,"Expected":{"v":{"Value":` + n + `}}}`, validation, want},
			{"3.3", "Scan", `{"TableName":"num","ExclusiveStartKey":{"pk":` + n + `}}`, validation, "The provided starting key is invalid: " + want},
			{"3.3", "ExecuteStatement", `{"Statement":"SELECT * FROM num WHERE pk = ?","Parameters":[` + n + `]}`, validation, want},
		})
	}
}

// DYNAMODB.md 3.3: "Stored/returned in canonical PLAIN decimal ... Canonicalise BEFORE hashing keys, comparing,
// deduplicating batch keys and set members".
func TestNumbersAreOne(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("CreateTable", `{"TableName":"num","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH", "sk RANGE")+`,"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"N"},{"AttributeName":"sk","AttributeType":"N"}]}`)
	const item = `{"pk":{"N":"1000"},"sk":{"N":"-0.5"}}`
	for _, pk := range []string{"1000", "1e3", "+1000", "01000.00", "1000.", "10E2", ".1e4", "100000e-2"} {
		key := `{"pk":{"N":"` + pk + `"},"sk":{"N":"-5e-1"}}`
		c.replies([]reply{
			{"3.3", "PutItem", `{"TableName":"num","Item":` + key + `}`, `{}`}, {"3.3", "GetItem", `{"TableName":"num","Key":` + key + `}`, `{"Item":` + item + `}`},
			{"3.3", "Scan", `{"TableName":"num"}`, `{"Items":[` + item + `],"Count":1,"ScannedCount":1}`},
			{"3.3", "Query", `{"TableName":"num","KeyConditionExpression":"pk = :p AND sk = :s","ExpressionAttributeValues":{":p":{"N":"` + pk + `"},":s":{"N":"-.50"}}}`, `{"Items":[` + item + `],"Count":1,"ScannedCount":1}`},
			{"3.3", "Scan", `{"TableName":"num","Select":"COUNT","FilterExpression":"pk IN (:p) AND pk BETWEEN :p AND :p AND NOT pk <> :p","ExpressionAttributeValues":{":p":{"N":"` + pk + `"}}}`, `{"Count":1,"ScannedCount":1}`},
		})
		c.refuses([]refusal{
			{"3.3", "BatchWriteItem", `{"RequestItems":{"num":[{"DeleteRequest":{"Key":` + key + `}},{"DeleteRequest":{"Key":` + item + `}}]}}`, validation, "Provided list of item keys contains duplicates"},
			{"3.1", "PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"v":{"NS":["1000.0","2","` + pk + `"]}}}`, validation, "Input collection contains duplicates"},
			{"3.1", "Scan", `{"TableName":"tab","FilterExpression":"v = :v","ExpressionAttributeValues":{":v":{"NS":["10e2","` + pk + `"]}}}`, validation,
				"ExpressionAttributeValues contains invalid value: Input collection contains duplicates for key :v"},
		})
	}
	// Range keys stand in numeric order whatever their signs and lengths.
	ordered := []string{"-1e125", "-100", "-99.5", "-1", "-1e-130", "0", "1e-130", "0.5", "1", "9", "10", "99", "100", "1e20", "1e125"}
	for i := range ordered {
		n := ordered[(i*7)%len(ordered)]
		c.must("PutItem", `{"TableName":"num","Item":{"pk":{"N":"7"},"sk":{"N":"`+n+`"},"was":{"S":"`+n+`"}}}`)
	}
	got := c.must("Query", `{"TableName":"num","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"N":"7"}},"ProjectionExpression":"was"}`)
	want := `{"Items":[` + some(len(ordered), func(i int) string { return `{"was":{"S":"` + ordered[i] + `"}}` }) + `]`
	if !strings.HasPrefix(got, want) {
		t.Errorf("3.5: got  %s\nwant %s", got, want)
	}
}

// DYNAMODB.md 3.3: "+ / - / ADD arithmetic is exact decimal; a result over range or needing > 38 digits fails with the
// `Number overflow...` text (even for precision)".
func TestArithmetic(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	const over = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	const under = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	nines := strings.Repeat("9", 38)
	for _, r := range []struct{ n, sign, v, want string }{
		{"0.1", "+", "0.2", "0.3"}, {"1", "-", "0.9", "0.1"}, {"5", "-", "5", "0"}, {"-5", "+", "5.0", "0"}, {"9", "+", "1", "10"}, {"1e20", "+", "1", "100000000000000000001"},
		{nines, "+", "1", "1" + strings.Repeat("0", 38)}, {nines, "-", "1", strings.Repeat("9", 37) + "8"}, {"1e37", "+", "0", "1" + strings.Repeat("0", 37)},
		{"9.9e125", "+", "9.9e125", over}, {"-9.9e125", "-", "9.9e125", over}, {nines + "e88", "+", "1e88", over}, {nines, "+", "0.1", over}, {nines, "+", "2", over}, // 39 digits
		{"1e38", "+", "1", over}, {"1e125", "-", "1e-130", over}, {"1e-130", "-", "1e-130", "0"}, {"1.1e-130", "-", "1e-130", under},
	} {
		for _, how := range []string{"SET", "ADD"} {
			c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"`+r.n+`"}}}`)
			text, v := fmt.Sprintf("SET n = n %s :v", r.sign), r.v
			if how == "ADD" {
				if text = "ADD n :v"; r.sign == "-" {
					v = "-" + v
				}
			}
			body := `{"TableName":"tab","Key":{"pk":{"S":"a"}},"UpdateExpression":"` + text + `","ExpressionAttributeValues":{":v":{"N":"` + v + `"}},"ReturnValues":"UPDATED_NEW"}`
			if strings.HasPrefix(r.want, "Number") {
				c.refuses([]refusal{{"3.3", "UpdateItem", body, validation, r.want}})
			} else {
				c.replies([]reply{{"3.3", "UpdateItem", body, `{"Attributes":{"n":{"N":"` + r.want + `"}}}`}})
			}
		}
	}
}
