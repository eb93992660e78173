package table

import (
	"fmt"
	"testing"

	"github.com/meridiandb/meridian/item"
)

// TestGroups: neighbours go together, but no item twice and no more than is good for others who wait.
func TestGroups(t *testing.T) {
	put := func(key string, size int) *action {
		return &action{storeKey: []byte(key), Write: Write{Item: item.NewItem([]item.Field{{Name: "b", Value: item.Bin(make([]byte, size))}})}}
	}
	for _, c := range []struct {
		actions []*action
		want    string
	}{
		{nil, "[]"},
		{[]*action{put("a", 1), put("b", 1), put("c", 1)}, "[3]"},
		{[]*action{put("a", 1), put("a", 1), put("a", 1)}, "[1 1 1]"},
		{[]*action{put("a", 1), put("b", 1), put("a", 1), put("b", 1), put("c", 1)}, "[2 3]"},
		{[]*action{put("a", 300_000), put("b", 300_000), put("c", 300_000), put("d", 300_000)}, "[3 1]"},
		{[]*action{put("a", 2*groupBytes), put("b", 1), put("c", 2*groupBytes)}, "[1 1 1]"},
	} {
		sizes := []int{}
		for rest := c.actions; len(rest) > 0; {
			n := groupOf(rest)
			sizes, rest = append(sizes, n), rest[n:]
		}
		if got := fmt.Sprint(sizes); got != c.want {
			t.Errorf("%s instead of %s", got, c.want)
		}
	}
}
