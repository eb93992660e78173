package api

import (
	"fmt"
	"strings"
	"testing"
)

// newPartiQLClient has a table with both keys, a local and a global index, and some items:
// pk a and b, sk 1 to 3, n = 10 × sk, g by turns.
func newPartiQLClient(t *testing.T) *client {
	c := newMemoryClient(t)
	c.must("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST",
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}],
		"GlobalSecondaryIndexes":[{"IndexName":"by-g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}]}`)
	for _, pk := range []string{"a", "b"} {
		for sk := 1; sk <= 3; sk++ {
			c.must("ExecuteStatement", fmt.Sprintf(`{"Statement":"INSERT INTO tab VALUE {'pk': '%s', 'sk': ?, 'n': %d, 'g': 'g%d'}","Parameters":[{"N":"%d"}]}`,
				pk, 10*sk, sk%2, sk))
		}
	}
	return c
}

// run answers a statement's Items in short form: pk and sk of each, or the error.
func (c *client) run(statement string, members ...string) string {
	c.t.Helper()
	a := c.call("ExecuteStatement", `{"Statement":"`+strings.ReplaceAll(statement, `"`, `\"`)+`"`+strings.Join(append([]string{""}, members...), ",")+`}`)
	return strings.NewReplacer(`{"S":"a"}`, "a", `{"S":"b"}`, "b").Replace(a.body)
}

func nextToken(body string) string {
	_, rest, _ := strings.Cut(body, `"NextToken":"`)
	token, _, _ := strings.Cut(rest, `"`)
	return token
}

func item2(pk string, sk int) string {
	return fmt.Sprintf(`{"g":{"S":"g%d"},"n":{"N":"%d"},"pk":%s,"sk":{"N":"%d"}}`, sk%2, 10*sk, pk, sk)
}

func items2(its ...string) string { return `{"Items":[` + strings.Join(its, ",") + `]}` }

// DYNAMODB.md section 12: SELECT by queries and by scans.
func TestSelect(t *testing.T) {
	c := newPartiQLClient(t)
	for statement, want := range map[string]string{
		`SELECT * FROM tab WHERE pk = 'a' AND sk = 2`:                          items2(item2("a", 2)),
		`SELECT * FROM "tab" WHERE pk = 'a' AND sk BETWEEN 2 AND 3`:            items2(item2("a", 2), item2("a", 3)),
		`SELECT * FROM tab WHERE pk = 'a' ORDER BY sk DESC`:                    items2(item2("a", 3), item2("a", 2), item2("a", 1)),
		`SELECT * FROM tab WHERE pk IN ['b', 'a'] AND sk >= 3`:                 items2(item2("b", 3), item2("a", 3)),
		`SELECT * FROM tab WHERE pk IN ['a', 'b'] AND sk = 1 ORDER BY pk DESC`: items2(item2("b", 1), item2("a", 1)),
		`SELECT n FROM tab WHERE pk = 'a' AND n > 10`:                          items2(`{"n":{"N":"20"}}`, `{"n":{"N":"30"}}`),
		`SELECT * FROM tab WHERE 'a' = pk AND 3 <= sk`:                         items2(item2("a", 3)),
		`SELECT * FROM tab WHERE pk IN ['b', 'a'] AND sk = 1 ORDER BY pk`:      items2(item2("a", 1), item2("b", 1)),
		`SELECT * FROM tab WHERE pk = MISSING`:                                 `MISSING can only stand after IS`,
		`SELECT * FROM tab WHERE pk IN ['a', MISSING]`:                         `MISSING can only stand after IS`,
		`SELECT * FROM tab WHERE n = MISSING`:                                  `MISSING can only stand after IS`,
		`SELECT * FROM tab WHERE n = 1 ORDER BY sk`:                            `Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.`,
		`MERGE INTO tab`:                        `Statement wasn't well formed, can't be processed: Expected data manipulation`,
		`SELECT * FROM tab.by-g WHERE g = 'g0'`: `by is a reserved word`,
		`SELECT * FROM tab."by-g" WHERE g = 'g0' AND sk = 2 AND pk = 'b'`: items2(item2("b", 2)),
		`SELECT * FROM tab WHERE pk = 'none'`:                             items2(),
		`SELECT * FROM tab WHERE n = 20 AND contains(pk, 'a')`:            items2(item2("a", 2)),
		`SELECT * FROM tab WHERE pk = 'a' AND pk = 'b'`:                   items2(),
		`SELECT * FROM tab WHERE pk = 'a' AND x IS MISSING AND sk < 2`:    items2(item2("a", 1)),
		`SELECT * FROM nowhere`:                                           `ResourceNotFoundException`,
		`SELECT * FROM tab.nope WHERE g = 'g0'`:                           `does not have the specified index`,
		`SELECT * FROM tab WHERE pk = 1`:                                  `Condition parameter type does not match schema type`,
		`SELECT * FROM tab ORDER BY sk`:                                   `Must have WHERE clause`,
		`SELECT`:                                                          `Statement wasn't well formed, can't be processed`,
		`EXISTS(SELECT * FROM tab WHERE pk = 'a' AND sk = 1 AND n = 1)`:   `EXISTS can only be used in ExecuteTransaction`,
	} {
		if got := c.run(statement); got != want && (strings.HasPrefix(want, `{"Items"`) || !strings.Contains(got, want)) {
			t.Errorf("%s\n got  %s\n want %s", statement, got, want)
		}
	}
	if got := c.run(`SELECT * FROM tab."by-g" WHERE g = 'g0'`, `"ConsistentRead":true`); !strings.Contains(got, "Consistent reads are not supported") {
		t.Error(got)
	}
}

// Pages: a NextToken leads through everything once, and is good for one statement only.
func TestSelectPages(t *testing.T) {
	c := newPartiQLClient(t)
	for _, statement := range []string{`SELECT pk, sk FROM tab`, `SELECT pk, sk FROM tab WHERE pk IN ['a', 'b']`, `SELECT pk, sk FROM tab WHERE pk = 'a' OR pk = 'b' ORDER BY sk DESC`} {
		for limit := 1; limit <= 7; limit++ {
			seen, token := map[string]int{}, ""
			for pages := 0; ; pages++ {
				members := []string{fmt.Sprintf(`"Limit":%d`, limit)}
				if token != "" {
					members = append(members, `"NextToken":"`+token+`"`)
				}
				got := c.run(statement, members...)
				n := strings.Count(got, `"sk":`) - strings.Count(got, `"LastEvaluatedKey"`)
				if n > limit || pages > 8 {
					t.Fatalf("%s by %d: page %d is %s", statement, limit, pages, got)
				}
				for _, pk := range []string{"a", "b"} {
					for sk := 1; sk <= 3; sk++ {
						whole, _, _ := strings.Cut(got, `],`)
						seen[pk] += strings.Count(whole, fmt.Sprintf(`{"pk":%s,"sk":{"N":"%d"}}`, pk, sk))
					}
				}
				if token = nextToken(got); token == "" {
					break
				}
			}
			if seen["a"] != 3 || seen["b"] != 3 {
				t.Errorf("%s by %d: %v", statement, limit, seen)
			}
		}
	}
	token := nextToken(c.run(`SELECT * FROM tab`, `"Limit":1`))
	for _, got := range []string{
		c.run(`SELECT * FROM tab WHERE n > 1`, `"Limit":1,"NextToken":"`+token+`"`), c.run(`SELECT * FROM tab`, `"NextToken":"garbage"`),
		c.run(`DELETE FROM tab WHERE pk = 'a' AND sk = 1`, `"NextToken":"`+token+`"`),
	} {
		if !strings.Contains(got, "Given NextToken is invalid") {
			t.Error(got)
		}
	}
	if got := c.run(`SELECT * FROM tab`, `"Limit":2,"NextToken":"`+token+`"`); !strings.Contains(got, `"Items":[{`) {
		t.Error("another Limit is fine:", got)
	}
}

// DYNAMODB.md section 12: INSERT, UPDATE and DELETE.
func TestStatementsWrite(t *testing.T) {
	c := newPartiQLClient(t)
	for _, row := range []struct{ statement, want string }{
		{`INSERT INTO tab VALUE {'pk': 'a', 'sk': 1}`, `DuplicateItemException","message":"Duplicate primary key exists in table"`},
		{`INSERT INTO tab VALUE MISSING`, `Statement wasn't well formed`},
		{`INSERT INTO tab VALUE {'pk': 'y', 'sk': 1, '': 1}`, `Empty attribute name`},
		{`INSERT INTO tab VALUE {'pk': 'y', 'sk': 1, 'm': {'l': [{'': 1}]}}`, `Empty attribute name`},
		{`INSERT INTO tab VALUE {'pk': 'y', 'sk': 1, 's': <<>>}`, `One or more parameter values were invalid: An string set  may not be empty`},
		{`INSERT INTO tab VALUE {'pk': 'y', 'sk': 1, 's': <<1, 1.0>>}`, `Input collection contains duplicates`},
		{`INSERT INTO tab VALUE {'pk': 'y', 'sk': 1, 's': <<true>>}`, `Statement wasn't well formed`},
		{`INSERT INTO tab VALUE {'pk': 'y', 'sk': '1'}`, `Type mismatch for key sk expected: N actual: S`},
		{`INSERT INTO tab VALUE {'pk': '', 'sk': 1}`, `cannot contain an empty string value. Key: pk`},
		{`INSERT INTO tab VALUE {'pk': 'y', 'sk': 1, 'g': 5}`, `Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g`},
		{`INSERT INTO tab VALUE {'pk': 'y', 'sk': 1, 'l': ` + strings.Repeat("[", 32) + "1" + strings.Repeat("]", 32) + `}`, `Nesting Levels have exceeded supported limits`},
		{`UPDATE tab SET n = MISSING WHERE pk = 'a' AND sk = 1`, `MISSING can only stand after IS`},
		{`UPDATE tab SET n = 1 WHERE pk = MISSING AND sk = 1`, `MISSING can only stand after IS`},
		{`UPDATE tab SET n = 5 WHERE pk = 'a' AND sk = 1 AND pk = 'b'`, `ConditionalCheckFailedException`},
		{`UPDATE tab SET n = 5 WHERE pk = 'a' AND sk = 'x'`, `The provided key element does not match the schema`},
		{`UPDATE tab SET n = zz WHERE pk = 'a' AND sk = 1`, `The provided expression refers to an attribute that does not exist in the item`},
		{`UPDATE tab REMOVE zz.y WHERE pk = 'a' AND sk = 1`, `The document path provided in the update expression is invalid for update`},
		{`DELETE FROM tab WHERE pk = 'a' AND sk = 1 RETURNING MODIFIED OLD *`, `Statement wasn't well formed`},
		{`INSERT INTO tab VALUE {'pk': 'a'}`, `Missing the key sk in the item`},
		{`UPDATE tab SET n = n + 1 WHERE pk = 'a' AND sk = 1 RETURNING MODIFIED NEW *`, items2(`{"n":{"N":"11"}}`)},
		{`UPDATE tab SET n = 1, tags = <<'x'>> REMOVE g WHERE pk = 'a' AND sk = 1 AND n = 11 RETURNING ALL OLD *`,
			items2(`{"g":{"S":"g1"},"n":{"N":"11"},"pk":a,"sk":{"N":"1"}}`)},
		{`UPDATE tab SET tags = set_add(tags, <<'y'>>) WHERE pk = 'a' AND sk = 1 RETURNING ALL NEW *`,
			items2(`{"n":{"N":"1"},"pk":a,"sk":{"N":"1"},"tags":{"SS":["x","y"]}}`)},
		{`UPDATE tab SET n = 1 WHERE pk = 'a' AND sk = 1`, items2()},
		{`UPDATE tab SET n = 1 WHERE pk = 'a' AND sk = 99`, `ConditionalCheckFailedException`},
		{`UPDATE tab SET n = 1 WHERE pk = 'a' AND sk = 1 AND n = 5`, `ConditionalCheckFailedException`},
		{`UPDATE tab SET sk = 5 WHERE pk = 'a' AND sk = 1`, `Cannot update attribute sk. This attribute is part of the key`},
		{`UPDATE tab SET n = 1 WHERE pk = 'a'`, `Where clause does not contain a mandatory equality on all key attributes`},
		{`DELETE FROM tab WHERE pk = 'a' AND sk = 99`, items2()},
		{`DELETE FROM tab WHERE pk = 'a' AND sk = 99 AND n = 1`, items2()},
		{`DELETE FROM tab WHERE pk = 'a' AND sk = 2 AND n = 1`, `ConditionalCheckFailedException`},
		{`DELETE FROM tab WHERE pk = 'a' AND sk = 2 AND n = 20 RETURNING ALL OLD *`, items2(item2("a", 2))},
		{`SELECT * FROM tab WHERE pk = 'a' AND sk = 2`, items2()},
	} {
		if got := c.run(row.statement); got != row.want && (strings.HasPrefix(row.want, `{"Items"`) || !strings.Contains(got, row.want)) {
			t.Errorf("%s\n got  %s\n want %s", row.statement, got, row.want)
		}
	}
	got := c.run(`UPDATE tab SET n = 1 WHERE pk = 'b' AND sk = 1 AND n = 5`, `"ReturnValuesOnConditionCheckFailure":"ALL_OLD"`)
	if !strings.Contains(got, `"Item":`+item2("b", 1)) {
		t.Error(got)
	}
	got = c.run(`UPDATE tab SET n = 2 WHERE pk = 'b' AND sk = 1`, `"ReturnConsumedCapacity":"TOTAL"`)
	if !strings.Contains(got, `"ConsumedCapacity":{"TableName":"tab","CapacityUnits":2.0}`) {
		t.Error(got)
	}
}

// DYNAMODB.md section 12: columns within documents, what capacity a read takes, and what the framework checks.
func TestSelectColumnsAndCapacity(t *testing.T) {
	c := newPartiQLClient(t)
	c.must("ExecuteStatement", `{"Statement":"INSERT INTO tab VALUE {'pk': 'd', 'sk': 1, 'm': {'l': [5, 6]}}"}`)
	c.must("ExecuteStatement", `{"Statement":"INSERT INTO tab VALUE {'pk': 'd', 'sk': 2, 'big': ?}","Parameters":[{"S":"`+strings.Repeat("x", 5000)+`"}]}`)
	c.replies([]reply{
		{"12", "ExecuteStatement", `{"Statement":"SELECT m.l[1], sk FROM tab WHERE pk = 'd' AND sk = 1"}`, `{"Items":[{"l[1]":{"N":"6"},"sk":{"N":"1"}}]}`},
		{"12", "ExecuteStatement", `{"Statement":"SELECT sk FROM tab WHERE pk = 'd' AND sk = 2","ReturnConsumedCapacity":"TOTAL"}`,
			`{"Items":[{"sk":{"N":"2"}}],"ConsumedCapacity":{"TableName":"tab","CapacityUnits":1.0}}`}, // as GetItem
		{"12", "ExecuteStatement", `{"Statement":"SELECT sk FROM tab WHERE pk = 'd' AND sk = 2","ConsistentRead":true,"ReturnConsumedCapacity":"INDEXES"}`,
			`{"Items":[{"sk":{"N":"2"}}],"ConsumedCapacity":{"TableName":"tab","CapacityUnits":2.0,"Table":{"CapacityUnits":2.0}}}`},
		{"12", "ExecuteStatement", `{"Statement":"SELECT sk FROM tab WHERE pk = 'd' AND sk = 9","ReturnConsumedCapacity":"TOTAL"}`,
			`{"Items":[],"ConsumedCapacity":{"TableName":"tab","CapacityUnits":0.5}}`},
		{"12", "ExecuteStatement", `{"Statement":"SELECT sk FROM tab WHERE pk = 'd' AND sk = 1","Limit":1}`, `{"Items":[{"sk":{"N":"1"}}]}`}, // one item at most
		{"12", "ExecuteStatement", `{"Statement":"DELETE FROM tab WHERE pk = 'd' AND sk = 2","ReturnConsumedCapacity":"TOTAL"}`,
			`{"Items":[],"ConsumedCapacity":{"TableName":"tab","CapacityUnits":5.0}}`},
		{"12", "BatchExecuteStatement", `{"Statements":[{"Statement":"SELECT m.l[0] FROM tab WHERE pk = 'd' AND sk = 1","ConsistentRead":true},{"Statement":"SELECT * FROM tab WHERE pk = 'd' AND sk = 9"}],"ReturnConsumedCapacity":"TOTAL"}`,
			`{"Responses":[{"TableName":"tab","Item":{"l[0]":{"N":"5"}}},{"TableName":"tab"}],"ConsumedCapacity":[{"TableName":"tab","CapacityUnits":1.5}]}`},
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"SELECT m.l[0] FROM tab WHERE pk = 'd' AND sk = 1"}],"ReturnConsumedCapacity":"TOTAL"}`,
			`{"Responses":[{"Item":{"l[0]":{"N":"5"}}}],"ConsumedCapacity":[{"TableName":"tab","CapacityUnits":2.0,"ReadCapacityUnits":2.0}]}`},
		{"12", "BatchExecuteStatement", `{"Statements":[{"Statement":"SELECT * FROM tab.\"by-g\" WHERE pk = 'a' AND sk = 1"},{"Statement":"SELEC"}]}`,
			`{"Responses":[{"Error":{"Code":"ValidationError","Message":"An index cannot be read by a statement of a batch or a transaction"},"TableName":"tab"},` +
				`{"Error":{"Code":"ValidationError","Message":"Statement wasn't well formed, can't be processed: Expected data manipulation"}}]}`},
	})
	long := strings.Repeat("x", 8193)
	statement := func(rest string) string { return `{"Statement":"SELECT * FROM tab"` + rest + `}` }
	c.refuses([]refusal{
		{"4.10", "ExecuteStatement", `{}`, validation, violation(null("statement"))},
		{"12", "ExecuteStatement", `{"Statement":""}`, validation,
			violation("Value '' at 'statement' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"12", "ExecuteStatement", `{"Statement":"` + long + `"}`, validation,
			violation("Value '" + long + "' at 'statement' failed to satisfy constraint: Member must have length less than or equal to 8192")},
		{"12", "ExecuteStatement", statement(`,"Parameters":[]`), validation,
			violation("Value '[]' at 'parameters' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"12", "ExecuteStatement", statement(`,"Limit":-3`), validation,
			violation("Value '-3' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"12", "ExecuteStatement", statement(`,"ReturnConsumedCapacity":"x"`), validation, violation(enum("x", "returnConsumedCapacity", "INDEXES, TOTAL, NONE"))},
		{"12", "ExecuteStatement", statement(`,"ReturnValuesOnConditionCheckFailure":"x"`), validation,
			violation(enum("x", "returnValuesOnConditionCheckFailure", "ALL_OLD, NONE"))},
		{"12", "ExecuteStatement", statement(`,"Parameters":[{"S":"a"}]`), validation, "Number of parameters in request and statement don't match."},
		{"12", "ExecuteStatement", `{"Statement":"SELECT * FROM tab WHERE n = ?","Parameters":[{}]}`, validation,
			"Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"12", "ExecuteStatement", `{"Statement":"SELECT * FROM tab WHERE pk IN [` + some(51, func(i int) string { return fmt.Sprintf("'%d'", i) }) + `]"}`, validation,
			"The number of values in the IN condition on the partition key is more than 50"},
		{"12", "BatchExecuteStatement", `{"Statements":[]}`, validation,
			violation("Value '[]' at 'statements' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"12", "BatchExecuteStatement", `{"Statements":[` + some(26, func(int) string { return `{"Statement":"x"}` }) + `]}`, validation,
			violation("Value '[26 statements]' at 'statements' failed to satisfy constraint: Member must have length less than or equal to 25")},
		{"12", "ExecuteTransaction", `{"TransactStatements":[` + some(101, func(int) string { return `{"Statement":"x"}` }) + `]}`, validation,
			violation("Value '[101 statements]' at 'transactStatements' failed to satisfy constraint: Member must have length less than or equal to 100")},
		{"12", "ExecuteTransaction", `{"TransactStatements":[{}]}`, validation, violation(null("transactStatements.1.member.statement"))},
	})
	if got := c.must("ExecuteStatement", `{"Statement":"SELECT * FROM tab WHERE pk IN [`+some(50, func(i int) string { return fmt.Sprintf("'%d'", i) })+`]"}`); got != `{"Items":[]}` {
		t.Error(got)
	}
}

func TestBatchExecuteStatement(t *testing.T) {
	c := newPartiQLClient(t)
	c.replies([]reply{
		{"12", "BatchExecuteStatement", `{"Statements":[{"Statement":"SELECT n FROM tab WHERE pk = 'a' AND sk = 1"},{"Statement":"SELECT * FROM tab WHERE pk = 'a' AND sk = 9"},` +
			`{"Statement":"SELECT * FROM nowhere WHERE pk = 'a'"},{"Statement":"SELECT * FROM tab WHERE pk = 'a'"}]}`,
			`{"Responses":[{"TableName":"tab","Item":{"n":{"N":"10"}}},{"TableName":"tab"},` +
				`{"Error":{"Code":"ResourceNotFound","Message":"Requested resource not found"},"TableName":"nowhere"},` +
				`{"Error":{"Code":"ValidationError","Message":"Where clause does not contain a mandatory equality on all key attributes"},"TableName":"tab"}]}`},
		{"12", "BatchExecuteStatement", `{"Statements":[{"Statement":"INSERT INTO tab VALUE {'pk': 'c', 'sk': 1}"},{"Statement":"INSERT INTO tab VALUE {'pk': 'a', 'sk': 1}"},` +
			`{"Statement":"UPDATE tab SET n = 1 WHERE pk = 'b' AND sk = 1 AND n = 5","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}]}`,
			`{"Responses":[{"TableName":"tab"},{"Error":{"Code":"DuplicateItem","Message":"Duplicate primary key exists in table"},"TableName":"tab"},` +
				`{"Error":{"Code":"ConditionalCheckFailed","Message":"The conditional request failed","Item":{"g":{"S":"g1"},"n":{"N":"10"},"pk":{"S":"b"},"sk":{"N":"1"}}},"TableName":"tab"}]}`},
	})
	c.refuses([]refusal{
		{"12", "BatchExecuteStatement", `{"Statements":[{"Statement":"SELECT * FROM tab WHERE pk = 'a' AND sk = 1"},{"Statement":"DELETE FROM tab WHERE pk = 'a' AND sk = 1"}]}`,
			validation, "Batch statements must either be all reads or all writes"},
		{"12", "BatchExecuteStatement", `{"Statements":[{"Statement":"DELETE FROM tab WHERE pk = 'a' AND sk = 1"},{"Statement":"DELETE FROM tab WHERE pk = 'a' AND sk = 1"}]}`,
			validation, "Request Items List contains multiple operations on the same item"},
		{"12", "BatchExecuteStatement", `{}`, validation, "1 validation error detected: Value null at 'statements' failed to satisfy constraint: Member must not be null"},
	})
}

