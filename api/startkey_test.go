package api

import (
	"fmt"
	"strings"
	"testing"
)

// DYNAMODB.md section 5: ExclusiveStartKey: "wrong attribute set, index; table; outside query boundaries; range key predicate; at
// most one row. The key need not exist. Spurious extra attrs refused."
func TestStartKeys(t *testing.T) {
	c := newMemoryClient(t)
	keyedTable(c)
	const (
		bad      = "The provided starting key is invalid"
		schema   = bad + ": The provided key element does not match the schema"
		outside  = "The provided starting key is outside query boundaries based on provided conditions"
		beside   = "The provided starting key does not match the range key predicate"
		noEmpty  = bad + ": One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"
		tooLarge = bad + ": " + invalidParam + "Size of hashkey has exceeded the maximum size limit of2048 bytes"
		pk, sk   = `"pk":{"S":"a"}`, `"sk":{"N":"1"}`
	)
	query := func(index, text, start string) string {
		if index != "" {
			index = `,"IndexName":"` + index + `"`
		}
		return withValues(`{"TableName":"tab","Select":"COUNT","KeyConditionExpression":"`+text+`","ExclusiveStartKey":{`+start+`}`+index, text)
	}
	scan := func(index, start string) string {
		if index != "" {
			index = `,"IndexName":"` + index + `"`
		}
		return `{"TableName":"tab","Select":"COUNT","ExclusiveStartKey":{` + start + `}` + index + `}`
	}
	var rows []refusal
	for _, r := range []struct{ index, text, start, want string }{
		{"", "pk = :s", ``, schema}, {"", "pk = :s", pk, schema}, {"", "pk = :s", sk, schema}, {"", "pk = :s", pk + `,` + sk + `,"x":{"N":"1"}`, schema}, {"", "pk = :s", pk + `,"x":{"N":"1"}`, schema}, {"", "pk = :s", `"pk":{"N":"1"},` + sk, schema},
		{"", "pk = :s", pk + `,"sk":{"S":"1"}`, schema}, {"", "pk = :s", `"pk":{"S":""},` + sk, noEmpty}, {"", "pk = :s", `"pk":{"S":"` + strings.Repeat("x", 2049) + `"},` + sk, tooLarge},
		{"", "pk = :s", `"pk":{},` + sk, bad + ": Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"}, {"", "pk = :s", pk + `,"sk":{"N":"x"}`, bad + ": The parameter cannot be converted to a numeric value: x"},
		{"byt", "pk = :s", ``, bad}, {"byt", "pk = :s", pk + `,` + sk, bad}, {"byt", "pk = :s", pk + `,"t":{"S":"t1"}`, bad}, {"byt", "pk = :s", pk + `,` + sk + `,"t":{"N":"1"}`, bad}, {"byt", "pk = :s", pk + `,` + sk + `,"t":{"S":"t1"},"x":{"N":"1"}`, bad},
		{"byt", "pk = :s", pk + `,` + sk + `,"t":{"S":""}`, bad}, {"byg", "g = :s", pk + `,` + sk, bad}, {"byg", "g = :s", `"g":{"S":"a"}`, bad}, {"byg", "g = :s", pk + `,` + sk + `,"g":{"N":"1"}`, bad}, {"byg", "g = :s", pk + `,` + sk + `,"g":{"S":"a"},"x":{"N":"1"}`, bad},
	} {
		rows = append(rows, refusal{"5", "Query", query(r.index, r.text, r.start), validation, r.want}, refusal{"5", "Scan", scan(r.index, r.start), validation, r.want})
	}
	for _, r := range []struct{ index, text, start, want string }{
		{"", "pk = :s", `"pk":{"S":"z"},` + sk, outside}, {"", "pk = :s AND sk > :n", `"pk":{"S":"z"},"sk":{"N":"0"}`, outside}, {"byt", "pk = :s", `"pk":{"S":"z"},` + sk + `,"t":{"S":"t1"}`, outside}, {"byg", "g = :s", pk + `,` + sk + `,"g":{"S":"z"}`, outside},
		{"", "pk = :s AND sk > :n", pk + `,"sk":{"N":"1"}`, beside}, {"", "pk = :s AND sk > :n", pk + `,"sk":{"N":"0.5"}`, beside}, {"", "pk = :s AND sk >= :n", pk + `,"sk":{"N":"0"}`, beside}, {"", "pk = :s AND sk < :n", pk + `,"sk":{"N":"1"}`, beside},
		{"", "pk = :s AND sk <= :n", pk + `,"sk":{"N":"1.1"}`, beside}, {"", "pk = :s AND sk BETWEEN :n AND :n2", pk + `,"sk":{"N":"3"}`, beside}, {"", "pk = :s AND sk BETWEEN :n AND :n2", pk + `,"sk":{"N":"0"}`, beside}, {"byt", "pk = :s AND begins_with(t, :s)", pk + `,` + sk + `,"t":{"S":"t1"}`, beside},
		{"", "pk = :s AND sk = :n", pk + `,` + sk, "The query can return at most one row and cannot be restarted"}, {"", "pk = :s AND sk = :n", pk + `,"sk":{"N":"9"}`, "The query can return at most one row and cannot be restarted"},
	} {
		rows = append(rows, refusal{"5", "Query", query(r.index, r.text, r.start), validation, r.want})
	}
	c.refuses(rows)
	for body, n := range map[string]int{
		query("", "pk = :s", pk+`,`+sk): 2, query("", "pk = :s", pk+`,"sk":{"N":"1.5"}`): 2, query("", "pk = :s", pk+`,"sk":{"N":"-9"}`): 4, query("", "pk = :s AND sk >= :n", pk+`,`+sk): 2, query("", "pk = :s AND sk <= :n", pk+`,"sk":{"N":"0"}`): 1,
		query("", "pk = :s AND sk BETWEEN :n AND :n2", pk+`,"sk":{"N":"1.5"}`): 1, query("byt", "pk = :s", pk+`,`+sk+`,"t":{"S":"t1"}`): 2, query("byt", "pk = :s", pk+`,"sk":{"N":"9"},"t":{"S":"t1"}`): 2, query("byg", "g = :s", pk+`,"sk":{"N":"2"},"g":{"S":"a"}`): 1,
	} {
		c.replies([]reply{{"5", "Query", body, fmt.Sprintf(`{"Count":%d,"ScannedCount":%d}`, n, n)}})
	}
}

