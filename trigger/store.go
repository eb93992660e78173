package trigger

import (
	"context"
	"encoding/json"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/trigger/duty"
)

// stored is what a region keeps of a trigger besides its settings, as JSON under
//
//	trigger/<id>   in KindMeta
type stored struct {
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
