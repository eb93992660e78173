package table

import (
	"context"
	"errors"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
)

// Restore writes what a listed conflict's loser had written back, as a new write of this region, if the winner is unchanged:
// of a loser that lost as a whole, the whole item, or its delete, while the winner is still the newest write; of one that lost
// some attributes, those, while they have the winner's values. Else it fails with fault.ConditionFailed. It returns the item
// as it is then.
func (t *Table) Restore(ctx context.Context, key item.Key, loser crdt.Stamp) (item.Item, error) {
	list, _, err := t.Conflicts(ctx, ConflictQuery{Key: &key, Loser: loser, Limit: 1})
	if err != nil {
		return item.Item{}, err
	}
	if len(list) == 0 {
		return item.Item{}, fault.New(fault.NotFound, "the conflict feed has no write %s of this item", loser)
	}
	c := &list[0]
	w := Write{Op: Update, Key: key}
	switch {
	case c.All && c.Image.IsZero():
		w.Op = Delete
	case c.All:
		w.Op, w.Item = Put, c.Item()
	}
	a, err := t.action(w)
	if err != nil {
		return item.Item{}, err
	}
	a.restoring = c
	p := t.engine.start(ctx, nil, a)
	res, err := a.outcome(ctx, t.engine, &p)
	var changed *ConditionFailed
	if errors.As(err, &changed) {
		err = fault.New(fault.ConditionFailed, "the item has changed since %s won against %s: look at it again", c.Winner, loser)
	}
	return res.New, err
}

// restore works out the item after a restore.
func (a *action) restore() error {
	c := a.restoring
	if c.All {
		if a.stored.Stamp() != c.Winner {
			return &ConditionFailed{Item: a.old}
		}
		a.new = c.Item()
		return nil
	}
	if a.old.IsZero() {
		return &ConditionFailed{}
	}
	var fields []item.Field
	for _, f := range c.Fields {
		if !a.old.Get(f.Name).Equal(c.Beaten.Get(f.Name)) {
			return &ConditionFailed{Item: a.old}
		}
		fields = append(fields, item.Field(f))
	}
	a.new = a.old.With(fields)
	return a.table.checkItem(a.old, a.new, nil)
}
