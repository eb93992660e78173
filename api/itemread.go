package api

import (
	"slices"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
)

// readInput is what Query and Scan have in common.
type readInput struct {
	tableName  text
	index      text
	selects    text
	limit      number
	consistent flag
	start      attributes
	consumed   capacity
	filter     text
	projection text
	substitutions
	attributesToGet
}

func (in *readInput) member(d *decoder, name string) bool {
	switch name {
	case "TableName":
		in.tableName = d.text()
	case "IndexName":
		in.index = d.text()
	case "Select":
		in.selects = d.text()
	case "Limit":
		in.limit = d.number("Integer")
	case "ConsistentRead":
		in.consistent = d.flag()
	case "ExclusiveStartKey":
		in.start = d.attributes()
	case "ReturnConsumedCapacity":
		in.consumed.mode = d.text()
	case "FilterExpression":
		in.filter = d.text()
	case "ProjectionExpression":
		in.projection = d.text()
	default:
		return in.substitutions.member(d, name) || in.attributesToGet.member(d, name)
	}
	return true
}

func (in *readInput) constraints(v *violations) {
	v.oneOf("returnConsumedCapacity", in.consumed.mode, enumConsumed...)
	v.tableName("tableName", in.tableName)
	v.indexName("indexName", in.index)
	v.oneOf("select", in.selects, enumSelect...)
	in.attributesToGet.constraints(v, "attributesToGet")
}

// startValues checks the values of the start key before anything is known of its schema.
func (in *readInput) startValues() error {
	if in.start.err != nil {
		return errValidation("The provided starting key is invalid: " + in.start.err.Error())
	}
	return nil
}

// checkStart refuses a start key that is no key of the table. What an index's may be is for the region to tell, and whether it
// lies within what is read.
func (in *readInput) checkStart(t Table, ix *catalog.Index) error {
	if !in.start.set || ix != nil {
		return nil
	}
	if _, err := t.Schema().FromKeyArg(in.start.item); err != nil {
		return errValidation("The provided starting key is invalid: " + err.Error())
	}
	return nil
}

// selection checks Select against the projection (DYNAMODB.md section 5). envelope goes before one of the texts: Query and
// Scan differ in it.
func (in *readInput) selection(envelope string) error {
	projects := ""
	switch {
	case in.projection.set:
		projects = "ProjectionExpression"
	case in.attributesToGet.set:
		projects = "AttributesToGet"
	}
	switch s := in.selects.s; {
	case s == "SPECIFIC_ATTRIBUTES" && projects == "":
		return errValidation(envelope + "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case projects != "" && s != "" && s != "SPECIFIC_ATTRIBUTES" && s != "COUNT":
		return errValidation("Cannot specify the " + projects + " when choosing to get " + s)
	case s == "ALL_PROJECTED_ATTRIBUTES" && !in.index.set:
		return errValidation("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	}
	return nil
}

// source finds the table and the index to read, and checks what only they can tell.
func (in *readInput) source(c *call, proj *expr.Projection) (Table, *catalog.Index, error) {
	t, err := c.table(in.tableName)
	if err != nil || !in.index.set {
		return t, nil, err
	}
	d := t.Descriptor()
	ix := d.Index(in.index.s)
	switch {
	case ix == nil:
		return nil, nil, errValidation("The table does not have the specified index: " + in.index.s)
	case !ix.Global:
	case in.consistent.v:
		return nil, nil, errValidation("Consistent reads are not supported on global secondary indexes")
	case in.selects.s == "ALL_ATTRIBUTES" && ix.Projection != "ALL":
		return nil, nil, errValidation("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index " +
			ix.Name + " because its projection type is not ALL")
	case proj != nil:
		for _, name := range proj.TopLevelNames() {
			if !projects(d, ix, name) {
				return nil, nil, errValidation("One or more parameter values were invalid: Global secondary index " + ix.Name + " does not project [" + name + "]")
			}
		}
	}
	return t, ix, nil
}

// projects reports whether an index holds an attribute.
func projects(d *catalog.Descriptor, ix *catalog.Index, name string) bool {
	return ix.Projection == "ALL" || d.Schema.Has(name) || ix.Schema.Has(name) || slices.Contains(ix.NonKey, name)
}

// answer reads a page and writes its items as they are read.
func (in *readInput) answer(
	c *call, filter *expr.Condition, proj *expr.Projection, read func(table.Reading) (table.Page, error),
) error {
	w := &c.out
	r := table.Reading{
		Index: in.index.s, Limit: int(min(in.limit.n, 1<<30)), Start: in.start.item, Filter: filter, Projection: proj,
		All: in.selects.s == "ALL_ATTRIBUTES", CountOnly: in.selects.s == "COUNT", Consistent: in.consistent.v,
		Each: w.sizedItem,
	}
	w.openObject()
	if !r.CountOnly {
		w.openListMember("Items")
	}
	page, err := read(r)
	if err != nil {
		return err
	}
	if !r.CountOnly {
		w.closeList()
	}
	w.integerMember("Count", int64(page.Count))
	w.integerMember("ScannedCount", int64(page.Scanned))
	if !page.Last.IsZero() {
		w.itemMember("LastEvaluatedKey", page.Last)
	}
	in.consumed.member(w, in.tableName.s, page.Cost)
	w.closeObject()
	return nil
}

// keySchemaOf is the schema of what is read.
func keySchemaOf(t Table, ix *catalog.Index) item.KeySchema {
	if ix != nil {
		return ix.Schema
	}
	return t.Schema()
}
