package expr

import (
	"fmt"
	"strings"
	"testing"
)

// DYNAMODB.md 4.1, 4.7.
func TestProjectionChecks(t *testing.T) {
	const (
		overlap  = "Two document paths overlap with each other; must remove or rewrite one of these paths; "
		conflict = "Two document paths conflict with each other; must remove or rewrite one of these paths; "
	)
	checkRefusals(t, ProjectionExpression, []refusal{
		{"a", ""},
		{"a, b.c, b.d[0], b.d[7].e ,#dot", ""},
		{"!!", `Syntax error; token: "!", near: "!!"`},
		{"a,", `Syntax error; token: "<EOF>", near: ","`},
		{",a", `Syntax error; token: ",", near: ",a"`},
		{"a b", `Syntax error; token: "b", near: "a b"`},
		{"a, :s", `Syntax error; token: ":s", near: ", :s"`},
		{"[0]", `Syntax error; token: "[", near: "[0"`},
		{"a..b", `Syntax error; token: ".", near: "..b"`},
		{"size(a)", `Syntax error; token: "(", near: "size(a"`},
		{"foo(a)", `Syntax error; token: "(", near: "foo(a"`},
		{"a.b, a", overlap + "path one: [a, b], path two: [a]"},
		{"a, a", overlap + "path one: [a], path two: [a]"},
		{"a, #a", overlap + "path one: [a], path two: [a]"},
		{"a, a[1].b", overlap + "path one: [a], path two: [a, [1], b]"},
		{"a[1], a[1].b", overlap + "path one: [a, [1]], path two: [a, [1], b]"},
		{"a.b, a[1]", conflict + "path one: [a, b], path two: [a, [1]]"},
		{"x, a[1].c, a[0], a.b.c", conflict + "path one: [a, [1], c], path two: [a, b, c]"},
		{"a.b, a[1], a", conflict + "path one: [a, b], path two: [a, [1]]"},
		{"#dot, a", ""},
		{"#c", "An expression attribute name used in the document path is not defined; attribute name: #c"},
		{"a, status, a", "Attribute name is a reserved keyword; reserved keyword: status"},
		{"a, a, #c", "An expression attribute name used in the document path is not defined; attribute name: #c"},
		{"a" + strings.Repeat("[0]", 31), ""},
		{"a" + strings.Repeat("[0]", 32), "The document path has too many nesting elements; nesting levels: 33"},
	})
}

// DYNAMODB.md 4.7: the hierarchy stays, lists are compacted in index order, keys are not added.
func TestProjectionApply(t *testing.T) {
	const doc = `{"pk":{"S":"k"},"a":{"S":"x"},"a.b":{"S":"dot"},"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"L":[{"N":"30"},{"N":"31"}]}]},
		"m":{"M":{"x":{"N":"1"},"y":{"M":{"z":{"N":"2"},"w":{"N":"3"}}},"e":{"M":{}}}}}`
	for _, c := range []struct{ text, want string }{
		{"a", `{"a":{"S":"x"}}`},
		{"#dot", `{"a.b":{"S":"dot"}}`},
		{"nope", `{}`},
		{"a.b", `{}`},
		{"a[0]", `{}`},
		{"l.x", `{}`},
		{"m[0]", `{}`},
		{"m.nope", `{}`},
		{"m.y.nope, l[4]", `{}`},
		{"m.e", `{"m":{"M":{"e":{"M":{}}}}}`},
		{"m.y.z, a", `{"a":{"S":"x"},"m":{"M":{"y":{"M":{"z":{"N":"2"}}}}}}`},
		{"m.y.w, m.x", `{"m":{"M":{"x":{"N":"1"},"y":{"M":{"w":{"N":"3"}}}}}}`},
		{"l[2], l[0]", `{"l":{"L":[{"N":"0"},{"N":"2"}]}}`},
		{"l[3][1], l[1], l[9]", `{"l":{"L":[{"N":"1"},{"L":[{"N":"31"}]}]}}`},
		{"l[3][7], l[0][0]", `{}`},
	} {
		p, err := bind(t, ProjectionExpression, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := show1(p.(*Projection).Apply(an(t, doc))); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
		if got := p.(*Projection).Apply(an(t, "")); !got.IsZero() {
			t.Errorf("%s of no item: %s", c.text, show1(got))
		}
	}
	p, err := bind(t, ProjectionExpression, "m.y, l[1], m.x, #dot")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(p.(*Projection).TopLevelNames()); got != "[a.b l m]" {
		t.Error(got)
	}
}
