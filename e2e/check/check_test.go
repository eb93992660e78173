package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestCanonicalTellsItemsApart(t *testing.T) {
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	n := func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
	different := []attributes{
		{},
		{"a": s("1")},
		{"a": n("1")},
		{"a": n("1.0")},
		{"a": s("1"), "b": s("")},
		{"a": s(`1" "b":"`)},
		{"a": &types.AttributeValueMemberB{Value: []byte("1")}},
		{"a": &types.AttributeValueMemberBOOL{Value: true}},
		{"a": &types.AttributeValueMemberBOOL{}},
		{"a": &types.AttributeValueMemberNULL{Value: true}},
		{"a": &types.AttributeValueMemberL{Value: []types.AttributeValue{s("1"), s("2")}}},
		{"a": &types.AttributeValueMemberL{Value: []types.AttributeValue{s("2"), s("1")}}},
		{"a": &types.AttributeValueMemberM{Value: attributes{"1": s("2")}}},
		{"a": &types.AttributeValueMemberSS{Value: []string{"1", "2"}}},
		{"a": &types.AttributeValueMemberNS{Value: []string{"1", "2"}}},
		{"a": &types.AttributeValueMemberBS{Value: [][]byte{[]byte("1"), []byte("2")}}},
	}
	seen := map[string]int{}
	for i, it := range different {
		text := it.canonical()
		if j, ok := seen[text]; ok {
			t.Errorf("%v and %v are both %s", different[j], it, text)
		}
		seen[text] = i
	}
	a := attributes{"a": &types.AttributeValueMemberSS{Value: []string{"1", "2"}}}
	b := attributes{"a": &types.AttributeValueMemberSS{Value: []string{"2", "1"}}}
	if a.canonical() != b.canonical() {
		t.Errorf("a set's order matters: %s, %s", a.canonical(), b.canonical())
	}
}

func TestPickNeedsTheWholeKey(t *testing.T) {
	it := attributes{"a": &types.AttributeValueMemberS{Value: "x"}, "b": &types.AttributeValueMemberN{Value: "1"}}
	if text, ok := it.pick([]string{"b"}); !ok || text != `{"b":1}` {
		t.Errorf("pick b: %s, %v", text, ok)
	}
	if _, ok := it.pick([]string{"a", "c"}); ok {
		t.Error("pick a, c: c is not there")
	}
}

func TestCompareNamesEveryKindOfDifference(t *testing.T) {
	want := contents{"a": "1", "b": "2", "c": "3"}
	if diff := compare(contents{"a": "1", "b": "2", "c": "3"}, want); diff != "" {
		t.Errorf("equal contents differ: %s", diff)
	}
	diff := compare(contents{"a": "1", "b": "9", "d": "4"}, want)
	for _, part := range []string{"1 missing, like c", "1 too many, like d", "1 different, like 9 is not 2"} {
		if !strings.Contains(diff, part) {
			t.Errorf("%q does not say %q", diff, part)
		}
	}
}

func TestHoldsFindsLostAndChangedWrites(t *testing.T) {
	acked := contents{"a": "1"}
	if err := holds(contents{"a": "1", "b": "2"}, acked); err != nil {
		t.Error(err)
	}
	if err := holds(contents{"b": "2"}, acked); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("a lost write: %v", err)
	}
	if err := holds(contents{"a": "2"}, acked); err == nil {
		t.Error("a changed write passes")
	}
}

// What write notes is what equal --acks reads and scan finds.
func TestAcksRoundTrip(t *testing.T) {
	name := filepath.Join(t.TempDir(), "acks")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	it := attributes{keyName: &types.AttributeValueMemberS{Value: `odd "key"` + "\n"}, "b": &types.AttributeValueMemberB{Value: []byte{0, 255}}}
	book := &ackBook{file: file}
	book.add("here", it)
	if err := errors.Join(book.err, file.Close()); err != nil {
		t.Fatal(err)
	}
	got, err := readAcks([]string{name})
	key, _ := it.pick([]string{keyName})
	if err != nil || got[key] != it.canonical() {
		t.Errorf("read back %v, %v", got, err)
	}
}

