package api

import (
	"encoding/json"
	"strconv"
	"testing"
)

// DYNAMODB.md 9.8: a policy is shown in the service's own form, and putting one that comes to the same changes nothing.
func TestPolicyForms(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", tableSpec{rest: onDemand}.body())
	put := func(policy string) (revision string) {
		return memberText(t, c.must("PutResourcePolicy", `{"ResourceArn":"`+abcARN+`","Policy":`+jsonText(policy)+`}`), "RevisionId")
	}
	const head, root = `{"Version":"2012-10-17","Statement":[`, `"arn:aws:iam::000000000000:root"`
	const get = `"Action":"dynamodb:GetItem","Resource":"x"`
	last := ""
	for _, r := range []struct{ sent, shown string }{
		{head + `{"Effect":"Deny","Principal":"*",` + get + `}]}`, ``}, // in that form: as it was sent
		{head + `{"Effect":"Allow","Principal":{"AWS":` + root + `},"NotAction":["b","a","a"],"Resource":["y","x"]}]}`, ``},
		{"{ \"Statement\" : {\"Resource\":[\"x\"],\"Action\":[\"dynamodb:GetItem\"],\n\"Principal\":\"*\",\"Effect\":\"deny\"}, \"Version\":\"2012-10-17\"}",
			head + `{"Effect":"Deny","Principal":"*",` + get + `}]}`},
		{head + `{"Sid":"\u0041<b>","Effect":"Allow","Principal":{"AWS":["000000000000",` + root + `]},` + get + `}]}`,
			head + `{"Sid":"A<b>","Effect":"Allow","Principal":{"AWS":` + root + `},` + get + `}]}`},
		{head + `{"Condition":{"StringEquals":{"aws:PrincipalAccount":["1"]}},"Effect":"Allow","Principal":{"AWS":"*"},` + get + `}]}`,
			head + `{"Effect":"Allow","Principal":{"AWS":"*"},` + get + `,"Condition":{"StringEquals":{"aws:PrincipalAccount":"1"}}}]}`},
		{`{"Statement":[{"Effect":"Deny","Principal":"*",` + get + `}]}`, `{"Version":"2008-10-17","Statement":[{"Effect":"Deny","Principal":"*",` + get + `}]}`},
	} {
		if r.shown == "" {
			r.shown = r.sent
		}
		revision := put(r.sent)
		if n, err := strconv.ParseInt(revision, 10, 64); err != nil || len(revision) != 13 || revision <= last {
			t.Errorf("revision %q (%d) after %q", revision, n, last)
		}
		body := c.must("GetResourcePolicy", `{"ResourceArn":"`+abcARN+`"}`)
		if shown := memberText(t, body, "Policy"); shown != r.shown {
			t.Errorf("%s\nis shown as %s\nnot        %s", r.sent, shown, r.shown)
		}
		if again := put(r.sent); again != revision {
			t.Errorf("put again, %s has revision %s after %s", r.sent, again, revision)
		}
		last = put(r.shown)
		if same := last == revision; same == (r.shown[12:16] == "2008") { // a version is not its default
			t.Errorf("what is shown of %s has revision %s after %s", r.sent, last, revision)
		}
	}
	of := func(policy string) string {
		return `{"ResourceArn":"` + abcARN + `","Policy":` + jsonText(policy) + `}`
	}
	const broken = invalidParam + "Invalid policy document: "
	const unbounded = "Resource-based policy grants unbounded access in one or more elements. " +
		"Please revise the policy to ensure least-privilege form of access"
	const deny = `{"Sid":"a","Effect":"Deny","Principal":"*",` + get + `}`
	bare := head + `{"Sid":"V08","Effect":"Allow","Principal":"000000000000",` + get + `}]}`
	c.refuses([]refusal{
		{"9.8", "PutResourcePolicy", of(head + `{}]}`), validation, broken + "Missing required field Effect"},
		{"9.8", "PutResourcePolicy", of(head + `{"Effect":"Allow"}]}`), validation, broken + "Missing required field Principal"},
		{"9.8", "PutResourcePolicy", of(head + `{"Effect":"Allow","Principal":"*"}]}`), validation, broken + "Missing required field Action"},
		{"9.8", "PutResourcePolicy", of(head + `{"Effect":"Deny","Principal":"*","Action":"a"}]}`), validation, broken + "Missing required field Resource"},
		{"9.8", "PutResourcePolicy", of(head + deny + `,` + deny + `]}`), validation, broken + "The Statement Ids in the policy are not unique"},
		{"9.8", "PutResourcePolicy", of(head + `{"Effect":"Allow","Principal":"*",` + get + `}]}`), validation, unbounded},
		{"9.8", "PutResourcePolicy", of(head + `{"Effect":"Allow","Principal":{"AWS":["a","*"]},` + get + `}]}`), validation, unbounded},
		{"9.8", "PutResourcePolicy", of(bare), validation, broken + "Syntax error at position (1,94)"},
		{"9.8", "PutResourcePolicy", of("{\n\"Statement\":[\n1]}"), validation, broken + "Syntax error at position (3,2)"},
		{"9.8", "PutResourcePolicy", of(`{"Version":"2020-01-01","Statement":[` + deny + `]}`), validation, broken + "The policy must contain a valid version string"},
		{"9.8", "CreateTable", tableSpec{rest: onDemand + `,"ResourcePolicy":` + jsonText(head+`{}]}`)}.body(), validation, broken + "Missing required field Effect"},
	})
	body := c.must("GetResourcePolicy", `{"ResourceArn":"`+abcARN+`"}`)
	if memberText(t, body, "RevisionId") != last {
		t.Errorf("refused policies left %s, not revision %s", body, last)
	}
}

// DYNAMODB.md 9.8: whatever a policy says, its own form is a fixed point.
func FuzzPolicy(f *testing.F) {
	f.Add(`{"Id":"i","Statement":{"Sid":"s","Effect":"allow","Principal":{"AWS":["1"],"Service":"x"},"Action":["a"],"Resource":["r","s"]}}`)
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":"*","NotAction":"a","NotResource":"r","Condition":{"B":{"k":[true]}}}]}`)
	f.Add("{}")
	f.Fuzz(func(t *testing.T, text string) {
		form, err := canonicalPolicy(text)
		if err != nil {
			return
		}
		if again, err := canonicalPolicy(form); err != nil && len(form) <= maxPolicy || err == nil && again != form {
			t.Errorf("%q has the form %q, and that the form %q, error %v", text, form, again, err)
		}
		if !json.Valid([]byte(shownPolicy(form))) {
			t.Errorf("%q is shown as %q", text, shownPolicy(form))
		}
	})
}

// jsonText writes a text as JSON.
func jsonText(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}
