package item

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// Canonical bytes are accepted; of their neighbours (a byte changed, added, gone) only those that are canonical too, which
// then are another value.
func TestDecode(t *testing.T) {
	r := newRandom(t)
	for range 3000 {
		v := r.value(3)
		got, err := Decode(bytes.Clone(v.Encoded()))
		if err != nil || !got.Equal(v) {
			t.Fatalf("%s: its bytes %x: %v", v.AppendJSON(nil), v.Encoded(), err)
		}
		b := bytes.Clone(v.Encoded())
		switch i := r.IntN(len(b)); r.IntN(3) {
		case 0:
			b[i] ^= 1 << r.IntN(8)
		case 1:
			b = slices.Insert(b, i, byte(r.IntN(256)))
		case 2:
			b = slices.Delete(b, i, i+1)
		}
		if w, err := Decode(b); err == nil {
			same(t, w)
		}
	}
}

// same rebuilds an accepted value from its JSON: it must have the same bytes. Values whose strings are no UTF-8 cannot pass
// through JSON.
func same(t testing.TB, v Value) {
	t.Helper()
	text := v.AppendJSON(nil)
	if bytes.Contains(text, []byte("\ufffd")) || v.Depth() > MaxDepth {
		return
	}
	back, err := readValue(string(text))
	if err != nil {
		if emptyNames(v) {
			return
		}
		t.Fatalf("%x is %s, which is refused: %v", v.Encoded(), text, err)
	}
	if !back.Equal(v) {
		t.Fatalf("%x is %s, whose bytes are %x", v.Encoded(), text, back.Encoded())
	}
}

func emptyNames(v Value) bool {
	for name, e := range v.Fields() {
		if name == "" || len(name) > MaxAttributeName || emptyNames(e) {
			return true
		}
	}
	for e := range v.Elems() {
		if emptyNames(e) {
			return true
		}
	}
	return false
}

func FuzzDecode(f *testing.F) {
	for _, v := range []Value{Str("x"), NumVal(NumFromInt(-70)), NewList([]Value{NullVal(), BoolVal(true)}), NewMap([]Field{{"a", Bin(nil)}, {"b", NewMap(nil)}})} {
		f.Add(v.Encoded())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Decode(b)
		if err != nil {
			return
		}
		same(t, v)
		_, _ = v.Size(), v.Depth()
		if _, err := DecodeItem(b); err == nil {
			_ = Item{b}.Size()
		}
	})
}

