package conflict

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// region is an origin as they are in production.
func region(name string, inc uint64) crdt.Origin {
	return crdt.Origin{Region: name, Incarnation: inc}
}

// realistic is an item of about size bytes that the first n of three regions have written in turn, under p.
func realistic(p Policy, n, size int) State {
	origins := []crdt.Origin{
		region("us-east-1", 0x9f3c2a1b4d5e6f70), region("eu-west-1", 0x1b2c3d4e5f607182), region("ap-northeast-1", 0x2233445566778899),
	}
	it := attrs("pk=user#4711 sk=profile balance=1234.5 tags={red,green}").With([]item.Field{
		{Name: "payload", Value: item.Str(strings.Repeat("x", size))},
	})
	var s State
	now := crdt.TimeFromMillis(1_764_000_000_000)
	for i := range n {
		now += crdt.TimeFromMillis(86_400_000) + 3
		w := Local{Stamp: crdt.Stamp{Time: now, Origin: origins[i]}, Op: Put, New: it}
		if i > 0 {
			w.Op, w.Touched = Update, []string{"balance"}
			w.Adds = []Add{{Name: "balance", Value: value("1")}}
			w.New = s.Item().With([]item.Field{{Name: "balance", Value: applyAdd(s.Item().Get("balance"), w.Adds[0])}})
		}
		s = Write(p, s, w)
	}
	return s
}

// overhead is what a state has over its item.
func overhead(s State) int { return len(s.Append(nil)) - len(s.Item().Encoded()) }

// TestOverhead computes the sizes that doc.go states, and checks that it states them.
func TestOverhead(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	base := realistic(LastWriterWins, 1, 200)
	gone := Write(LastWriterWins, base, Local{Stamp: crdt.Stamp{Time: base.Stamp().Time + 9, Origin: base.Stamp().Origin}, Op: Delete})
	for _, c := range []struct {
		what string
		n    int
	}{
		{"written by one region, once", overhead(base)},
		{"written by two regions", overhead(realistic(LastWriterWins, 2, 200))},
		{"written by three regions", overhead(realistic(LastWriterWins, 3, 200))},
		{"three regions, one attribute of its own stamp", overhead(realistic(Attribute, 3, 200))},
		{"three regions, one counter", overhead(realistic(CRDT, 3, 200))},
		{"a remembered delete, all of it", len(gone.Append(nil))},
	} {
		line := fmt.Sprintf("//\t%-46s %3d", c.what, c.n)
		t.Log(line)
		if !strings.Contains(string(doc), line+"\n") {
			t.Errorf("doc.go does not say\n%s", line)
		}
	}
}

// samples are encoded states of every shape.
func samples() [][]byte {
	var out [][]byte
	for _, p := range []Policy{LastWriterWins, Attribute, CRDT} {
		base := put(p, State{}, "1c", "pk=k n=1 s={p,q}")
		l := update(p, base, "5b", "x=1 n+5 s-{p} s+{r}")
		r := Merge(l, update(p, base, "7a", "n+2 s+{p} y=2")).State
		for _, s := range []State{
			base, l, r, del(p, r, "9b"), put(p, r, "9b", "x=1"), put(p, del(p, r, "9b"), "10b", "n=1"),
			Write(p, base, Local{Stamp: at("8a"), Op: Expire}), del(p, State{}, "1a"), update(p, r, "9c", "s-{p,q,r} n="),
			Write(p, State{}, Local{Stamp: at("9a"), Op: Put, New: attrs("x=1"), Floor: 7}), realistic(p, 3, 20),
		} {
			out = append(out, s.Append(nil))
		}
	}
	return out
}

// TestDecodeRefuses: whatever is cut, added or flipped, a decoder never panics, and what it takes it writes back the same.
func TestDecodeRefuses(t *testing.T) {
	try := func(b []byte) {
		if s, err := DecodeState(b); err == nil && string(s.Append(nil)) != string(b) {
			t.Errorf("%x was read as %x", b, s.Append(nil))
		} else if err != nil && !errors.Is(err, ErrEncoding) {
			t.Errorf("%x: %v", b, err)
		}
	}
	for _, b := range samples() {
		if _, err := DecodeState(b); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		for i := range b {
			if _, err := DecodeState(b[:i]); err == nil {
				t.Errorf("%x cut at %d was read", b, i)
			}
			for bit := range 8 {
				c := append([]byte(nil), b...)
				c[i] ^= 1 << bit
				try(c)
			}
		}
		try(append(append([]byte(nil), b...), 0))
	}
	if _, err := DecodeState([]byte{2, 0, 0}); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a newer format: %v", err)
	}
}

