package table

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
)

func token(id, request string) *Token { return &Token{ID: id, Digest: sha256.Sum256([]byte(request))} }

var counterKey = item.Key{Hash: []item.Value{item.Bin([]byte("counter"))}}

func counterPlus(tab *Table, n int) []TableWrite {
	return []TableWrite{{tab, Write{Op: Update, Key: counterKey, Update: update("ADD n :n", values{":n": num(n)})}}}
}

func counter(tab *Table) int64 {
	n, _ := must(tab.Get(bg, counterKey, true)).Item.Get("n").Num().Int64()
	return n
}

// DYNAMODB.md 7.3: a token holds for ten minutes after its transaction, over a restart too.
func TestToken(t *testing.T) {
	fs := vfs.NewMem()
	s := openPebble(t, fs)
	r := newRig(t, s, "a")
	tab := r.describe(narrow(false))
	transact := func(tok *Token, ws []TableWrite, replayed bool) {
		t.Helper()
		done, err := r.engine.Transact(bg, tok, ws)
		if err != nil || done.Reasons != nil || done.Replayed != replayed || len(done.Results) != len(ws) {
			t.Fatalf("%+v, error %v; replayed should be %v", done, err, replayed)
		}
		if replayed && (done.Results[0].Cost.Table != 1 || !done.Results[0].New.IsZero()) {
			t.Errorf("a replay answers %+v", done.Results[0])
		}
	}
	transact(token("t", "one"), counterPlus(tab, 1), false)
	transact(token("t", "one"), counterPlus(tab, 1), true)
	transact(token("u", "one"), counterPlus(tab, 1), false)
	if _, err := r.engine.Transact(bg, token("t", "two"), counterPlus(tab, 5)); fault.KindOf(err) != fault.IdempotentMismatch {
		t.Errorf("the same token with another request: %v", err)
	}
	r.close()
	now := r.now
	s = openPebble(t, fs)
	r = newRig(t, s, "a")
	defer r.close()
	r.now, tab = now, r.describe(narrow(false))
	transact(token("t", "one"), counterPlus(tab, 1), true)
	r.pass(tokenLife)
	transact(token("t", "one"), counterPlus(tab, 1), true)
	r.pass(1)
	transact(token("t", "two"), counterPlus(tab, 1), false) // over: it may be used anew
	transact(token("t", "two"), counterPlus(tab, 1), true)
	if n := counter(tab); n != 3 {
		t.Errorf("the counter is %d, not 3", n)
	}
	if more, err := r.engine.ForgetTokens(bg, r.now); more || err != nil {
		t.Fatal(more, err)
	}
	if n := countTokens(t, s); n != 2 { // t, used anew, found and in order of time; u is over
		t.Errorf("%d token entries are left, not 2", n)
	}
	transact(token("t", "two"), counterPlus(tab, 1), true)
	r.pass(tokenLife + 1)
	must(r.engine.ForgetTokens(bg, r.now))
	if n := countTokens(t, s); n != 0 {
		t.Errorf("%d token entries are left", n)
	}
}

