package partiql

// Kind is what a statement does.
type Kind uint8

// The statements.
const (
	Select Kind = iota + 1
	Insert
	Update
	Delete
	Exists // only in transactions: a ConditionCheck
)

// Statement is a text, parsed. It is immutable.
type Statement struct {
	Kind         Kind
	Table, Index string
	Returning    Returning
	Order        []Order
	// Params is how many parameters the statement takes.
	Params int

	columns []path // Select: nil is *
	where   *node  // nil: none
	item    *value // Insert
	actions []action
}

// Order is one term of ORDER BY.
type Order struct {
	Attribute  string
	Descending bool
}

// Returning is what a write answers with, in the words of ReturnValues; "" is nothing.
type Returning string

// The forms of RETURNING.
const (
	AllOld      Returning = "ALL_OLD"
	ModifiedOld Returning = "UPDATED_OLD"
	AllNew      Returning = "ALL_NEW"
	ModifiedNew Returning = "UPDATED_NEW"
)

// step is one step of a document path: a name, or an index if list is set.
type step struct {
	name  string
	index int
	list  bool
}

type path []step

// node is a part of a condition.
type node struct {
	op   op
	kids []*node
	path path   // opPath
	val  *value // opValue
	fn   string // opFunc
}

type op uint8

const (
	opPath op = iota
	opValue
	opFunc
	opEQ
	opNE
	opLT
	opLE
	opGT
	opGE
	opBetween
	opIn
	opAnd
	opOr
	opNot
	opPlus
	opMinus
	opNull    // IS NULL
	opMissing // IS MISSING
)

var opText = map[op]string{
	opEQ: " = ", opNE: " <> ", opLT: " < ", opLE: " <= ", opGT: " > ", opGE: " >= ", opAnd: " AND ", opOr: " OR ",
	opPlus: " + ", opMinus: " - ",
}

// value is a literal, whole or with parameters in it.
type value struct {
	kind  valueKind
	text  string   // string, number
	param int      // its number, from 0
	elems []*value // list, set
	names []string // tuple: names of elems
}

type valueKind uint8

const (
	litParam valueKind = iota
	litString
	litNumber
	litTrue
	litFalse
	litNull
	litMissing
	litList
	litSet
	litTuple
)

// action is one SET or REMOVE of an UPDATE.
type action struct {
	remove bool
	path   path
	value  *node // SET: what it is set to
}
