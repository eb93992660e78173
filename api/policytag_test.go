package api

import "testing"

// TestConflictPolicyTag: the policy is chosen by a tag, like any other to the client, but with three values only.
func TestConflictPolicyTag(t *testing.T) {
	c := newMemoryClient(t)
	tagged := func(v string) string {
		return tableSpec{rest: onDemand + `,"Tags":[{"Key":"meridian:conflict-policy","Value":"` + v + `"},{"Key":"a","Value":"1"}]`}.body()
	}
	const arn = "arn:aws:dynamodb:us-east-1:000000000000:table/abc"
	list := `{"ResourceArn":"` + arn + `"}`
	set := func(v string) string {
		return `{"ResourceArn":"` + arn + `","Tags":[{"Key":"meridian:conflict-policy","Value":"` + v + `"}]}`
	}
	wrong := func(v string) string {
		return "One or more parameter values were invalid: Tag meridian:conflict-policy must be one of last-writer-wins, attribute, crdt; it is '" + v + "'"
	}
	c.refuses([]refusal{
		{"9.2", "CreateTable", tagged("CRDT"), validation, wrong("CRDT")},
		{"9.2", "CreateTable", tagged(""), validation, wrong("")},
	})
	c.must("CreateTable", tagged("crdt"))
	c.refuses([]refusal{{"9.2", "TagResource", set("lww"), validation, wrong("lww")}})
	c.replies([]reply{
		{"9.2", "ListTagsOfResource", list, `{"Tags":[{"Key":"a","Value":"1"},{"Key":"meridian:conflict-policy","Value":"crdt"}]}`},
		{"9.2", "TagResource", set("attribute"), ``},
		{"9.2", "ListTagsOfResource", list, `{"Tags":[{"Key":"a","Value":"1"},{"Key":"meridian:conflict-policy","Value":"attribute"}]}`},
		{"9.2", "UntagResource", `{"ResourceArn":"` + arn + `","TagKeys":["meridian:conflict-policy"]}`, ``},
		{"9.2", "ListTagsOfResource", list, `{"Tags":[{"Key":"a","Value":"1"}]}`},
	})
}