func countTokens(t *testing.T, s storage.Reader) int {
	t.Helper()
	n := 0
	if err := walk(bg, s, []byte{storage.KindToken}, func(_, _ []byte) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// A transaction that did not happen leaves no token; one that had nothing to write does.
func TestTokenOfNothing(t *testing.T) {
	r := newRig(t, engines["pebblestore"](t), "a")
	defer r.close()
	tab := r.describe(narrow(false))
	check := []TableWrite{{tab, Write{Op: Check, Key: counterKey, Condition: cond("attribute_exists(id)", nil)}}}
	for range 2 {
		done, err := r.engine.Transact(bg, token("t", "check"), check)
		if err != nil || done.Reasons == nil || done.Replayed {
			t.Fatalf("%+v, %v", done, err)
		}
	}
	must(r.engine.Transact(bg, nil, counterPlus(tab, 1)))
	last := r.log.Last()
	for i := range 2 {
		done, err := r.engine.Transact(bg, token("t", "check"), check)
		if err != nil || done.Reasons != nil || done.Replayed != (i == 1) {
			t.Fatalf("%+v, %v", done, err)
		}
	}
	if r.log.Last() != last {
		t.Error("a check stands in the log")
	}
}

// Many at once with one token: exactly one of them does it.
func TestTokenRaces(t *testing.T) {
	onEngines(t, func(t *testing.T, s storage.Store) {
		r := newRig(t, s, "a")
		tab := r.describe(narrow(false))
		for round := range 20 {
			var wg sync.WaitGroup
			var did atomic.Int32
			for range 8 {
				wg.Go(func() {
					done, err := r.engine.Transact(bg, token(fmt.Sprint(round), ""), counterPlus(tab, 1))
					if err != nil || done.Reasons != nil {
						t.Errorf("%+v, %v", done, err)
					}
					if !done.Replayed {
						did.Add(1)
					}
				})
			}
			wg.Wait()
			if did.Load() != 1 || counter(tab) != int64(round+1) {
				t.Fatalf("round %d: done %d times, the counter is %d", round, did.Load(), counter(tab))
			}
		}
	})
}

// Forgetting is bounded, and goes on where it stopped.
func TestForgetTokensIsBounded(t *testing.T) {
	r := newRig(t, engines["pebblestore"](t), "a")
	defer r.close()
	const n = 16*forgetStep + 5
	err := r.engine.writeTokens(n, r.now)
	if err != nil {
		t.Fatal(err)
	}
	r.pass(tokenLife + 1)
	if more, err := r.engine.ForgetTokens(bg, r.now); !more || err != nil {
		t.Fatal(more, err)
	}
	if left := countTokens(t, r.store); left != 2*5 {
		t.Errorf("%d entries left", left)
	}
	if more, err := r.engine.ForgetTokens(bg, r.now); more || err != nil {
		t.Fatal(more, err)
	}
	if left := countTokens(t, r.store); left != 0 {
		t.Errorf("%d entries left", left)
	}
}

func (e *Engine) writeTokens(n int, now int64) error {
	tx, err := e.store.Begin(bg)
	if err != nil {
		return err
	}
	defer tx.Discard()
	for i := range n {
		if err := token(fmt.Sprint(i), "").write(tx, now, nil); err != nil {
			return err
		}
	}
	durable, err := tx.Commit(nil)
	if err != nil {
		return err
	}
	return durable.Wait()
}

// DYNAMODB.md section 6: a repeated transaction reads what the first was priced by, be it there or not; one of which that was
// not kept reads what is there now.
func TestTokenKeepsSizes(t *testing.T) {
	r := newRig(t, openPebble(t, vfs.NewMem()), "a")
	defer r.close()
	tab := r.describe(narrow(false))
	large := item.NewItem([]item.Field{{Name: "id", Value: counterKey.Hash[0]}, {Name: "v", Value: item.Bin(make([]byte, 9000))}})
	must(tab.Write(bg, Write{Op: Put, Item: large}))
	gone := []TableWrite{{tab, Write{Op: Delete, Key: counterKey}}}
	must(r.engine.Transact(bg, token("t", "one"), gone))
	again := must(r.engine.Transact(bg, token("t", "one"), gone))
	if !again.Replayed || again.Results[0].Cost.Table != 3 {
		t.Fatalf("%+v", again)
	}
	tok := token("t", "one")
	at, done, err := tok.done(r.engine.store, r.now)
	if err != nil || !done {
		t.Fatal(done, err)
	}
	for _, kept := range []struct {
		bytes string
		fails bool
	}{{"", false}, {"\x80", true}, {"\x01\x02", true}, {"gone", true}} {
		tx := must(r.engine.store.Begin(bg))
		if err := tx.Set(tok.timeKey(at), []byte(kept.bytes)); err != nil {
			t.Fatal(err)
		}
		if kept.bytes == "gone" {
			_ = tx.Delete(tok.timeKey(at))
		}
		must(tx.Commit(nil))
		if sizes, err := tok.sizes(r.engine.store, at, 1); sizes != nil || (err != nil) != kept.fails {
			t.Errorf("%q: %v, %v", kept.bytes, sizes, err)
		}
	}
}
