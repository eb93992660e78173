package table

import (
	"encoding/binary"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
)

// span is a half-open range of store keys; a nil hi is never used.
type span struct{ lo, hi []byte }

// after returns the first key that does not begin with p.
func after(p []byte) []byte {
	end := append([]byte(nil), p...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	panic("table: a key prefix of 0xff only") // prefixes begin with a kind byte
}

// querySpan turns the conditions on a partition's keys into a range of stored keys under prefix.
func querySpan(prefix []byte, r expr.KeyRange) span {
	base := item.Key{Hash: r.Hash}.AppendHash(append([]byte(nil), prefix...))
	for _, v := range r.Prefix {
		base = item.AppendPart(base, v)
	}
	with := func(v item.Value) []byte { return item.AppendPart(append([]byte(nil), base...), v) }
	switch r.Op {
	case expr.RangeEQ:
		p := with(r.Lo)
		return span{p, after(p)}
	case expr.RangeLT:
		return span{base, with(r.Lo)}
	case expr.RangeLE:
		return span{base, after(with(r.Lo))}
	case expr.RangeGT:
		return span{after(with(r.Lo)), after(base)}
	case expr.RangeGE:
		return span{with(r.Lo), after(base)}
	case expr.RangeBetween:
		return span{with(r.Lo), after(with(r.Hi))}
	case expr.RangeBeginsWith:
		p := with(r.Lo)
		p = p[:len(p)-2] // without the end mark of a string or binary part
		return span{p, after(p)}
	default:
		return span{base, after(base)}
	}
}

// segmentSpan is segment i of n equal parts of the hash space under prefix.
func segmentSpan(prefix []byte, i, n int) span {
	if n <= 1 {
		return span{prefix, after(prefix)}
	}
	edge := func(i int) []byte {
		if i == n {
			return after(prefix)
		}
		return binary.BigEndian.AppendUint32(append([]byte(nil), prefix...), uint32((uint64(i)<<32)/uint64(n)))
	}
	return span{edge(i), edge(i + 1)}
}

// source is what a Query or Scan reads: the table, or one of its indexes.
type source struct {
	table  *Table
	index  *catalog.Index // nil: the table
	prefix []byte
	schema item.KeySchema
}

func (t *Table) source(name string) (source, error) {
	if name == "" {
		return source{table: t, prefix: t.prefix, schema: t.entry.Schema}, nil
	}
	ix, ok := t.Index(name)
	if !ok {
		return source{}, invalid("The table does not have the specified index: %s", name)
	}
	if !t.entry.IndexBuilt(ix.ID) {
		return source{}, invalid("Cannot read from backfilling global secondary index: %s", name)
	}
	return source{table: t, index: ix, prefix: indexPrefix(t.entry.Descriptor, ix), schema: ix.Schema}, nil
}

const badStart = "The provided starting key is invalid"

// startKey finds the stored key of an ExclusiveStartKey, which need not exist (DYNAMODB.md section 5).
func (s source) startKey(start item.Item) ([]byte, error) {
	base := s.table.entry.Schema
	if s.index == nil {
		k, err := base.FromKeyArg(start)
		if err != nil {
			return nil, invalid(badStart + ": The provided key element does not match the schema")
		}
		return k.Append(append([]byte(nil), s.prefix...)), nil
	}
	want := map[string]bool{}
	for _, n := range append(base.Names(), s.schema.Names()...) {
		want[n] = true
	}
	if start.Len() != len(want) {
		return nil, invalid(badStart)
	}
	var own []item.Field
	for _, n := range base.Names() {
		own = append(own, item.Field{Name: n, Value: start.Get(n)})
	}
	bk, err := base.FromKeyArg(item.NewItem(own))
	if err != nil {
		return nil, invalid(badStart)
	}
	ik, ok := s.schema.IndexKey(start)
	if !ok {
		return nil, invalid(badStart)
	}
	return bk.Append(ik.Append(append([]byte(nil), s.prefix...))), nil
}

// lastKey is the LastEvaluatedKey for an item.
func (s source) lastKey(it item.Item) item.Item {
	names := s.table.entry.Schema.Names()
	if s.index != nil {
		names = append(names, s.schema.Names()...)
	}
	fields := make([]item.Field, 0, len(names))
	seen := map[string]bool{}
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			fields = append(fields, item.Field{Name: n, Value: it.Get(n)})
		}
	}
	return item.NewItem(fields)
}
