package item

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:               `{}`,
		`{"a":{"S":""}}`:   `{"a":{"S":""}}`,
		`{"a":{"B":""}}`:   `{"a":{"B":""}}`,
		`{"a":{"N":"+1"}}`: `{"a":{"N":"1"}}`,
		`{"z":{"S":"é\"\n"},"a":{"N":"1.50"},"m":{"M":{"y":{"L":[{"BOOL":true},{"NULL":true},{"B":"AAE="}]},"b":{"SS":["q","a"]},"n":{"NS":["2","1e0"]}}}}`: `{"a":{"N":"1.5"},"m":{"M":{"b":{"SS":["a","q"]},"n":{"NS":["1","2"]},"y":{"L":[{"BOOL":true},{"NULL":true},{"B":"AAE="}]}}},"z":{"S":"é\"\n"}}`,
		`{"a":{"L":[]},"b":{"M":{}}}`:                      `{"a":{"L":[]},"b":{"M":{}}}`,
		`{"a":{"SS":["","b"]}}`:                            `{"a":{"SS":["","b"]}}`,
		`{"a":{"BS":["","AA=="]}}`:                         `{"a":{"BS":["","AA=="]}}`,
		`{"a":{"BOOL":"yes"},"b":{"BOOL":"0"}}`:            `{"a":{"BOOL":true},"b":{"BOOL":false}}`,
		`{"a":{"S":"x","N":null}}`:                         `{"a":{"S":"x"}}`, // null is not given
		`{"a":{"L":[null,{"S":"x"}]}}`:                     `{"a":{"L":[{"S":"x"}]}}`,
		`{"b":{"S":"1"},"a":{"S":"2"},"b":{"S":"3"}}`:      `{"a":{"S":"2"},"b":{"S":"3"}}`,
		"{\"a\":{\"S\":\"\\ud83d\\ude00\\u0000\\u007f\"}}": "{\"a\":{\"S\":\"😀\\u0000\x7f\"}}",
	} {
		it := mustRead(t, in)
		if got := string(it.AppendJSON(nil)); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", in, got, want)
		}
		if _, err := DecodeItem(it.Encoded()); err != nil {
			t.Errorf("%s: its bytes are refused", in)
		}
	}
}

