package api

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"
	"sync"
)

// runningTokens are the idempotency tokens of transactions that run now: as many as there are such requests. What has run
// is remembered by the region, in the transaction's own batch.
type runningTokens struct {
	mu     sync.Mutex
	tokens map[string]bool
}

// begin reports false if a transaction of that token runs already.
func (r *runningTokens) begin(token string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tokens[token] {
		return false
	}
	if r.tokens == nil {
		r.tokens = map[string]bool{}
	}
	r.tokens[token] = true
	return true
}

func (r *runningTokens) end(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.tokens, token)
}

func errInProgress() error {
	return clientError("TransactionInProgressException", "The transaction with the given request token is already in progress.")
}

// digest is over what the transaction does, however the client wrote it down: members in another order, or a table by its
// ARN, are the same request. What the answer shows does not count.
func (in *transactWriteInput) digest() (sum [sha256.Size]byte) {
	d := digester{sha256.New()}
	d.number(len(in.actions))
	for i := range in.actions {
		in.actions[i].digest(d)
	}
	d.hash.Sum(sum[:0])
	return sum
}

func (a *transactAction) digest(d digester) {
	d.number(int(a.op))
	d.text(a.table.Descriptor().Name)
	d.bytes(a.item.item.Encoded())
	for _, t := range []text{a.condition, a.update, a.onFailure} {
		if t.set {
			d.number(1)
		}
		d.text(t.s)
	}
	d.number(len(a.names))
	for _, k := range slices.Sorted(maps.Keys(a.names)) {
		d.text(k)
		d.text(a.names[k])
	}
	d.number(len(a.values))
	for _, k := range slices.Sorted(maps.Keys(a.values)) {
		d.text(k)
		d.bytes(a.values[k].Encoded())
	}
}

// digester feeds a hash so that different parts never make the same bytes: every part goes with its length.
type digester struct{ hash hash.Hash }

func (d digester) number(n int) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	d.hash.Write(b[:])
}

func (d digester) bytes(b []byte) {
	d.number(len(b))
	d.hash.Write(b)
}

func (d digester) text(s string) { d.bytes([]byte(s)) }
