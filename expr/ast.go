package expr

// node is a part of a condition as it was written.
type node struct {
	op   op
	kids []*node
	path path   // opPath
	text string // opValue: the placeholder; opFunc: the name
}

type op uint8

const (
	opNone op = iota
	opPath
	opValue
	opFunc
	opEQ
	opNE
	opLT
	opLE
	opGT
	opGE
	opBetween // value, lower, upper
	opIn      // value, then the list
	opAnd
	opOr
	opNot
	opPlus
	opMinus
	opParen // removed after it was checked
)

var opNames = [...]string{
	opEQ: "=", opNE: "<>", opLT: "<", opLE: "<=", opGT: ">", opGE: ">=",
	opBetween: "BETWEEN", opIn: "IN", opAnd: "AND", opOr: "OR", opNot: "NOT", opPlus: "+", opMinus: "-",
}

var comparators = map[string]op{"=": opEQ, "<>": opNE, "<": opLT, "<=": opLE, ">": opGT, ">=": opGE}

// name is how messages call the node.
func (n *node) name() string {
	if n.op == opFunc {
		return n.text
	}
	return opNames[n.op]
}

// operand reports whether the node stands for a value by its form: a path, a placeholder, or either in parentheses.
func (n *node) operand() bool {
	return n.op == opPath || n.op == opValue || (n.op == opParen && n.kids[0].operand())
}

// walk visits the node and everything below it, left to right.
func (n *node) walk(visit func(*node) error) error {
	if err := visit(n); err != nil {
		return err
	}
	for _, k := range n.kids {
		if err := k.walk(visit); err != nil {
			return err
		}
	}
	return nil
}

// below counts the nodes below this one.
func (n *node) below() int {
	count := len(n.kids)
	for _, k := range n.kids {
		count += k.below()
	}
	return count
}

// inner is the node without the parentheses around it.
func inner(n *node) *node {
	for n.op == opParen {
		n = n.kids[0]
	}
	return n
}

// strip removes all parentheses, which have done their work.
func strip(n *node) *node {
	n = inner(n)
	for i := range n.kids {
		n.kids[i] = strip(n.kids[i])
	}
	return n
}
