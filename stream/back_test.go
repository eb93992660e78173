package stream

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/stream/record"
)

// TestBack: the newest commit that is meant is found, the beginning only if nothing was trimmed, and no walk is longer than it may.
func TestBack(t *testing.T) {
	s := memstore.New()
	defer s.Close()
	l, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	var seqs []record.Seq
	g := rand.New(rand.NewPCG(newSeed(t), 1))
	for n := range int64(20) {
		c := randomCommit(g, n)
		if err := commit(s, l, &c); err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, c.Seq)
	}
	at := func(want record.Seq) func(*record.Order) bool {
		return func(o *record.Order) bool { return o.Seq <= want }
	}
	never := func(*record.Order) bool { return false }
	if got, err := l.Back(100, at(seqs[7])); err != nil || got != seqs[7] {
		t.Errorf("found %d, %v", got, err)
	}
	if got, err := l.Back(100, never); err != nil || got != 0 {
		t.Errorf("the beginning: %d, %v", got, err)
	}
	if _, err := l.Back(5, at(seqs[7])); !errors.Is(err, errFar) {
		t.Errorf("too far: %v", err)
	}
	if err := l.Trim(context.Background(), seqs[9], func(record.TableID) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Back(100, at(seqs[12])); err != nil || got != seqs[12] {
		t.Errorf("after trimming: %d, %v", got, err)
	}
	if _, err := l.Back(100, never); !errors.Is(err, ErrTrimmed) {
		t.Errorf("trimmed: %v", err)
	}
}
