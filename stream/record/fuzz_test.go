package record

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// The decoders accept exactly what the encoders write: whatever is accepted is written again as the same bytes. They never
// panic, and a forged count allocates nothing (a run that needs gigabytes would die).

func seeds(f *testing.F, encode func(*Commit) [][]byte) {
	g := gen{rand.New(rand.NewPCG(1, 1))}
	for range 30 {
		c := g.commit()
		if c.Seq == 0 {
			c.Seq = 1
		}
		for _, b := range encode(&c) {
			f.Add(b)
		}
	}
	f.Add([]byte{})
	f.Add([]byte{1})
}

func FuzzDecodeCommit(f *testing.F) {
	seeds(f, func(c *Commit) [][]byte { return [][]byte{AppendCommit(nil, c)} })
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		c, err := DecodeCommit(b)
		if !bytes.Equal(b, before) {
			t.Fatal("the decoder wrote into its input")
		}
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if again := AppendCommit(nil, &c); !bytes.Equal(again, b) {
			t.Fatalf("%x is read and written as %x", b, again)
		}
	})
}

func FuzzDecodeOrder(f *testing.F) {
	seeds(f, func(c *Commit) [][]byte { o, _ := Split(c); return [][]byte{AppendOrder(nil, &o)} })
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := DecodeOrder(1<<63, b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if again := AppendOrder(nil, &o); !bytes.Equal(again, b) {
			t.Fatalf("%x is read and written as %x", b, again)
		}
	})
}

func FuzzDecodePart(f *testing.F) {
	seeds(f, func(c *Commit) (all [][]byte) {
		_, parts := Split(c)
		for i := range parts {
			all = append(all, AppendPart(nil, &parts[i]))
		}
		return all
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := DecodePart(TableID{1}, 2, 3, b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if again := AppendPart(nil, &p); !bytes.Equal(again, b) {
			t.Fatalf("%x is read and written as %x", b, again)
		}
		if w, err := PartWall(b); err != nil || w != p.Wall {
			t.Fatalf("wall %d, %v", w, err)
		}
	})
}
