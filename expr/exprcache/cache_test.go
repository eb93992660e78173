package exprcache

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/meridiandb/meridian/expr"
)

// counts adds up what the shards hold and checks that their parts agree.
func counts(t testing.TB, c *Cache) (entries, bytes int) {
	t.Helper()
	for i := range c.shards {
		s := &c.shards[i]
		n := 0
		for _, e := range s.ring {
			n += len(e.key.text)
			if s.index[e.key] != e {
				t.Fatalf("shard %d: %q is in the ring only", i, e.key.text)
			}
		}
		if len(s.ring) != len(s.index) || n != s.bytes {
			t.Fatalf("shard %d: %d in the ring, %d in the index; %d bytes, %d counted", i, len(s.ring), len(s.index), n, s.bytes)
		}
		if len(s.ring) > s.maxEntries || s.bytes > s.maxBytes {
			t.Fatalf("shard %d: %d of %d entries, %d of %d bytes", i, len(s.ring), s.maxEntries, s.bytes, s.maxBytes)
		}
		entries, bytes = entries+len(s.ring), bytes+n
	}
	return entries, bytes
}

// A text is parsed once in each role.
func TestParsedOnce(t *testing.T) {
	c := New(64)
	const text = "a = :s"
	first, err := c.Condition(expr.ConditionExpression, text)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := c.Condition(expr.ConditionExpression, strings.Clone(text)); again != first {
		t.Error("parsed twice")
	}
	filter, err := c.Condition(expr.FilterExpression, text)
	if err != nil || filter == first {
		t.Error("a filter is not a condition", err)
	}
	key, err := c.KeyCondition(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := c.KeyCondition(text); again != key {
		t.Error("key condition parsed twice")
	}
	proj, err := c.Projection("a")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := c.Projection("a"); again != proj {
		t.Error("projection parsed twice")
	}
	update, err := c.Update("REMOVE a")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := c.Update("REMOVE a"); again != update {
		t.Error("update parsed twice")
	}
	if n, _ := counts(t, c); n != 5 {
		t.Errorf("%d entries", n)
	}
}

// Errors are the parser's, each time and in each role, and are not kept.
func TestErrorsAreTheParsers(t *testing.T) {
	c := New(64)
	for range 3 {
		for _, text := range []string{"", "a", "status = :s", "f(a)", strings.Repeat("a", 4097)} {
			for _, k := range []expr.Kind{expr.ConditionExpression, expr.FilterExpression} {
				_, want := expr.ParseCondition(k, text)
				if _, err := c.Condition(k, text); err == nil || err.Error() != want.Error() {
					t.Errorf("%s %.20q: %v", k, text, err)
				}
			}
		}
		_, want1 := expr.ParseKeyCondition("")
		_, err1 := c.KeyCondition("")
		_, want2 := expr.ParseProjection("!!")
		_, err2 := c.Projection("!!")
		_, want3 := expr.ParseUpdate("INVALID SYNTAX")
		_, err3 := c.Update("INVALID SYNTAX")
		if fmt.Sprint(err1, err2, err3) != fmt.Sprint(want1, want2, want3) {
			t.Error(err1, err2, err3)
		}
	}
	if n, _ := counts(t, c); n != 0 {
		t.Errorf("%d errors are kept", n)
	}
}

// The cache is bounded in number and in bytes, and keeps what is used.
func TestBounds(t *testing.T) {
	c := New(160)
	hot, err := c.Projection("hot")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if _, err := c.Projection(fmt.Sprintf("cold%d", i)); err != nil {
			t.Fatal(err)
		}
		if got, _ := c.Projection("hot"); got != hot {
			t.Fatalf("lost what is used after %d others", i)
		}
	}
	if n, _ := counts(t, c); n > 160 || n < 100 {
		t.Errorf("%d entries", n)
	}
	for i := range 500 {
		if _, err := c.Projection(fmt.Sprintf("a%d%s", i, strings.Repeat("x", 3000))); err != nil {
			t.Fatal(err)
		}
	}
	if n, bytes := counts(t, c); bytes > 160*meanText {
		t.Errorf("%d entries of %d bytes", n, bytes)
	}
	tiny := New(0)
	for i := range 100 {
		if _, err := tiny.Projection(fmt.Sprintf("a%d%s", i, strings.Repeat("x", i*10))); err != nil {
			t.Fatal(err)
		}
	}
	counts(t, tiny)
}

// Any number of goroutines get right answers while entries come and go.
func TestConcurrent(t *testing.T) {
	c := New(64)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 1))
			for range 2000 {
				name := fmt.Sprintf("a%d", r.IntN(200))
				p, err := c.Projection(name)
				if err != nil {
					t.Error(err)
					return
				}
				b, err := p.Bind(expr.NewParams(nil, nil))
				if err != nil || b.TopLevelNames()[0] != name {
					t.Errorf("%s: %v %v", name, b, err)
					return
				}
			}
		})
	}
	wg.Wait()
	counts(t, c)
}

func BenchmarkHit(b *testing.B) {
	c := New(4096)
	texts := make([]string, 256)
	for i := range texts {
		texts[i] = fmt.Sprintf("SET #a%d = :a, n = n + :n", i)
		if _, err := c.Update(texts[i]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := c.Update(texts[i%len(texts)]); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkMiss(b *testing.B) {
	c := New(4096)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := c.Update(fmt.Sprintf("SET #a%d = :a, n = n + :n", i)); err != nil {
			b.Fatal(err)
		}
	}
}
