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
	tooLarge   = "Item size to update has exceeded the maximum allowed size"
)

// Apply works out the item after the update of old, which is zero if there is none; key is what a new item begins with.
// Every operand and every list index means the item before (DYNAMODB.md 4.8). An update that only removes creates no item:
// the Result is zero. Errors are *Error, or *item.ValidationError for arithmetic out of range. Depth and size of the new
// item are the caller's to check, but one that is far too large is not made.
func (u *Update) Apply(old item.Item, key []item.Field) (Result, error) {
	values, err := u.results(old)
	if err != nil {
		return Result{}, err
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

// results works out what the changes leave at their paths' ends. A short text can name a large value many times, so it stops
// when all of them together, which will all be in the item, are too large. Their bytes are compared first, because those are
// known: they are less than four times a value's size.
func (u *Update) results(old item.Item) ([]item.Value, error) {
	values := make([]item.Value, len(u.changes))
	bytes := 0
	for i := range u.changes {
		v, err := u.result(&u.changes[i], old)
		if err != nil {
			return nil, err
		}
		values[i] = v
		if bytes += len(v.Encoded()); bytes < 4*item.MaxItemSize {
			continue
		}
		size := 0
		for _, v := range values {
			size += v.Size()
		}
		if size > item.MaxItemSize {
			return nil, errorf(tooLarge)
		}
	}
	return values, nil
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
