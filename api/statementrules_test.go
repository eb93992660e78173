package api

import (
	"fmt"
	"strings"
	"testing"
)

// malformed begins what is said of a statement that is none; only that much is known to be the service's.
const malformed = "Statement wasn't well formed, can't be processed: "

// newStatementClient has table tab (pk S, sk N; global index by-g on g, sk) with items pk = a, sk = 1, 2, 3.
func newStatementClient(t *testing.T) *client {
	c := newMemoryClient(t)
	c.must("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","KeySchema":`+keyList("pk HASH", "sk RANGE")+`,"AttributeDefinitions":[`+
		`{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}]`+gsi(indexOf("by-g", keyList("g HASH", "sk RANGE"), ""))+`}`)
	for i := 1; i <= 3; i++ {
		c.states(fmt.Sprintf(`INSERT INTO tab VALUE {'pk': 'a', 'sk': %d, 'n': %d, 'g': 'g', 's': 'abc', 'l': [1, 2, 'x'], 'm': {'k': {'z': 1}, 'name': 'q'}, 'ss': <<'a', 'b'>>, 'z': NULL, 't': true}`, i, i*10), `{"Items":[]}`)
	}
	return c
}

// states runs a statement. want is the whole answer, or a part of the error's.
func (c *client) states(statement, want string, parameters ...string) {
	c.t.Helper()
	body := `{"Statement":"` + strings.NewReplacer(`"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(statement) + `"`
	if len(parameters) > 0 {
		body += `,"Parameters":[` + strings.Join(parameters, ",") + `]`
	}
	a := c.call("ExecuteStatement", body+`}`)
	if strings.HasPrefix(want, "{") && (a.status != 200 || a.body != want) || !strings.HasPrefix(want, "{") && (a.status != 400 || !strings.Contains(memberText(c.t, a.body, "__type")+" "+memberText(c.t, a.body, "message"), want)) {
		c.t.Errorf("12: %s %v\n got  %d %.500s\n want %.500s", statement, parameters, a.status, a.body, want)
	}
}

// DYNAMODB.md section 12: the operators and functions of WHERE, each true and false of one item.
func TestStatementConditions(t *testing.T) {
	c := newStatementClient(t)
	const yes, no = `{"Items":[{"sk":{"N":"1"}}]}`, `{"Items":[]}`
	for want, conditions := range map[string][]string{
		yes: {"n = 10", "n != 11", "n <> 11", "n < 11", "n <= 10", "n > 9", "n >= 10", "10 = n", "9 < n", "11 > n", "n = 1e1", "n = +10", "n = 10.0", "(n = 10)", "((n = 10))", "n = (10)", "(n) = 10", "n BETWEEN 5 AND 15", "n NOT BETWEEN 11 AND 15",
			"n IN [10, 20]", "n IN (10, 20)", "n NOT IN [11]", "l[0] IN [1]", "z IS NULL", "n IS NOT NULL", "q IS NOT NULL", "q IS MISSING", "n IS NOT MISSING", "z IS NOT MISSING", "m.q IS MISSING", "NOT n = 11", "NOT NOT n = 10", "NOT (n = 11 OR n = 12)",
			"n = 10 AND s = 'abc'", "(n = 11 OR s = 'abc')", "t = true", "t <> FALSE", "z = NULL", "s = 'abc'", "ss = <<'b', 'a'>>", "l = [1, 2, 'x']", "m = {'name': 'q', 'k': {'z': 1}}", "m.k.z = 1", "m['k'].z = 1", `m."name" = 'q'`, `"m"."k"."z" = 1`, "l[2] = 'x'",
			"begins_with(s, 'a')", "BEGINS_WITH(s, 'ab')", "contains(s, 'b')", "contains(l, 1)", "contains(l, 'x')", "Contains(ss, 'a')", "attribute_type(n, 'N')", "attribute_type(z, 'NULL')", "size(s) = 3", "SIZE(l) > 2", "size(ss) = 2", "size(m) <= 2", "NOT contains(s, 'z')",
			"n = 10 and s = 'abc' AND not t = false", "n is not null And z Is Null", "size(s) BETWEEN 3 AND 4", "n -- comment\n = 10", "n /* and */ = 10", "n = 10 \t\n", "n <> sk"},
		no: {"n = 11", "n != 10", "n <> 10", "n < 10", "n > 10", "n = '10'", "N = 10", "q = 10", "q < 10", "n BETWEEN 11 AND 15", "n NOT BETWEEN 5 AND 15", "q BETWEEN 1 AND 2", "n IN [11]", "n NOT IN [10]", "z IS NOT NULL", "n IS NULL", "q IS NULL", "n IS MISSING",
			"z IS MISSING", "m.k IS MISSING", "NOT n = 10", "n = 10 AND s = 'x'", "(n = 11 OR s = 'x')", "n = NULL", "begins_with(s, 'b')", "begins_with(n, '1')", "contains(s, 'z')", "contains(m, 'k')", "attribute_type(n, 'S')", "attribute_type(q, 'S')", "size(s) = 4", "size(n) = 2", "l[9] = 1",
			"m.k.z.q = 1", "s.x = 1", "m = {}", `s = "abc"`, "n = -10"},
	} {
		for _, cond := range conditions {
			c.states("SELECT sk FROM tab WHERE pk = 'a' AND sk = 1 AND "+cond, want)
		}
	}
	for cond, want := range map[string]string{
		"n": malformed, "t": malformed, "NOT t": malformed, "size(s)": malformed, "n =": malformed, "n = 10 AND": malformed, "AND n = 10": malformed, "n == 10": malformed, "n IN []": malformed, "n IN ()": malformed, "n IN 10": malformed, "n IN [10": malformed, "n BETWEEN 1": malformed,
		"n BETWEEN 1 OR 2": malformed, "n IS": malformed, "n IS 5": malformed, "10 IS NULL": malformed, "n = MISSING": malformed, "foo(n)": malformed, "attribute_exists(n)": malformed, "begins_with(s)": malformed, "size(s, l) = 1": malformed, "contains(s, 'a', 'b')": malformed,
		"n LIKE 1": malformed, "n = 'x": malformed, `"n = 10`: malformed, "n = 10)": malformed, "(n = 10": malformed, "n = 10 n = 10": malformed, "n # 10": malformed, "n = 10; n = 10": malformed, "n /* = 10": malformed, "size = 10": malformed, "l[x] = 1": malformed, "l[-1] = 1": malformed, "l[] = 1": malformed,
		"n BETWEEN 15 AND 5":        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:15}, upper bound operand: AttributeValue: {N:5}",
		"n BETWEEN 'a' AND 5":       "The BETWEEN operator requires same data type for lower and upper bounds",
		"begins_with(s, 1)":         "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"attribute_type(n, 'X')":    "Invalid attribute type name found; type: X, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
		"n < [1]":                   "Incorrect operand type for operator or function; operator or function: <, operand type: L",
		"n = 1e200":                 "Number overflow. Attempting to store a number with magnitude larger than supported range",
		"n = <<>>":                  "An string set  may not be empty",
		"EXISTS(SELECT * FROM tab)": malformed,
		"n IN [" + some(101, func(i int) string { return fmt.Sprint(i) }) + "]": "The IN operator is provided with too many operands; number of operands: 101", // "<= 100 otherwise"
	} {
		c.states("SELECT sk FROM tab WHERE pk = 'a' AND sk = 1 AND "+cond, want)
	}
	c.states("SELECT sk FROM tab WHERE pk = 'a' AND sk = 1 AND n IN ["+some(100, func(i int) string { return fmt.Sprint(i) })+"]", yes)
}

