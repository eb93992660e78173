package bench

import "strings"

// Workload is a mixture of operations.
type Workload struct {
	Name  string
	About string
	parts []part
}

// part is one operation of a workload. Shares add up to 100.
type part struct {
	share  int
	target string
	items  int // that one request writes or reads; 0: as many as the reply says
	make   func(m *maker, dst []byte) []byte
}

var (
	partGet    = part{100, "GetItem", 1, (*maker).get}
	partPut    = part{100, "PutItem", 1, (*maker).put}
	partInsert = part{100, "PutItem", 1, (*maker).insert}
	partUpdate = part{100, "UpdateItem", 1, (*maker).update}
	partQuery  = part{100, "Query", 0, (*maker).query}
	partPage   = part{100, "Scan", 0, func(m *maker, dst []byte) []byte { return m.scan(dst, 0) }}
	partShort  = part{100, "Scan", 0, func(m *maker, dst []byte) []byte { return m.scan(dst, 50) }}
	partBatch  = part{100, "BatchWriteItem", 25, func(m *maker, dst []byte) []byte { return m.batchWrite(dst, 25) }}
	partTx     = part{100, "TransactWriteItems", 4, func(m *maker, dst []byte) []byte { return m.transactWrite(dst, 4) }}
)

func (p part) of(share int) part { p.share = share; return p }

// Workloads lists what can be run. The mixtures are those of YCSB; its read-modify-write (F) is an UpdateItem here, which
// is how a DynamoDB application writes it.
func Workloads() []Workload {
	one := func(name, about string, p part) Workload { return Workload{name, about, []part{p}} }
	return []Workload{
		one("put", "PutItem of whole items, replacing what is there", partPut),
		one("get", "GetItem, consistent unless told otherwise", partGet),
		one("update", "UpdateItem with a condition, setting one attribute", partUpdate),
		one("query", "Query of a partition from its beginning, a page of 1 MB at most", partQuery),
		one("scan", "Scan pages of 1 MB from random places", partPage),
		one("batchwrite", "BatchWriteItem of 25 items", partBatch),
		one("transactwrite", "TransactWriteItems of 4 items", partTx),
		{"ycsb-a", "half reads, half updates", []part{partGet.of(50), partUpdate.of(50)}},
		{"ycsb-b", "95% reads, 5% updates", []part{partGet.of(95), partUpdate.of(5)}},
		one("ycsb-c", "reads only", partGet),
		{"ycsb-d", "95% reads, 5% inserts", []part{partGet.of(95), partInsert.of(5)}},
		{"ycsb-e", "95% short scans, 5% inserts", []part{partShort.of(95), partInsert.of(5)}},
		{"ycsb-f", "half reads, half read-modify-writes", []part{partGet.of(50), partUpdate.of(50)}},
	}
}

// FindWorkload finds a workload by its name.
func FindWorkload(name string) (Workload, bool) {
	for _, w := range Workloads() {
		if w.Name == name {
			return w, true
		}
	}
	return Workload{}, false
}

// WorkloadNames lists the names for messages.
func WorkloadNames() string {
	var names []string
	for _, w := range Workloads() {
		names = append(names, w.Name)
	}
	return strings.Join(names, ", ")
}

// pick chooses a part by its share.
func (w Workload) pick(m *maker) *part {
	if len(w.parts) == 1 {
		return &w.parts[0]
	}
	x := m.rand.IntN(100)
	for i := range w.parts {
		if x -= w.parts[i].share; x < 0 {
			return &w.parts[i]
		}
	}
	return &w.parts[len(w.parts)-1]
}