// DYNAMODB.md 3.1 and 3.3: which fault is told, and in which words.
func TestJSONFaults(t *testing.T) {
	const (
		empty = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
		two   = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
	)
	for _, c := range []struct {
		in, want      string
		serialization bool
	}{
		{`{"a":{}}`, empty, false},
		{`{"a":null}`, empty, false},
		{`{"a":{"Q":"x"}}`, empty, false},
		{`{"a":{"S":null}}`, empty, false},
		{`{"a":{"S":"x","N":"1"}}`, two, false},
		{`{"a":{"N":3}}`, "NUMBER_VALUE cannot be converted to String", true},
		{`{"a":{"S":true}}`, "TRUE_VALUE cannot be converted to String", true},
		{`{"a":{"S":false}}`, "FALSE_VALUE cannot be converted to String", true},
		{`{"a":{"BOOL":1}}`, "NUMBER_VALUE cannot be converted to Boolean", true},
		{`{"a":{"BOOL":"maybe"}}`, "'maybe' can not be converted to an Boolean", true},
		{`{"a":{"N":3.5}}`, "DECIMAL_VALUE cannot be converted to String", true},
		{`{"a":{"S":{}}}`, "Start of structure or map found where not expected", true},
		{`{"a":{"S":[]}}`, "Unrecognized collection type class java.lang.String", true},
		{`{"a":[]}`, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue", true},
		{`{"a":"x"}`, "Unexpected field type", true},
		{`{"a":{"L":"x"}}`, "Unexpected field type", true},
		{`{"a":{"M":"x"}}`, "Unexpected field type", true},
		{`{"a":{"SS":"x"}}`, "Unexpected field type", true},
		{`{"a":{"B":"A"}}`, "Base64 encoded length is expected a multiple of 4 bytes but found: 1", true},
		{`{"a":{"B":"AB=="}}`, "Invalid last non-pad Base64 character dectected", true},
		{`{"a":{"B":"A\nA="}}`, "Invalid Base64 character", true},
		{`{"a":{"B":"A-A="}}`, "Invalid Base64 character", true},
		{`{"a":`, "", true},
		{`{"a":{"S":"x"`, "", true},
		{`{"a":{"NULL":false}}`, "One or more parameter values were invalid: Null attribute value types must have the value of true", false},
		{`{"a":{"SS":[]}}`, "One or more parameter values were invalid: An string set  may not be empty", false},
		{`{"a":{"NS":[]}}`, "One or more parameter values were invalid: An number set  may not be empty", false},
		{`{"a":{"BS":[]}}`, "One or more parameter values were invalid: Binary sets should not be empty", false},
		{`{"a":{"SS":["b","a","b"]}}`, "One or more parameter values were invalid: Input collection [b, a, b] contains duplicates.", false},
		{`{"a":{"NS":["1","1.0"]}}`, "Input collection contains duplicates", false},
		{`{"a":{"BS":["AA==","AA=="]}}`, "One or more parameter values were invalid: Input collection [AA==, AA==]of type BS contains duplicates.", false},
		{`{"a":{"N":""}}`, "The parameter cannot be converted to a numeric value", false},
		{`{"a":{"N":"x"}}`, "The parameter cannot be converted to a numeric value: x", false},
		{`{"a":{"NS":["x"]}}`, "The parameter cannot be converted to a numeric value: x", false},
		{`{"":{"S":"x"}}`, "One or more parameter values were invalid: Empty attribute name", false},
		// A fault of the shape is told wherever it stands.
		{`{"a":{"N":"x"},"b":{"N":1}}`, "NUMBER_VALUE cannot be converted to String", true},
		// Of others, the first.
		{`{"a":{"N":"x"},"b":{"SS":[]}}`, "The parameter cannot be converted to a numeric value: x", false},
	} {
		_, err := readItem(c.in)
		var se *SerializationError
		if err == nil || err.Error() != c.want || errors.As(err, &se) != c.serialization {
			t.Errorf("%s: %T %v, want %s (serialization: %v)", c.in, err, err, c.want, c.serialization)
		}
	}
	name := strings.Repeat("n", MaxAttributeName)
	mustRead(t, `{"`+name+`":{"S":""}}`)
	if _, err := readItem(`{"` + name + `n":{"S":""}}`); err == nil {
		t.Error("a name of 65,536 bytes is accepted")
	}
}

// DYNAMODB.md 3.1: 32 levels. A scalar takes one, as the service counts: 31 lists and maps around it.
func TestNesting(t *testing.T) {
	nested := func(levels int, inner string) string {
		s := inner
		for i := range levels {
			if i%2 == 0 {
				s = `{"L":[` + s + `]}`
			} else {
				s = `{"M":{"k":` + s + `}}`
			}
		}
		return `{"a":` + s + `}`
	}
	for _, inner := range []string{`{"S":"x"}`, `{"SS":["x"]}`} {
		it := mustRead(t, nested(31, inner))
		if d := it.Get("a").Depth(); d != 32 {
			t.Errorf("depth %d of 32 levels", d)
		}
		if _, err := readItem(nested(32, inner)); err == nil || err.Error() != TooDeep {
			t.Errorf("33 levels: %v", err)
		}
	}
	if d := mustRead(t, nested(31, `{"M":{}}`)).Get("a").Depth(); d != 32 {
		t.Errorf("depth %d with an empty map innermost", d)
	}
	// Deep nonsense must end in an error, not in a full stack.
	for _, open := range []string{`{"L":[`, `{"M":{"k":`} {
		if _, err := readItem(`{"a":` + strings.Repeat(open, 100_000)); err == nil {
			t.Error("100,000 levels are accepted")
		}
	}
}

// plain turns DynamoDB JSON into what encoding/json makes of it, with sets in order: an oracle that knows nothing of us.
func plain(t testing.TB, text []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s is no JSON: %v", text, err)
	}
	return fmt.Sprint(v)
}

func TestJSONRoundTrip(t *testing.T) {
	r := newRandom(t)
	for range 2000 {
		it := r.item(4)
		text := it.AppendJSON(nil)
		back, err := readItem(string(text))
		if err != nil || !back.Equal(it) {
			t.Fatalf("%s: %v, %s", text, err, back.AppendJSON(nil))
		}
		if plain(t, text) != plain(t, back.AppendJSON(nil)) {
			t.Fatalf("%s reads back as another", text)
		}
	}
}

// FuzzReadItem: what is accepted is canonical, and written out and read again is the same.
func FuzzReadItem(f *testing.F) {
	for _, s := range []string{
		`{"a":{"S":"x"},"b":{"N":"-1.5e3"}}`, `{"a":{"L":[{"M":{"x":{"NULL":true}}}]}}`, `{"a":{"SS":["a","b"]}}`,
		`{"a":{"NS":["1","2"]}}`, `{"a":{"B":"AAE="}}`, `{"a":{"BOOL":false}}`, `{"a":{}}`, `{"a":`, `[]`, `null`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		it, err := readItem(s)
		if err != nil {
			return
		}
		if _, err := DecodeItem(it.Encoded()); err != nil {
			t.Fatalf("%s: not canonical: %x", s, it.Encoded())
		}
		again, err := readItem(string(it.AppendJSON(nil)))
		if err != nil || !again.Equal(it) {
			t.Fatalf("%s: written as %s: %v", s, it.AppendJSON(nil), err)
		}
		_ = it.Size()
	})
}

// The words at a time against the bytes one by one: every byte at every place around a word's ends.
func TestAppendQuoted(t *testing.T) {
	for n := range 20 {
		for at := range n {
			for c := range 256 {
				s := []byte(strings.Repeat("x", n))
				s[at] = byte(c)
				want := `"` + string(appendEscaped(nil, s)) + `"`
				if got := string(AppendQuoted(nil, s)); got != want {
					t.Fatalf("%q: %s instead of %s", s, got, want)
				}
				if special := len(want) != n+2 || c >= 0x80; isPlain(s) == special {
					t.Fatalf("%q: it is plain: %v", s, !special)
				}
			}
		}
	}
}
