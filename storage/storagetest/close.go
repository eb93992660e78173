package storagetest

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/meridiandb/meridian/storage"
)

// testCloseWaits has each kind of user inside while Close runs. What they hold goes on working.
func testCloseWaits(t *testing.T, open Open) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, open)
		set(t, s, "a", "1")
		txn, snap := begin(t, s, "a"), s.Snapshot()
		it, err := s.NewIter(storage.IterOptions{})
		must(t, err)
		closed, second := false, false
		go func() {
			must(t, s.Close())
			closed = true
		}()
		still := func(what string) {
			t.Helper()
			if synctest.Wait(); closed {
				t.Fatalf("Close did not wait for the %s", what)
			}
		}
		still("Txn")
		if synctest.Wait(); true {
			_, err := s.Begin(context.Background())
			wantErr(t, "Begin while closing", err, storage.ErrClosed)
		}
		go func() {
			wantErr(t, "second Close", s.Close(), storage.ErrClosed)
			second = true
		}()
		if synctest.Wait(); !second {
			t.Error("the second Close waits")
		}
		wantGet(t, txn, "a", "1")
		inner, err := txn.NewIter(storage.IterOptions{})
		must(t, err)
		must(t, txn.Set([]byte("a"), []byte("2")))
		d, err := txn.Commit(nil)
		must(t, err)
		must(t, d.Wait())
		still("Txn's Iter")
		must(t, inner.Close())
		still("Snapshot")
		wantGet(t, snap, "a", "1")
		must(t, snap.Close())
		still("Iter")
		if !it.First() || string(it.Value()) != "1" {
			t.Error("the Iter broke while Close waits for it")
		}
		must(t, it.Close())
		if synctest.Wait(); !closed {
			t.Error("Close still waits, for nobody")
		}
	})
}

func testCloseEndsWaiting(t *testing.T, open Open) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, open)
		holder := begin(t, s, "k")
		var waited error
		go func() { _, waited = s.Begin(context.Background(), []byte("k")) }()
		synctest.Wait()
		go s.Close()
		synctest.Wait()
		wantErr(t, "Begin that waited when Close began", waited, storage.ErrClosed)
		holder.Discard()
		synctest.Wait()
	})
}

func testClosed(t *testing.T, open Open) {
	s := opened(t, open)
	select {
	case <-s.Done():
		t.Error("Done is closed while the store works")
	default:
	}
	must(t, s.Err())
	must(t, s.Close())
	<-s.Done()
	if s.Err() != storage.ErrClosed {
		t.Errorf("Err = %v", s.Err())
	}
	for what, f := range map[string]func() error{
		"Get":        func() error { _, err := s.Get([]byte("a")); return err },
		"NewIter":    func() error { _, err := s.NewIter(storage.IterOptions{}); return err },
		"Begin":      func() error { _, err := s.Begin(context.Background(), []byte("a")); return err },
		"Checkpoint": func() error { return s.Checkpoint(filepath.Join(t.TempDir(), "copy")) },
		"DiskUsage":  func() error { _, err := s.DiskUsage(); return err },
		"Close":      s.Close,
		"Snapshot": func() error {
			snap := s.Snapshot()
			defer snap.Close()
			if _, err := snap.NewIter(storage.IterOptions{}); err == nil {
				t.Error("a snapshot of a closed store has an iterator")
			}
			_, err := snap.Get([]byte("a"))
			return err
		},
	} {
		wantErr(t, what, f(), storage.ErrClosed)
	}
}
