package api

import (
	"fmt"
	"strings"
	"testing"
)

// statements makes the list of a batch or transaction.
func statements(list ...string) string {
	return some(len(list), func(i int) string {
		statement, rest, _ := strings.Cut(list[i], "|")
		return `{"Statement":"` + strings.ReplaceAll(statement, `"`, `\"`) + `"` + rest + `}`
	})
}

// DYNAMODB.md section 12: BatchExecuteStatement: "HTTP 200; Responses[i] = {TableName, Item?} or {TableName?, Error{Code,
// Message, Item?}}", each statement by itself.
func TestBatchStatements(t *testing.T) {
	c := newStatementClient(t)
	c.states("INSERT INTO tab VALUE {'pk': 'x', 'sk': 1, 'n': 1}", `{"Items":[]}`)
	run := func(list ...string) (string, string) {
		return "BatchExecuteStatement", `{"Statements":[` + statements(list...) + `]}`
	}
	const fine, item = `{"TableName":"tab"}`, `{"n":{"N":"1"},"pk":{"S":"x"},"sk":{"N":"1"}}`
	failed := func(code, message, rest string) string {
		return `{"Error":{"Code":"` + code + `","Message":"` + message + `"` + rest + `},"TableName":"tab"}`
	}
	const where = "Where clause does not contain a mandatory equality on all key attributes"
	for _, r := range []struct {
		list []string
		want []string
	}{
		{[]string{"SELECT * FROM tab WHERE pk = 'x' AND sk = 1", "SELECT n FROM tab WHERE sk = 1 AND pk = 'x'", "SELECT * FROM tab WHERE pk = 'x' AND sk = 9", "SELECT * FROM tab WHERE pk = 'x' AND sk = 1 AND n = 1", "SELECT * FROM tab WHERE pk = 'x' AND sk = 1 AND n = 2"},
			[]string{`{"TableName":"tab","Item":` + item + `}`, `{"TableName":"tab","Item":{"n":{"N":"1"}}}`, fine, `{"TableName":"tab","Item":` + item + `}`, fine}},
		// "each SELECT must pin the FULL primary key"
		{[]string{"SELECT * FROM tab WHERE pk = 'x'", "SELECT * FROM tab", "SELECT * FROM tab WHERE pk = 'x' AND sk > 0", "SELECT * FROM tab WHERE pk = 'x' AND sk IN [1]"},
			[]string{failed("ValidationError", where, ""), failed("ValidationError", where, ""), failed("ValidationError", where, ""), failed("ValidationError", where, "")}},
		{[]string{"SELECT * FROM tab WHERE pk = ? AND sk = ?|,\"Parameters\":[{\"S\":\"x\"},{\"N\":\"1\"}]", "SELECT * FROM tab WHERE pk = 'x' AND sk = 'q'", "SELECT * FROM tab WHERE pk = '' AND sk = 1"},
			[]string{`{"TableName":"tab","Item":` + item + `}`, failed("ValidationError", "The provided key element does not match the schema", ""),
				failed("ValidationError", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk", "")}},
		// A statement that cannot be read has no table; parameters are counted for each.
		{[]string{"FOO", "SELECT * FROM tab WHERE pk = ? AND sk = 1"}, []string{`{"Error":{"Code":"ValidationError","Message":"` + malformed + `Expected data manipulation"}}`,
			`{"Error":{"Code":"ValidationError","Message":"Number of parameters in request and statement don't match."}}`}},
		{[]string{"INSERT INTO tab VALUE {'pk': 'x', 'sk': 1}", "INSERT INTO tab VALUE {'pk': 'x', 'sk': 2}", "INSERT INTO tab VALUE {'pk': 'x'}", "INSERT INTO nowhere VALUE {'pk': 'x'}"},
			[]string{failed("DuplicateItem", "Duplicate primary key exists in table", ""), fine, failed("ValidationError", invalidParam+"Missing the key sk in the item", ""), `{"Error":{"Code":"ResourceNotFound","Message":"Requested resource not found"},"TableName":"nowhere"}`}},
		{[]string{"UPDATE tab SET n = 5 WHERE pk = 'x' AND sk = 9", "UPDATE tab SET n = 5 WHERE pk = 'x' AND sk = 1 AND n = 7|,\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"", "DELETE FROM tab WHERE pk = 'x' AND sk = 2 AND n = 7", "DELETE FROM tab WHERE pk = 'x' AND sk = 3 AND n = 7"},
			[]string{failed("ConditionalCheckFailed", "The conditional request failed", ""), failed("ConditionalCheckFailed", "The conditional request failed", `,"Item":`+item), failed("ConditionalCheckFailed", "The conditional request failed", ""), fine}},
		// "BatchExecuteStatement honours RETURNING"; a form that the statement has not is that statement's error.
		{[]string{"UPDATE tab SET n = n + 1 WHERE pk = 'x' AND sk = 1 RETURNING MODIFIED NEW *", "DELETE FROM tab WHERE pk = 'x' AND sk = 2 RETURNING ALL OLD *", "UPDATE tab SET n = s WHERE pk = 'a' AND sk = 1 RETURNING MODIFIED OLD *"},
			[]string{`{"TableName":"tab","Item":{"n":{"N":"2"}}}`, `{"TableName":"tab","Item":{"pk":{"S":"x"},"sk":{"N":"2"}}}`, `{"TableName":"tab","Item":{"n":{"N":"10"}}}`}},
		{[]string{"UPDATE tab SET pk = 'z' WHERE pk = 'x' AND sk = 1", "UPDATE tab SET q = nothing WHERE pk = 'a' AND sk = 2"},
			[]string{failed("ValidationError", invalidParam+"Cannot update attribute pk. This attribute is part of the key", ""), failed("ValidationError", "The provided expression refers to an attribute that does not exist in the item", "")}},
	} {
		op, body := run(r.list...)
		c.replies([]reply{{"12", op, body, `{"Responses":[` + strings.Join(r.want, ",") + `]}`}})
	}
	op, body := run("DELETE FROM tab WHERE pk = 'x' AND sk = 2 RETURNING ALL NEW *")
	if got := c.must(op, body); !strings.HasPrefix(got, `{"Responses":[{"Error":{"Code":"ValidationError","Message":"`+malformed) {
		t.Errorf("12: %s", got)
	}
	refuse := func(message string, list ...string) refusal {
		op, body := run(list...)
		return refusal{"12", op, body, validation, message}
	}
	c.refuses([]refusal{
		refuse("Batch statements must either be all reads or all writes", "SELECT * FROM tab WHERE pk = 'x' AND sk = 1", "DELETE FROM tab WHERE pk = 'y' AND sk = 1"), // "all SELECT or all writes"
		refuse("Request Items List contains multiple operations on the same item", "DELETE FROM tab WHERE pk = 'x' AND sk = 1", "UPDATE tab SET n = 1 WHERE pk = 'x' AND sk = 1.0"),
		refuse("Request Items List contains multiple operations on the same item", "INSERT INTO tab VALUE {'pk': 'y', 'sk': 1}", "DELETE FROM tab WHERE pk = 'y' AND sk = 1e0"),
	})
	c.states("SELECT n FROM tab WHERE pk = 'x' AND sk = 1", `{"Items":[{"n":{"N":"2"}}]}`) // a batch that is refused does nothing
	var many []string
	for i := range 25 {
		many = append(many, fmt.Sprintf("INSERT INTO tab VALUE {'pk': 'many', 'sk': %d}", i))
	}
	op, body = run(many...)
	c.replies([]reply{{"12", op, body, `{"Responses":[` + some(25, func(int) string { return fine }) + `]}`}})
}

// DYNAMODB.md section 12: ExecuteTransaction: "1..100, all reads or all writes (EXISTS allowed with writes); ClientRequestToken;
// failures as TransactionCanceledException with the same reasons as 7.3".
func TestStatementTransactions(t *testing.T) {
	c := newStatementClient(t)
	run := func(rest string, list ...string) string {
		return `{"TransactStatements":[` + statements(list...) + `]` + rest + `}`
	}
	const op = "ExecuteTransaction"
	const one, two = "WHERE pk = 'a' AND sk = 1", "WHERE pk = 'a' AND sk = 2"
	canceled := func(codes string) string {
		return "Transaction cancelled, please refer cancellation reasons for specific reasons [" + codes + "]"
	}
	refuse := func(name, message string, list ...string) refusal {
		return refusal{"12", op, run("", list...), name, message}
	}
	c.replies([]reply{
		{"12", op, run("", "SELECT n FROM tab "+one, "SELECT n, sk FROM tab "+two, "SELECT * FROM tab WHERE pk = 'a' AND sk = 9", "SELECT n FROM tab WHERE pk = 'a' AND sk = 3 AND n = 0"), `{"Responses":[{"Item":{"n":{"N":"10"}}},{"Item":{"n":{"N":"20"},"sk":{"N":"2"}}},{},{}]}`},
		{"12", op, run("", "UPDATE tab SET n = ? "+one+`|,"Parameters":[{"N":"11"}]`, "EXISTS(SELECT * FROM tab "+two+" AND n = 20)", "INSERT INTO tab VALUE {'pk': 'i', 'sk': 1}", "DELETE FROM tab WHERE pk = 'a' AND sk = 3"), `{"Responses":[{},{},{},{}]}`},
		{"12", op, run("", "EXISTS(SELECT * FROM tab "+one+" AND n BETWEEN 11 AND 12)", "EXISTS(SELECT * FROM tab WHERE pk = 'none' AND sk = 1 AND n IS MISSING)"), `{"Responses":[{},{}]}`},
		{"12", op, run("", "SELECT sk FROM tab WHERE pk = 'i' AND sk = 1", "SELECT sk FROM tab WHERE pk = 'a' AND sk = 3", "SELECT n FROM tab "+one), `{"Responses":[{"Item":{"sk":{"N":"1"}}},{},{"Item":{"n":{"N":"11"}}}]}`},
	})
	const cancel = "TransactionCanceledException"
	const where = "Where clause does not contain a mandatory equality on all key attributes"
	c.refuses([]refusal{
		refuse(cancel, canceled("None, DuplicateItem"), "UPDATE tab SET n = 0 "+one, "INSERT INTO tab VALUE {'pk': 'i', 'sk': 1}"),
		refuse(cancel, canceled("ConditionalCheckFailed, None, ConditionalCheckFailed"), "UPDATE tab SET n = 0 "+one+" AND n = 0", "UPDATE tab SET n = 0 "+two, "UPDATE tab SET n = 0 WHERE pk = 'none' AND sk = 1"), // all failing conditions
		refuse(cancel, canceled("None, ConditionalCheckFailed"), "UPDATE tab SET n = 0 "+one, "EXISTS(SELECT * FROM tab "+two+" AND n = 0)"), refuse(cancel, canceled("ConditionalCheckFailed"), "DELETE FROM tab "+one+" AND n = 0"),
		refuse(cancel, canceled("None, ValidationError"), "UPDATE tab SET n = 0 "+one, "INSERT INTO tab VALUE {'pk': 'j'}"), refuse(cancel, canceled("ValidationError, None"), "UPDATE tab SET n = nothing "+one, "UPDATE tab SET n = 0 "+two+" AND n = 0"),
		refuse(cancel, canceled("ValidationError"), "UPDATE tab SET n = 0 WHERE pk = 'a' AND sk = 'q'"), refuse(cancel, canceled("None, ValidationError"), "SELECT * FROM tab "+one, "SELECT * FROM tab WHERE pk = 1 AND sk = 1"),
		refuse(validation, "ExecuteTransaction API does not support both read and write operations in the same request", "SELECT * FROM tab "+one, "UPDATE tab SET n = 0 "+two), refuse(validation, "ExecuteTransaction API does not support both read and write operations in the same request", "SELECT * FROM tab "+one, "EXISTS(SELECT * FROM tab "+two+" AND n = 0)"),
		refuse(validation, where, "UPDATE tab SET n = 0 WHERE pk = 'a'"), refuse(validation, where, "SELECT * FROM tab WHERE pk = 'a'"), refuse(validation, where, "EXISTS(SELECT * FROM tab WHERE pk = 'a' AND n = 0)"),
		refuse(validation, malformed+"Expected data manipulation", "UPDATE tab SET n = 0 "+one, "FOO"), refuse(validation, "Number of parameters in request and statement don't match.", "UPDATE tab SET n = ? "+one), refuse(notFound, "Requested resource not found", "UPDATE tab SET n = 0 "+one, "UPDATE nowhere SET n = 0 "+one),
		refuse(validation, "RETURNING clause is not supported in a transaction", "UPDATE tab SET n = 0 "+one, "DELETE FROM tab "+two+" RETURNING ALL OLD *"),
		refuse(validation, "Transaction request cannot include multiple operations on one item", "UPDATE tab SET n = 0 "+one, "DELETE FROM tab WHERE sk = 1.0 AND pk = 'a'"), refuse(validation, "Transaction request cannot include multiple operations on one item", "SELECT n FROM tab "+one, "SELECT sk FROM tab "+one),
		refuse(validation, malformed+"EXISTS takes the whole key and one further condition", "EXISTS(SELECT * FROM tab "+one+")"), refuse(validation, malformed+"EXISTS takes the whole key and one further condition", "EXISTS(SELECT * FROM tab "+one+" AND n = 0 AND s = 'x')"),
		refuse(validation, malformed+"EXISTS takes SELECT * FROM a table WHERE a condition", "EXISTS(SELECT n FROM tab "+one+" AND n = 0)"),
		{"12", op, `{}`, validation, violation(null("transactStatements"))}, {"12", op, run(""), validation, violation("Value '[]' at 'transactStatements' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"12", op, run(`,"ClientRequestToken":"`+strings.Repeat("t", 37)+`"`, "UPDATE tab SET n = 0 "+one), validation, violation("Value '" + strings.Repeat("t", 37) + "' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36")},
	})
	c.states("SELECT n FROM tab WHERE pk = 'a'", `{"Items":[{"n":{"N":"11"}},{"n":{"N":"20"}}]}`) // none of them did anything
	a := c.call(op, run("", "UPDATE tab SET n = 0 "+one+` AND n = 0|,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"`, "UPDATE tab SET n = 0 "+two+" AND n = 0", "DELETE FROM tab WHERE pk = 'i' AND sk = 1"))
	const reasons = `"CancellationReasons":[{"Code":"ConditionalCheckFailed","Message":"The conditional request failed","Item":{"g":{"S":"g"},`
	if !strings.Contains(a.body, reasons) || !strings.HasSuffix(a.body, `,{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"},{"Code":"None"}]}`) {
		t.Errorf("12: %s", a.body)
	}
	// The token: the same statements and parameters are done once, others are refused.
	counted := func(n string) string {
		return run(`,"ClientRequestToken":"once"`, "UPDATE tab SET n = n + ? "+one+`|,"Parameters":[{"N":"`+n+`"}]`)
	}
	c.replies([]reply{{"12", op, counted("1"), `{"Responses":[{}]}`}, {"12", op, counted("1"), `{"Responses":[{}]}`}})
	c.refuses([]refusal{{"12", op, counted("2"), "IdempotentParameterMismatchException", "DynamoDB rejected the request because you retried a request with a different payload but with an idempotent token that was already used."}})
	c.states("SELECT n FROM tab "+one, `{"Items":[{"n":{"N":"12"}}]}`)
}