func FuzzDecodeState(f *testing.F) {
	for _, b := range samples() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeState(b)
		if err != nil {
			return
		}
		if got := s.Append(nil); string(got) != string(b) {
			t.Fatalf("%x was read as %x", b, got)
		}
		if !TrustedState(b).Item().Equal(s.Item()) {
			t.Fatalf("%x shows %s, trusted %s", b, shortItem(s.Item()), shortItem(TrustedState(b).Item()))
		}
		for _, other := range samples() { // a state from anywhere can be merged and written upon
			o := TrustedState(other)
			m := Merge(o, s).State
			if _, err := DecodeState(m.Append(nil)); err != nil {
				t.Fatalf("%x merged with %x is %x: %v", other, b, m.Append(nil), err)
			}
		}
		stamp := crdt.Stamp{Time: s.Context().Newest() + 1, Origin: origin("a")}
		if stamp.Time == 0 {
			return
		}
		n := Write(CRDT, s, Local{Stamp: stamp, Op: Update, New: attrs("n=1 z=2"), Touched: []string{"n", "z"}})
		if _, err := DecodeState(n.Append(nil)); err != nil {
			t.Fatalf("%x written upon is %x: %v", b, n.Append(nil), err)
		}
	})
}

// TestGoldenBytes keeps the stored format of version 1: bytes that a released binary wrote must be read for ever.
func TestGoldenBytes(t *testing.T) {
	var b strings.Builder
	for _, s := range samples() {
		fmt.Fprintf(&b, "%x\n", s)
	}
	compareGolden(t, filepath.Join("testdata", "format-1.txt"), b.String())
}

func BenchmarkTrustedItem(b *testing.B) {
	raw := realistic(LastWriterWins, 3, 200).Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if TrustedState(raw).Item().IsZero() {
			b.Fatal("no item")
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	s := realistic(LastWriterWins, 3, 200)
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf = s.Append(buf[:0])
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, p := range []Policy{LastWriterWins, Attribute, CRDT} {
		b.Run(p.String(), func(b *testing.B) {
			raw := realistic(p, 3, 200).Append(nil)
			w := Local{Op: Update, New: attrs("pk=user#4711 balance=1"), Touched: []string{"balance"}}
			w.Stamp = crdt.Stamp{Time: TrustedState(raw).Context().Newest() + 1, Origin: region("us-east-1", 0x9f3c2a1b4d5e6f70)}
			b.ReportAllocs()
			for b.Loop() {
				Write(p, TrustedState(raw), w)
			}
		})
	}
}

func BenchmarkMerge(b *testing.B) {
	for _, p := range []Policy{LastWriterWins, Attribute, CRDT} {
		base := realistic(p, 1, 200)
		now := base.Context().Newest()
		add := func(o crdt.Origin) State {
			now++
			a := []Add{{Name: "balance", Value: value("1")}}
			it := base.Item().With([]item.Field{{Name: "balance", Value: applyAdd(base.Item().Get("balance"), a[0])}})
			return Write(p, base, Local{Stamp: crdt.Stamp{Time: now, Origin: o}, Op: Update, New: it, Touched: []string{"balance"}, Adds: a})
		}
		l, r := add(region("us-east-1", 0x9f3c2a1b4d5e6f70)), add(region("eu-west-1", 0x1b2c3d4e5f607182))
		base = l
		for name, pair := range map[string][2]State{
			"join": {l, r}, "drop": {l, realistic(p, 1, 200)}, "replace": {l, add(region("eu-west-1", 1))},
		} {
			stored, arriving := pair[0].Append(nil), pair[1].Append(nil)
			b.Run(p.String()+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s, err := DecodeState(arriving)
					if err != nil {
						b.Fatal(err)
					}
					Merge(TrustedState(stored), s)
				}
			})
		}
	}
}
