package api

import (
	"strings"
	"testing"
)

// DYNAMODB.md 9.2: streams can be tagged too.
func TestStreamTags(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", tableSpec{rest: onDemand + `,"Tags":[{"Key":"of","Value":"table"}],"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}`}.body())
	arn := c.latestStream("abc")
	on := func(rest string) string { return `{"ResourceArn":"` + arn + `"` + rest + `}` }
	none := abcARN + "/stream/2000-01-01T00:00:00.000"
	c.replies([]reply{
		{"9.2", "ListTagsOfResource", on(``), `{"Tags":[]}`},
		{"9.2", "TagResource", on(`,"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":""}]`), ``},
		{"9.2", "ListTagsOfResource", on(``), `{"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":""}]}`},
		{"9.2", "UntagResource", on(`,"TagKeys":["a","none"]`), ``},
		{"9.2", "ListTagsOfResource", on(``), `{"Tags":[{"Key":"b","Value":""}]}`},
		{"9.2", "ListTagsOfResource", `{"ResourceArn":"` + abcARN + `"}`, `{"Tags":[{"Key":"of","Value":"table"}]}`},
	})
	const gone = "Requested resource not found: ResourceArn: "
	more := some(50, func(i int) string { return `{"Key":"k` + strings.Repeat("x", i) + `","Value":""}` })
	c.refuses([]refusal{
		{"9.2", "TagResource", on(`,"Tags":[` + more + `]`), validation, "Number of Tags exceed the current limit for the provided ResourceArn"},
		{"9.2", "ListTagsOfResource", `{"ResourceArn":"` + none + `"}`, notFound, gone + none + " not found"},
		{"9.2", "TagResource", `{"ResourceArn":"` + none + `","Tags":[{"Key":"a","Value":"1"}]}`, notFound, gone + none + " not found"},
		{"9.2", "UntagResource", `{"ResourceArn":"` + none + `","TagKeys":["a"]}`, notFound, gone + none + " not found"},
		{"9.2", "TagResource", `{"ResourceArn":"` + abcARN + `/stream/","Tags":[{"Key":"a","Value":"1"}]}`, validation,
			invalidParam + "Provided Arn is not a DynamoDB resource arn: " + abcARN + "/stream/"}, // the table is not meant
	})
}

// DYNAMODB.md 9.8: resource policies are kept for tables and streams, each at a revision.
func TestResourcePolicy(t *testing.T) {
	c := newMemoryClient(t)
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"dynamodb:*","Resource":"*"}]}`
	escaped := strings.ReplaceAll(policy, `"`, `\"`)
	c.must("CreateTable", tableSpec{rest: onDemand + `,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"},"ResourcePolicy":"` + escaped + `"`}.body())
	stream := c.latestStream("abc")
	put := func(arn, policy, rest string) string {
		return `{"ResourceArn":"` + arn + `","Policy":"` + policy + `"` + rest + `}`
	}
	get := func(arn string) (text, revision string) {
		body := c.must("GetResourcePolicy", `{"ResourceArn":"`+arn+`"}`)
		return memberText(t, body, "Policy"), memberText(t, body, "RevisionId")
	}
	text, first := get(abcARN)
	if text != policy || first == "" {
		t.Errorf("%q at %q", text, first)
	}
	const gone = "Resource-based policy not found for the provided ResourceArn: "
	const broken = invalidParam + "Invalid policy document: "
	large := strings.Replace(escaped, "dynamodb:", strings.Repeat("x", 20<<10), 1)
	none := strings.Replace(abcARN, "abc", "none", 1)
	bogus := abcARN + "/stream/2000-01-01T00:00:00.000"
	other, foreign := strings.Replace(abcARN, "us-east-1", "eu-west-1", 1), strings.Replace(abcARN, "000000000000", "111111111111", 1)
	c.refuses([]refusal{
		{"9.8", "GetResourcePolicy", `{"ResourceArn":"` + stream + `"}`, "PolicyNotFoundException", gone + stream}, // the table's is not the stream's
		{"9.8", "PutResourcePolicy", put(abcARN, escaped, `,"ExpectedRevisionId":"NO_POLICY"`), "PolicyNotFoundException", gone + abcARN},
		{"9.8", "PutResourcePolicy", put(abcARN, escaped, `,"ExpectedRevisionId":"1"`), "PolicyNotFoundException", gone + abcARN},
		{"9.8", "PutResourcePolicy", put(stream, escaped, `,"ExpectedRevisionId":"1"`), "PolicyNotFoundException", gone + stream},
		{"9.8", "DeleteResourcePolicy", `{"ResourceArn":"` + abcARN + `","ExpectedRevisionId":"1"}`, "PolicyNotFoundException", gone + abcARN},
		{"9.8", "PutResourcePolicy", put(abcARN, ``, ``), validation, broken + "This policy contains invalid Json"},
		{"9.8", "PutResourcePolicy", put(abcARN, `[]`, ``), validation, broken + "This policy contains invalid Json"},
		{"9.8", "PutResourcePolicy", put(abcARN, `null`, ``), validation, broken + "This text appears not to be a policy"},
		{"9.8", "PutResourcePolicy", put(abcARN, `{}`, ``), validation, broken + "Syntax error at position (1,3)"},
		{"9.8", "PutResourcePolicy", put(abcARN, `{\"Statement\":[]}`, ``), validation, broken + "Could not parse the policy: Statement is empty!"},
		{"9.8", "PutResourcePolicy", put(abcARN, large, ``), validation, invalidParam + "Maximum policy size of 20480 bytes exceeded"},
		{"4.10", "PutResourcePolicy", `{"ResourceArn":"` + abcARN + `"}`, validation, violation(null("policy"))},
		{"4.10", "DeleteResourcePolicy", `{"ResourceArn":"` + abcARN + `","ExpectedRevisionId":""}`, validation,
			violation("Value '' at 'expectedRevisionId' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"9.8", "GetResourcePolicy", `{"ResourceArn":"abc"}`, validation, invalidParam + "ARNs must start with 'arn:': abc"},
		{"9.8", "GetResourcePolicy", `{"ResourceArn":"` + other + `"}`, validation, invalidParam + "Invalid resource Arn: " + other},
		{"9.8", "GetResourcePolicy", `{"ResourceArn":"` + foreign + `"}`, validation, "This action is only supported by accounts that match the resource owner’s account."},
		{"9.8", "GetResourcePolicy", `{"ResourceArn":"` + none + `"}`, notFound, "Requested resource not found: Table: none not found"},
		{"9.8", "PutResourcePolicy", put(none, escaped, ``), notFound, "Requested resource not found: Table: none not found"},
		{"9.8", "GetResourcePolicy", `{"ResourceArn":"` + abcARN + `/stream/"}`, validation, invalidParam + "Provided Arn is not a DynamoDB resource arn: " + abcARN + "/stream/"},
		{"9.8", "GetResourcePolicy", `{"ResourceArn":"` + bogus + `"}`, notFound, "Requested resource not found: Stream: 2000-01-01T00:00:00.000 not found for Table: abc"},
		{"9.8", "CreateTable", strings.Replace(tableSpec{rest: onDemand + `,"ResourcePolicy":"{}"`}.body(), `"abc"`, `"two"`, 1), validation, broken + "Syntax error at position (1,3)"},
	})
	c.replies([]reply{{"9.8", "PutResourcePolicy", put(abcARN, escaped, `,"ExpectedRevisionId":"`+first+`"`), `{"RevisionId":"` + first + `"}`}}) // nothing new
	c.must("PutResourcePolicy", put(stream, escaped, `,"ExpectedRevisionId":"NO_POLICY","ConfirmRemoveSelfResourceAccess":true`))
	if text, _ := get(stream); text != policy {
		t.Errorf("the stream has %q", text)
	}
	c.must("PutResourcePolicy", put(abcARN, strings.Replace(escaped, "dynamodb:*", "dynamodb:PutItem", 1), ``))
	text, second := get(abcARN)
	if !strings.Contains(text, "PutItem") || second == first {
		t.Errorf("%q at %q after %q", text, second, first)
	}
	c.replies([]reply{
		{"9.8", "DeleteResourcePolicy", `{"ResourceArn":"` + abcARN + `","ExpectedRevisionId":"` + second + `"}`, `{"RevisionId":"` + second + `"}`},
		{"9.8", "DeleteResourcePolicy", `{"ResourceArn":"` + abcARN + `"}`, `{}`},
	})
	c.refuses([]refusal{{"9.8", "GetResourcePolicy", `{"ResourceArn":"` + abcARN + `"}`, "PolicyNotFoundException", gone + abcARN}})
}

// DYNAMODB.md 9.7: Contributor Insights are a setting of a table and of each global index.
func TestContributorInsights(t *testing.T) {
	c := newMemoryClient(t)
	c.must("CreateTable", tableSpec{rest: onDemand + lsi(indexOf("loc", keyList("pk HASH", "sk RANGE"), "")) + gsi(indexOf("idx", keyList("sk HASH"), ""))}.body())
	of := func(rest string) string { return `{"TableName":"abc"` + rest + `}` }
	const enable, disable, index, all = `,"ContributorInsightsAction":"ENABLE"`, `,"ContributorInsightsAction":"DISABLE"`, `,"IndexName":"idx"`, `,"ContributorInsightsMode":"ACCESSED_AND_THROTTLED_KEYS"`
	const name = "IndexName must be at least 3 characters long and at most 255 characters long"
	c.refuses([]refusal{
		{"9.7", "UpdateContributorInsights", of(``), validation, violation(null("contributorInsightsAction"))},
		{"9.7", "UpdateContributorInsights", of(`,"ContributorInsightsAction":""`), validation, violation(enum("", "contributorInsightsAction", "ENABLE, DISABLE"))},
		{"9.7", "UpdateContributorInsights", of(enable + `,"ContributorInsightsMode":""`), validation,
			violation(enum("", "contributorInsightsMode", "THROTTLED_KEYS, ACCESSED_AND_THROTTLED_KEYS"))},
		{"9.7", "UpdateContributorInsights", of(enable + `,"IndexName":""`), validation, name},
		{"9.7", "DescribeContributorInsights", of(`,"IndexName":"ab"`), validation, name},
		{"9.7", "DescribeContributorInsights", of(`,"IndexName":"ghost"`), notFound, "Requested resource not found: Index: ghost not found for table: abc"},
		{"9.7", "UpdateContributorInsights", of(enable + `,"IndexName":"loc"`), notFound, "Requested resource not found: Index: loc not found for table: abc"},
		{"5.1", "UpdateContributorInsights", strings.Replace(of(enable), "abc", "none", 1), notFound, "Requested resource not found: Table: none not found"},
		{"5.1", "ListContributorInsights", `{"TableName":"none"}`, notFound, "Requested resource not found: Table: none not found"},
	})
	c.replies([]reply{
		{"9.7", "UpdateContributorInsights", of(disable), `{"TableName":"abc","ContributorInsightsStatus":"DISABLED"}`},
		{"9.7", "DescribeContributorInsights", of(``), `{"TableName":"abc","ContributorInsightsStatus":"DISABLED"}`},
		{"9.7", "UpdateContributorInsights", of(enable), `{"TableName":"abc","ContributorInsightsStatus":"ENABLING"` + all + `}`},
		{"9.7", "UpdateContributorInsights", of(enable), `{"TableName":"abc","ContributorInsightsStatus":"ENABLED"` + all + `}`},
		{"9.7", "UpdateContributorInsights", of(enable + index + `,"ContributorInsightsMode":"THROTTLED_KEYS"`),
			`{"TableName":"abc","IndexName":"idx","ContributorInsightsStatus":"ENABLING","ContributorInsightsMode":"THROTTLED_KEYS"}`},
		{"9.7", "ListContributorInsights", `{}`, `{"ContributorInsightsSummaries":[{"TableName":"abc","ContributorInsightsStatus":"ENABLED"` + all + `},` +
			`{"TableName":"abc","IndexName":"idx","ContributorInsightsStatus":"ENABLED","ContributorInsightsMode":"THROTTLED_KEYS"}]}`},
	})
	rules := func(rest string, want ...string) {
		t.Helper()
		body := c.must("DescribeContributorInsights", of(rest))
		c.shows(body, append(want, `"LastUpdateDateTime":`, `"ContributorInsightsStatus":"ENABLED"`), nil)
		if n := strings.Count(body, "DynamoDBContributorInsights-"); n != len(want) {
			t.Errorf("%d rules: %s", n, body)
		}
	}
	rules(``, "-PKC-abc-", "-PKT-abc-", "-SKC-abc-", "-SKT-abc-")
	rules(index, "-PKT-abc-idx-")
	c.replies([]reply{
		{"9.7", "UpdateContributorInsights", of(disable), `{"TableName":"abc","ContributorInsightsStatus":"DISABLING"` + all + `}`},
		{"9.7", "ListContributorInsights", of(``), `{"ContributorInsightsSummaries":[{"TableName":"abc","IndexName":"idx","ContributorInsightsStatus":"ENABLED","ContributorInsightsMode":"THROTTLED_KEYS"}]}`},
	})
	c.shows(c.must("DescribeContributorInsights", of(``)), []string{`"ContributorInsightsStatus":"DISABLED"`, `"LastUpdateDateTime":`, all[1:]}, []string{"RuleList"})
	// An index takes its setting along.
	c.must("UpdateTable", of(`,"GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"idx"}}]`))
	c.replies([]reply{{"9.7", "ListContributorInsights", of(``), `{"ContributorInsightsSummaries":[]}`}})
}