// DYNAMODB.md section 5: Select with projections, on a table and on its indexes.
func TestSelectRules(t *testing.T) {
	c := newMemoryClient(t)
	musicTable(c, 1)
	const all, keys, mine = `{"art":{"S":"t"},"pk":{"S":"p"},"sk":{"N":"0"},"x":{"N":"0"},"y":{"S":"v0"}}`, `{"art":{"S":"t"},"pk":{"S":"p"},"sk":{"N":"0"}}`, `{"x":{"N":"0"}}`
	const include = `{"art":{"S":"t"},"pk":{"S":"p"},"sk":{"N":"0"},"x":{"N":"0"}}`
	const must = "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
	const cannot, indexOnly = "Cannot specify the %s when choosing to get %s", "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
	for _, r := range []struct{ index, selects, projects, want string }{
		{"", "", "", all}, {"", "ALL_ATTRIBUTES", "", all}, {"", "COUNT", "", ""}, {"", "", "x", mine}, {"", "SPECIFIC_ATTRIBUTES", "x", mine}, {"", "COUNT", "x", ""},
		{"", "SPECIFIC_ATTRIBUTES", "", must}, {"", "ALL_ATTRIBUTES", "x", cannot}, {"", "ALL_PROJECTED_ATTRIBUTES", "", indexOnly}, {"", "ALL_PROJECTED_ATTRIBUTES", "x", cannot},
		{"loc", "", "", keys}, {"loc", "ALL_PROJECTED_ATTRIBUTES", "", keys}, {"loc", "ALL_ATTRIBUTES", "", all}, {"loc", "COUNT", "", ""}, {"loc", "", "x", mine}, {"loc", "SPECIFIC_ATTRIBUTES", "x", mine}, {"loc", "ALL_PROJECTED_ATTRIBUTES", "x", cannot},
		{"glo", "", "", include}, {"glo", "ALL_PROJECTED_ATTRIBUTES", "", include}, {"glo", "COUNT", "", ""}, {"glo", "", "x", mine}, {"glo", "SPECIFIC_ATTRIBUTES", "x", mine}, {"all", "ALL_ATTRIBUTES", "", all}, {"all", "", "y", `{"y":{"S":"v0"}}`},
		{"glo", "ALL_ATTRIBUTES", "", invalidParam + "Select type ALL_ATTRIBUTES is not supported for global secondary index glo because its projection type is not ALL"}, {"glo", "", "y", invalidParam + "Global secondary index glo does not project [y]"},
	} {
		for _, op := range []string{"Query", "Scan"} {
			for _, member := range []string{"ProjectionExpression", "AttributesToGet"} {
				rest := ""
				if op == "Query" {
					key, value := "pk", "p"
					if r.index == "glo" || r.index == "all" {
						key, value = "art", "t"
					}
					rest = `,"KeyConditions":{"` + key + `":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"` + value + `"}]}}`
				}
				if r.index != "" {
					rest += `,"IndexName":"` + r.index + `"`
				}
				if r.selects != "" {
					rest += `,"Select":"` + r.selects + `"`
				}
				if r.projects != "" {
					rest += `,"` + member + `":` + map[string]string{"ProjectionExpression": `"` + r.projects + `"`, "AttributesToGet": `["` + r.projects + `"]`}[member]
				}
				body := `{"TableName":"mus"` + rest + `}`
				switch {
				case r.want == must && op == "Query": // the two differ
					c.refuses([]refusal{{"5", op, body, validation, "1 validation error detected: " + must}})
				case r.want == cannot:
					c.refuses([]refusal{{"5", op, body, validation, fmt.Sprintf(cannot, member, r.selects)}})
				case r.want == "":
					c.replies([]reply{{"5", op, body, `{"Count":1,"ScannedCount":1}`}})
				case strings.HasPrefix(r.want, "{"):
					c.replies([]reply{{"5", op, body, `{"Items":[` + r.want + `],"Count":1,"ScannedCount":1}`}})
				default:
					c.refuses([]refusal{{"5", op, body, validation, r.want}})
				}
			}
		}
	}
}