// DYNAMODB.md section 12: SELECT's other clauses, and "keywords case-insensitive; trailing `;` tolerated".
func TestStatementSelect(t *testing.T) {
	c := newStatementClient(t)
	const where = " FROM tab WHERE pk = 'a' AND sk = 1"
	for statement, want := range map[string]string{
		"SELECT sk" + where + ";": `{"Items":[{"sk":{"N":"1"}}]}`, "select sk from tab where pk = 'a' and sk = 1": `{"Items":[{"sk":{"N":"1"}}]}`, `SELECT "sk", "pk" FROM "tab" WHERE "pk" = 'a' AND "sk" = 1`: `{"Items":[{"pk":{"S":"a"},"sk":{"N":"1"}}]}`,
		"SELECT m.k.z, l[0], l[2], l[9], q" + where: `{"Items":[{"l[0]":{"N":"1"},"l[2]":{"S":"x"},"z":{"N":"1"}}]}`, "SELECT q" + where: `{"Items":[{}]}`, "SELECT m['name']" + where: `{"Items":[{"name":{"S":"q"}}]}`,
		"SELECT sk FROM tab WHERE pk = 'a' AND sk > 1 ORDER BY sk DESC": `{"Items":[{"sk":{"N":"3"}},{"sk":{"N":"2"}}]}`, "SELECT sk FROM tab WHERE pk = 'a' ORDER BY sk ASC": `{"Items":[{"sk":{"N":"1"}},{"sk":{"N":"2"}},{"sk":{"N":"3"}}]}`,
		"SELECT sk FROM tab WHERE pk = 'a' ORDER BY pk, sk DESC": `{"Items":[{"sk":{"N":"3"}},{"sk":{"N":"2"}},{"sk":{"N":"1"}}]}`, `SELECT sk FROM "tab"."by-g" WHERE g = 'g' AND sk BETWEEN 2 AND 3`: `{"Items":[{"sk":{"N":"2"}},{"sk":{"N":"3"}}]}`,
		"SELECT sk FROM tab WHERE pk = 'a' AND sk IN [1, 3]": `{"Items":[{"sk":{"N":"1"}},{"sk":{"N":"3"}}]}`, "SELECT sk FROM tab WHERE pk IN ['a', 'b', 'a'] AND sk = 1": `{"Items":[{"sk":{"N":"1"}}]}`, "SELECT sk FROM tab WHERE n = 20": `{"Items":[{"sk":{"N":"2"}}]}`,
		"SELECT sk FROM tab WHERE pk = 'a' AND sk >= 2 AND sk < 3": `{"Items":[{"sk":{"N":"2"}}]}`, "SELECT sk FROM tab WHERE pk = 'a' AND sk = 1 OR sk = 3": `{"Items":[{"sk":{"N":"1"}},{"sk":{"N":"3"}}]}`, "SELECT sk FROM tab WHERE pk = 'none'": `{"Items":[]}`,
		"SELECT * FROM tab WHERE q = 1": `{"Items":[]}`, "SELECT sk FROM tab WHERE pk = 'a' AND begins_with(pk, 'a') AND sk = 2": `{"Items":[{"sk":{"N":"2"}}]}`, "SELECT sk FROM tab WHERE NOT pk = 'b' AND sk = 2": `{"Items":[{"sk":{"N":"2"}}]}`,
		"":   "1 validation error detected: Value '' at 'statement' failed to satisfy constraint: Member must have length greater than or equal to 1",
		"  ": malformed + "Expected data manipulation", "FOO": malformed + "Expected data manipulation", "CREATE TABLE x": malformed + "Expected data manipulation", "SELECT": malformed, "SELECT *": malformed, "SELECT * tab": malformed, "SELECT FROM tab": malformed, "SELECT * FROM": malformed,
		"SELECT sk pk" + where: malformed, "SELECT sk," + where: malformed, "SELECT sk, *" + where: malformed, "SELECT 1" + where: malformed, "SELECT 'x'" + where: malformed, "SELECT sk AS x" + where: malformed, "SELECT DISTINCT sk" + where: malformed, "SELECT COUNT(*)" + where: malformed,
		"SELECT * FROM tab, tab": malformed, "SELECT * FROM tab JOIN tab": malformed, "SELECT * FROM (SELECT * FROM tab)": malformed, "SELECT * FROM 'tab'": malformed, "SELECT * FROM tab WHERE": malformed, "SELECT *" + where + " LIMIT 1": malformed, "SELECT *" + where + " GROUP BY pk": malformed,
		"SELECT *" + where + " ORDER BY": malformed, "SELECT *" + where + " ORDER sk": malformed, "SELECT *" + where + "; SELECT *" + where: malformed, "SELECT *" + where + " UNION SELECT *" + where: malformed, "SELECT * FROM select": malformed, "SELECT select FROM tab": malformed,
		"SELECT *" + where + " ORDER BY n": "Variable reference n in ORDER BY clause must be part of the primary key", "SELECT * FROM tab ORDER BY sk": "Must have WHERE clause", "SELECT * FROM tab WHERE n = 1 ORDER BY sk": "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
		"SELECT * FROM nowhere": notFound, `SELECT * FROM "tab.by-g"`: notFound, "SELECT * FROM tab.nope": "The table does not have the specified index: nope", "SELECT * FROM tab WHERE pk = 1": "Condition parameter type does not match schema type",
		"SELECT * FROM tab WHERE pk = ''": "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk", "SELECT * FROM tab WHERE pk = 'a' AND pk.x = 1": "Key attributes must be scalars",
	} {
		c.states(statement, want)
	}
	longest := "SELECT sk" + where
	longest += strings.Repeat(" ", 8192-len(longest))
	c.states(longest, `{"Items":[{"sk":{"N":"1"}}]}`)
	c.states(longest+" ", "at 'statement' failed to satisfy constraint: Member must have length less than or equal to 8192")
	columns := some(1200, func(i int) string { return fmt.Sprintf("c%d", i) }) // longer as an expression than expressions may be
	c.states("SELECT sk, "+columns+where, `{"Items":[{"sk":{"N":"1"}}]}`)
	c.states("UPDATE tab SET "+some(500, func(i int) string { return fmt.Sprintf("c%d = %d", i, i) })+" WHERE pk = 'a' AND sk = 1", `{"Items":[]}`)
	c.states("SELECT c0, c499"+where, `{"Items":[{"c0":{"N":"0"},"c499":{"N":"499"}}]}`)
	c.states("SELECT sk"+where+" AND ("+strings.Repeat("m.k.z = 0 OR ", 145)+"sk = 1)", `{"Items":[{"sk":{"N":"1"}}]}`)
}

