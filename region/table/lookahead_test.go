package table

import (
	"fmt"
	"testing"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
)

// TestLookahead reads what stands under each key, also when some are never asked for.
func TestLookahead(t *testing.T) {
	s := memstore.New()
	defer s.Close()
	var keys [][]byte
	put, err := s.Begin(bg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 * aheadMost {
		keys = append(keys, fmt.Appendf(nil, "k%03d", i))
		if i%3 != 0 {
			if err := put.Set(keys[i], fmt.Appendf(nil, "v%d", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	d, err := put.Commit(nil)
	if err == nil {
		err = d.Wait()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []int{1, 2, aheadMost - 1, aheadMost + 5, 100} {
		for _, n := range []int{1, aheadLeast, aheadMost, len(keys)} {
			tx, err := s.Begin(bg, keys...)
			if err != nil {
				t.Fatal(err)
			}
			l := lookahead{tx: tx, keys: keys[:n]}
			for i := 0; i < n; i += step {
				raw, err := l.get(i)
				if i%3 == 0 {
					if !storage.IsNotFound(err) {
						t.Fatalf("key %d: %q %v", i, raw, err)
					}
				} else if want := fmt.Sprintf("v%d", i); err != nil || string(raw) != want {
					t.Fatalf("key %d: %q %v, want %s", i, raw, err, want)
				}
			}
			tx.Discard()
		}
	}
}
