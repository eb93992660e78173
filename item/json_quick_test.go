package item

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func readItem(s string) (Item, error) {
	return ReadItem(jsontext.NewDecoder(strings.NewReader(s), jsontext.AllowDuplicateNames(true)))
}

func TestQuickJSON(t *testing.T) {
	in := `{"z":{"S":"é\"\n"},"a":{"N":"1.50"},"m":{"M":{"y":{"L":[{"BOOL":true},{"NULL":true},{"B":"AAE="}]},"b":{"SS":["q","a"]},"n":{"NS":["2","1e0"]}}}}`
	it, err := readItem(in)
	if err != nil {
		t.Fatal(err)
	}
	got := string(it.AppendJSON(nil))
	want := `{"a":{"N":"1.5"},"m":{"M":{"b":{"SS":["a","q"]},"n":{"NS":["1","2"]},"y":{"L":[{"BOOL":true},{"NULL":true},{"B":"AAE="}]}}},"z":{"S":"é\"\n"}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := DecodeItem(it.Encoded()); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`{"a":{"N":3}}`, `{"a":{}}`, `{"a":{"S":"x","N":"1"}}`, `{"a":{"SS":[]}}`, `{"a":{"SS":["a","a"]}}`, `{"a":{"N":"x"}}`, `{"a":[]}`, `{"a":"x"}`, `{"a":{"L":[{"S":1}]}}`, `{"a":{"B":"A"}}`, `{"a":{"NULL":false}}`, `{"a":`} {
		_, err := readItem(bad)
		t.Logf("%s: %T %v", bad, err, err)
		if err == nil {
			t.Errorf("%s accepted", bad)
		}
	}
}