// DYNAMODB.md section 12: "`?` parameters used left to right, count must match", as whole values and inside literals.
func TestStatementParameters(t *testing.T) {
	c := newStatementClient(t)
	const one, s, a = `{"N":"1"}`, `{"S":"abc"}`, `{"S":"a"}`
	const mismatch = "Number of parameters in request and statement don't match."
	c.states("SELECT sk FROM tab WHERE pk = ? AND sk = ? AND s = ?", `{"Items":[{"sk":{"N":"1"}}]}`, a, one, s)
	c.states("SELECT sk FROM tab WHERE pk IN [?, ?] AND sk BETWEEN ? AND ?", `{"Items":[{"sk":{"N":"1"}}]}`, `{"S":"z"}`, a, one, one)
	c.states("SELECT sk FROM tab WHERE pk = ? AND begins_with(s, ?) AND size(s) > ? AND l = [?, 2, 'x']", `{"Items":[{"sk":{"N":"1"}},{"sk":{"N":"2"}},{"sk":{"N":"3"}}]}`, a, a, one, one)
	c.states("INSERT INTO tab VALUE {'pk': ?, 'sk': ?, 'x': {'y': [?]}}", `{"Items":[]}`, `{"S":"p"}`, one, `{"SS":["q"]}`)
	c.states("SELECT x FROM tab WHERE pk = 'p'", `{"Items":[{"x":{"M":{"y":{"L":[{"SS":["q"]}]}}}}]}`)
	c.states("INSERT INTO tab VALUE ?", `{"Items":[]}`, `{"M":{"pk":{"S":"p"},"sk":{"N":"2"}}}`)
	c.states("UPDATE tab SET x = ?, y = list_append(?, ?) WHERE pk = ? AND sk = ? RETURNING MODIFIED NEW *", `{"Items":[{"x":{"N":"1"},"y":{"L":[{"N":"1"},{"N":"1"}]}}]}`, one, `{"L":[{"N":"1"}]}`, `{"L":[{"N":"1"}]}`, `{"S":"p"}`, `{"N":"2"}`)
	c.states("SELECT * FROM tab WHERE s = '?' AND pk = 'a'", `{"Items":[]}`) // no parameter
	for _, r := range []struct {
		statement, want string
		parameters      []string
	}{
		{"SELECT * FROM tab WHERE pk = ?", mismatch, nil}, {"SELECT * FROM tab WHERE pk = ?", mismatch, []string{a, a}}, {"SELECT * FROM tab", mismatch, []string{a}}, {"DELETE FROM tab WHERE pk = ? AND sk = ?", mismatch, []string{a}},
		{"INSERT INTO tab VALUE ?", malformed, []string{a}}, {"SELECT * FROM ?", malformed, []string{a}}, {"SELECT ? FROM tab", malformed, []string{a}}, {"INSERT INTO tab VALUE {?: 1}", malformed, []string{a}}, {"SELECT * FROM tab WHERE ? IS NULL", malformed, []string{a}},
		{"SELECT * FROM tab WHERE pk = ?", "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes", []string{`{}`}}, {"SELECT * FROM tab WHERE n = ?", "The parameter cannot be converted to a numeric value: x", []string{`{"N":"x"}`}},
		{"SELECT * FROM tab WHERE n = ?", "An string set  may not be empty", []string{`{"SS":[]}`}},
	} {
		c.states(r.statement, r.want, r.parameters...)
	}
}

