package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Load makes the tables where they do not exist, waits until they can be used, and writes all items, by BatchWriteItem
// over the configured connections. progress, if given, is told from time to time how many items there are.
func Load(ctx context.Context, c Config, progress func(items int)) error {
	if err := c.Check(); err != nil {
		return err
	}
	k, err := dial(&c, c.Endpoints[0])
	if err != nil {
		return err
	}
	for n := 0; n < c.Tables && err == nil; n++ {
		err = createTable(ctx, &c, k, string(c.appendTable(nil, n)))
	}
	if err = errors.Join(err, k.close()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next, done atomic.Int64
	errs := make([]error, c.Connections)
	var wg sync.WaitGroup
	for i := range c.Connections {
		wg.Go(func() {
			if errs[i] = load(ctx, &c, i, &next, &done, progress); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	return firstOf(errs)
}

const loadBatch = 25

// batchBytes is how much one batch may hold: the service takes 16 MB.
const batchBytes = 8 << 20

func load(ctx context.Context, c *Config, i int, next, done *atomic.Int64, progress func(int)) error {
	k, err := dial(c, c.Endpoints[i%len(c.Endpoints)])
	if err != nil {
		return err
	}
	defer func() { _ = k.close() }() // every reply has been read
	m := newMaker(c, i)
	size := int64(max(1, min(loadBatch, batchBytes/c.ItemSize)))
	var items []int
	var buf []byte
	for ctx.Err() == nil {
		from := next.Add(size) - size
		if from >= int64(c.Items) {
			return nil
		}
		items = items[:0]
		for x := from; x < min(from+size, int64(c.Items)); x++ {
			items = append(items, int(x))
		}
		buf = m.batchOf(buf[:0], items)
		if err := insist(ctx, k, "BatchWriteItem", buf, func(body []byte) bool {
			return !strings.Contains(string(body), `"PutRequest"`) // nothing unprocessed
		}); err != nil {
			return err
		}
		if n := done.Add(int64(len(items))); progress != nil && n%10_000 < int64(len(items)) {
			progress(int(n))
		}
	}
	return ctx.Err()
}

func createTable(ctx context.Context, c *Config, k *conn, name string) error {
	sortType, sortKey := "", ""
	if c.PerPartition > 0 {
		sortType, sortKey = `,{"AttributeName":"sk","AttributeType":"N"}`, `,{"AttributeName":"sk","KeyType":"RANGE"}`
	}
	body := fmt.Sprintf(`{"TableName":%q,"BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}%s],`+
		`"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}%s]}`, name, sortType, sortKey)
	status, err := k.call("CreateTable", []byte(body))
	if err != nil {
		return err
	}
	if status != 200 && errorType(status, k.body) != "ResourceInUseException" {
		return fmt.Errorf("bench: CreateTable: %s", k.body)
	}
	return insist(ctx, k, "DescribeTable", fmt.Appendf(nil, `{"TableName":%q}`, name), func(body []byte) bool {
		return strings.Contains(string(body), `"TableStatus":"ACTIVE"`)
	})
}

// insist repeats a request until its reply is good, for half a minute. What can never succeed fails at once.
func insist(ctx context.Context, k *conn, target string, body []byte, good func([]byte) bool) error {
	for deadline := time.Now().Add(30 * time.Second); ; {
		status, err := k.call(target, body)
		if err != nil {
			return err
		}
		if status == 200 && good(k.body) {
			return nil
		}
		if kind := errorType(status, k.body); status != 200 && (kind == "ValidationException" || kind == "SerializationException") {
			return fmt.Errorf("bench: %s: %s", target, k.body)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("bench: %s does not succeed: %.300s", target, k.body)
		}
		pause := time.NewTimer(50 * time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-pause.C:
		}
	}
}
