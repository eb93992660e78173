package table

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
)

// span is a half-open range of store keys; a nil hi is never used.
type span struct{ lo, hi []byte }

// has reports whether a key is in the range.
func (s span) has(key []byte) bool {
	return bytes.Compare(s.lo, key) <= 0 && bytes.Compare(key, s.hi) < 0
}

// after returns the first key that does not begin with p. There is one: prefixes begin with a kind byte.
func after(p []byte) []byte { return storage.PrefixEnd(p) }

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
	index  *index // nil: the table
	prefix []byte
	schema item.KeySchema
}

func noIndex(name string) error {
	return invalid("The table does not have the specified index: %s", name)
}

func (t *Table) source(name string) (source, error) {
	if name == "" {
		return source{table: t, prefix: t.prefix, schema: t.entry.Schema}, nil
	}
	x := t.indexNamed(name)
	if x == nil {
		return source{}, noIndex(name)
	}
	if !t.entry.IndexBuilt(x.ID) {
		return source{}, invalid("Cannot read from backfilling global secondary index: %s", name)
	}
	return source{table: t, index: x, prefix: x.prefix, schema: x.Schema}, nil
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
	if start.Len() != len(s.keyNames()) {
		return nil, invalid(badStart)
	}
	bk, ok := base.IndexKey(start)
	if !ok {
		return nil, invalid(badStart)
	}
	ik, ok := s.schema.IndexKey(start)
	if !ok {
		return nil, invalid(badStart)
	}
	return bk.Append(ik.Append(append([]byte(nil), s.prefix...))), nil
}

// keyNames lists the attributes of a LastEvaluatedKey, sorted: the table's keys and the index's.
func (s source) keyNames() []string {
	names := s.table.entry.Schema.Names()
	if s.index != nil {
		names = append(names, s.schema.Names()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// lastKey is the LastEvaluatedKey for an item.
func (s source) lastKey(it item.Item) item.Item { return it.Project(s.keyNames()) }
