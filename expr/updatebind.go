package expr

import "github.com/meridiandb/meridian/item"

// Update is a bound update. It is immutable.
type Update struct {
	changes  []change
	tree     *tree
	mismatch string // what to say when ADD or DELETE does not fit the data
}

// change is one action with its substitutions.
type change struct {
	verb  verb
	path  path
	value bound // not for REMOVE
}

// Bind puts in a request's substitutions and refuses what cannot be with them.
func (a *UpdateAST) Bind(p *Params) (*Update, error) {
	b := binder{kind: UpdateExpression, params: p, check: checkUpdateBound, room: make([]bound, a.below)}
	changes := make([]change, len(a.actions))
	paths := make([]path, len(a.actions))
	for i, act := range a.actions {
		if err := act.bind(&b, &changes[i]); err != nil {
			return nil, err
		}
		paths[i] = changes[i].path
	}
	t, err := newTree(UpdateExpression, paths)
	if err != nil {
		return nil, err
	}
	return &Update{changes, t, badOperand}, nil
}

func (a action) bind(r *binder, c *change) (err error) {
	c.verb = a.verb
	if c.path, err = a.path.bind(UpdateExpression, r.params); err != nil || a.value == nil {
		return err
	}
	if err := r.bind(a.value, &c.value); err != nil {
		return err
	}
	if kind := c.value.val.Kind(); (a.verb == verbAdd && kind != item.Number && !kind.IsSet()) || (a.verb == verbDelete && !kind.IsSet()) {
		return UpdateExpression.errorf("Incorrect operand type for operator or function; operator: %s, operand type: %s", verbNames[a.verb], longNames[kind])
	}
	return nil
}

// longNames are what messages about ADD and DELETE call the types that they do not take.
var longNames = map[item.Kind]string{
	item.String: "STRING", item.Number: "NUMBER", item.Binary: "BINARY", item.Bool: "BOOLEAN", item.Null: "NULL",
	item.List: "LIST", item.Map: "MAP",
}

// checkUpdateBound applies the rules of one function or of + and -.
func checkUpdateBound(k Kind, n *node, b *bound) error {
	if n.op == opFunc && len(b.kids) != b.fn.arity() {
		return countError(k, n.text, len(b.kids))
	}
	switch {
	case n.op == opFunc && b.fn == fnIfNotExists:
		if b.kids[0].op != opPath {
			return pathError(k, n.text)
		}
		return nil
	case n.op == opFunc:
		return checkTypes(k, n.text, b.kids, func(kind item.Kind) bool { return kind == item.List })
	}
	return checkTypes(k, n.name(), b.kids, func(kind item.Kind) bool { return kind == item.Number })
}

// TopLevelNames lists the attributes that the update changes, in order of names.
func (u *Update) TopLevelNames() []string { return u.tree.names() }

// creates reports whether the update makes an item where there is none. One that only removes does not.
func (u *Update) creates() bool {
	for i := range u.changes {
		if v := u.changes[i].verb; v == verbSet || v == verbAdd {
			return true
		}
	}
	return false
}

// Add is an ADD or DELETE action on a whole attribute.
type Add struct {
	Name   string
	Value  item.Value // ADD: a number or a set; DELETE: a set
	Remove bool       // DELETE
}

// Adds lists the ADD and DELETE actions on whole attributes that are numbers or sets, in the order of the text.
func (u *Update) Adds() []Add {
	var adds []Add
	for _, c := range u.changes {
		if len(c.path) == 1 && c.value.val.Kind() != item.List && (c.verb == verbAdd || c.verb == verbDelete) {
			adds = append(adds, Add{c.path[0].name, c.value.val, c.verb == verbDelete})
		}
	}
	return adds
}

// Literal returns the value that an attribute is set to if it stands in the request as such. ok is false for attributes
// that the update does not set, changes inside, or computes.
func (u *Update) Literal(name string) (v item.Value, ok bool) {
	for _, c := range u.changes {
		if c.verb == verbSet && len(c.path) == 1 && c.path[0].name == name && c.value.op == opValue {
			return c.value.val, true
		}
	}
	return item.Value{}, false
}

// CheckKeys refuses an update of a key attribute.
func (u *Update) CheckKeys(s item.KeySchema) error {
	for _, c := range u.changes {
		if name := c.path[0].name; s.Has(name) {
			return errorf("One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", name)
		}
	}
	return nil
}

// Inside lists the attributes into whose documents the update looks or reaches.
func (u *Update) Inside() []string {
	return topLevel(func(visit func(path)) {
		for i := range u.changes {
			visit(u.changes[i].path)
			u.changes[i].value.eachPath(visit)
		}
	}, 2)
}
