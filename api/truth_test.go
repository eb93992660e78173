package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/expr"
)

const truthItem = `{"pk":{"S":"a"},"b":{"B":"AAEC"},"bs":{"BS":["AA==","AQ=="]},"e":{"S":""},"f":{"BOOL":false},"l":{"L":[{"N":"1"},{"S":"x"},{"L":[{"N":"1"}]},{"M":{"k":{"SS":["p","q"]}}}]},` +
	`"m":{"M":{"k":{"N":"7"},"e":{"M":{}},"ss":{"SS":["p","q"]}}},"m2":{"M":{"ss":{"SS":["q","p"]},"e":{"M":{}},"k":{"N":"7.0"}}},"n":{"N":"5"},"ns":{"NS":["1","2.5"]},"o":{"N":"5.00"},"s":{"S":"hello"},"s2":{"S":"ell"},` +
	`"ss":{"SS":["x","y"]},"t":{"BOOL":true},"u":{"S":"ü€😀"},"z":{"NULL":true},"z2":{"NULL":true}}`

// DYNAMODB.md 4.5 and 3.5: what conditions and filters say of one item. Data of an unfitting type is never an error: "Type
// mismatch from DATA is false (and `<>` true)"; "Missing attribute: =,<,<=,>,>=,IN,BETWEEN,contains,begins_with,size(..)cmp ->
// FALSE; `<>` -> TRUE, also when BOTH sides are missing; missing = missing is FALSE".
func TestWhatConditionsSay(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":`+truthItem+`}`)
	extra := map[string]string{
		":five": `{"N":"5.0"}`, ":six": `{"N":"6"}`, ":hello": `{"S":"hello"}`, ":he": `{"S":"he"}`, ":ell": `{"S":"ell"}`, ":t": `{"BOOL":true}`, ":z": `{"NULL":true}`, ":b01": `{"B":"AAE="}`, ":b12": `{"B":"AQI="}`, ":b1": `{"B":"AQ=="}`,
		":yx": `{"SS":["y","x"]}`, ":x": `{"SS":["x"]}`, ":sx": `{"S":"x"}`, ":ns": `{"NS":["2.50","1e0"]}`, ":m": `{"M":{"e":{"M":{}},"ss":{"SS":["q","p"]},"k":{"N":"7"}}}`, ":l": `{"L":[{"N":"1.0"}]}`, ":k": `{"M":{"k":{"SS":["q","p"]}}}`,
		":one": `{"N":"1"}`, ":two": `{"N":"2"}`, ":three": `{"N":"3"}`, ":four": `{"N":"4"}`, ":empty": `{"S":""}`, ":bs": `{"BS":["AQ==","AA=="]}`, ":S5": `{"S":"5"}`, ":h": `{"S":"h"}`, ":i": `{"S":"i"}`,
		":tS": `{"S":"S"}`, ":tN": `{"S":"N"}`, ":tB": `{"S":"B"}`, ":tBOOL": `{"S":"BOOL"}`, ":tNULL": `{"S":"NULL"}`, ":tSS": `{"S":"SS"}`, ":tNS": `{"S":"NS"}`, ":tBS": `{"S":"BS"}`, ":tL": `{"S":"L"}`, ":tM": `{"S":"M"}`,
	}
	body := func(kind expr.Kind, head, text string) string {
		var values []string
		seen := map[string]bool{}
		for _, p := range placeholder.FindAllString(text, -1) {
			if !seen[p] {
				seen[p] = true
				values = append(values, fmt.Sprintf("%q:%s", p, extra[p]))
			}
		}
		out := head + `,"` + string(kind) + `":"` + text + `"`
		if len(values) > 0 {
			out += `,"ExpressionAttributeValues":{` + strings.Join(values, ",") + `}`
		}
		return out + `}`
	}
	for holds, texts := range map[bool][]string{
		true: {
			"n = :five", ":five = n", "n = o", "n <> :six", "n < :six", "n <= :five", "n > :four", "n >= :five", ":six > n", "n <> :S5", "s = :hello", "s > s2", "s2 < s", "s < :i", "t = :t", "f <> :t", "z = :z", "z = z2", "e = :empty", "b > :b01", "b <> :b01", "b < :b1",
			"ss = :yx", "ns = :ns", "bs = :bs", "ss <> :x", "m = m2", "m = :m", "l[2] = :l", "l[3] = :k", "m.ss = m2.ss", "l[3].k = m.ss", "m <> l", "q <> :five", "q <> r", ":five <> q", "n <> q", "q.a <> :five", "l[9] <> :one", "s.x <> :one", "m[0] <> :one", "n <> s", "z <> t",
			"n BETWEEN :four AND :six", "n BETWEEN :five AND :five", "n BETWEEN o AND o", "s BETWEEN :h AND :i", "b BETWEEN :b01 AND :b1", ":five BETWEEN n AND o", "size(s) BETWEEN :four AND :six", "NOT q BETWEEN :one AND :six",
			"n IN (:one, :five)", "n IN (o)", "s IN (s2, :hello)", "m IN (:one, m2)", "ss IN (:yx)", "z IN (:z)", ":five IN (q, n)", "l[0] IN (:one)", "size(l) IN (:four)",
			"attribute_exists(n)", "attribute_exists(z)", "attribute_exists(e)", "attribute_exists(l[3].k)", "attribute_exists(m.e)", "attribute_not_exists(q)", "attribute_not_exists(m.q)", "attribute_not_exists(l[4])", "attribute_not_exists(s.x)", "attribute_not_exists(l.k)",
			"attribute_type(s, :tS)", "attribute_type(n, :tN)", "attribute_type(b, :tB)", "attribute_type(t, :tBOOL)", "attribute_type(z, :tNULL)", "attribute_type(ss, :tSS)", "attribute_type(ns, :tNS)", "attribute_type(bs, :tBS)", "attribute_type(l, :tL)", "attribute_type(m, :tM)", "attribute_type(l[0], :tN)",
			"begins_with(s, :he)", "begins_with(s, :empty)", "begins_with(b, :b01)", "begins_with(:hello, :he)", "begins_with(:hello, s)", "begins_with(e, :empty)",
			"contains(s, :ell)", "contains(s, s2)", "contains(:hello, s2)", "contains(s, :empty)", "contains(b, :b12)", "contains(ss, :sx)", "contains(ns, :one)", "contains(bs, :b1)", "contains(l, :one)", "contains(l, :sx)", "contains(l, :l)", "contains(l, :k)", "contains(:yx, :sx)", "contains(m.ss, l[3].k) OR n = o",
			"size(s) = :five", "size(e) < :one", "size(b) = :three", "size(ss) = :two", "size(ns) = :two", "size(bs) = :two", "size(l) = :four", "size(m) = :three", "size(m.e) < :one", "size(l[2]) = :one", "size(:hello) = n", "n = size(s)", "size(s) > size(s2)", "size(:x) = :one",
			"n = :five AND s = :hello", "n = :six OR s = :hello", "NOT n = :six", "NOT (n = :six AND s = :hello)", "NOT n = :six AND s = :hello", "n = :five OR s = :h AND s = :i", "NOT NOT n = :five", "(n = :six OR n = :five) AND t = :t", "NOT attribute_exists(q)", "NOT n < s",
		},
		false: {
			"n = :six", "n = :S5", "n <> o", "n < :five", "n > :five", "n <= :four", "n >= :six", "n < :hello", "n > :hello", "n < s", "n > s", "n <= s", "n >= s", "s = s2", "z <> z2", "ss = :x", "ss <> :yx", "m <> m2", "ss = ns", "t = f", "e > :empty",
			"q = :five", "q = r", "q < :five", "q <= :five", "q > :five", "q >= :five", ":five > q", "q < r", "q >= r", "q IN (:five)", "q IN (r)", "n IN (q)", "q BETWEEN :one AND :six", "n BETWEEN q AND :six", "n BETWEEN :one AND q", "contains(q, :five)", "contains(s, q)", "begins_with(q, :he)", "begins_with(s, q)",
			"size(q) = :one", "size(q) < :six", "size(q) > :one", "size(q) <> :one", "size(n) = :one", "size(n) <> :one", "size(t) = :one", "size(z) < :six", "size(q) = size(r)", "size(q) BETWEEN :one AND :six", "size(q) IN (:one)", "attribute_type(q, :tS)", "attribute_type(s, :tN)", "attribute_type(z, :tS)",
			"n BETWEEN :six AND :six", "n BETWEEN s AND s2", "s BETWEEN :i AND :i", "n IN (:one, :S5)", "s IN (:h)", "attribute_exists(q)", "attribute_exists(m.q)", "attribute_exists(l[4])", "attribute_exists(n.x)", "attribute_not_exists(z)", "attribute_not_exists(l[0])",
			"begins_with(s, :ell)", "begins_with(n, :S5)", "begins_with(s, b)", "begins_with(ss, :sx)", "begins_with(l, :h)", "contains(s, :one)", "contains(n, :five)", "contains(m, :sx)", "contains(ss, :x)", "contains(ns, :sx)", "contains(l, :two)", "contains(b, :S5)", "contains(s2, s)", "contains(t, :t)",
			"n = :six AND s = :hello", "NOT n = :five", "NOT (n = :five OR s = :h)", "(n = :five OR s = :h) AND s = :i", "NOT n <> s",
		},
	} {
		for _, text := range texts {
			count := 0
			if holds {
				count = 1
			}
			c.replies([]reply{{"4.5", "Scan", body(expr.FilterExpression, `{"TableName":"tab","Select":"COUNT"`, text), fmt.Sprintf(`{"Count":%d,"ScannedCount":1}`, count)}})
			if a := c.call("UpdateItem", body(expr.ConditionExpression, `{"TableName":"tab","Key":{"pk":{"S":"a"}}`, text)); (a.status == 200) != holds || !holds && !strings.Contains(a.body, checkFailed) {
				t.Errorf("4.5: %s: %d %s", text, a.status, a.body)
			}
		}
	}
	// Of an item that is not there, everything is missing.
	for text, holds := range map[string]bool{"attribute_not_exists(pk)": true, "n <> :one": true, "NOT n = :one": true, "attribute_exists(pk)": false, "n = :one": false, "size(n) < :one": false, "NOT attribute_exists(n)": true} {
		if a := c.call("DeleteItem", body(expr.ConditionExpression, `{"TableName":"tab","Key":{"pk":{"S":"none"}}`, text)); (a.status == 200) != holds {
			t.Errorf("4.5: %s of nothing: %d %s", text, a.status, a.body)
		}
	}
}

