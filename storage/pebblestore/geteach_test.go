package pebblestore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
)

// TestGetEachOnDisk looks up keys in the lowest level, in level 0 and in memory, new ones and deleted ones among them.
func TestGetEachOnDisk(t *testing.T) {
	s, err := Open("data", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it is in memory
	seed := rand.Uint64()
	t.Log("seed", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	const keys = 2000
	key := func(i int) []byte { return fmt.Appendf(nil, "k%05d", i) }
	model := map[string]string{}
	change := func(n int) {
		tx, err := s.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Discard()
		for range n {
			k := key(2 * rnd.IntN(keys/2))
			if rnd.IntN(4) == 0 {
				err = tx.Delete(k)
				delete(model, string(k))
			} else {
				v := fmt.Sprint(rnd.Uint64())
				err = tx.Set(k, []byte(v))
				model[string(k)] = v
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		d, err := tx.Commit(nil)
		if err == nil {
			err = d.Wait()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(from, step int) {
		tx, err := s.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Discard()
		var all [][]byte
		want := 0
		for i := from; i < keys; i += step {
			all = append(all, key(i))
			if _, ok := model[string(key(i))]; ok {
				want++
			}
		}
		err = tx.GetEach(all, func(i int, value []byte) error {
			want--
			if string(value) != model[string(all[i])] {
				t.Errorf("%s is %q, not %q", all[i], value, model[string(all[i])])
			}
			return nil
		})
		if err != nil || want != 0 {
			t.Errorf("from %d in steps of %d: %d too few, %v", from, step, want, err)
		}
	}
	for round := range 6 {
		change(keys / 4)
		switch round {
		case 1, 4:
			err = s.db.Compact(context.Background(), []byte("a"), []byte("z"), false)
		case 0, 2:
			err = s.db.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []int{1, 2, 7, 333, keys} {
			look(rnd.IntN(keys), step)
			look(0, step)
		}
	}
	var last storage.Txn
	if last, err = s.Begin(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer last.Discard()
	if err := last.GetEach([][]byte{[]byte("z1"), []byte("z2")}, func(int, []byte) error { t.Error("found"); return nil }); err != nil {
		t.Error(err)
	}
}
