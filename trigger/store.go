package trigger

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/trigger/duty"
)

// stored is what a region keeps of a trigger besides its settings, as JSON under
//
//	trigger/<id>   in KindMeta
type stored struct {
	Created int64                `json:"created"` // of the trigger: one that was made anew under the same id begins anew
	Claim   duty.Claim           `json:"claim"`
	Covered vector               `json:"covered,omitempty"` // everything up to here is done with, here or elsewhere
	Begin   string               `json:"begin,omitempty"`   // everything in this region's log up to here is
	Shards  map[string]shardMark `json:"shards,omitempty"`  // of this region's stream
}

// shardMark is how far a shard is done with.
type shardMark struct {
	At   string `json:"at"`
	Done bool   `json:"done,omitempty"` // it is closed, and all of it
}

func storeKey(id string) []byte { return storage.MetaKey("trigger/" + id) }

// load reads what is kept of a trigger; nothing is no error.
func load(s storage.Store, id string) (st stored, err error) {
	b, err := s.Get(storeKey(id))
	if storage.IsNotFound(err) {
		return st, nil
	}
	if err == nil {
		if err = json.Unmarshal(b, &st); err != nil {
			err = &storage.CorruptionError{Where: "trigger " + id, Err: err}
		}
	}
	return st, err
}

// save returns when it is durable.
func save(s storage.Store, id string, st stored) error {
	b, err := json.Marshal(st)
	if err != nil {
		return err
	}
	return write(s, func(tx storage.Txn) error { return tx.Set(storeKey(id), b) })
}

// sweep forgets what is kept of triggers that are not named: they were deleted while this region was away.
func sweep(s storage.Store, named map[string]bool) error {
	prefix := storeKey("")
	it, err := s.NewIter(storage.PrefixRange(prefix))
	if err != nil {
		return err
	}
	var gone []string
	for ok := it.First(); ok; ok = it.Next() {
		if id := string(it.Key()[len(prefix):]); !named[id] {
			gone = append(gone, id)
		}
	}
	err = errors.Join(it.Err(), it.Close())
	for _, id := range gone {
		err = errors.Join(err, forget(s, id))
	}
	return err
}

func forget(s storage.Store, id string) error {
	return write(s, func(tx storage.Txn) error { return tx.Delete(storeKey(id)) })
}

func write(s storage.Store, fn func(storage.Txn) error) error {
	tx, err := s.Begin(context.Background())
	if err != nil {
		return err
	}
	defer tx.Discard()
	if err := fn(tx); err != nil {
		return err
	}
	durable, err := tx.Commit(func(storage.Writer) error { return nil })
	if err != nil {
		return err
	}
	return durable.Wait()
}
