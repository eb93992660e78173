package region

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

var identityKey = storage.MetaKey("identity")

// identity says whose store this is. It is written when the store is made, and when an incarnation is over (fence.go).
type identity struct {
	Region      string `json:"region"`
	Incarnation uint64 `json:"incarnation"`
	// Begins is where the log stood when the incarnation began: nothing of it is at or before that.
	Begins record.Seq `json:"begins,omitempty"`
}

var namePattern = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)

// CheckName refuses what could not be a region's name: lower-case words joined by hyphens, like us-east-1.
func CheckName(name string) error {
	if len(name) > 40 || !namePattern.MatchString(name) {
		return fmt.Errorf("region name %q is not like us-east-1: lower-case letters and digits in parts joined by hyphens, 40 at most", name)
	}
	return nil
}

func (id *identity) origin() crdt.Origin {
	return crdt.Origin{Region: id.Region, Incarnation: id.Incarnation}
}

// loadIdentity reads the store's owner, or makes it this region's. A new store is a new incarnation: its stamps can never
// be taken for those of a store that was lost. End is where the store's log ends.
func loadIdentity(s storage.Store, name string, now int64, end record.Seq) (id identity, again bool, err error) {
	fresh := uint64(now)<<16 | uint64(rand.N(1<<16))
	v, err := s.Get(identityKey)
	if err == nil {
		if err := json.Unmarshal(v, &id); err != nil {
			return id, false, &storage.CorruptionError{Where: "region identity", Err: err}
		}
		if id.Region != name {
			return id, false, fmt.Errorf("the data folder belongs to region %s, not to %s", id.Region, name)
		}
		again, err = rebirth(s, &id, now, fresh, end)
		return id, again, err
	}
	if !storage.IsNotFound(err) {
		return id, false, err
	}
	id = identity{Region: name, Incarnation: fresh}
	b, err := json.Marshal(id)
	if err != nil {
		return id, false, err
	}
	return id, false, put(s, identityKey, b)
}

// put writes one key and waits for the disk.
func put(s storage.Store, k, v []byte) error {
	return write(s, func(w storage.Writer) error { return w.Set(k, v) })
}

// write runs fn's writes as one synced batch.
func write(s storage.Store, fn func(storage.Writer) error) error {
	tx, err := s.Begin(background)
	if err != nil {
		return err
	}
	defer tx.Discard()
	durable, err := tx.Commit(fn)
	if err != nil {
		return err
	}
	return durable.Wait()
}

var errClosed = fault.New(fault.Unavailable, "the region is shutting down")

func isClosed(err error) bool { return errors.Is(err, storage.ErrClosed) || errors.Is(err, errClosed) }
