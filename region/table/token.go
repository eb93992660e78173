package table

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/storage"
)

// Token makes a transaction idempotent for ten minutes after it happened: the same token with the same request succeeds
// without doing anything, with another request it is refused. Two at once wait for each other. A transaction that did not
// happen leaves no trace.
type Token struct {
	ID     string   // as the client gave it
	Digest [32]byte // of everything in the request that counts
}

// Tokens are stored in the batch of their transaction, twice: once to be found, once in order of time to be forgotten.
//
//	key                                      value
//	offset  size  field                      offset  size  field
//	0       1     storage.KindToken          0       8     unix milliseconds when it happened, big endian
//	1       1     0                          8       32    digest of the request
//	2       …     token
//
//	0       1     storage.KindToken          0       …     for each action, the size in bytes of what it was priced by:
//	1       1     1                                        a uvarint. Nothing in tokens of before this was kept
//	2       8     unix milliseconds, big endian
//	10      …     token
const (
	tokenByID   = 0
	tokenByTime = 1
	tokenSize   = 8 + 32
)

// tokenLife is how long a token is remembered.
const tokenLife = int64(10 * time.Minute / time.Millisecond)

func (t *Token) key() []byte { return append([]byte{storage.KindToken, tokenByID}, t.ID...) }

func tokenTimePrefix() []byte { return []byte{storage.KindToken, tokenByTime} }

func (t *Token) timeKey(at int64) []byte {
	return append(binary.BigEndian.AppendUint64(tokenTimePrefix(), uint64(at)), t.ID...)
}

// done reports whether, and if so when, the token's transaction has happened already.
func (t *Token) done(r storage.Reader, now int64) (at int64, done bool, err error) {
	v, err := r.Get(t.key())
	if storage.IsNotFound(err) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	at, err = tokenTime(t.key(), v)
	if err != nil {
		return 0, false, err
	}
	if now-at > tokenLife {
		return 0, false, nil
	}
	if !bytes.Equal(v[8:], t.Digest[:]) {
		return 0, false, fault.New(fault.IdempotentMismatch,
			"DynamoDB rejected the request because you retried a request with a different payload but with an idempotent token that was already used.")
	}
	return at, true, nil
}

// sizes are what the actions of a transaction that happened at a time were priced by; nil if that was not kept.
func (t *Token) sizes(r storage.Reader, at int64, actions int) ([]int, error) {
	v, err := r.Get(t.timeKey(at))
	if storage.IsNotFound(err) {
		return nil, storage.Corruptf(fmt.Sprintf("token %x", t.key()), "it is not among those in order of time")
	}
	if err != nil || len(v) == 0 {
		return nil, err
	}
	var list []int
	for len(v) > 0 {
		size, n := binary.Uvarint(v)
		if n <= 0 {
			break
		}
		list, v = append(list, int(size)), v[n:]
	}
	if len(v) > 0 || len(list) != actions {
		return nil, storage.Corruptf(fmt.Sprintf("token time %x", t.timeKey(at)), "%d sizes of %d actions", len(list), actions)
	}
	return list, nil
}

func tokenTime(key, value []byte) (int64, error) {
	if len(value) != tokenSize {
		return 0, storage.Corruptf(fmt.Sprintf("token %x", key), "%d bytes instead of %d", len(value), tokenSize)
	}
	return int64(binary.BigEndian.Uint64(value)), nil
}

func (t *Token) write(w storage.Writer, now int64, actions []*action) error {
	v := binary.BigEndian.AppendUint64(make([]byte, 0, tokenSize), uint64(now))
	if err := w.Set(t.key(), append(v, t.Digest[:]...)); err != nil {
		return err
	}
	sizes := make([]byte, 0, 4*len(actions))
	for _, a := range actions {
		sizes = binary.AppendUvarint(sizes, uint64(a.priced()))
	}
	return w.Set(t.timeKey(now), sizes)
}

// forgetStep is how many tokens one batch forgets.
const forgetStep = 512

// ForgetTokens removes tokens that are over at a time in unix milliseconds, some thousands at most, so that it never takes
// long; more says that there are others. Region's housekeeping calls it.
func (e *Engine) ForgetTokens(ctx context.Context, now int64) (more bool, err error) {
	for range 16 {
		if more, err = e.forgetSome(ctx, now); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// forgetSome forgets the oldest tokens. Their keys are held, so that a token that is used anew just now stays.
func (e *Engine) forgetSome(ctx context.Context, now int64) (more bool, err error) {
	old, err := e.oldTokens(now)
	if err != nil || len(old) == 0 {
		return false, err
	}
	keys := make([][]byte, len(old))
	for i := range old {
		keys[i] = old[i].token.key()
	}
	tx, err := e.store.Begin(ctx, keys...)
	if err != nil {
		return false, err
	}
	defer tx.Discard()
	for i, o := range old {
		if err := tx.Delete(o.token.timeKey(o.at)); err != nil {
			return false, err
		}
		v, err := tx.Get(keys[i])
		if storage.IsNotFound(err) {
			continue
		}
		if err != nil {
			return false, err
		}
		at, err := tokenTime(keys[i], v)
		if err != nil {
			return false, err
		}
		if at != o.at {
			continue // used again since
		}
		if err := tx.Delete(keys[i]); err != nil {
			return false, err
		}
	}
	durable, err := tx.Commit(nil)
	if err != nil {
		return false, err
	}
	return len(old) == forgetStep, durable.Wait()
}

type oldToken struct {
	token Token
	at    int64
}

func (e *Engine) oldTokens(now int64) (old []oldToken, err error) {
	if now <= tokenLife {
		return nil, nil
	}
	it, err := e.store.NewIter(storage.IterOptions{
		Lower: tokenTimePrefix(), Upper: binary.BigEndian.AppendUint64(tokenTimePrefix(), uint64(now-tokenLife)),
	})
	if err != nil {
		return nil, err
	}
	for ok := it.First(); ok && len(old) < forgetStep; ok = it.Next() {
		k := it.Key()[2:]
		if len(k) < 8 {
			err = storage.Corruptf(fmt.Sprintf("token time %x", it.Key()), "%d bytes", len(it.Key()))
			break
		}
		old = append(old, oldToken{Token{ID: string(k[8:])}, int64(binary.BigEndian.Uint64(k))})
	}
	return old, joined(err, it)
}
