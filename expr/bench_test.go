package expr

import (
	"testing"

	"github.com/meridiandb/meridian/item"
)

// Texts and an item as applications have them.
const (
	benchCondition = "attribute_exists(pk) AND #a = :s AND (n BETWEEN :n AND :m OR contains(tags, :t)) AND size(b.c) > :n"
	benchUpdate    = "SET #a = :s, n = n + :n, b.c[0] = :m REMOVE gone ADD hits :n"
	benchSimple    = "SET #a = :s"
	benchProject   = "pk, #a, b.c[1], tags"
	benchKey       = "pk = :s AND begins_with(sk, :t)"
	benchDoc       = `{"pk":{"S":"customer#1234"},"sk":{"S":"order#2026-11-25"},"a":{"S":"x"},"n":{"N":"3"},"hits":{"N":"41"},"status":{"S":"shipped"},
		"tags":{"SS":["x","y","z"]},"b":{"M":{"c":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]},"d":{"S":"some longer text of an order line"}}},
		"address":{"M":{"street":{"S":"1 Main Street"},"city":{"S":"Springfield"},"zip":{"S":"12345"}}},"total":{"N":"129.95"},"currency":{"S":"EUR"}}`
)

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct {
		name  string
		parse func() error
	}{
		{"condition", func() error { _, err := ParseCondition(ConditionExpression, benchCondition); return err }},
		{"update", func() error { _, err := ParseUpdate(benchUpdate); return err }},
		{"projection", func() error { _, err := ParseProjection(benchProject); return err }},
		{"key", func() error { _, err := ParseKeyCondition(benchKey); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.parse(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBind(b *testing.B) {
	names := map[string]string{"#a": "a"}
	values := params(b).values
	cond, err1 := ParseCondition(ConditionExpression, benchCondition)
	update, err2 := ParseUpdate(benchUpdate)
	proj, err3 := ParseProjection(benchProject)
	key, err4 := ParseKeyCondition(benchKey)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		bind func(*Params) error
	}{
		{"condition", func(p *Params) error { _, err := cond.Bind(p); return err }},
		{"update", func(p *Params) error { _, err := update.Bind(p); return err }},
		{"projection", func(p *Params) error { _, err := proj.Bind(p); return err }},
		{"key", func(p *Params) error { _, err := key.Bind(p); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.bind(NewParams(names, values)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func bound1[T any](b *testing.B, k Kind, text string) T {
	v, err := bind(b, k, text)
	if err != nil {
		b.Fatal(err)
	}
	return v.(T)
}

func BenchmarkEval(b *testing.B) {
	it := an(b, benchDoc)
	for _, c := range []struct{ name, text string }{
		{"exists", "attribute_exists(pk)"}, {"equal", "currency = :s"}, {"size", "size(b.c) > :n"}, {"mixed", benchCondition},
	} {
		cond := bound1[*Condition](b, ConditionExpression, c.text)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := cond.Eval(it); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	it := an(b, benchDoc)
	key := []item.Field{{Name: "pk", Value: item.Str("k")}}
	for _, c := range []struct{ name, text string }{{"set", benchSimple}, {"counter", "ADD hits :n"}, {"mixed", benchUpdate}} {
		u := bound1[*Update](b, UpdateExpression, c.text)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := u.Apply(it, key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkProject(b *testing.B) {
	it := an(b, benchDoc)
	p := bound1[*Projection](b, ProjectionExpression, benchProject)
	b.ReportAllocs()
	for b.Loop() {
		p.Apply(it)
	}
}
