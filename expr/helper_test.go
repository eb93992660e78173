package expr

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/meridiandb/meridian/item"
)

// an reads an item in DynamoDB JSON; "" is no item.
func an(t testing.TB, text string) item.Item {
	t.Helper()
	if text == "" {
		return item.Item{}
	}
	it, err := item.ReadItem(jsontext.NewDecoder(strings.NewReader(text)))
	if err != nil {
		t.Fatalf("bad item %s: %v", text, err)
	}
	return it
}

func show1(it item.Item) string {
	if it.IsZero() {
		return ""
	}
	return string(it.AppendJSON(nil))
}

// given are the substitutions of nearly all cases.
var given = struct{ names, values string }{
	`{"#a":{"S":"a"},"#b":{"S":"b"},"#dot":{"S":"a.b"},"#size":{"S":"size"},"#1":{"S":"one"},"#_x":{"S":"x"}}`,
	`{":s":{"S":"x"},":t":{"S":"y"},":n":{"N":"1"},":m":{"N":"5"},":neg":{"N":"-3"},":b":{"B":"AQI="},":bool":{"BOOL":true},
	":null":{"NULL":true},":ss":{"SS":["x","y"]},":ss1":{"SS":["x"]},":ns":{"NS":["1","2"]},":bs":{"BS":["AQ=="]},":l":{"L":[{"S":"p"},{"N":"1"}]},
	":m0":{"M":{}},":l0":{"L":[]},":map":{"M":{"k":{"S":"v"}}},":S":{"S":"S"},":N":{"S":"N"},":L":{"S":"L"},":e":{"S":""},
	":big":{"N":"9.9999999999999999999999999999999999999E+125"},":tiny":{"N":"1E-130"},":u":{"S":"é𝄞"}}`,
}

func params(t testing.TB) *Params {
	t.Helper()
	names, values := map[string]string{}, map[string]item.Value{}
	for k, v := range an(t, given.names).Attrs() {
		names[k] = v.Text()
	}
	for k, v := range an(t, given.values).Attrs() {
		values[k] = v
	}
	return NewParams(names, values)
}

// bind parses and binds a text of any kind.
func bind(t testing.TB, k Kind, text string) (any, error) {
	t.Helper()
	p := params(t)
	switch k {
	case KeyConditionExpression:
		a, err := ParseKeyCondition(text)
		if err != nil {
			return nil, err
		}
		return a.Bind(p)
	case ProjectionExpression:
		a, err := ParseProjection(text)
		if err != nil {
			return nil, err
		}
		return a.Bind(p)
	case UpdateExpression:
		a, err := ParseUpdate(text)
		if err != nil {
			return nil, err
		}
		return a.Bind(p)
	}
	a, err := ParseCondition(k, text)
	if err != nil {
		return nil, err
	}
	return a.Bind(p)
}

// refusal is a text and what is wrong with it. A message that begins with "Invalid …Expression: " has it left out.
type refusal struct{ text, want string }

func checkRefusals(t *testing.T, k Kind, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		_, err := bind(t, k, c.text)
		got := ""
		if err != nil {
			got = strings.TrimPrefix(err.Error(), "Invalid "+string(k)+": ")
			if e := (*Error)(nil); !errors.As(err, &e) {
				t.Errorf("%s: %T is no *Error", c.text, err)
			}
		}
		if got != c.want {
			t.Errorf("%s %s\n got %s\nwant %s", k, c.text, got, c.want)
		}
	}
}
