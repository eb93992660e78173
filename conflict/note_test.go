package conflict

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// drawNote draws a note of the write 5a, of few possible parts, so that they are often equal.
func drawNote(t *rapid.T) Note {
	n := Note{Loser: at("5a")}
	if n.Base = at(rapid.SampledFrom([]string{"", "3a", "4b"}).Draw(t, "base")); !n.Base.IsZero() {
		n.Whole = rapid.Bool().Draw(t, "whole")
	}
	if rapid.IntRange(0, 4).Draw(t, "superseded") == 0 {
		n.Superseded = at(rapid.SampledFrom([]string{"6a", "7c"}).Draw(t, "by"))
		return n
	}
	image := func(what string) item.Item {
		return rapid.SampledFrom([]item.Item{{}, attrs("x=1"), attrs("x=1 y=2"), item.NewItem(nil)}).Draw(t, what)
	}
	n.Lost, n.Direct, n.Image = true, rapid.Bool().Draw(t, "direct"), image("image")
	n.Winner, n.Beaten = at(rapid.SampledFrom([]string{"6b", "6c", "8a"}).Draw(t, "winner")), image("beaten")
	n.Reason = rapid.SampledFrom(noteReasons[:]).Draw(t, "reason")
	n.Policy = Policy(rapid.IntRange(0, 2).Draw(t, "policy"))
	n.Noted = rapid.Int64Range(0, 3).Draw(t, "noted")
	for _, name := range []string{"", "x", "y"} {
		if rapid.IntRange(0, 2).Draw(t, "field") == 0 {
			n.Fields = append(n.Fields, LostField{name, value(rapid.SampledFrom([]string{"", "1", "7"}).Draw(t, "value"))})
		}
	}
	n.All = len(n.Fields) == 0 || rapid.Bool().Draw(t, "all")
	return n
}

func sameNote(a, b Note) bool { return bytes.Equal(a.Append(nil), b.Append(nil)) }

// TestNoteLaws: order, grouping and repeats of notes do not matter, and nothing takes a superseding back.
func TestNoteLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawNote(t), drawNote(t), drawNote(t)
		if !sameNote(a.Join(b), b.Join(a)) {
			t.Fatalf("order matters: %+v, %+v", a.Join(b), b.Join(a))
		}
		if !sameNote(a.Join(b).Join(c), a.Join(b.Join(c))) {
			t.Fatalf("grouping matters: %+v, %+v", a.Join(b).Join(c), a.Join(b.Join(c)))
		}
		if !sameNote(a.Join(a), a) || !sameNote(a.Join(b).Join(b), a.Join(b)) {
			t.Fatal("repeats matter")
		}
		if !sameNote(Note{}.Join(a), a) || !sameNote(a.Join(Note{}), a) {
			t.Fatal("no note changes one")
		}
		j := a.Join(b)
		if !a.Superseded.IsZero() && (j.Lost || j.Superseded.Less(a.Superseded)) {
			t.Fatalf("superseded was taken back: %+v", j)
		}
		if j.Lost && (j.Winner.Less(a.Winner) || j.Winner.Less(b.Winner)) {
			t.Fatal("the highest winner does not count")
		}
	})
}

func TestNoteRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawNote(t)
		b := n.Append([]byte("before"))[6:]
		got, err := DecodeNote(b)
		if err != nil || !sameNote(got, n) || len(got.Fields) != len(n.Fields) || got.All != n.All || !got.Item().Equal(n.Item()) {
			t.Fatalf("%+v came back as %+v, %v", n, got, err)
		}
		for i := range b {
			if _, err := DecodeNote(b[:i]); !errors.Is(err, ErrEncoding) {
				t.Fatalf("cut off after %d of %d bytes: %v", i, len(b), err)
			}
		}
		if _, err := DecodeNote(append(bytes.Clone(b), 0)); !errors.Is(err, ErrEncoding) {
			t.Fatalf("a byte too many: %v", err)
		}
	})
}

func FuzzDecodeNote(f *testing.F) {
	lost := NoteLoss(&Loss{
		Stamp: at("5a"), Image: attrs("x=1 y={p,q}"), Base: at("3b"), Whole: true, Winner: at("6c"), Beaten: attrs("x=2"),
		Attributes: []string{"x", "y"}, Reason: OverwrittenByUpdate,
	}, CRDT, true, 1_764_000_000_000)
	gone := NoteSuperseded(at("3b"), at("5a"))
	f.Add(lost.Append(nil))
	f.Add(gone.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := DecodeNote(b)
		if err != nil {
			if !errors.Is(err, ErrEncoding) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(n.Append(nil), b) {
			t.Fatalf("%x is read as what would be written %x", b, n.Append(nil))
		}
		if j := n.Join(lost); n.Loser == lost.Loser {
			if again, err := DecodeNote(j.Append(nil)); err != nil || !sameNote(again, j) {
				t.Fatalf("the join %+v cannot be read: %v", j, err)
			}
		}
	})
}

// TestStanding: what was superseded is no conflict, nor what a conflict's author replaced altogether.
func TestStanding(t *testing.T) {
	lost := func(s, base string, whole bool) Note {
		return Note{Loser: at(s), Lost: true, All: true, Winner: at("9c"), Base: at(base), Whole: whole}
	}
	for _, tc := range []struct {
		name  string
		notes []Note
		want  []crdt.Stamp
	}{
		{"none", nil, nil},
		{"one", []Note{lost("1a", "", false)}, []crdt.Stamp{at("1a")}},
		{"superseded", []Note{NoteSuperseded(at("1a"), at("2a"))}, nil},
		{"replaced by a loser", []Note{lost("1a", "", false), lost("2a", "1a", true)}, []crdt.Stamp{at("2a")}},
		{"replaced in part", []Note{lost("1a", "", false), lost("2a", "1a", false)}, []crdt.Stamp{at("1a"), at("2a")}},
		{"replaced by one superseded", []Note{lost("1a", "", false), lost("2a", "1a", true).Join(NoteSuperseded(at("2a"), at("3a")))}, nil},
	} {
		var got []crdt.Stamp
		for _, n := range Standing(tc.notes) {
			got = append(got, n.Loser)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}
