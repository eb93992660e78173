package api

import (
	"strconv"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
)

// transactAction is one of the actions of TransactWriteItems.
type transactAction struct {
	op        table.Op
	name      string // of its member: put, update, delete, conditionCheck
	members   int    // how many actions were given at this place
	tableName text
	condition text
	update    text
	onFailure text
	item      attributes // Put's item, the others' key
	substitutions

	table   Table
	key     item.Key
	bound   *expr.Condition
	boundUp *expr.Update
	invalid error // what the transaction is cancelled for
}

func (d *decoder) transactAction() (a transactAction) {
	d.structure("TransactWriteItem", func(name string) bool {
		switch name {
		case "Put":
			a.read(d, table.Put, name)
		case "Update":
			a.read(d, table.Update, name)
		case "Delete":
			a.read(d, table.Delete, name)
		case "ConditionCheck":
			a.read(d, table.Check, name)
		default:
			return false
		}
		return true
	})
	return a
}

func (a *transactAction) read(d *decoder, op table.Op, class string) {
	ok := d.structure(class, func(name string) bool {
		switch {
		case name == "TableName":
			a.tableName = d.text()
		case name == "ConditionExpression":
			a.condition = d.text()
		case name == "ReturnValuesOnConditionCheckFailure":
			a.onFailure = d.text()
		case name == "UpdateExpression" && op == table.Update:
			a.update = d.text()
		case name == "Item" && op == table.Put, name == "Key" && op != table.Put:
			a.item = d.attributes()
		default:
			return a.substitutions.member(d, name)
		}
		return true
	})
	if ok {
		a.op, a.name = op, lowerFirst(class)
		a.members++
	}
}

func (a *transactAction) constraints(v *violations, i int) {
	if a.members == 0 {
		return
	}
	path := "transactItems." + strconv.Itoa(i+1) + ".member." + a.name + "."
	v.tableName(path+"tableName", a.tableName)
	what := "key"
	if a.op == table.Put {
		what = "item"
	}
	v.required(path+what, a.item.set)
	if a.op == table.Check {
		v.required(path+"conditionExpression", a.condition.set)
	}
	if a.op == table.Update {
		v.required(path+"updateExpression", a.update.set)
	}
	v.oneOf(path+"returnValuesOnConditionCheckFailure", a.onFailure, enumOnCheckFailure...)
}

// prepare makes the checks that fail the request as a whole and need no table.
func (a *transactAction) prepare(c *call) error {
	if a.members != 1 {
		return errValidation("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	use := usage{expressions: []named{{"ConditionExpression", a.condition}}}
	if a.op == table.Update {
		use.expressions = []named{{"UpdateExpression", a.update}, {"ConditionExpression", a.condition}}
	}
	if err := a.rules(use); err != nil {
		return err
	}
	p, err := a.params()
	if err != nil {
		return err
	}
	if a.boundUp, err = c.update(a.update, p); err != nil {
		return err
	}
	if a.bound, err = c.condition(expr.ConditionExpression, a.condition, p); err != nil {
		return err
	}
	return p.CheckUnused()
}

// size is the action's part in the limit on a transaction's payload.
func (a *transactAction) size() int {
	n := a.item.item.Size()
	for _, v := range a.values {
		n += v.Size()
	}
	return n
}

// resolve finds the table, which must be there for the request to go on, and the key, without which only the transaction
// is cancelled.
func (a *transactAction) resolve(c *call) (err error) {
	if a.table, err = c.table(a.tableName); err != nil {
		return err
	}
	a.invalid = a.locate()
	return nil
}

func (a *transactAction) locate() (err error) {
	if a.item.err != nil {
		return a.item.err
	}
	s := a.table.Schema()
	if a.op == table.Put {
		a.key, err = s.FromItem(a.item.item)
	} else {
		a.key, err = s.FromKeyArg(a.item.item)
	}
	if err != nil {
		return err
	}
	if a.op == table.Put {
		if err := sizeLimit(a.item.item); err != nil {
			return err
		}
	}
	if err := checkUpdateKeys(a.boundUp, a.table.Descriptor()); err != nil {
		return err
	}
	return checkConditionKeys(a.bound, a.table.Descriptor())
}

func (a *transactAction) write() Write {
	w := table.Write{Op: a.op, Key: a.key, Condition: a.bound, Update: a.boundUp}
	if a.op == table.Put {
		w.Item = a.item.item
	}
	return Write{a.table, w}
}
