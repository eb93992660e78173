package api

// plainInput is the input of an operation whose few parameters are read by a table of them.
type plainInput struct {
	members map[string]func(d *decoder)
	check   func(v *violations)
}

func (in plainInput) member(d *decoder, name string) bool {
	read := in.members[name]
	if read != nil {
		read(d)
	}
	return read != nil
}

func (in plainInput) constraints(v *violations) {
	if in.check != nil {
		in.check(v)
	}
}

func toText(t *text) func(*decoder)     { return func(d *decoder) { *t = d.text() } }
func toNumber(n *number) func(*decoder) { return func(d *decoder) { *n = d.number("Integer") } }

// passed reads a list or structure of which nothing matters but that it is one.
func passedList(d *decoder)      { d.list(d.skip) }
func passedStructure(d *decoder) { d.structure("", func(string) bool { return false }) }

// nowhere takes parameters that choose among things of which there are none.
func nowhereText(d *decoder)   { d.text() }
func nowhereMoment(d *decoder) { d.moment() }

// emptyList answers that there are none.
func (c *call) emptyList(member string) error {
	w := &c.out
	w.openObject()
	w.openListMember(member)
	w.closeList()
	w.closeObject()
	return nil
}
