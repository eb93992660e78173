package api

import (
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
)

// capacity says what of the consumed capacity an answer shows (DYNAMODB.md section 6).
type capacity struct{ mode text }

// Enumerations in the order in which the service lists them.
var (
	enumConsumed       = []string{"INDEXES", "TOTAL", "NONE"}
	enumMetrics        = []string{"SIZE", "NONE"}
	enumReturnValues   = []string{"ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"}
	enumOnCheckFailure = []string{"ALL_OLD", "NONE"}
	enumOperator       = []string{"OR", "AND"}
	enumSelect         = []string{"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"}
)

func (c capacity) wanted() bool { return c.mode.s == "TOTAL" || c.mode.s == "INDEXES" }

// side is the half of a transaction's capacity that is shown twice.
type side string

const (
	plainSide side = ""
	readSide  side = "ReadCapacityUnits"
	writeSide side = "WriteCapacityUnits"
)

func (s side) write(w *writer, units float64) {
	w.unitsMember("CapacityUnits", units)
	if s != plainSide {
		w.unitsMember(string(s), units)
	}
}

// member writes the member ConsumedCapacity, if it was asked for.
func (c capacity) member(w *writer, tableName string, cost table.Cost) {
	if c.wanted() {
		w.key("ConsumedCapacity")
		c.one(w, tableName, cost, plainSide)
	}
}

// one writes one ConsumedCapacity.
func (c capacity) one(w *writer, tableName string, cost table.Cost, s side) {
	w.openObject()
	w.stringMember("TableName", tableName)
	s.write(w, cost.Total())
	if c.mode.s == "INDEXES" {
		w.openObjectMember("Table")
		s.write(w, cost.Table)
		w.closeObject()
		indexCosts(w, "LocalSecondaryIndexes", cost.Indexes, false, s)
		indexCosts(w, "GlobalSecondaryIndexes", cost.Indexes, true, s)
	}
	w.closeObject()
}

func indexCosts(w *writer, member string, costs []table.IndexCost, global bool, s side) {
	opened := false
	for _, ix := range costs {
		if ix.Global != global {
			continue
		}
		if !opened {
			w.openObjectMember(member)
			opened = true
		}
		w.openObjectMember(ix.Name)
		s.write(w, ix.Units)
		w.closeObject()
	}
	if opened {
		w.closeObject()
	}
}

// bill adds up the capacity of a request over several tables, in the order in which they were met.
type bill struct {
	names []string
	costs map[string]*table.Cost
}

func (b *bill) add(tableName string, cost table.Cost) {
	if b.costs == nil {
		b.costs = map[string]*table.Cost{}
	}
	sum := b.costs[tableName]
	if sum == nil {
		sum = &table.Cost{}
		b.costs[tableName] = sum
		b.names = append(b.names, tableName)
	}
	sum.Table += cost.Table
next:
	for _, ix := range cost.Indexes {
		for i := range sum.Indexes {
			if sum.Indexes[i].Name == ix.Name {
				sum.Indexes[i].Units += ix.Units
				continue next
			}
		}
		sum.Indexes = append(sum.Indexes, ix)
	}
}

// member writes the member ConsumedCapacity of a batch or transaction: a list.
func (b *bill) member(w *writer, c capacity, s side) {
	if !c.wanted() {
		return
	}
	w.openListMember("ConsumedCapacity")
	for _, name := range b.names {
		c.one(w, name, *b.costs[name], s)
	}
	w.closeList()
}

// collectionMetrics writes one ItemCollectionMetrics object. The size is an estimate, told in whole gigabytes. The write is
// done: that a store cannot estimate must not fail it, and what ails the store shows in the next request.
func collectionMetrics(w *writer, t Table, v item.Value) {
	size, err := t.CollectionSize([]item.Value{v})
	if err != nil {
		size = 0
	}
	w.openObject()
	w.openObjectMember("ItemCollectionKey")
	w.key(t.Schema().Hash[0].Name)
	w.buf = v.AppendJSON(w.buf)
	w.closeObject()
	w.openListMember("SizeEstimateRangeGB")
	w.units(float64(size >> 30))
	w.units(float64(size>>30 + 1))
	w.closeList()
	w.closeObject()
}

// hasLocalIndex reports whether a table has item collections in the service's sense.
func hasLocalIndex(d *catalog.Descriptor) bool {
	for _, ix := range d.Indexes {
		if !ix.Global {
			return true
		}
	}
	return false
}
