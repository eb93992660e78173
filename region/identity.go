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
)

var identityKey = storage.MetaKey("identity")

// identity says whose store this is. It is written once, when the store is made.
type identity struct {
	Region      string `json:"region"`
	Incarnation uint64 `json:"incarnation"`
}

var namePattern = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)

// CheckName refuses what could not be a region's name: lower-case words joined by hyphens, like us-east-1.
func CheckName(name string) error {
	if len(name) > 40 || !namePattern.MatchString(name) {
		return fmt.Errorf("region name %q is not like us-east-1: lower-case letters and digits in parts joined by hyphens, 40 at most", name)
	}
	return nil
}

// loadIdentity reads the store's owner, or makes it this region's. A new store is a new incarnation: its stamps can never
// be taken for those of a store that was lost.
func loadIdentity(s storage.Store, name string, now int64) (crdt.Origin, error) {
	v, err := s.Get(identityKey)
	if err == nil {
		var id identity
		if err := json.Unmarshal(v, &id); err != nil {
			return crdt.Origin{}, &storage.CorruptionError{Where: "region identity", Err: err}
		}
		if id.Region != name {
			return crdt.Origin{}, fmt.Errorf("the data folder belongs to region %s, not to %s", id.Region, name)
		}
		return crdt.Origin{Region: id.Region, Incarnation: id.Incarnation}, nil
	}
	if !storage.IsNotFound(err) {
		return crdt.Origin{}, err
	}
	id := identity{Region: name, Incarnation: uint64(now)<<16 | uint64(rand.N(1<<16))}
	b, err := json.Marshal(id)
	if err != nil {
		return crdt.Origin{}, err
	}
	return crdt.Origin{Region: name, Incarnation: id.Incarnation}, put(s, identityKey, b)
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
