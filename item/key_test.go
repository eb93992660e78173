package item

import (
	"bytes"
	"cmp"
	"errors"
	"strings"
	"testing"
)

var testSchemas = []KeySchema{
	{Hash: []KeyAttr{{"h", String}}},
	{Hash: []KeyAttr{{"h", Number}}, Range: []KeyAttr{{"r", Binary}}},
	{Hash: []KeyAttr{{"h", Binary}}, Range: []KeyAttr{{"r", Number}}},
	{Hash: []KeyAttr{{"h", String}, {"i", Number}, {"j", Binary}, {"k", String}}, Range: []KeyAttr{{"r", String}, {"s", Number}, {"t", Binary}, {"u", Number}}},
}

func (r random) key(s KeySchema) (k Key) {
	for _, a := range s.Hash {
		k.Hash = append(k.Hash, r.scalar(a.Kind))
	}
	for _, a := range s.Range {
		k.Range = append(k.Range, r.scalar(a.Kind))
	}
	return k
}

func compareParts(a, b []Value) int {
	for i := range a {
		if c, ok := Compare(a[i], b[i]); !ok || c != 0 {
			return c
		}
	}
	return 0
}

// Bytes compare like the values: within a partition by the RANGE values; equal keys are equal bytes, and no key's bytes are
// the beginning of another's.
func TestKeyOrder(t *testing.T) {
	r := newRandom(t)
	for _, s := range testSchemas {
		for range 3000 {
			a, b := r.key(s), r.key(s)
			if r.IntN(2) == 0 {
				b.Hash = a.Hash
			}
			x, y := a.Append(nil), b.Append(nil)
			hash := compareParts(a.Hash, b.Hash)
			same := hash == 0 && compareParts(a.Range, b.Range) == 0
			switch {
			case same != bytes.Equal(x, y):
				t.Fatalf("%v and %v: %x and %x", a, b, x, y)
			case !same && (bytes.HasPrefix(x, y) || bytes.HasPrefix(y, x)):
				t.Fatalf("%x begins with %x", x, y)
			case hash == 0 && bytes.Compare(x, y) != compareParts(a.Range, b.Range):
				t.Fatalf("in one partition %v and %v compare as %d", a.Range, b.Range, bytes.Compare(x, y))
			case hash != 0 && a.Hash32() != b.Hash32() && bytes.Compare(x, y) != cmp.Compare(a.Hash32(), b.Hash32()):
				t.Fatalf("partitions are not in order of their hash")
			}
			back, rest, err := s.ReadKey(append(bytes.Clone(x), 'r'))
			if err != nil || string(rest) != "r" || compareParts(back.Hash, a.Hash) != 0 || compareParts(back.Range, a.Range) != 0 {
				t.Fatalf("%x is read back as %v, %q, %v", x, back, rest, err)
			}
			it := NewItem(s.Fields(a))
			want, fits := s.IndexKey(it)
			if got, ok := s.AppendFrom([]byte("head"), it); ok != fits || string(got) != "head"+string(want.Append(nil)) && ok || !ok && string(got) != "head" {
				t.Fatalf("%s: appended %x, %v; the key is %v, %v", it.AppendJSON(nil), got, ok, want, fits)
			}
			if err := s.CheckKey(x); err != nil {
				t.Fatalf("%x is refused", x)
			}
			if s.CheckKey(append(x, 0)) == nil || s.CheckKey(x[:len(x)-1]) == nil {
				t.Fatalf("%x with a byte more or less is accepted", x)
			}
		}
	}
}

// FuzzReadKey: both readers accept the same bytes, and only those that Append writes.
func FuzzReadKey(f *testing.F) {
	f.Add(uint8(1), Key{[]Value{NumVal(NumFromInt(7))}, []Value{Bin([]byte{0, 1})}}.Append(nil))
	f.Add(uint8(0), Key{Hash: []Value{Str("a\x00")}}.Append(nil))
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		s := testSchemas[int(which)%len(testSchemas)]
		k, rest, err := s.ReadKey(b)
		if whole := err == nil && len(rest) == 0; whole != (s.CheckKey(b) == nil) {
			t.Fatalf("%x: read %v, checked %v", b, err, s.CheckKey(b))
		}
		if err == nil && !bytes.Equal(k.Append(nil), b[:len(b)-len(rest)]) {
			t.Fatalf("%x is read as %v, which is written %x", b, k, k.Append(nil))
		}
	})
}

// DYNAMODB.md 3.2.
func TestKeyRules(t *testing.T) {
	s := KeySchema{Hash: []KeyAttr{{"pk", String}}, Range: []KeyAttr{{"sk", Binary}}}
	long := strings.Repeat("x", 2049)
	for in, want := range map[string]string{
		`{"pk":{"S":"a"},"sk":{"B":"AA=="},"x":{"S":""}}`:                   "",
		`{"sk":{"B":"AA=="}}`:                                               "One or more parameter values were invalid: Missing the key pk in the item",
		`{"pk":{"S":"a"}}`:                                                  "One or more parameter values were invalid: Missing the key sk in the item",
		`{"pk":{"N":"1"},"sk":{"B":"AA=="}}`:                                "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
		`{"pk":{"S":""},"sk":{"B":"AA=="}}`:                                 "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
		`{"pk":{"S":"a"},"sk":{"B":""}}`:                                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: sk",
		`{"pk":{"S":"` + long + `"},"sk":{"B":"AA=="}}`:                     "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
		`{"pk":{"S":"a"},"sk":{"B":"` + strings.Repeat("AAAA", 342) + `"}}`: "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
	} {
		_, err := s.FromItem(mustRead(t, in))
		var ve *ValidationError
		if want == "" && err != nil || want != "" && (!errors.As(err, &ve) || err.Error() != want) {
			t.Errorf("%.80s: %v, want %s", in, err, want)
		}
	}
	for _, in := range []string{`{}`, `{"pk":{"S":"a"}}`, `{"pk":{"S":"a"},"sk":{"S":"a"}}`, `{"pk":{"S":"a"},"zk":{"B":"AA=="}}`, `{"pk":{"S":"a"},"sk":{"B":"AA=="},"x":{"S":""}}`} {
		if _, err := s.FromKeyArg(mustRead(t, in)); err == nil || err.Error() != keyMismatch {
			t.Errorf("key argument %s: %v", in, err)
		}
	}
	at := mustRead(t, `{"pk":{"S":"`+long[1:]+`"},"sk":{"B":"`+strings.Repeat("AAAA", 341)+`AA=="}}`)
	if _, err := s.FromKeyArg(at); err != nil {
		t.Errorf("a key at the limits: %v", err)
	}
}
