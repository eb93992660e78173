package item

import "testing"

func TestCursor(t *testing.T) {
	for _, it := range []Item{
		{}, NewItem(nil), NewItem([]Field{{"a", Str("x")}}), NewItem([]Field{{"b", NullVal()}, {"", Str("")}, {"a", NumVal(NumFromInt(3))}}),
	} {
		c := it.Cursor()
		for name, v := range it.Attrs() {
			if !c.Valid() || string(c.Name()) != name || !c.Value().Equal(v) {
				t.Errorf("%s: the cursor is on %q, not on %q", it.AppendJSON(nil), c.Name(), name)
			}
			c.Next()
		}
		f := it.Cursor()
		for _, name := range []string{"", "a", "aa", "b", "c"} {
			if v := f.Find(name); !v.Equal(it.Get(name)) {
				t.Errorf("%s: found %v under %q", it.AppendJSON(nil), v, name)
			}
		}
		if c.Valid() {
			t.Errorf("%s: the cursor goes on to %q", it.AppendJSON(nil), c.Name())
		}
	}
}