func TestIsoCodesReadsRecordsAsTheLoaderWritesThem(t *testing.T) {
	folder := t.TempDir()
	for _, s := range isoStandards() {
		text := `{"` + s.name + `":[{"` + s.code + `":"X","name":"Nowhere"}]}`
		if s.name == "3166-1" {
			text = `{"3166-1":[{"alpha_3":"X","name":"Nowhere","numeric":"004"}]}`
		}
		if err := os.WriteFile(filepath.Join(folder, s.file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := isoCodes(folder)
	if err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	want := `{"code":"X" "name":"Nowhere" "numeric":4 "standard":"3166-1"}`
	if item := got[`{"code":"X" "standard":"3166-1"}`]; item != want {
		t.Errorf("%s, want %s", item, want)
	}
}

func TestLevelWantsEveryLinkUpAndEmpty(t *testing.T) {
	up := `{"region":"P","connected":true,"sending":{"seconds":0,"commits":0,"bytes":0},"receiving":{"seconds":0,"commits":0,"bytes":0}}`
	busy := strings.Replace(up, `"commits":0`, `"commits":3`, 1)
	down := strings.Replace(up, "true", "false", 1)
	region := func(name, peer, link string) string {
		return `{"region":"` + name + `","ready":true,"peers":[` + strings.Replace(link, `"P"`, `"`+peer+`"`, 1) + `]}`
	}
	two := func(ab, ba string) string {
		return `{"regions":[` + region("a", "b", ab) + "," + region("b", "a", ba) + `]}`
	}
	for _, c := range []struct {
		name, cutOff, text, complaint string
	}{
		{"level", "", two(up, up), ""},
		{"lag", "", two(up, busy), "b has 3 commits to send to a and 0 to apply"},
		{"down", "", two(up, down), "b has no link to a"},
		{"no peers", "", `{"regions":[{"region":"a","ready":true},{"region":"b","ready":true}]}`, "a has 0 links of 1"},
		{"one missing", "", `{"regions":[` + region("a", "b", up) + `]}`, "1 regions of 2"},
		{"not ready", "", `{"regions":[{"region":"a"},` + region("b", "a", up) + `]}`, "a is not ready"},
		{"cut off", "b", two(down, down), ""},
		{"not yet cut off", "b", two(down, up), "b is still linked with a"},
	} {
		var s status
		if err := json.Unmarshal([]byte(c.text), &s); err != nil {
			t.Fatal(err)
		}
		err := levelOptions{regions: 2, cutOff: c.cutOff}.complaint(s)
		if (err == nil) != (c.complaint == "") || err != nil && !strings.Contains(err.Error(), c.complaint) {
			t.Errorf("%s: %v, want %q", c.name, err, c.complaint)
		}
	}
}

func TestPercentile(t *testing.T) {
	var times []time.Duration
	for i := 100; i > 0; i-- {
		times = append(times, time.Duration(i))
	}
	for p, want := range map[int]time.Duration{0: 1, 1: 1, 50: 50, 99: 99, 100: 100} {
		if got := percentile(times, p); got != want {
			t.Errorf("p%d of 1..100 is %d", p, got)
		}
	}
	if got := percentile(nil, 50); got != 0 {
		t.Errorf("p50 of nothing is %d", got)
	}
	if got := percentile([]time.Duration{7}, 99); got != 7 {
		t.Errorf("p99 of one is %d", got)
	}
}

func TestUntilGivesUpWithTheLastComplaint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, asked := time.Now(), 0
		err := until(t.Context(), time.Second, 100*time.Millisecond, func(context.Context) error {
			asked++
			return errors.New("not yet")
		})
		if err == nil || !strings.Contains(err.Error(), "not yet") || time.Since(began) > 2*time.Second || asked < 9 {
			t.Errorf("after %s and %d questions: %v", time.Since(began), asked, err)
		}
		asked = 0
		err = until(t.Context(), time.Second, 100*time.Millisecond, func(context.Context) error {
			if asked++; asked < 3 {
				return errors.New("not yet")
			}
			return nil
		})
		if err != nil || asked != 3 {
			t.Errorf("%d questions: %v", asked, err)
		}
	})
}
