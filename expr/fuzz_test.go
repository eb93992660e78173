package expr

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/item"
)

var fuzzKinds = []Kind{ConditionExpression, KeyConditionExpression, ProjectionExpression, UpdateExpression}

const fuzzDoc = `{"pk":{"S":"k"},"a":{"S":"x"},"b":{"M":{"c":{"L":[{"N":"1"},{"M":{"a":{"SS":["x","y"]}}}]}}},"n":{"N":"3"},"l":{"L":[{"S":"p"},{"N":"2"}]}}`

// try does with a text all that can be done. It returns what bound it, nil if it was refused.
func try(t testing.TB, k Kind, text string, it item.Item) any {
	b, err := bind(t, k, text)
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Message == "" {
			t.Fatalf("%q: %T %v", text, err, err)
		}
		return nil
	}
	switch b := b.(type) {
	case *Condition:
		_, err = b.Eval(it)
		b.TopLevelNames()
		b.Inside()
	case *KeyCondition:
		_, err = b.Resolve(hashRange)
		b.TopLevelNames()
	case *Projection:
		out := b.Apply(it)
		if again := b.Apply(out); again.Size() > out.Size() || out.Size() > it.Size() {
			t.Fatalf("%q grows items", text)
		}
		b.TopLevelNames()
	case *Update:
		var res Result
		res, err = b.Apply(it, []item.Field{{Name: "pk", Value: item.Str("k")}})
		if err == nil && !res.Item.IsZero() {
			if _, err := item.DecodeItem(res.Item.Encoded()); err != nil {
				t.Fatalf("%q makes a bad item: %v", text, err)
			}
		}
		b.Adds()
		b.Inside()
	}
	var e *Error
	var v *item.ValidationError
	if err != nil && !errors.As(err, &e) && !errors.As(err, &v) {
		t.Fatalf("%q: %T %v", text, err, err)
	}
	return b
}

func fuzz(f *testing.F, k Kind, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	doc := an(f, fuzzDoc)
	f.Fuzz(func(t *testing.T, text string) {
		try(t, k, text, doc)
		try(t, k, text, item.Item{})
	})
}

func FuzzCondition(f *testing.F) {
	fuzz(f, ConditionExpression, "a = :s AND NOT (b.c[1].a IN (:s, #a) OR size(l) > :n)", "attribute_type(a, :S) or begins_with(a,:s)", "((a) = :s)", "a BETWEEN :n AND :m", "contains(l, :n)", "_")
}

func FuzzKeyCondition(f *testing.F) {
	fuzz(f, KeyConditionExpression, "pk = :s AND begins_with(sk, :t)", ":s = pk AND sk BETWEEN :s AND :t", "pk = :s AND (sk >= :s)", "size(pk) = :n")
}

func FuzzProjection(f *testing.F) {
	fuzz(f, ProjectionExpression, "a, b.c[1].a, #dot, l[0]", "b.c[0], b.c[1]", "a.b, a", "!!")
}

func FuzzUpdate(f *testing.F) {
	fuzz(f, UpdateExpression, "SET a = if_not_exists(b.c[0], :n) + :n, l[9] = list_append(l, :l) REMOVE l[0], b.c ADD n :n DELETE b.c[1].a :ss", "SET c = (a - :n)", "remove a", "SET a = a SET b = b")
}

// Texts that a hostile client would send. None may cost more than its length is worth.
func TestHostileTexts(t *testing.T) {
	fill := func(head, more, tail string) string {
		return head + strings.Repeat(more, (MaxText-len(head)-len(tail))/len(more)) + tail
	}
	half := strings.Repeat("(", 2045)
	texts := []string{
		fill("", "(", ""), half + "a=:s" + strings.Repeat(")", 2045), fill("NOT ", "NOT ", "a=:s"), fill("a = ", "(", ""),
		fill("", "size(", "a"), "size" + half + "a" + strings.Repeat(")", 2045), fill("a IN (:s", ",:s", ")"), fill("a IN (b", ",c", ")"),
		fill("a", ".a", " = :s"), fill("a", "[0]", " = :s"), fill("a=:s", " OR a=:s", ""), fill("a=:s", " AND(a=:s", ""),
		fill("a", ",a", ""), fill("a.b", ",a.b", ""), fill("", "a[", ""), fill("SET a = ", "(", ""), fill("SET a = a", "+a", ""),
		fill("SET ", "if_not_exists(a,", ""), fill("SET a=", "if_not_exists(a,", ":n"), fill("REMOVE a", ",a", ""),
		fill("REMOVE a[0]", ",b", ""), fill("SET ", "SET a=:n ", ""), fill("", "#", ""), fill("", ":", ""), fill("", "\xff", ""), fill("", "é", ""), fill("a", " ", ""),
		fill("", "<", ""), fill("f(", "f(", ""), fill("", "a", ""),
	}
	wide := "SET "
	for i := 0; len(wide) < 4060; i++ {
		wide += "x" + strings.Repeat("i", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + "=a,"
	}
	texts = append(texts, strings.TrimSuffix(wide, ","), strings.ReplaceAll(strings.TrimSuffix(wide, ",")[4:], "=a", ""))
	doc := an(t, fuzzDoc)
	for _, text := range texts {
		for _, k := range fuzzKinds {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			try(t, k, text, doc)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 || took > 10*time.Second {
				t.Errorf("%s %.60q…: %d bytes, %v", k, text, n, took)
			}
		}
	}
}
