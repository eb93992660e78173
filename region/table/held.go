package table

import (
	"errors"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/stream/record"
)

// What a commit does to indexes, and whether it remembers a delete, follows from the table's description. So every commit
// asks in its seal whether the description it worked under still stands. Seals run one at a time in commit order: whatever
// changes the catalog and then passes the store's commit lock (Barrier, RemoveTable, BuildIndex) knows that no commit under
// the older description comes after it.

// errStale says that a description changed under way: the commit is done again under the new one.
var errStale = errors.New("table: the description changed")

func errGone() error { return fault.New(fault.NotFound, "Requested resource not found") }

// current is the handle for the table as it is described now.
func (e *Engine) current(id record.TableID) (*Table, error) {
	if t := e.resolve(id); t != nil {
		return t, nil
	}
	return nil, errGone()
}

// standing fails with errStale if the table has another description now, and with fault.NotFound if it is gone. What a
// region keeps of a table for itself (catalog.Local) has no part in a commit.
func (t *Table) standing() error {
	now, err := t.engine.current(t.entry.ID)
	if err == nil && now.entry.Descriptor != t.entry.Descriptor {
		return errStale
	}
	return err
}

// held fails with fault.NotFound if the table is gone: what was read of it may be what its removal left.
func (t *Table) held() error {
	_, err := t.engine.current(t.entry.ID)
	return err
}