// DYNAMODB.md 4.7: "Result keeps hierarchy; list elements are compacted in index order; keys are NOT auto-added. Item exists
// but nothing matches -> `Item:{}`; item missing -> no Item member", in every operation that projects.
func TestProjections(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", false)
	c.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"},"n":{"N":"5"},"m":{"M":{"k":{"L":[{"S":"u"},{"M":{"x":{"N":"1"},"y":{"N":"2"}}},{"S":"w"}]},"q":{"N":"1"},"o":{"M":{"a":{"N":"1"},"b":{"N":"2"}}}}},"l":{"L":[{"N":"0"},{"L":[{"N":"10"},{"N":"11"}]},{"N":"2"}]}}}`)
	for text, want := range map[string]string{
		"n": `"n":{"N":"5"}`, "pk": `"pk":{"S":"a"}`, "n, pk": `"n":{"N":"5"},"pk":{"S":"a"}`, "q": ``, "m.z": ``, "l[9]": ``, "n.x": ``, "m[0]": ``, "l.x": ``, "q, n": `"n":{"N":"5"}`, "m.q.z, l[0][0]": ``,
		"l[2], l[0]": `"l":{"L":[{"N":"0"},{"N":"2"}]}`, "l[1][1]": `"l":{"L":[{"L":[{"N":"11"}]}]}`, "l[1][1], l[1][0], l[2]": `"l":{"L":[{"L":[{"N":"10"},{"N":"11"}]},{"N":"2"}]}`, "l[9], l[2]": `"l":{"L":[{"N":"2"}]}`,
		"m.q": `"m":{"M":{"q":{"N":"1"}}}`, "m.k[0], m.q": `"m":{"M":{"k":{"L":[{"S":"u"}]},"q":{"N":"1"}}}`, "m.k[1].x": `"m":{"M":{"k":{"L":[{"M":{"x":{"N":"1"}}}]}}}`, "m.k[2], m.k[1].y": `"m":{"M":{"k":{"L":[{"M":{"y":{"N":"2"}}},{"S":"w"}]}}}`,
		"m.o.a, m.o.z": `"m":{"M":{"o":{"M":{"a":{"N":"1"}}}}}`, "m.o.a, m.o.b": `"m":{"M":{"o":{"M":{"a":{"N":"1"},"b":{"N":"2"}}}}}`, "m.k[0].z, m.q": `"m":{"M":{"q":{"N":"1"}}}`, "m.k[9]": ``,
	} {
		p := `"ProjectionExpression":"` + text + `"`
		item := `{` + want + `}`
		c.replies([]reply{
			{"4.7", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}},` + p + `}`, `{"Item":` + item + `}`}, {"4.7", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"none"}},` + p + `}`, `{}`},
			{"4.7", "Scan", `{"TableName":"tab",` + p + `}`, `{"Items":[` + item + `],"Count":1,"ScannedCount":1}`},
			{"4.7", "Query", `{"TableName":"tab","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}},` + p + `}`, `{"Items":[` + item + `],"Count":1,"ScannedCount":1}`},
			{"4.7", "BatchGetItem", `{"RequestItems":{"tab":{"Keys":[{"pk":{"S":"a"}}],` + p + `}}}`, `{"Responses":{"tab":[` + item + `]},"UnprocessedKeys":{}}`},
		})
	}
	overlap := func(kind, one, two string) string {
		return "Two document paths " + kind + " with each other; must remove or rewrite one of these paths; path one: " + one + ", path two: " + two
	}
	c.tells(expr.ProjectionExpression, []told{
		{"4.7", "a, a", overlap("overlap", "[a]", "[a]")}, {"4.7", "a, a.b", overlap("overlap", "[a]", "[a, b]")}, {"4.7", "a.b, a", overlap("overlap", "[a, b]", "[a]")}, {"4.7", "a[0], a", overlap("overlap", "[a, [0]]", "[a]")},
		{"4.7", "a.b.c, x, a.b", overlap("overlap", "[a, b, c]", "[a, b]")}, {"4.7", "a[1].b, a[1]", overlap("overlap", "[a, [1], b]", "[a, [1]]")}, {"4.7", "a.b, a[1]", overlap("conflict", "[a, b]", "[a, [1]]")}, {"4.7", "a[0][1], a[0].b", overlap("conflict", "[a, [0], [1]]", "[a, [0], b]")},
		{"4.7", "a.b, a.c, a[0].d", overlap("conflict", "[a, b]", "[a, [0], d]")}, {"4.7", "a.b, b.a, c[0], c[1]", ""},
	})
	c.refuses([]refusal{{"4.7", "GetItem", `{"TableName":"tab","Key":{"pk":{"S":"a"}},"ProjectionExpression":"#a, n","ExpressionAttributeNames":{"#a":"n"}}`, validation, "Invalid ProjectionExpression: " + overlap("overlap", "[n]", "[n]")}})
}
