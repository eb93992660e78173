package legacy

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
)

// AttributeUpdate is one entry of AttributeUpdates.
type AttributeUpdate struct {
	Name   string
	Action string     // "" is PUT
	Value  item.Value // zero: absent
}

// AttributeUpdates makes an update. The result is nil, which only creates a missing item, if there are no entries.
func AttributeUpdates(entries []AttributeUpdate) (*expr.Update, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	changes := make([]expr.Change, len(entries))
	for i, e := range entries {
		c := expr.Change{Name: e.Name, Value: e.Value}
		kind := e.Value.Kind()
		switch e.Action {
		case "DELETE":
			c.Op = expr.ChangeDelete
			if kind == item.None {
				c.Op = expr.ChangeRemove
			} else if !kind.IsSet() {
				return nil, errorf(invalid+"DELETE action with value is not supported for the type %s", kind)
			}
		case "ADD":
			c.Op = expr.ChangeAdd
			if kind != item.None && kind != item.Number && kind != item.List && !kind.IsSet() {
				return nil, errorf(invalid+"ADD action is not supported for the type %s", kind)
			}
		}
		if kind == item.None && c.Op != expr.ChangeRemove {
			return nil, errorf(invalid + "Only DELETE action is allowed when no attribute value is specified")
		}
		changes[i] = c
	}
	return expr.NewUpdate(changes), nil
}
