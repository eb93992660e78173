package storagetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridiandb/meridian/storage"
)

// versionKey holds the number of the last commit, written by its seal.
const versionKey = "~version"

// history is the plain model: what the store holds after each commit.
type history struct {
	mu     sync.Mutex
	states []map[string]string // by commit number; never changed
}

func (h *history) at(n int) map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n >= len(h.states) {
		return nil
	}
	return h.states[n]
}

// op is one write of a random transaction.
type op struct {
	kind string
	a, b string
}

func (o op) store(w storage.Writer) error {
	switch o.kind {
	case "set":
		return w.Set([]byte(o.a), []byte(o.b))
	case "delete":
		return w.Delete([]byte(o.a))
	case "range":
		return w.DeleteRange([]byte(o.a), []byte(o.b))
	default:
		return w.Merge([]byte(o.a), []byte(o.b))
	}
}

func (o op) model(m map[string]string) {
	switch o.kind {
	case "set":
		m[o.a] = o.b
	case "delete":
		delete(m, o.a)
	case "range":
		maps.DeleteFunc(m, func(k, _ string) bool { return k >= o.a && k < o.b })
	default:
		m[o.a] = xorModel(m[o.a], o.b)
	}
}

// xorModel is the plain definition of a merge, byte by byte.
func xorModel(a, b string) string {
	out := make([]byte, max(len(a), len(b)))
	for i := range out {
		if i < len(a) {
			out[i] ^= a[i]
		}
		if i < len(b) {
			out[i] ^= b[i]
		}
	}
	return string(out)
}

func drawOp(t *rapid.T) op {
	key := rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 1, 3, -1)
	o := op{kind: rapid.SampledFrom([]string{"set", "set", "set", "merge", "merge", "delete", "range"}).Draw(t, "op")}
	o.a = key.Draw(t, "key")
	switch o.kind {
	case "range":
		o.b = key.Draw(t, "end")
	case "set", "merge":
		o.b = rapid.StringOfN(rapid.RuneFrom([]rune("01")), 0, 5, -1).Draw(t, "value")
	}
	return o
}

// testHistory runs random transactions of several writers and has readers check, all the while, that any snapshot is exactly
// the model after some commit, and that no reader goes back in time.
func testHistory(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		plans := rapid.SliceOfN(rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(drawOp), 0, 6), 1, 12), 1, 4).Draw(rt, "transactions")
		s := open(t)
		h := &history{states: []map[string]string{{}}}
		done := make(chan struct{})
		var problems []error // of goroutines; rapid wants to hear of them from its own
		var mu sync.Mutex
		report := func(err error) {
			if err != nil {
				mu.Lock()
				problems = append(problems, err)
				mu.Unlock()
			}
		}
		var readers, writers sync.WaitGroup
		for range 2 {
			readers.Go(func() {
				seen := 0
				for {
					n, err := h.check(s, seen)
					report(err)
					seen = n
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		for w, plan := range plans {
			writers.Go(func() {
				for i, ops := range plan {
					report(h.commit(t, s, ops, (w+i)%5 == 4))
				}
			})
		}
		writers.Wait()
		close(done)
		readers.Wait()
		n, err := h.check(s, 0)
		report(err)
		if n != len(h.states)-1 {
			report(fmt.Errorf("the store stands at commit %d of %d", n, len(h.states)-1))
		}
		report(s.Close())
		if err := errors.Join(problems...); err != nil {
			rt.Fatal(err)
		}
	})
}

// commit runs one transaction; the last write, the number and the model's next state are made inside seal.
func (h *history) commit(t testing.TB, s storage.Store, ops []op, fails bool) error {
	x := begin(t, s)
	defer x.Discard()
	head := ops
	if len(ops) > 0 {
		head = ops[:len(ops)-1]
	}
	for _, o := range head {
		if err := o.store(x); err != nil {
			return err
		}
	}
	d, err := x.Commit(func(w storage.Writer) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, o := range ops[len(head):] {
			if err := o.store(w); err != nil {
				return err
			}
		}
		if err := w.Set([]byte(versionKey), []byte(strconv.Itoa(len(h.states)))); err != nil {
			return err
		}
		if fails {
			return errRefused
		}
		state := maps.Clone(h.states[len(h.states)-1])
		for _, o := range ops {
			o.model(state)
		}
		h.states = append(h.states, state)
		return nil
	})
	if fails {
		if err != errRefused {
			return fmt.Errorf("Commit: %w, want the refusal", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	return d.Wait()
}

var errRefused = errors.New("refused")

// check compares a snapshot with the model at the commit whose number it shows, forwards, backwards and key by key.
func (h *history) check(s storage.Store, seen int) (n int, err error) {
	snap := s.Snapshot()
	defer snap.Close()
	v, err := snap.Get([]byte(versionKey))
	if err == nil {
		n, err = strconv.Atoi(string(v))
	} else if storage.IsNotFound(err) {
		err = nil
	}
	if err != nil {
		return n, err
	}
	if n < seen {
		return n, fmt.Errorf("a snapshot shows commit %d after one that showed %d", n, seen)
	}
	model := h.at(n)
	var want []string
	for _, k := range sortedKeys(model) {
		want = append(want, k+"="+model[k])
		if v, err := snap.Get([]byte(k)); err != nil || string(v) != model[k] {
			return n, fmt.Errorf("commit %d: key %q is %q, %v, want %q", n, k, v, err, model[k])
		}
	}
	got, err := dump(snap, storage.IterOptions{Upper: []byte(versionKey)})
	if err != nil || !slices.Equal(got, want) {
		return n, fmt.Errorf("commit %d: contents are %q, %v, want %q", n, got, err, want)
	}
	return n, backwards(snap, want)
}

// backwards reads from the last key to the first.
func backwards(r storage.Reader, want []string) error {
	it, err := r.NewIter(storage.IterOptions{Upper: []byte(versionKey)})
	if err != nil {
		return err
	}
	var got []string
	for ok := it.Last(); ok; ok = it.Prev() {
		got = append(got, fmt.Sprintf("%s=%s", it.Key(), it.Value()))
	}
	if err := errors.Join(it.Err(), it.Close()); err != nil {
		return err
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		return fmt.Errorf("backwards the contents are %q, want %q", got, want)
	}
	return nil
}
