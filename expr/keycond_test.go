package expr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/item"
)

var (
	hashOnly  = item.KeySchema{Hash: []item.KeyAttr{{Name: "pk", Kind: item.String}}}
	hashRange = item.KeySchema{Hash: hashOnly.Hash, Range: []item.KeyAttr{{Name: "sk", Kind: item.String}}}
	numRange  = item.KeySchema{Hash: hashOnly.Hash, Range: []item.KeyAttr{{Name: "sk", Kind: item.Number}}}
	binRange  = item.KeySchema{Hash: hashOnly.Hash, Range: []item.KeyAttr{{Name: "sk", Kind: item.Binary}}}
	wide      = item.KeySchema{
		Hash:  []item.KeyAttr{{Name: "h1", Kind: item.String}, {Name: "h2", Kind: item.Number}},
		Range: []item.KeyAttr{{Name: "r1", Kind: item.String}, {Name: "r2", Kind: item.Number}, {Name: "r3", Kind: item.String}},
	}
)

// DYNAMODB.md 4.6: what is no key condition whatever the keys are.
func TestKeyConditionChecks(t *testing.T) {
	const (
		operator = "Invalid operator used in KeyConditionExpression: "
		invalid  = "Invalid condition in KeyConditionExpression: "
	)
	checkRefusals(t, KeyConditionExpression, []refusal{
		{"pk = :s", ""},
		{":s = pk AND begins_with(sk, :t)", ""},
		{"(pk = :s) AND (sk BETWEEN :s AND :t)", ""},
		{"(pk = :s AND sk = :t)", ""},
		{"pk = :s OR sk = :t", operator + "OR"},
		{"NOT pk = :s", operator + "NOT"},
		{"pk IN (:s)", operator + "IN"},
		{"pk <> :s", operator + "<>"},
		{"pk = :s AND contains(sk, :t)", operator + "contains"},
		{"attribute_exists(pk)", operator + "attribute_exists"},
		{"attribute_not_exists(pk)", operator + "attribute_not_exists"},
		{"attribute_type(pk, :S)", operator + "attribute_type"},
		{"pk = :s AND size(sk) = :n", "KeyConditionExpressions cannot contain nested operations"},
		{"pk = :s AND pk = :t", "KeyConditionExpressions must only contain one condition per key"},
		{"pk = :s AND sk > :s AND sk < :t", "KeyConditionExpressions must only contain one condition per key"},
		{"pk.a = :s", "KeyConditionExpressions cannot have conditions on nested attributes"},
		{"pk[0] = :s", "KeyConditionExpressions cannot have conditions on nested attributes"},
		{"pk = sk", invalid + "Multiple attribute names used in one condition"},
		{"pk = :s AND sk BETWEEN :s AND pk", invalid + "Multiple attribute names used in one condition"},
		{":s = :t", invalid + "No key attribute specified"},
		{"pk = :s AND :s BETWEEN :s AND :t", invalid + "No key attribute specified"},
		{"pk = :s AND :s BETWEEN sk AND :t", invalid + "BETWEEN operator must have the key attribute as its first operand"},
		{"pk = :s AND begins_with(:s, sk)", invalid + "begins_with operator must have the key attribute as its first operand"},
		{"((pk = :s))", "The expression has redundant parentheses;"},
		{"hash = :s", "Attribute name is a reserved keyword; reserved keyword: hash"},
		{"pk = 'x'", `Syntax error; token: "'", near: "= 'x"`},
		{"pk = :s AND begins_with(sk, :n)", "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		{"pk = :s AND sk < :bool", "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"},
	})
}

func describeRange(r KeyRange) string {
	show := func(v item.Value) string { return string(v.AppendJSON(nil)) }
	var parts []string
	for _, v := range r.Hash {
		parts = append(parts, show(v))
	}
	parts = append(parts, "/")
	for _, v := range r.Prefix {
		parts = append(parts, show(v))
	}
	ops := [...]string{"", "=", "<", "<=", ">", ">=", "between", "begins"}
	if r.Op != RangeAll {
		parts = append(parts, ops[r.Op], show(r.Lo))
		if !r.Hi.IsZero() {
			parts = append(parts, show(r.Hi))
		}
	}
	return strings.NewReplacer(`{"S":"`, "", `{"N":"`, "", `{"B":"`, "", `"}`, "").Replace(strings.Join(parts, " "))
}

// DYNAMODB.md 4.6: what a condition means for a table's or an index's keys.
func TestKeyConditionResolve(t *testing.T) {
	const (
		mismatch = "One or more parameter values were invalid: Condition parameter type does not match schema type"
		empty    = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: "
		no       = "Query key condition not supported"
		missed   = "Query condition missed key schema element: "
	)
	for _, c := range []struct {
		schema     item.KeySchema
		text, want string
	}{
		{hashOnly, "pk = :s", "x /"},
		{hashOnly, ":s = pk", "x /"},
		{hashRange, "pk = :s", "x /"},
		{hashRange, "sk = :t AND pk = :s", "x / y"},
		{hashRange, "pk = :s AND sk < :t", "x / < y"},
		{hashRange, "pk = :s AND sk <= :t", "x / <= y"},
		{hashRange, "pk = :s AND sk > :t", "x / > y"},
		{hashRange, "pk = :s AND sk >= :t", "x / >= y"},
		{hashRange, "pk = :s AND :t < sk", "x / > y"},
		{hashRange, "pk = :s AND :t <= sk", "x / >= y"},
		{hashRange, "pk = :s AND :t > sk", "x / < y"},
		{hashRange, "pk = :s AND :t >= sk", "x / <= y"},
		{hashRange, "pk = :s AND sk BETWEEN :s AND :t", "x / between x y"},
		{hashRange, "pk = :s AND begins_with(sk, :t)", "x / begins y"},
		{binRange, "pk = :s AND begins_with(sk, :b)", "x / begins AQI="},
		{numRange, "pk = :s AND sk BETWEEN :n AND :m", "x / between 1 5"},
		{wide, "h1 = :s AND h2 = :n", "x 1 /"},
		{wide, "h2 = :n AND r1 = :t AND h1 = :s", "x 1 / y"},
		{wide, "h2 = :n AND r2 > :m AND r1 = :t AND h1 = :s", "x 1 / y > 5"},
		{wide, "h1 = :s AND h2 = :n AND r1 = :s AND r2 = :n AND begins_with(r3, :t)", "x 1 / x 1 begins y"},

		{hashOnly, "sk = :s", missed + "pk"},
		{hashOnly, "pk > :s", no},
		{hashOnly, "begins_with(pk, :s)", no},
		{hashOnly, "pk BETWEEN :s AND :t", no},
		{hashOnly, "pk = :s AND sk = :t", no},
		{hashRange, "sk = :s", missed + "pk"},
		{hashRange, "a = :s AND b = :t", missed + "pk"},
		{hashRange, "pk = :s AND b = :t", missed + "sk"},
		{hashRange, "pk = :s AND sk = :t AND b = :t", "Conditions can be of length 1 or 2 only"},
		{hashOnly, "pk = :s AND sk = :t AND b = :t", "Conditions can be of length 1 or 2 only"},
		{hashRange, "pk < :s AND sk = :t", no},
		{hashRange, "pk = :n", mismatch},
		{hashRange, "pk = :map", mismatch},
		{hashRange, "pk = :s AND sk = :n", mismatch},
		{numRange, "pk = :s AND sk BETWEEN :s AND :t", mismatch},
		{numRange, "pk = :s AND begins_with(sk, :s)", mismatch},
		{hashRange, "pk = :e", empty + "pk"},
		{hashRange, "pk = :s AND sk > :e", empty + "sk"},
		{hashRange, "pk = :s AND begins_with(sk, :e)", empty + "sk"},
		{wide, "h1 = :s", missed + "h2"},
		{wide, "h1 = :s AND h2 > :n", no},
		{wide, "h1 = :s AND h2 = :n AND r2 = :m", missed + "r1"},
		{wide, "h1 = :s AND h2 = :n AND r1 > :s AND r2 = :m", no},
		{wide, "h1 = :s AND h2 = :n AND r1 = :s AND r3 = :s", missed + "r2"},
	} {
		k, err := bind(t, KeyConditionExpression, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		r, err := k.(*KeyCondition).Resolve(c.schema)
		got := describeRange(r)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

// DYNAMODB.md 3.2: the sizes of keys hold for queries too.
func TestKeyConditionSizes(t *testing.T) {
	for _, c := range []struct {
		hash, rng int
		want      string
	}{
		{2048, 1024, ""},
		{2049, 1, "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{1, 1025, "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"},
	} {
		k := NewKeyCondition(
			KeyTerm{Name: "pk", Op: RangeEQ, Lo: item.Str(strings.Repeat("x", c.hash))},
			KeyTerm{Name: "sk", Op: RangeGT, Lo: item.Str(strings.Repeat("x", c.rng))},
		)
		_, err := k.Resolve(hashRange)
		if got := fmt.Sprint(err); got != c.want && (c.want != "" || err != nil) {
			t.Errorf("%d %d: %v", c.hash, c.rng, err)
		}
		if got := fmt.Sprint(k.TopLevelNames()); got != "[pk sk]" {
			t.Error(got)
		}
	}
}