// What is not canonical is refused, one thing at a time.
func TestDecodeRefuses(t *testing.T) {
	str := Str("a").Encoded()
	for name, b := range map[string][]byte{
		"nothing": {}, "no such type": {12, 0}, "type 0": {0}, "cut off": {tagString, 2, 'a'}, "a tail": append(bytes.Clone(str), 0),
		"long length": {tagString, 0x81, 0, 'a'}, "huge length": {tagString, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"empty number": {tagNumber, 0}, "number with a leading zero": {tagNumber, 4, 2, 130, 1, 0}, "number without digits": {tagNumber, 3, 2, 130, 0},
		"empty set": {tagStringSet, 1, 0}, "set out of order": append([]byte{tagStringSet, 7, 2, tagString, 1, 'b'}, str...),
		"double member": append(append([]byte{tagStringSet, 7, 2}, str...), str...), "member of another type": append([]byte{tagNumberSet, 4, 1}, str...),
		"list too short": {tagList, 1, 1}, "list with a tail": append([]byte{tagList, 4, 0}, str...),
		"names out of order": {tagMap, 9, 2, 1, 'b', tagTrue, 1, 'a', tagTrue, 0}, "double name": {tagMap, 7, 2, 1, 'a', tagTrue, 1, 'a', tagTrue},
	} {
		if v, err := Decode(b); err == nil {
			t.Errorf("%s: %x is accepted as %s", name, b, v.AppendJSON(nil))
		}
	}
	deep := []byte{tagNull}
	for range 1000 {
		deep = wrap(tagList, append([]byte{1}, deep...)).Encoded()
	}
	if _, err := Decode(deep); err == nil {
		t.Error("1,000 levels are accepted")
	}
}

// Items are what a map of their attributes would be.
func TestItem(t *testing.T) {
	r := newRandom(t)
	for range 2000 {
		it := r.item(1)
		m := map[string]Value{}
		var names []string
		for n, v := range it.Attrs() {
			m[n], names = v, append(names, n)
		}
		if !slices.IsSorted(names) || it.Len() != len(m) {
			t.Fatalf("attributes %q", names)
		}
		for n, v := range m {
			if !it.Get(n).Equal(v) {
				t.Fatalf("%q is %x", n, it.Get(n))
			}
		}
		if !it.Get("no such name").IsZero() || !it.Get("").IsZero() {
			t.Fatal("an attribute that is not there is")
		}
		keep := slices.DeleteFunc(append(slices.Clone(names), "other", "aaa"), func(string) bool { return r.IntN(2) == 0 })
		slices.Sort(keep)
		var fields, changes []Field
		for n, v := range m {
			if slices.Contains(keep, n) {
				fields = append(fields, Field{n, v})
			}
			if r.IntN(3) == 0 {
				w := Value{}
				if r.IntN(2) == 0 {
					w = r.value(0)
				}
				changes = append(changes, Field{n, w})
			}
		}
		if got, want := it.Project(keep), NewItem(fields); !got.Equal(want) {
			t.Fatalf("%s projected on %q: %s", it.AppendJSON(nil), keep, got.AppendJSON(nil))
		}
		changes = append(changes, Field{"added", r.value(0)})
		for _, c := range changes {
			if m[c.Name] = c.Value; c.Value.IsZero() {
				delete(m, c.Name)
			}
		}
		var all []Field
		for n, v := range m {
			all = append(all, Field{n, v})
		}
		if got, want := it.With(changes), NewItem(all); !got.Equal(want) {
			t.Fatalf("%s with changes is %s, want %s", it.AppendJSON(nil), got.AppendJSON(nil), want.AppendJSON(nil))
		}
	}
	if !(Item{}).Project([]string{"a"}).IsZero() || NewItem(nil).IsZero() {
		t.Error("no item and an item without attributes are not the same")
	}
}

// TestShape holds a Shape, which has seen all sorts of items, against the plain way, and strings with an odd byte at every place
// against the slow one.
func TestShape(t *testing.T) {
	var s Shape
	check := func(it Item) {
		t.Helper()
		got, size := s.AppendJSON([]byte("x"), it)
		if want := it.AppendJSON([]byte("x")); !bytes.Equal(got, want) || size != it.Size() {
			t.Fatalf("%s, %d bytes; want %s, %d bytes", got, size, want, it.Size())
		}
	}
	check(Item{})
	check(NewItem(nil))
	r := newRandom(t)
	for range 3000 {
		check(r.item(3))
	}
	for range 3000 { // of few names, of which some may be missing, and of few types
		var fields []Field
		for _, name := range []string{"", "a", "aa", "b", "field\"", "é"} {
			switch r.IntN(6) {
			case 0:
			case 1:
				fields = append(fields, Field{name, NumVal(NumFromInt(int64(r.IntN(9))))})
			case 2:
				fields = append(fields, Field{name, Str(strings.Repeat("long \\", 20+r.IntN(100)))})
			default:
				fields = append(fields, Field{name, Str(strings.Repeat("é", r.IntN(3)))})
			}
		}
		check(NewItem(fields))
	}
	for n := range 80 {
		for at := range n {
			for _, odd := range []byte{0, 0x1f, '"', '\\', 0x7f, 0x80, 0xff} {
				s := bytes.Repeat([]byte{'~'}, n)
				s[at] = odd
				if got, want := AppendQuoted(nil, s), append(appendEscaped([]byte{'"'}, s), '"'); !bytes.Equal(got, want) {
					t.Fatalf("%q is written as %s, want %s", s, got, want)
				}
			}
		}
	}
}

func BenchmarkReadItem(b *testing.B) {
	text := string(newRandom(b).item(2).With([]Field{{"pk", Str("user-1")}, {"sk", NumVal(NumFromInt(7))}}).AppendJSON(nil))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readItem(text); err != nil {
			b.Fatal(err)
		}
	}
}

// pageItem is an item as the benchmarks of pages have them: ten strings, 1 KB.
func pageItem() Item {
	fields := []Field{{"pk", Str("user-4711")}}
	for i := range 10 {
		fields = append(fields, Field{"field" + string(rune('0'+i)), Str(string(bytes.Repeat([]byte("abcdefghij"), 10)))})
	}
	return NewItem(fields)
}

func BenchmarkReadStrings(b *testing.B) {
	text := string(pageItem().AppendJSON(nil))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readItem(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSize(b *testing.B) {
	it := pageItem()
	b.ReportAllocs()
	for b.Loop() {
		it.Size()
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	it := pageItem()
	buf := it.AppendJSON(nil)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = it.AppendJSON(buf[:0])
	}
}

func BenchmarkShape(b *testing.B) {
	it := pageItem()
	var s Shape
	buf := it.AppendJSON(nil)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = s.AppendJSON(buf[:0], it)
	}
}
