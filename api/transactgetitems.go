package api

import (
	"strconv"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
)

type transactGetInput struct {
	gets     []transactGet
	set      bool
	consumed capacity
}

// transactGet is one Get of TransactGetItems.
type transactGet struct {
	present    bool
	tableName  text
	key        attributes
	projection text
	substitutions

	table Table
	at    item.Key
	proj  *expr.Projection
}

func (in *transactGetInput) member(d *decoder, name string) bool {
	switch name {
	case "TransactItems":
		in.gets = nil
		in.set = d.list(func() {
			var g transactGet
			d.structure("TransactGetItem", func(name string) bool {
				if name == "Get" {
					g.present = d.structure(name, func(name string) bool { return g.member(d, name) })
				}
				return name == "Get"
			})
			in.gets = append(in.gets, g)
		})
	case "ReturnConsumedCapacity":
		in.consumed.mode = d.text()
	default:
		return false
	}
	return true
}

func (g *transactGet) member(d *decoder, name string) bool {
	switch name {
	case "TableName":
		g.tableName = d.text()
	case "Key":
		g.key = d.attributes()
	case "ProjectionExpression":
		g.projection = d.text()
	case "ExpressionAttributeNames":
		return g.substitutions.member(d, name)
	default:
		return false
	}
	return true
}

func (in *transactGetInput) constraints(v *violations) {
	v.oneOf("returnConsumedCapacity", in.consumed.mode, enumConsumed...)
	if !transactCount(v, in.set, len(in.gets)) {
		return
	}
	for i := range in.gets {
		g := &in.gets[i]
		path := "transactItems." + strconv.Itoa(i+1) + ".member.get"
		if v.required(path, g.present) {
			v.tableName(path+".tableName", g.tableName)
			v.required(path+".key", g.key.set)
		}
	}
}

func transactGetItems(c *call) error {
	var in transactGetInput
	if err := c.read(&in); err != nil {
		return err
	}
	keys, err := in.resolve(c)
	if err != nil {
		return err
	}
	results, err := c.backend.TransactGet(c.ctx, keys)
	if err != nil {
		return canceled(err, nil)
	}
	if err := checkResponse(results); err != nil {
		return err
	}
	in.answer(c, results)
	return nil
}

// checkResponse refuses items that are too large together for one answer of a transaction.
func checkResponse(results []table.GetResult) error {
	size := 0
	for _, r := range results {
		size += r.Item.Size()
	}
	if size > maxTransactBytes {
		return errValidation("Transaction response size cannot exceed " + strconv.Itoa(maxTransactBytes) + " bytes")
	}
	return nil
}

// resolve makes all checks that need no stored item, those of the whole request first.
func (in *transactGetInput) resolve(c *call) ([]Key, error) {
	for i := range in.gets {
		if err := in.gets[i].prepare(c); err != nil {
			return nil, err
		}
	}
	bad, invalid := -1, error(nil)
	seen := distinct{}
	keys := make([]Key, len(in.gets))
	for i := range in.gets {
		g := &in.gets[i]
		var err error
		if g.table, err = c.table(g.tableName); err != nil {
			return nil, err
		}
		if err = g.key.err; err == nil {
			g.at, err = g.table.Schema().FromKeyArg(g.key.item)
		}
		if err == nil {
			err = checkProjectionKeys(g.proj, g.table.Descriptor())
		}
		if err != nil {
			if bad < 0 {
				bad, invalid = i, err
			}
			continue
		}
		if !seen.add(g.table, g.at) {
			return nil, errSameItem()
		}
		keys[i] = Key{g.table, g.at}
	}
	if bad >= 0 {
		return nil, invalidAction(len(in.gets), bad, invalid)
	}
	return keys, nil
}

func (g *transactGet) prepare(c *call) error {
	if err := g.rules(usage{expressions: []named{{"ProjectionExpression", g.projection}}}); err != nil {
		return err
	}
	p, err := g.params()
	if err != nil {
		return err
	}
	if g.proj, err = c.projection(g.projection, p); err != nil {
		return err
	}
	return p.CheckUnused()
}

func (in *transactGetInput) answer(c *call, results []table.GetResult) {
	w := &c.out
	w.openObject()
	var sum bill
	w.openListMember("Responses")
	for i, r := range results {
		r.Cost.Table *= 2 // the engine prices a consistent read
		sum.add(in.gets[i].tableName.s, r.Cost)
		w.openObject()
		if it := r.Item; !it.IsZero() {
			if p := in.gets[i].proj; p != nil {
				it = p.Apply(it)
			}
			w.itemMember("Item", it)
		}
		w.closeObject()
	}
	w.closeList()
	sum.member(w, in.consumed, readSide)
	w.closeObject()
}
