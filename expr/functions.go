package expr

// fn is a function of expressions.
type fn uint8

const (
	noFn fn = iota
	fnExists
	fnNotExists
	fnType
	fnBeginsWith
	fnContains
	fnSize
	fnIfNotExists
	fnListAppend
)

// functions by name, which is case-sensitive.
var functions = map[string]fn{
	"attribute_exists":     fnExists,
	"attribute_not_exists": fnNotExists,
	"attribute_type":       fnType,
	"begins_with":          fnBeginsWith,
	"contains":             fnContains,
	"size":                 fnSize,
	"if_not_exists":        fnIfNotExists,
	"list_append":          fnListAppend,
}

// fn is the function that a node calls, noFn if it is unknown.
func (n *node) fn() fn { return functions[n.text] }

// update reports whether the function is one of updates; the others are of conditions. boolean reports whether it says yes
// or no instead of being a value.
func (f fn) update() bool  { return f >= fnIfNotExists }
func (f fn) boolean() bool { return f >= fnExists && f <= fnContains }

// arity is how many operands the function takes.
func (f fn) arity() int {
	switch f {
	case fnExists, fnNotExists, fnSize:
		return 1
	}
	return 2
}
