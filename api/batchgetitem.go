package api

import (
	"maps"
	"slices"
	"strconv"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
)

// Limits of batches (DYNAMODB.md 7.1, 7.2).
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	maxBatchBytes = 16 << 20
)

type batchGetInput struct {
	tables   entries[*batchGetTable]
	consumed capacity
}

// batchGetTable is one table's KeysAndAttributes.
type batchGetTable struct {
	name       string
	keys       []attributes
	keysSet    bool
	consistent flag
	projection text
	substitutions
	attributesToGet

	table  Table
	wanted []item.Key
	proj   *expr.Projection
	found  []item.Item
	left   []item.Item // keys that did not fit
}

func (in *batchGetInput) member(d *decoder, name string) bool {
	switch name {
	case "RequestItems":
		in.tables = entries[*batchGetTable]{}
		d.mapping(keysClass, func(name string) {
			t := &batchGetTable{name: name}
			if d.structure("KeysAndAttributes", func(name string) bool { return t.member(d, name) }) {
				in.tables.put(name, t)
			}
		})
	case "ReturnConsumedCapacity":
		in.consumed.mode = d.text()
	default:
		return false
	}
	return true
}

func (t *batchGetTable) member(d *decoder, name string) bool {
	switch name {
	case "Keys":
		t.keys = nil
		t.keysSet = d.list(func() { t.keys = append(t.keys, d.attributes()) })
	case "ConsistentRead":
		t.consistent = d.flag()
	case "ProjectionExpression":
		t.projection = d.text()
	default:
		return t.substitutions.member(d, name) || t.attributesToGet.member(d, name)
	}
	return true
}

func (in *batchGetInput) constraints(v *violations) {
	if len(in.tables.list) == 0 {
		v.only("The requestItems parameter is required for BatchGetItem")
		return
	}
	v.oneOf("returnConsumedCapacity", in.consumed.mode, enumConsumed...)
	for _, t := range in.tables.list {
		path := "requestItems." + t.name + ".member."
		switch n := len(t.keys); {
		case !v.required(path+"keys", t.keysSet):
		case n > maxBatchGet:
			v.add("", "RequestItems."+t.name+".member.Keys", "Member must have length less than or equal to "+strconv.Itoa(maxBatchGet))
		case n == 0:
			v.add("'[]'", path+"keys", "Member must have length greater than or equal to 1")
		}
		t.attributesToGet.constraints(v, path+"attributesToGet")
	}
}

func batchGetItem(c *call) error {
	var in batchGetInput
	if err := c.read(&in); err != nil {
		return err
	}
	total := 0
	for _, t := range in.tables.list {
		if err := t.prepare(c); err != nil {
			return err
		}
		total += len(t.keys)
	}
	if total > maxBatchGet {
		return errValidation("Too many items requested for the BatchGetItem call")
	}
	for _, t := range in.tables.list {
		if err := t.resolve(c); err != nil {
			return err
		}
	}
	var sum bill
	size, throttled := 0, error(nil)
	for _, t := range in.tables.list {
		n, err := t.get(c, maxBatchBytes-size, &sum)
		if fault.KindOf(err) == fault.Throttled && err != nil {
			throttled = err
		} else if err != nil {
			return err
		}
		size += n
	}
	if throttled != nil && len(sum.names) == 0 {
		return throttled // nothing at all could be read
	}
	in.answer(c, &sum)
	return nil
}

// prepare makes the checks that need no table.
func (t *batchGetTable) prepare(c *call) (err error) {
	if err := t.rules(usage{
		expressions: []named{{"ProjectionExpression", t.projection}}, legacy: t.attributesToGet.names(),
	}); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, k := range t.keys {
		if k.err != nil {
			return k.err
		}
		if e := string(k.item.Encoded()); seen[e] {
			return errValidation("Provided list of item keys contains duplicates")
		} else {
			seen[e] = true
		}
	}
	t.proj, err = t.anyProjection(c, t.projection, &t.substitutions)
	return err
}

// resolve finds the table and reads the keys by its schema.
func (t *batchGetTable) resolve(c *call) (err error) {
	if t.table, err = c.table(text{t.name, true}); err != nil {
		return err
	}
	for _, k := range t.keys {
		key, err := t.table.Schema().FromKeyArg(k.item)
		if err != nil {
			return err
		}
		t.wanted = append(t.wanted, key)
	}
	return checkProjectionKeys(t.proj, t.table.Descriptor())
}

// get reads items until room bytes are used up, and leaves the other keys.
func (t *batchGetTable) get(c *call, room int, sum *bill) (size int, err error) {
	for i, key := range t.wanted {
		if size >= room {
			t.leave(i)
			return size, nil
		}
		res, err := t.table.Get(c.ctx, key, t.consistent.v)
		if err != nil {
			if fault.KindOf(err) == fault.Throttled {
				t.leave(i)
			}
			return size, err
		}
		sum.add(t.name, res.Cost)
		if res.Item.IsZero() {
			continue
		}
		n := res.Item.Size()
		if size+n > room && size > 0 {
			t.leave(i)
			return room, nil
		}
		size += n
		if t.proj != nil {
			res.Item = t.proj.Apply(res.Item)
		}
		t.found = append(t.found, res.Item)
	}
	return size, nil
}

func (t *batchGetTable) leave(from int) {
	for _, k := range t.keys[from:] {
		t.left = append(t.left, k.item)
	}
}

func (in *batchGetInput) answer(c *call, sum *bill) {
	w := &c.out
	w.openObject()
	w.openObjectMember("Responses")
	for _, t := range in.tables.list {
		w.openListMember(t.name)
		for _, it := range t.found {
			w.item(it)
		}
		w.closeList()
	}
	w.closeObject()
	w.openObjectMember("UnprocessedKeys")
	for _, t := range in.tables.list {
		if len(t.left) > 0 {
			w.key(t.name)
			t.writeLeft(w)
		}
	}
	w.closeObject()
	sum.member(w, in.consumed, plainSide)
	w.closeObject()
}

// writeLeft writes what the client can send again as it is.
func (t *batchGetTable) writeLeft(w *writer) {
	w.openObject()
	w.openListMember("Keys")
	for _, k := range t.left {
		w.item(k)
	}
	w.closeList()
	if t.consistent.set {
		w.boolMember("ConsistentRead", t.consistent.v)
	}
	if t.projection.set {
		w.stringMember("ProjectionExpression", t.projection.s)
	}
	if t.namesSet {
		w.openObjectMember("ExpressionAttributeNames")
		for _, k := range slices.Sorted(maps.Keys(t.substitutions.names)) {
			w.stringMember(k, t.substitutions.names[k])
		}
		w.closeObject()
	}
	if t.attributesToGet.set {
		w.openListMember("AttributesToGet")
		for _, a := range t.attributesToGet.list {
			w.str(a)
		}
		w.closeList()
	}
	w.closeObject()
}