// DYNAMODB.md section 12: INSERT: "one item; exists -> DuplicateItemException. No conditions", and literals: "number, string,
// true/false, NULL, MISSING, list [..], tuple {'k': v}, set <<..>>".
func TestStatementInsert(t *testing.T) {
	c := newStatementClient(t)
	c.states(`insert into "tab" value {'pk': 'i', 'sk': 1, 'n': -1.5e3, 's': 'it''s', 'b': [TRUE, false, null, {'deep': <<1, 2.0>>}], 'm': {}, 'l': [], 'e': '', "q": 1, 'miss': MISSING};`, `{"Items":[]}`)
	c.states("SELECT * FROM tab WHERE pk = 'i'", `{"Items":[{"b":{"L":[{"BOOL":true},{"BOOL":false},{"NULL":true},{"M":{"deep":{"NS":["1","2"]}}}]},"e":{"S":""},"l":{"L":[]},"m":{"M":{}},"n":{"N":"-1500"},"pk":{"S":"i"},"q":{"N":"1"},"s":{"S":"it's"},"sk":{"N":"1"}}]}`)
	for statement, want := range map[string]string{
		"INSERT INTO tab VALUE {'pk': 'a', 'sk': 1}": "DuplicateItemException Duplicate primary key exists in table", "INSERT INTO tab VALUE {'pk': 'a', 'sk': 1.0, 'n': 5}": "DuplicateItemException Duplicate primary key exists in table",
		"INSERT INTO tab VALUE {'pk': 'x', 'sk': 1,}": malformed, "INSERT INTO tab VALUE [1]": malformed, "INSERT INTO tab VALUE 'x'": malformed, "INSERT INTO tab VALUES {'pk': 'x'}": malformed, "INSERT INTO tab {'pk': 'x'}": malformed, "INSERT tab VALUE {'pk': 'x'}": malformed, "INSERT INTO tab VALUE {pk: 'x'}": malformed,
		"INSERT INTO tab VALUE {'pk': 'x', 'sk': 1} WHERE n = 1": malformed, "INSERT INTO tab VALUE {'pk': 'x', 'sk': 1} RETURNING ALL OLD *": malformed, "INSERT INTO tab VALUE {'pk': 'x', 'sk': 1}, {'pk': 'y', 'sk': 1}": malformed, "INSERT INTO tab VALUE {'pk': 'x', 'sk': 1 + 1}": malformed,
		"INSERT INTO tab VALUE <<{'pk': 'x'}>>": malformed, `INSERT INTO tab."by-g" VALUE {'pk': 'x', 'sk': 1}`: malformed, "INSERT INTO tab VALUE {'pk': 'x', 'sk': 1, 's': <<1, 'a'>>}": malformed, "INSERT INTO tab VALUE {'pk': 'x', 'sk': 1, 's': <<[1]>>}": malformed,
		"INSERT INTO nowhere VALUE {'pk': 'x'}": notFound, "INSERT INTO tab VALUE {}": "Missing the key pk in the item", "INSERT INTO tab VALUE {'pk': 'x'}": "Missing the key sk in the item", "INSERT INTO tab VALUE {'pk': 1, 'sk': 1}": "Type mismatch for key pk expected: S actual: N",
		"INSERT INTO tab VALUE {'pk': '', 'sk': 1}": "cannot contain an empty string value. Key: pk", "INSERT INTO tab VALUE {'pk': 'x', 'sk': 1, 'g': 1}": "Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g", "INSERT INTO tab VALUE {'pk': 'x', 'sk': 1, 'g': ''}": "cannot contain an empty string value. IndexName: by-g, IndexKey: g",
		"INSERT INTO tab VALUE {'pk': 'x', 'sk': 1, 's': <<>>}": "An string set  may not be empty", "INSERT INTO tab VALUE {'pk': 'x', 'sk': 1, 's': <<'a', 'a'>>}": "Input collection [a, a] contains duplicates.", "INSERT INTO tab VALUE {'pk': 'x', 'sk': 1, 's': <<1, 1e0>>}": "Input collection contains duplicates",
		"INSERT INTO tab VALUE {'pk': 'x', 'sk': 1, 'n': " + strings.Repeat("9", 39) + "}": "Attempting to store more than 38 significant digits in a Number", "INSERT INTO tab VALUE {'pk': '" + strings.Repeat("x", 2049) + "', 'sk': 1}": "Size of hashkey has exceeded the maximum size limit of2048 bytes",
	} {
		c.states(statement, want)
	}
}

