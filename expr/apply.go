package expr

import "github.com/meridiandb/meridian/item"

// Result is what an update leaves. UpdatedOld and UpdatedNew are the touched paths in their places, before and after; zero
// if there was or is no item.
type Result struct {
	Item                   item.Item
	UpdatedOld, UpdatedNew item.Item
}

const (
	badPath    = "The document path provided in the update expression is invalid for update"
	badOperand = "An operand in the update expression has an incorrect data type"
	noOperand  = "The provided expression refers to an attribute that does not exist in the item"
)

// Apply works out the item after the update of old, which is zero if there is none; key is what a new item begins with.
// Every operand and every list index means the item before (DYNAMODB.md 4.8). An update that only removes creates no item:
// the Result is zero. Errors are *Error, or *item.ValidationError for arithmetic out of range. Depth and size of the new
// item are the caller's to check.
func (u *Update) Apply(old item.Item, key []item.Field) (Result, error) {
	values := make([]item.Value, len(u.changes))
	for i := range u.changes {
		var err error
		if values[i], err = u.result(&u.changes[i], old); err != nil {
			return Result{}, err
		}
	}
	fields, err := u.fields(u.tree, old, values)
	if err != nil {
		return Result{}, err
	}
	var res Result
	switch {
	case !old.IsZero():
		res.Item = merge(old, fields)
	case u.creates():
		res.Item = item.NewItem(append(fields, key...))
	}
	res.UpdatedOld, res.UpdatedNew = u.tree.project(old), u.tree.project(res.Item)
	return res, nil
}

// result is what a change leaves at its path's end; the zero Value if nothing.
func (u *Update) result(c *change, old item.Item) (item.Value, error) {
	switch c.verb {
	case verbSet:
		return c.value.compute(old)
	case verbAdd, verbDelete:
		have, v := c.path.get(old), c.value.val
		switch {
		case have.IsZero() && c.verb == verbAdd:
			return v, nil
		case have.IsZero():
			return have, nil
		case have.Kind() != v.Kind():
			return have, errorf("%s", u.mismatch)
		case c.verb == verbAdd:
			return addTo(have, v)
		}
		return deleteFrom(have, v)
	}
	return item.Value{}, nil
}

// fields works out what becomes of the members that the changes are at or below.
func (u *Update) fields(t *tree, it item.Item, values []item.Value) ([]item.Field, error) {
	fields := make([]item.Field, len(t.kids))
	for i := range t.kids {
		k := &t.kids[i]
		v, err := u.rebuild(k, it.Get(k.name), values)
		if err != nil {
			return nil, err
		}
		fields[i] = item.Field{Name: k.name, Value: v}
	}
	return fields, nil
}

// merge returns the item with attributes set, or removed where a value is zero. changes are in order of names, as the item's
// attributes are.
func merge(it item.Item, changes []item.Field) item.Item {
	fields := make([]item.Field, 0, it.Len()+len(changes))
	for name, v := range it.Attrs() {
		for len(changes) > 0 && changes[0].Name < name {
			fields = append(fields, changes[0])
			changes = changes[1:]
		}
		if len(changes) > 0 && changes[0].Name == name {
			continue // the change comes next
		}
		fields = append(fields, item.Field{Name: name, Value: v})
	}
	return item.NewItem(append(fields, changes...))
}

// rebuild puts the changes at and below a node into the value that stands there.
func (u *Update) rebuild(t *tree, v item.Value, values []item.Value) (item.Value, error) {
	switch {
	case t.leaf():
		return values[t.at], nil
	case t.kids[0].list && v.Kind() == item.List:
		return u.rebuildList(t, v, values)
	case !t.kids[0].list && v.Kind() == item.Map:
		fields, err := u.fields(t, v.Item(), values)
		if err != nil {
			return v, err
		}
		return merge(v.Item(), fields).Map(), nil
	}
	return v, errorf(badPath)
}

// rebuildList replaces and removes by the old positions; what is set beyond the end is appended in order of the indexes.
func (u *Update) rebuildList(t *tree, v item.Value, values []item.Value) (item.Value, error) {
	elems := make([]item.Value, 0, v.Len()+len(t.kids))
	kids := t.kids
	put := func(e item.Value) error {
		e, err := u.rebuild(&kids[0], e, values)
		kids = kids[1:]
		if !e.IsZero() {
			elems = append(elems, e)
		}
		return err
	}
	i := 0
	for e := range v.Elems() {
		if len(kids) == 0 || kids[0].index != i {
			elems = append(elems, e)
		} else if err := put(e); err != nil {
			return v, err
		}
		i++
	}
	for len(kids) > 0 {
		if err := put(item.Value{}); err != nil {
			return v, err
		}
	}
	return item.NewList(elems), nil
}

// compute evaluates what SET assigns.
func (b *bound) compute(old item.Item) (item.Value, error) {
	switch b.op {
	case opValue:
		return b.val, nil
	case opPath:
		if v := b.path.get(old); !v.IsZero() {
			return v, nil
		}
		return item.Value{}, errorf(noOperand)
	}
	if b.fn == fnIfNotExists {
		if v := b.kids[0].path.get(old); !v.IsZero() {
			return v, nil
		}
		return b.kids[1].compute(old)
	}
	left, err := b.kids[0].compute(old)
	if err != nil {
		return left, err
	}
	right, err := b.kids[1].compute(old)
	if err != nil {
		return right, err
	}
	if b.fn == fnListAppend {
		return concat(left, right)
	}
	if left.Kind() != item.Number || right.Kind() != item.Number {
		return item.Value{}, errorf(badOperand)
	}
	if b.op == opMinus {
		return number(left.Num().Sub(right.Num()))
	}
	return number(left.Num().Add(right.Num()))
}

func number(n item.Num, err error) (item.Value, error) {
	if err != nil {
		return item.Value{}, err
	}
	return item.NumVal(n), nil
}

func concat(a, b item.Value) (item.Value, error) {
	if a.Kind() != item.List || b.Kind() != item.List {
		return item.Value{}, errorf(badOperand)
	}
	elems := make([]item.Value, 0, a.Len()+b.Len())
	for e := range a.Elems() {
		elems = append(elems, e)
	}
	for e := range b.Elems() {
		elems = append(elems, e)
	}
	return item.NewList(elems), nil
}

// addTo adds a number, the members of a set or, as only the legacy parameters can, the elements of a list.
func addTo(v, more item.Value) (item.Value, error) {
	switch v.Kind() {
	case item.Number:
		return number(v.Num().Add(more.Num()))
	case item.List:
		return concat(v, more)
	}
	members := make([]item.Value, 0, v.Len()+more.Len())
	for e := range v.Elems() {
		members = append(members, e)
	}
	for e := range more.Elems() {
		if !v.Has(e) {
			members = append(members, e)
		}
	}
	return item.NewSet(v.Kind(), members)
}

// deleteFrom takes members out of a set; the zero Value if none is left.
func deleteFrom(v, members item.Value) (item.Value, error) {
	left := make([]item.Value, 0, v.Len())
	for e := range v.Elems() {
		if !members.Has(e) {
			left = append(left, e)
		}
	}
	if len(left) == 0 {
		return item.Value{}, nil
	}
	return item.NewSet(v.Kind(), left)
}
