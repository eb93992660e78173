package bench

import (
	"math/rand/v2"
	"slices"
	"strconv"
)

// maker makes one connection's request bodies.
type maker struct {
	c      *Config
	rand   *rand.Rand
	keys   chooser
	fresh  int // next number for inserts, beyond Items; each connection has its own residue
	stride int
	field  int // bytes of an attribute's value
}

func newMaker(c *Config, connection int) *maker {
	m := &maker{
		c: c, rand: rand.New(rand.NewPCG(c.Seed, uint64(connection))), keys: c.chooser(),
		fresh: c.Items + connection, stride: c.Connections,
	}
	names := len("pk") + 16
	for i := range c.Attributes {
		names += len(fieldName(i))
	}
	m.field = max(1, (c.ItemSize-names)/c.Attributes)
	return m
}

func fieldName(i int) string { return "field" + strconv.Itoa(i) }

// table begins a request for the table of an item.
func (m *maker) table(dst []byte, item int) []byte {
	return append(m.c.appendTable(append(dst, `{"TableName":"`...), m.c.tableOf(item)), '"')
}

func (m *maker) key(dst []byte, i int) []byte { return append(m.keyFields(append(dst, '{'), i), '}') }

// keyFields writes the key of item number i: with a sort key, its partition's number and its place there.
func (m *maker) keyFields(dst []byte, i int) []byte {
	if m.c.PerPartition == 0 {
		return append(appendKey(append(dst, `"pk":{"S":"`...), i), `"}`...)
	}
	dst = append(appendKey(append(dst, `"pk":{"S":"`...), i/m.c.PerPartition), `"},"sk":{"N":"`...)
	return append(strconv.AppendInt(dst, int64(i%m.c.PerPartition), 10), `"}`...)
}

func (m *maker) item(dst []byte, i int) []byte {
	dst = m.keyFields(append(dst, '{'), i)
	for f := range m.c.Attributes {
		dst = append(append(append(dst, `,"`...), fieldName(f)...), `":{"S":"`...)
		dst = append(appendRandom(dst, m.rand, m.field), `"}`...)
	}
	return append(dst, '}')
}

func (m *maker) consistent(dst []byte) []byte {
	if m.c.Eventual {
		return dst
	}
	return append(dst, `,"ConsistentRead":true`...)
}

func (m *maker) put(dst []byte) []byte { return m.putOf(dst, m.keys.next(m.rand)) }

func (m *maker) putOf(dst []byte, i int) []byte {
	return append(m.item(append(m.table(dst, i), `,"Item":`...), i), '}')
}

func (m *maker) insert(dst []byte) []byte {
	m.fresh += m.stride
	return m.putOf(dst, m.fresh)
}

func (m *maker) get(dst []byte) []byte {
	i := m.keys.next(m.rand)
	dst = m.key(append(m.table(dst, i), `,"Key":`...), i)
	return append(m.consistent(dst), '}')
}

// update sets one attribute of an item that is there.
func (m *maker) update(dst []byte) []byte {
	i := m.keys.next(m.rand)
	dst = m.key(append(m.table(dst, i), `,"Key":`...), i)
	dst = append(dst, `,"ConditionExpression":"attribute_exists(pk)","UpdateExpression":"SET field0 = :v","ExpressionAttributeValues":{":v":{"S":"`...)
	return append(appendRandom(dst, m.rand, m.field), `"}}}`...)
}

// query reads a partition from its beginning, as far as a page goes.
func (m *maker) query(dst []byte) []byte {
	i := m.keys.next(m.rand)
	dst = append(m.table(dst, i), `,"KeyConditionExpression":"pk = :k","ExpressionAttributeValues":{":k":{"S":"`...)
	dst = append(appendKey(dst, i/max(1, m.c.PerPartition)), `"}}`...)
	return append(m.consistent(dst), '}')
}

// scan reads a page from a random item on.
func (m *maker) scan(dst []byte, limit int) []byte {
	i := m.keys.next(m.rand)
	dst = m.key(append(m.table(dst, i), `,"ExclusiveStartKey":`...), i)
	if limit > 0 {
		dst = strconv.AppendInt(append(dst, `,"Limit":`...), int64(limit), 10)
	}
	return append(m.consistent(dst), '}')
}

func (m *maker) batchWrite(dst []byte, n int) []byte {
	return m.batchOf(dst, m.distinct(n))
}

// batchOf writes a batch of items, which it sorts, so that those of one table stand together.
func (m *maker) batchOf(dst []byte, items []int) []byte {
	slices.Sort(items)
	dst = append(dst, `{"RequestItems":{`...)
	last := -1
	for _, x := range items {
		switch t := m.c.tableOf(x); {
		case t == last:
			dst = append(dst, ',')
		case last >= 0:
			dst = append(dst, `],`...)
			fallthrough
		default:
			dst = append(m.c.appendTable(append(dst, '"'), t), `":[`...)
			last = t
		}
		dst = append(m.item(append(dst, `{"PutRequest":{"Item":`...), x), `}}`...)
	}
	return append(dst, `]}}`...)
}

func (m *maker) transactWrite(dst []byte, n int) []byte {
	dst = append(dst, `{"TransactItems":[`...)
	for i, x := range m.distinct(n) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(m.putOf(append(dst, `{"Put":`...), x), '}')
	}
	return append(dst, `]}`...)
}

// distinct picks n different items, or as many as there are. One that is taken gives way to the next number.
func (m *maker) distinct(n int) []int {
	n = min(n, m.c.Items)
	out := make([]int, 0, n)
	for len(out) < n {
		x := m.keys.next(m.rand)
		for slices.Contains(out, x) {
			x = (x + 1) % m.c.Items
		}
		out = append(out, x)
	}
	return out
}