// DYNAMODB.md section 12: UPDATE and DELETE: their clauses, what they answer and what they are refused for.
func TestStatementUpdateAndDelete(t *testing.T) {
	c := newStatementClient(t)
	const key = " WHERE pk = 'a' AND sk = 1"
	const done, modified = `{"Items":[]}`, " RETURNING MODIFIED NEW *"
	for _, r := range []struct{ statement, want string }{
		{"UPDATE tab SET n = n + 1" + key + modified, `{"Items":[{"n":{"N":"11"}}]}`}, {"UPDATE tab SET n = 21 - n" + key + modified, `{"Items":[{"n":{"N":"10"}}]}`}, {"UPDATE tab SET n=n-1" + key + modified, `{"Items":[{"n":{"N":"9"}}]}`},
		{"UPDATE tab SET x = 1 SET y = 2 REMOVE t SET z = s" + key + modified, `{"Items":[{"x":{"N":"1"},"y":{"N":"2"},"z":{"S":"abc"}}]}`}, {"UPDATE tab REMOVE x, y REMOVE z" + key + modified, done}, {"update tab set x = [1, {'y': 'z'}] where sk = 1 and pk = 'a' returning modified new *", `{"Items":[{"x":{"L":[{"N":"1"},{"M":{"y":{"S":"z"}}}]}}]}`},
		{"UPDATE tab SET x[1].y = 5, x[7] = 6" + key + modified, `{"Items":[{"x":{"L":[{"M":{"y":{"N":"5"}}}]}}]}`}, {"UPDATE tab SET x = list_append(x, [7])" + key + modified, `{"Items":[{"x":{"L":[{"N":"1"},{"M":{"y":{"N":"5"}}},{"N":"6"},{"N":"7"}]}}]}`},
		{"UPDATE tab SET x = LIST_APPEND([0], x)" + key + modified, `{"Items":[{"x":{"L":[{"N":"0"},{"N":"1"},{"M":{"y":{"N":"5"}}},{"N":"6"},{"N":"7"}]}}]}`}, {"UPDATE tab REMOVE x[0], x[2]" + key, done},
		{"UPDATE tab SET ss = set_add(ss, <<'c'>>)" + key + modified, `{"Items":[{"ss":{"SS":["a","b","c"]}}]}`}, {"UPDATE tab SET ss = SET_DELETE(ss, <<'a', 'z'>>)" + key + modified, `{"Items":[{"ss":{"SS":["b","c"]}}]}`}, {"UPDATE tab SET fresh = set_add(fresh, <<1>>)" + key + modified, `{"Items":[{"fresh":{"NS":["1"]}}]}`},
		{"UPDATE tab SET y = if_not_exists(y, 5)" + key + modified, `{"Items":[{"y":{"N":"5"}}]}`}, {"UPDATE tab SET m.k.z = 6" + key + modified, `{"Items":[{"m":{"M":{"k":{"M":{"z":{"N":"6"}}}}}}]}`}, {"UPDATE tab SET m['k']['z'] = 7, \"m\".\"name\" = 'r'" + key + " RETURNING MODIFIED OLD *", `{"Items":[{"m":{"M":{"k":{"M":{"z":{"N":"6"}}},"name":{"S":"q"}}}}]}`},
		{"UPDATE tab SET n = 1" + key + " RETURNING MODIFIED OLD *", `{"Items":[{"n":{"N":"9"}}]}`}, {"UPDATE tab SET brandnew = 1" + key + " RETURNING MODIFIED OLD *", done}, {"UPDATE tab REMOVE brandnew" + key + modified, done}, {"UPDATE tab REMOVE nothing" + key, done}, // "Items: []"
		{"UPDATE tab SET n = 2" + key + " AND n = 1 AND g IS NOT MISSING", done}, {"UPDATE tab SET n = 3" + key + " AND (n = 7 OR n = 2)", done}, {"UPDATE tab SET n = 3 WHERE 'a' = pk AND 1 = sk", done},
		{"UPDATE tab SET n = 1" + key + " AND n = 99", checkFailed}, {"UPDATE tab SET n = 1 WHERE pk = 'a' AND sk = 99", checkFailed}, {"UPDATE tab SET n = 1 WHERE pk = 'a' AND sk = 99 AND n IS MISSING", checkFailed}, // "Never creates"
		{"UPDATE tab SET n = 1", "Where clause does not contain a mandatory equality on all key attributes"}, {"UPDATE tab SET n = 1 WHERE pk = 'a'", "Where clause does not contain a mandatory equality on all key attributes"},
		{"UPDATE tab SET n = 1 WHERE pk = 'a' AND sk > 0", "Where clause does not contain a mandatory equality on all key attributes"}, {"UPDATE tab SET n = 1 WHERE pk = 'a' AND sk IN [1]", "Where clause does not contain a mandatory equality on all key attributes"}, {"UPDATE tab SET n = 1" + key + " OR n = 1", "Where clause does not contain a mandatory equality on all key attributes"},
		{"UPDATE tab SET n = n + 1 + 1" + key, malformed}, {"UPDATE tab" + key, malformed}, {"UPDATE tab SET" + key, malformed}, {"UPDATE tab SET n" + key, malformed}, {"UPDATE tab SET n = 1," + key, malformed}, {"UPDATE tab REMOVE" + key, malformed}, {"UPDATE tab ADD n 1" + key, malformed}, {"UPDATE tab SET n = MISSING" + key, malformed},
		{"UPDATE tab SET x = set_add(ss, <<'a'>>)" + key, malformed}, {"UPDATE tab SET x = foo(ss)" + key, malformed}, {`UPDATE tab."by-g" SET n = 1` + key, malformed}, {"UPDATE tab SET n = 1" + key + " LIMIT 1", malformed}, {"UPDATE tab SET n = 1 RETURNING ALL OLD *" + key, malformed},
		{"UPDATE tab SET n = 1" + key + " RETURNING ALL OLD", malformed}, {"UPDATE tab SET n = 1" + key + " RETURNING OLD *", malformed}, {"UPDATE tab SET n = 1" + key + " RETURNING ALL *", malformed}, {"UPDATE tab SET n = 1" + key + " RETURNING ALL OLD n", malformed},
		{"UPDATE tab SET x = 1, x = 2" + key, "Two document paths overlap with each other"}, {"UPDATE tab SET x = 1 REMOVE x" + key, "Two document paths overlap with each other"}, {"UPDATE tab SET pk = 'z'" + key, "Cannot update attribute pk. This attribute is part of the key"}, {"UPDATE tab SET g = 5" + key, "Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g"},
		{"UPDATE tab SET x = nothing" + key, "The provided expression refers to an attribute that does not exist in the item"}, {"UPDATE tab SET x = s + 1" + key, "An operand in the update expression has an incorrect data type"}, {"UPDATE tab SET nothing.x = 1" + key, "The document path provided in the update expression is invalid for update"},
		{"UPDATE tab SET ss = set_add(ss, 'q')" + key, "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"}, {"UPDATE tab SET x = size(s)" + key, "The function is not allowed in an update expression; function: size"}, {"UPDATE nowhere SET n = 1" + key, notFound},
		{"UPDATE tab SET n = 1 WHERE pk = 'a' AND sk = 'x'", "The provided key element does not match the schema"},

		{"DELETE FROM tab WHERE pk = 'a' AND sk = 99", done}, {"DELETE FROM tab WHERE pk = 'a' AND sk = 99 RETURNING ALL OLD *", done}, {"DELETE FROM tab WHERE pk = 'a' AND sk = 99 AND n = 5", done}, {"DELETE FROM tab WHERE pk = 'a' AND sk = 2 AND n = 5", checkFailed},
		{"DELETE FROM tab" + key + " RETURNING MODIFIED OLD *", malformed}, {"DELETE FROM tab" + key + " RETURNING ALL NEW *", malformed}, {"DELETE FROM tab" + key + " RETURNING MODIFIED NEW *", malformed}, {"DELETE tab" + key, malformed}, {"DELETE FROM tab SET n = 1" + key, malformed}, {`DELETE FROM tab."by-g"` + key, malformed},
		{"DELETE FROM tab", "Where clause does not contain a mandatory equality on all key attributes"}, {"DELETE FROM tab WHERE pk = 'a'", "Where clause does not contain a mandatory equality on all key attributes"}, {"DELETE FROM nowhere" + key, notFound},
		{"DELETE FROM tab WHERE pk = 'a' AND sk = 3 AND n BETWEEN 30 AND 31", done}, {"SELECT sk FROM tab WHERE pk = 'a'", `{"Items":[{"sk":{"N":"1"}},{"sk":{"N":"2"}}]}`},
	} {
		c.states(r.statement, r.want)
	}
	// RETURNING ALL is the whole item, the key too.
	c.states("INSERT INTO tab VALUE {'pk': 'r', 'sk': 1, 'n': 1}", done)
	c.states("UPDATE tab SET n = 2 WHERE pk = 'r' AND sk = 1 RETURNING ALL OLD *", `{"Items":[{"n":{"N":"1"},"pk":{"S":"r"},"sk":{"N":"1"}}]}`)
	c.states("UPDATE tab SET n = 2 WHERE pk = 'r' AND sk = 1 RETURNING ALL NEW *", `{"Items":[{"n":{"N":"2"},"pk":{"S":"r"},"sk":{"N":"1"}}]}`)
	c.states("DELETE FROM tab WHERE pk = 'r' AND sk = 1 AND n = 2 RETURNING ALL OLD *", `{"Items":[{"n":{"N":"2"},"pk":{"S":"r"},"sk":{"N":"1"}}]}`)
}
