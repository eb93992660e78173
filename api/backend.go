package api

import (
	"context"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
)

// Backend is the region that a Server speaks for. All methods may be called at the same time. Failures are *fault.Error
// (perhaps wrapped), *table.ConditionFailed, *region.Canceled, *expr.Error or *item.ValidationError; anything else is
// taken for our own fault. What a method returns is durable.
type Backend interface {
	Name() string
	CreateTable(ctx context.Context, spec catalog.Spec) (catalog.View, error)
	DescribeTable(name string) (catalog.View, error)
	UpdateTable(ctx context.Context, name string, ch catalog.Change) (catalog.View, error)
	DeleteTable(ctx context.Context, name string) (catalog.View, error)
	ListTables(after string, limit int) (names []string, last string, err error)
	SetTags(ctx context.Context, name string, set map[string]string, remove []string) error
	// ChangeLocal changes what the region keeps of a table for itself, or nothing if fn fails.
	ChangeLocal(name string, fn func(*catalog.Local) error) (catalog.View, error)

	// Report hears of every error that no client made. Corruption stops the region, whoever finds it.
	Report(err error)

	// Streams, by name; see region.Region.
	Streams(tableName string, after region.StreamName, limit int) (names []region.StreamName, more bool)
	DescribeStream(n region.StreamName) (region.StreamView, error)
	ShardIterator(n region.StreamName, shard string, start region.StreamStart) (string, error)
	StreamRecords(iterator string, limit int) (records []region.StreamRecord, next string, err error)

	// Table finds a table for reads and writes of items; fault.NotFound when there is none that serves.
	Table(name string) (Table, error)
	// WriteBatch does each write by itself; errors stand at the write's place.
	WriteBatch(ctx context.Context, ws []Write) ([]table.WriteResult, []error)
	// Transact does all writes or none. A token, which may be nil, makes it idempotent; another request's token is
	// fault.IdempotentMismatch.
	Transact(ctx context.Context, token *table.Token, ws []Write) (table.Transacted, error)
	// TransactGet reads items as they were together at one moment.
	TransactGet(ctx context.Context, keys []Key) ([]table.GetResult, error)
}

// Table is one table's data plane.
type Table interface {
	Descriptor() *catalog.Descriptor
	Schema() item.KeySchema
	Write(ctx context.Context, w table.Write) (table.WriteResult, error)
	// CheckPut refuses an item that no put can leave, whatever is stored.
	CheckPut(it item.Item) error
	Get(ctx context.Context, key item.Key, consistent bool) (table.GetResult, error)
	// CollectionSize is about how many bytes stand under a partition key, local indexes included.
	CollectionSize(hash []item.Value) (uint64, error)
	Query(ctx context.Context, q table.Query) (table.Page, error)
	Scan(ctx context.Context, s table.Scan) (table.Page, error)
}

// Write is one write of a batch or transaction.
type Write struct {
	Table Table
	table.Write
}

// Key is one read of a transaction.
type Key struct {
	Table Table
	Key   item.Key
}

// regionBackend is a region as a Backend: it names the interface where the region names its own type.
type regionBackend struct{ *region.Region }

func (b regionBackend) Table(name string) (Table, error) {
	t, err := b.Region.Table(name)
	if err != nil {
		return nil, err // not t: a nil *table.Table in an interface is not nil
	}
	return t, nil
}

func regionWrites(ws []Write) []region.TableWrite {
	out := make([]region.TableWrite, len(ws))
	for i, w := range ws {
		out[i] = region.TableWrite{Table: w.Table.(*table.Table), Write: w.Write} // Table gave it out
	}
	return out
}

func (b regionBackend) WriteBatch(ctx context.Context, ws []Write) ([]table.WriteResult, []error) {
	return b.Region.WriteBatch(ctx, regionWrites(ws))
}

func (b regionBackend) Transact(ctx context.Context, token *table.Token, ws []Write) (table.Transacted, error) {
	return b.Region.Transact(ctx, token, regionWrites(ws))
}

func (b regionBackend) TransactGet(ctx context.Context, keys []Key) ([]table.GetResult, error) {
	out := make([]region.TableKey, len(keys))
	for i, k := range keys {
		out[i] = region.TableKey{Table: k.Table.(*table.Table), Key: k.Key}
	}
	return b.Region.TransactGet(ctx, out)
}
