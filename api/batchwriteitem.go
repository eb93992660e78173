package api

import (
	"errors"
	"strconv"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
)

type batchWriteInput struct {
	tables     entries[*batchWriteTable]
	consumed   capacity
	collection text
}

// batchWriteTable is one table's requests.
type batchWriteTable struct {
	name     string
	requests []writeRequest
	table    Table
}

// writeRequest is a WriteRequest: a put or a delete.
type writeRequest struct {
	put, delete     attributes
	isPut, isDelete bool
	key             item.Key
	left            bool
}

func (in *batchWriteInput) member(d *decoder, name string) bool {
	switch name {
	case "RequestItems":
		in.tables = entries[*batchWriteTable]{}
		d.mapping(requestsClass, func(name string) {
			t := &batchWriteTable{name: name}
			if d.list(func() { t.requests = append(t.requests, d.writeRequest()) }) {
				in.tables.put(name, t)
			}
		})
	case "ReturnConsumedCapacity":
		in.consumed.mode = d.text()
	case "ReturnItemCollectionMetrics":
		in.collection = d.text()
	default:
		return false
	}
	return true
}

func (d *decoder) writeRequest() (r writeRequest) {
	d.structure("WriteRequest", func(name string) bool {
		switch name {
		case "PutRequest":
			r.isPut = d.structure(name, func(name string) bool {
				if name == "Item" {
					r.put = d.attributes()
				}
				return name == "Item"
			})
		case "DeleteRequest":
			r.isDelete = d.structure(name, func(name string) bool {
				if name == "Key" {
					r.delete = d.attributes()
				}
				return name == "Key"
			})
		default:
			return false
		}
		return true
	})
	return r
}

func (in *batchWriteInput) constraints(v *violations) {
	if len(in.tables.list) == 0 {
		v.only("The requestItems parameter is required for BatchWriteItem")
		return
	}
	v.oneOf("returnConsumedCapacity", in.consumed.mode, enumConsumed...)
	v.oneOf("returnItemCollectionMetrics", in.collection, enumMetrics...)
	for _, t := range in.tables.list {
		if n := len(t.requests); n == 0 || n > maxBatchWrite {
			v.add("'{"+t.name+"=[...]}'", "requestItems", "Map value must satisfy constraint: "+
				"[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]")
		}
		for i := range t.requests {
			r := &t.requests[i]
			path := "requestItems." + t.name + ".member." + strconv.Itoa(i+1) + ".member."
			if r.isPut {
				v.required(path+"putRequest.item", r.put.set)
			}
			if r.isDelete {
				v.required(path+"deleteRequest.key", r.delete.set)
			}
		}
	}
}

func batchWriteItem(c *call) error {
	var in batchWriteInput
	if err := c.read(&in); err != nil {
		return err
	}
	total := 0
	for _, t := range in.tables.list {
		total += len(t.requests)
	}
	if total > maxBatchWrite {
		return errValidation("Too many items requested for the BatchWriteItem call")
	}
	for _, t := range in.tables.list {
		if err := t.prepare(); err != nil {
			return err
		}
	}
	var writes []Write
	var requests []*writeRequest
	for _, t := range in.tables.list {
		if err := t.resolve(c); err != nil {
			return err
		}
		for i := range t.requests {
			requests = append(requests, &t.requests[i])
			writes = append(writes, t.requests[i].write(t.table))
		}
	}
	results, errs := c.backend.WriteBatch(c.ctx, writes)
	if err := in.settle(requests, errs); err != nil {
		return err
	}
	in.answer(c, results)
	return nil
}