func TestExecuteTransaction(t *testing.T) {
	c := newPartiQLClient(t)
	write := `{"ClientRequestToken":"t1","TransactStatements":[{"Statement":"UPDATE tab SET n = n + 1 WHERE pk = 'a' AND sk = 1"},` +
		`{"Statement":"EXISTS(SELECT * FROM tab WHERE pk = 'b' AND sk = 1 AND n = 10)"},{"Statement":"INSERT INTO tab VALUE {'pk': 'd', 'sk': 1}"}]}`
	c.replies([]reply{
		{"12", "ExecuteTransaction", write, `{"Responses":[{},{},{}]}`},
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"EXISTS(SELECT * FROM tab WHERE pk = 'none' AND sk = 1 AND n IS MISSING)"}]}`, `{"Responses":[{}]}`},
		{"12", "ExecuteTransaction", write, `{"Responses":[{},{},{}]}`}, // again: the token makes it one
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"SELECT n FROM tab WHERE pk = 'a' AND sk = 1"},{"Statement":"SELECT * FROM tab WHERE pk = 'a' AND sk = 9"}]}`,
			`{"Responses":[{"Item":{"n":{"N":"11"}}},{}]}`},
	})
	c.refuses([]refusal{
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"INSERT INTO tab VALUE {'pk': 'e', 'sk': 1}"},{"Statement":"INSERT INTO tab VALUE {'pk': 'd', 'sk': 1}"}]}`,
			"TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [None, DuplicateItem]"},
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"EXISTS(SELECT * FROM tab WHERE pk = 'b' AND sk = 1 AND n = 11)"},{"Statement":"DELETE FROM tab WHERE pk = 'a' AND sk = 1"}]}`,
			"TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed, None]"},
		{"12", "ExecuteTransaction", `{"ClientRequestToken":"t1","TransactStatements":[{"Statement":"DELETE FROM tab WHERE pk = 'a' AND sk = 1"}]}`,
			"IdempotentParameterMismatchException", "DynamoDB rejected the request because you retried a request with a different payload but with an idempotent token that was already used."},
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"SELECT * FROM tab WHERE pk = 'a' AND sk = 1"},{"Statement":"DELETE FROM tab WHERE pk = 'a' AND sk = 2"}]}`,
			validation, "ExecuteTransaction API does not support both read and write operations in the same request"},
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"DELETE FROM tab WHERE pk = 'a'"}]}`,
			validation, "Where clause does not contain a mandatory equality on all key attributes"},
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"EXISTS(SELECT * FROM tab WHERE pk = 'a' AND sk = 1)"}]}`,
			validation, "Statement wasn't well formed, can't be processed: EXISTS takes the whole key and one further condition"},
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"UPDATE tab SET n = 1 WHERE pk = 'a' AND sk = 1"},{"Statement":"UPDATE nowhere SET n = 1 WHERE pk = 'a'"}]}`,
			notFound, "Requested resource not found"},
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"UPDATE tab SET n = 1 WHERE pk = 'a' AND sk = 1 RETURNING ALL NEW *"}]}`,
			validation, "RETURNING clause is not supported in a transaction"},
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"DELETE FROM tab WHERE pk = 'a' AND sk = 3"},{"Statement":"UPDATE tab SET n = 1 WHERE pk = 'a' AND sk = 'x'"}]}`,
			"TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError]"},
		{"12", "ExecuteTransaction", `{"TransactStatements":[{"Statement":"DELETE FROM tab WHERE pk = 'a' AND sk = 1"},{"Statement":"UPDATE tab SET n = 1 WHERE pk = 'a' AND sk = 1"}]}`,
			validation, "Transaction request cannot include multiple operations on one item"},
	})
	if got := c.must("ExecuteTransaction", `{"TransactStatements":[{"Statement":"SELECT * FROM tab WHERE pk = 'e' AND sk = 1"}]}`); got != `{"Responses":[{}]}` {
		t.Error("a cancelled transaction left something:", got)
	}
}
