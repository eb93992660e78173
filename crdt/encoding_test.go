package crdt

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// encode writes a context and stamps in all forms.
func encode(c Context, stamps []Stamp) []byte {
	var d Dictionary
	d.AddContext(c)
	for _, s := range stamps {
		d.Add(s.Origin)
	}
	b := d.Append(nil)
	b = d.AppendContext(b, c)
	b = d.AppendCompact(b, c)
	for _, s := range stamps {
		b = d.AppendStamp(b, s)
		b = d.AppendReference(b, c, s)
	}
	return b
}

// decode reads what encode wrote: as many stamps as there are bytes.
func decode(b []byte) (c Context, stamps []Stamp, ok bool) {
	d, b, err := ReadDictionary(b)
	if err != nil {
		return c, nil, false
	}
	if c, b, err = d.ReadContext(b); err != nil {
		return c, nil, false
	}
	compact, b, err := d.ReadCompact(b)
	if err != nil || !compact.Equal(c) {
		return c, nil, false
	}
	for len(b) > 0 {
		var s, r Stamp
		if s, b, err = d.ReadStamp(b); err != nil {
			return c, nil, false
		}
		if r, b, err = d.ReadReference(b, c); err != nil || r != s {
			return c, nil, false
		}
		stamps = append(stamps, s)
	}
	return c, stamps, true
}

func TestEncodingRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawContext(t, "c")
		stamps := rapid.SliceOfN(rapid.SampledFrom(append(universe(), Stamp{})), 0, 5).Draw(t, "stamps")
		b := encode(c, stamps)
		gotC, got, ok := decode(b)
		if !ok || !gotC.Equal(c) || len(got) != len(stamps) {
			t.Fatalf("%s %v became %s %v: %x", c, stamps, gotC, got, b)
		}
		for i := range got {
			if got[i] != stamps[i] {
				t.Fatalf("%v became %v", stamps, got)
			}
		}
		if rest := SkipDictionary(b); !bytes.HasSuffix(b, rest) || len(rest) >= len(b) {
			t.Fatalf("skipped to %x of %x", rest, b)
		}
		for i := range b {
			if _, s, ok := decode(b[:i]); ok && len(s) == len(stamps) && i < len(b) {
				t.Fatalf("%x cut at %d was read whole", b, i)
			}
		}
	})
}

// FuzzDecode: no bytes make a decoder panic, and what it takes is in the one form that the encoder writes.
func FuzzDecode(f *testing.F) {
	u := universe()
	f.Add(encode(Context{}, nil))
	f.Add(encode(NewContext(0, u[3], u[4]), []Stamp{u[3], {}, u[7]}))
	f.Add(encode(NewContext(4, u[3], u[16]), []Stamp{u[16], u[2]}))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, stamps, ok := decode(b)
		if !ok {
			return
		}
		again, s2, ok := decode(encode(c, stamps))
		if !ok || !again.Equal(c) || len(s2) != len(stamps) {
			t.Fatalf("%x: %s %v became %s %v", b, c, stamps, again, s2)
		}
		for i, s := range stamps {
			if s2[i] != s {
				t.Fatalf("%x: %v became %v", b, stamps, s2)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("1764000000000.3/us-east-1@00000000000000a1")
	f.Add("-")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseStamp(text); err == nil && s.String() != text {
			t.Fatalf("%q is read as %s", text, s)
		}
	})
}

func BenchmarkContextJoin(b *testing.B) {
	u := universe()
	c, d := NewContext(0, u[3], u[4]), NewContext(0, u[6], u[5])
	b.ReportAllocs()
	for b.Loop() {
		c.Join(d)
	}
}
