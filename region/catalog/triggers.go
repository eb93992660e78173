package catalog

import (
	"encoding/json"
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/stream/record"
)

// Trigger is one function that is called with the changes of one of the table's streams (package trigger). It is part of the
// description, so it has one writer, survives what the table survives, and reaches every region that may have to take over.
type Trigger struct {
	ID     string `json:"id"`     // a UUID
	Stream string `json:"stream"` // Stream.Of of the enabling; the stream's label where it is of no enabling
	// Function is what is called. There is one trigger for a stream and a function.
	Function string          `json:"function"`
	Spec     json.RawMessage `json:"spec"` // package trigger's
	// Start is what had been written when a trigger was made that begins with what is new.
	Start    []crdt.Stamp `json:"start,omitempty"`
	Created  int64        `json:"created"`  // unix ms
	Modified int64        `json:"modified"` // unix ms
	Revision uint64       `json:"revision"` // of Spec, from 1
	Doing    string       `json:"doing"`    // Lambda's word for what the last change made of it until it is in force, like Updating
	// Region runs the trigger, by the keeper's word; a higher Epoch replaces it.
	Region string `json:"region"`
	Epoch  uint64 `json:"epoch"`
}

// TriggerChange is one change of a table's triggers: exactly one of its members.
type TriggerChange struct {
	Create *Trigger           `json:"create,omitempty"`
	Update *Trigger           `json:"update,omitempty"` // ID, Function, Spec, Doing
	Delete string             `json:"delete,omitempty"` // ID
	Assign *TriggerAssignment `json:"assign,omitempty"`
}

// TriggerAssignment says which region runs a trigger from an epoch on.
type TriggerAssignment struct {
	ID     string `json:"id"`
	Region string `json:"region"`
	Epoch  uint64 `json:"epoch"`
}

// maxTriggers bounds a table's description.
const maxTriggers = 50

// Trigger finds a trigger by its id, nil if there is none.
func (d *Descriptor) Trigger(id string) *Trigger {
	for i := range d.Triggers {
		if d.Triggers[i].ID == id {
			return &d.Triggers[i]
		}
	}
	return nil
}

// changeTriggers is the keeper's. A deleted table's triggers can be changed too: its stream is read for another day, and who
// made them removes them.
func (c *Catalog) changeTriggers(id record.TableID, ch TriggerChange) (*Entry, error) {
	return c.changeAny(id, func(e *Entry) (*Descriptor, error) {
		n := e.clone()
		changed, err := n.applyTrigger(ch, c.opts.Now())
		if err != nil || !changed {
			return e.Descriptor, err
		}
		return n, nil
	})
}

func errNoTrigger() error {
	return fault.New(fault.NotFound, "The resource you requested does not exist.")
}

// applyTrigger changes d; changed is false if there is nothing to do.
func (d *Descriptor) applyTrigger(ch TriggerChange, now int64) (changed bool, err error) {
	switch {
	case ch.Create != nil:
		return true, d.createTrigger(*ch.Create, now)
	case ch.Update != nil:
		return true, d.updateTrigger(*ch.Update, now)
	case ch.Delete != "":
		if d.Trigger(ch.Delete) == nil {
			return false, errNoTrigger()
		}
		d.Triggers = slices.DeleteFunc(d.Triggers, func(t Trigger) bool { return t.ID == ch.Delete })
		return true, nil
	case ch.Assign != nil:
		t := d.Trigger(ch.Assign.ID)
		if t == nil {
			return false, errNoTrigger()
		}
		if t.Epoch > ch.Assign.Epoch || t.Epoch == ch.Assign.Epoch && t.Region <= ch.Assign.Region {
			return false, nil // package trigger/duty orders them like this
		}
		t.Region, t.Epoch = ch.Assign.Region, ch.Assign.Epoch
		return true, nil
	}
	return false, invalid("a change of triggers without content")
}

func (d *Descriptor) createTrigger(t Trigger, now int64) error {
	if len(d.Triggers) >= maxTriggers {
		return fault.New(fault.Limit, "A table has no more than %d triggers", maxTriggers)
	}
	if err := d.sameTrigger(t); err != nil {
		return err
	}
	t.Created, t.Modified, t.Revision, t.Epoch = now, now, 1, 1
	d.Triggers = append(d.Triggers, t)
	return nil
}

// sameTrigger refuses a second trigger of one stream and function, as Lambda does.
func (d *Descriptor) sameTrigger(t Trigger) error {
	for _, have := range d.Triggers {
		if have.ID == t.ID || have.Stream == t.Stream && have.Function == t.Function {
			return fault.New(fault.Exists, "%s", have.ID)
		}
	}
	return nil
}

func (d *Descriptor) updateTrigger(t Trigger, now int64) error {
	have := d.Trigger(t.ID)
	if have == nil {
		return errNoTrigger()
	}
	for _, other := range d.Triggers {
		if other.ID != t.ID && other.Stream == have.Stream && other.Function == t.Function {
			return fault.New(fault.Exists, "%s", other.ID)
		}
	}
	have.Function, have.Spec, have.Doing = t.Function, t.Spec, t.Doing
	have.Revision++
	have.Modified = max(now, have.Modified+1)
	return nil
}

// TriggerMembers are the regions that can run the table's triggers, in the order in which they joined. Of a deleted table that
// is the region which left it last: the others had left before, with all their changes delivered to it.
func (e *Entry) TriggerMembers() []string {
	if e.Deleted {
		return []string{e.Keeper}
	}
	var names []string
	for _, m := range e.Members {
		if m.State == MemberActive || m.State == MemberDeleting {
			names = append(names, m.Region)
		}
	}
	return names
}
