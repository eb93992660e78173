package filter

import (
	"strings"
	"testing"
)

const record = `{"eventName":"INSERT","eventID":"1","eventVersion":"1.1","awsRegion":"us-east-1",
"dynamodb":{"ApproximateCreationDateTime":1700000000,"SizeBytes":26,"SequenceNumber":"100",
"Keys":{"id":{"S":"a#1"}},
"NewImage":{"id":{"S":"a#1"},"state":{"S":"Paid"},"n":{"N":"5"},"gone":{"NULL":true},"empty":{"S":""},
 "tags":{"SS":["x","y"]},"list":{"L":[{"S":"u"},{"M":{"deep":{"BOOL":false}}}]},"ip":{"S":"10.1.2.3"},"star":{"S":"a*b"}}},
"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}}`

// TestMatch holds the operators of Lambda's filters (developer guide, "Lambda event filtering", and EventBridge's patterns,
// which it refers to) against one record.
func TestMatch(t *testing.T) {
	v, err := Decode([]byte(record))
	if err != nil {
		t.Fatal(err)
	}
	image := func(s string) string { return `{"dynamodb":{"NewImage":` + s + `}}` }
	for _, c := range []struct {
		pattern string
		want    bool
	}{
		{`{"eventName":["INSERT"]}`, true},
		{`{"eventName":["insert"]}`, false},
		{`{"eventName":["MODIFY","INSERT"]}`, true},
		{`{"eventName":["INSERT"],"awsRegion":["eu-west-1"]}`, false}, // all fields
		{`{"userIdentity":{"type":["Service"],"principalId":["dynamodb.amazonaws.com"]}}`, true},
		{`{"userIdentity":{"type":[{"exists":false}]}}`, false},
		{`{"dynamodb":{"OldImage":{"id":{"S":[{"exists":false}]}}}}`, true},
		{`{"dynamodb":{"OldImage":{"id":{"S":[{"exists":true}]}}}}`, false},
		{`{"dynamodb":{"NewImage":[{"exists":true}]}}`, false}, // of leaves only
		{image(`{"state":{"S":[{"exists":true}]}}`), true},
		{image(`{"state":{"S":[{"prefix":"Pa"}]}}`), true},
		{image(`{"state":{"S":[{"prefix":"pa"}]}}`), false},
		{image(`{"state":{"S":[{"prefix":{"equals-ignore-case":"PA"}}]}}`), true},
		{image(`{"state":{"S":[{"suffix":"id"}]}}`), true},
		{image(`{"state":{"S":[{"suffix":{"equals-ignore-case":"ID"}}]}}`), true},
		{image(`{"state":{"S":[{"equals-ignore-case":"pAID"}]}}`), true},
		{image(`{"state":{"S":[{"wildcard":"P*d"}]}}`), true},
		{image(`{"state":{"S":[{"wildcard":"P*x"}]}}`), false},
		{image(`{"star":{"S":[{"wildcard":"a\\*b"}]}}`), true},
		{image(`{"state":{"S":[{"wildcard":"a\\*b"}]}}`), false},
		{image(`{"state":{"S":[{"anything-but":"Paid"}]}}`), false},
		{image(`{"state":{"S":[{"anything-but":["Open","Closed"]}]}}`), true},
		{image(`{"state":{"S":[{"anything-but":{"prefix":"Pa"}}]}}`), false},
		{image(`{"state":{"S":[{"anything-but":{"suffix":["x","y"]}}]}}`), true},
		{image(`{"state":{"S":[{"anything-but":{"equals-ignore-case":"paid"}}]}}`), false},
		{image(`{"none":{"S":[{"anything-but":"Paid"}]}}`), false}, // it must be there
		{image(`{"n":{"N":["5"]}}`), true},
		{image(`{"n":{"N":[{"numeric":["=",5]}]}}`), false}, // a DynamoDB number is a text
		{`{"dynamodb":{"SizeBytes":[26]}}`, true},
		{`{"dynamodb":{"SizeBytes":[26.0]}}`, true},
		{`{"dynamodb":{"SizeBytes":[{"numeric":[">",20,"<=",26]}]}}`, true},
		{`{"dynamodb":{"SizeBytes":[{"numeric":[">",26]}]}}`, false},
		{`{"dynamodb":{"SizeBytes":[{"anything-but":26}]}}`, false},
		{image(`{"gone":{"NULL":[true]}}`), true},
		{image(`{"gone":{"NULL":[false]}}`), false},
		{image(`{"empty":{"S":[""]}}`), true},
		{image(`{"empty":{"S":[null]}}`), false},
		{image(`{"tags":{"SS":["y"]}}`), true}, // one element is enough
		{image(`{"tags":{"SS":["z"]}}`), false},
		{image(`{"list":{"L":{"S":["u"]}}}`), true},
		{image(`{"list":{"L":{"M":{"deep":{"BOOL":[false]}}}}}`), true},
		{image(`{"ip":{"S":[{"cidr":"10.0.0.0/8"}]}}`), true},
		{image(`{"state":{"S":[{"cidr":"10.0.0.0/8"}]}}`), false},
		{`{"$or":[{"eventName":["REMOVE"]},{"awsRegion":["us-east-1"]}]}`, true},
		{`{"$or":[{"eventName":["REMOVE"]},{"awsRegion":["eu-west-1"]}]}`, false},
		{`{"eventName":["REMOVE"],"$or":[{"eventVersion":["1.1"]},{"awsRegion":["us-east-1"]}]}`, false}, // besides
		{image(`{"state":{"$or":[{"S":["x"]},{"S":[{"prefix":"P"}]}]}}`), true},
		{`{"eventName":{"S":["INSERT"]}}`, false},
		{`{"none":[null]}`, false},
	} {
		p, err := Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if p.Match(v) != c.want {
			t.Errorf("%s: not %v", c.pattern, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, pattern := range []string{
		``, `[]`, `{}`, `"x"`, `{"a":"b"}`, `{"a":[]}`, `{"a":{}}`, `{"a":1}`, `{"a":[["x"]]}`, `{"a":[{"prefix":1}]}`, `{"a":[{"no":"x"}]}`,
		`{"a":[{"prefix":"x","suffix":"y"}]}`, `{"a":[{"exists":"x"}]}`, `{"a":[{"numeric":["~",1]}]}`, `{"a":[{"numeric":["<",1,">",0]}]}`,
		`{"a":[{"numeric":["<"]}]}`, `{"a":[{"numeric":["=","1"]}]}`, `{"a":[{"anything-but":[]}]}`, `{"a":[{"anything-but":true}]}`,
		`{"a":[{"cidr":"x"}]}`, `{"a":[{"wildcard":"a**"}]}`, `{"a":[{"wildcard":"a\\b"}]}`, `{"$or":[{"a":["x"]}]}`, `{"$or":{"a":["x"]}} x`,
		`{"a":["x"]}{}`, `{"a":["x"]}}`, `{"a":["x"]}]`, `{"a":["` + strings.Repeat("x", MaxBytes) + `"]}`, strings.Repeat(`{"a":`, 200) + `["x"]` + strings.Repeat(`}`, 200),
	} {
		if p, err := Parse(pattern); err == nil {
			t.Errorf("%.80s is taken: %+v", pattern, p)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"eventName":["INSERT"]}`, `{"$or":[{"a":[{"anything-but":{"wildcard":"a*"}}]},{"b":[1,null]}]}`} {
		f.Add(s)
	}
	v, err := Decode([]byte(record))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		if p, err := Parse(s); err == nil {
			p.Match(v)
			p.Match(nil)
		}
	})
}