// prepare makes the checks that need no table.
func (t *batchWriteTable) prepare() error {
	for i := range t.requests {
		r := &t.requests[i]
		if r.isPut == r.isDelete {
			return errValidation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		}
		if err := errors.Join(r.put.err, r.delete.err); err != nil {
			return err
		}
		if r.isPut {
			if err := sizeLimit(r.put.item); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolve finds the table and the keys of its requests, of which no two may be equal.
func (t *batchWriteTable) resolve(c *call) (err error) {
	if t.table, err = c.table(text{t.name, true}); err != nil {
		return err
	}
	schema := t.table.Schema()
	seen := map[string]bool{}
	for i := range t.requests {
		r := &t.requests[i]
		arg := r.delete.item
		if r.isPut {
			arg = keyPart(schema, r.put.item)
			if err := t.table.CheckPut(r.put.item); err != nil {
				return err
			}
		}
		if r.key, err = schema.FromKeyArg(arg); err != nil {
			return err
		}
		k := string(r.key.Append(nil))
		if seen[k] {
			return errValidation("Provided list of item keys contains duplicates")
		}
		seen[k] = true
	}
	return nil
}

// keyPart is the key attributes that an item has. A batch words a put without its key as it does a bad key.
func keyPart(s item.KeySchema, it item.Item) item.Item {
	var fields []item.Field
	for _, n := range s.Names() {
		fields = append(fields, item.Field{Name: n, Value: it.Get(n)})
	}
	return item.NewItem(fields)
}

func (r *writeRequest) write(t Table) Write {
	if r.isPut {
		return Write{t, table.Write{Op: table.Put, Key: r.key, Item: r.put.item}}
	}
	return Write{t, table.Write{Op: table.Delete, Key: r.key}}
}

// settle marks the writes that were throttled, to be sent again. Any other failure, or nothing but throttling, fails the
// request; writes of it that were done stay done, as the operation allows.
func (in *batchWriteInput) settle(requests []*writeRequest, errs []error) error {
	done := 0
	var throttled error
	for i, err := range errs {
		switch {
		case err == nil:
			done++
		case fault.KindOf(err) == fault.Throttled:
			requests[i].left = true
			if throttled == nil {
				throttled = err
			}
		default:
			return err
		}
	}
	if done == 0 {
		return throttled
	}
	return nil
}

func (in *batchWriteInput) answer(c *call, results []table.WriteResult) {
	w := &c.out
	w.openObject()
	w.openObjectMember("UnprocessedItems")
	for _, t := range in.tables.list {
		t.writeLeft(w)
	}
	w.closeObject()
	if in.collection.s == "SIZE" {
		in.collections(w)
	}
	var sum bill
	i := 0
	for _, t := range in.tables.list {
		for j := range t.requests {
			if !t.requests[j].left {
				sum.add(t.name, results[i].Cost)
			}
			i++
		}
	}
	sum.member(w, in.consumed, plainSide)
	w.closeObject()
}

func (t *batchWriteTable) writeLeft(w *writer) {
	opened := false
	for i := range t.requests {
		r := &t.requests[i]
		if !r.left {
			continue
		}
		if !opened {
			w.openListMember(t.name)
			opened = true
		}
		w.openObject()
		if r.isPut {
			w.openObjectMember("PutRequest")
			w.itemMember("Item", r.put.item)
		} else {
			w.openObjectMember("DeleteRequest")
			w.itemMember("Key", r.delete.item)
		}
		w.closeObject()
		w.closeObject()
	}
	if opened {
		w.closeList()
	}
}

// collections writes each table's ItemCollectionMetrics, one for each partition that was written.
func (in *batchWriteInput) collections(w *writer) {
	w.openObjectMember("ItemCollectionMetrics")
	for _, t := range in.tables.list {
		if !hasLocalIndex(t.table.Descriptor()) {
			continue
		}
		m := metricsOf{}
		for i := range t.requests {
			if !t.requests[i].left {
				m.add(t.requests[i].key)
			}
		}
		if len(m.hashes) > 0 {
			m.member(w, t.name, t.table)
		}
	}
	w.closeObject()
}

// metricsOf gathers the partitions that a request wrote in one table.
type metricsOf struct {
	seen   map[string]bool
	hashes []item.Value
}

func (m *metricsOf) add(k item.Key) {
	if m.seen == nil {
		m.seen = map[string]bool{}
	}
	if e := string(k.Hash[0].Encoded()); !m.seen[e] {
		m.seen[e] = true
		m.hashes = append(m.hashes, k.Hash[0])
	}
}

func (m *metricsOf) member(w *writer, name string, t Table) {
	w.openListMember(name)
	for _, v := range m.hashes {
		collectionMetrics(w, t, v)
	}
	w.closeList()
}
