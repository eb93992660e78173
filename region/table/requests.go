package table

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
)

// Op is what a write does to one item.
type Op uint8

// The four actions of a write; Check only tests a condition and is for transactions.
const (
	Put Op = iota + 1
	Update
	Delete
	Check
)

// Write is one action on one item. Put takes its key from Item; the others use Key.
type Write struct {
	Op        Op
	Key       item.Key
	Item      item.Item       // Put
	Condition *expr.Condition // nil: always
	Update    *expr.Update    // Update; nil creates a key-only item if there is none
}

// WriteResult is what a write found and left. Items are zero when there was or is none.
type WriteResult struct {
	Old, New               item.Item
	UpdatedOld, UpdatedNew item.Item // Update only
	Cost                   Cost      // not doubled, in a transaction too
}

// ConditionFailed says that a write's condition was false; nothing changed. Item is what is stored, zero if nothing.
type ConditionFailed struct {
	Item item.Item
	Cost Cost
}

func (*ConditionFailed) Error() string { return "The conditional request failed" }

// Reading selects what a Query or Scan returns of each item it meets.
type Reading struct {
	Index      string    // "" reads the table itself
	Limit      int       // items evaluated, before the filter; 0 is no limit
	Start      item.Item // ExclusiveStartKey; zero from the beginning
	Filter     *expr.Condition
	Projection *expr.Projection // nil: whole items
	// All asks for every attribute, also those that an index does not hold (local indexes fetch them from the table).
	All        bool
	CountOnly  bool
	Consistent bool
	// Each, if not nil, gets the page's items one by one instead of Page.Items having them, and returns their sizes, which who
	// writes them out finds on the way. An item's bytes are good until it returns. What it got is void if the page is an error
	// in the end.
	Each func(item.Item) (size int)
}

// Query reads one partition of a table or index in range-key order.
type Query struct {
	Reading
	Range   expr.KeyRange
	Reverse bool
}

// Scan reads a table or index in key order, or one of Total equal segments of it.
type Scan struct {
	Reading
	Segment, Total int // Total 0 or 1: everything
}

// Page is one answer of a Query or Scan. Last is the key to go on from, zero when there is no more.
type Page struct {
	Items   []item.Item
	Count   int // after the filter
	Scanned int // before
	Last    item.Item
	Cost    Cost
}

// GetResult is one item read by key; Item is zero when there is none.
type GetResult struct {
	Item item.Item
	Cost Cost
}
