package repltest

import (
	"context"
	"runtime"
	"time"

	"github.com/meridiandb/meridian/storage"
)

// Races between goroutines happen in virtual time only if these meet at one instant and let each other go ahead. So in some worlds
// they do, where they could: after each read of a transaction, and before a batch is applied.

// hurries reports whether this is such a world: a quarter are.
func (w *world) hurries() bool { return w.chance("yield").IntN(4) == 0 }

// meet returns at an instant at which others may come, too: clients' requests, and batches that arrive.
func (w *world) meet() {
	const instants = 20 * time.Millisecond
	if w.hurries() {
		time.Sleep(instants - time.Duration(time.Now().UnixNano())%instants)
	}
}

// yielding lets others go ahead after each read of a transaction.
func (w *world) yielding(s storage.Store) storage.Store {
	if !w.hurries() {
		return s
	}
	return yielding{s}
}

type yielding struct{ storage.Store }

func (y yielding) Begin(ctx context.Context, keys ...[]byte) (storage.Txn, error) {
	tx, err := y.Store.Begin(ctx, keys...)
	if err != nil {
		return nil, err
	}
	return yieldingTxn{tx}, nil
}

type yieldingTxn struct{ storage.Txn }

func (y yieldingTxn) Get(k []byte) ([]byte, error) {
	v, err := y.Txn.Get(k)
	runtime.Gosched()
	return v, err
}

func (y yieldingTxn) GetEach(keys [][]byte, found func(i int, value []byte) error) error {
	err := y.Txn.GetEach(keys, found)
	runtime.Gosched()
	return err
}

// tarryEvery is how many batches go by until one is late.
const tarryEvery = 24

// tarry is how late a batch is applied: most are not.
func (w *world) tarry() time.Duration {
	n := w.batches.Add(1)
	if n%tarryEvery != 0 {
		return 0
	}
	return time.Duration(1+w.chance("tarry", n/tarryEvery).IntN(200)) * time.Millisecond
}
