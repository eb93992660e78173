package api

import (
	"context"
	"errors"
	flags "flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
)

// The whole of it takes 200,000:
//
//	go test ./api -run TestConsumerSeesEveryChange -stream.changes=200000 -v
var (
	changesFlag = flags.Int("stream.changes", 9000, "how many changes the stream's consumer follows")
	seedFlag    = flags.Uint64("stream.seed", 0, "seed of the changes and power cuts; 0: another each time")
)

// DYNAMODB.md 8, issue 6: a consumer that reads every shard, parents before their children, sees each change once, while
// four writers here and one in each of two other regions write and this region's power is cut: an old image is always the new image
// before it, and the last is what the table holds.
func TestConsumerSeesEveryChange(t *testing.T) {
	w := newCluster(t, streamSeed(t), "eu-west-1", "ap-northeast-1")
	c := &client{t: t, url: w.url}
	arn := c.streamTable("tab", "NEW_AND_OLD_IMAGES")
	w.join(t)
	j := newJudge(func(image map[string]types.AttributeValue) string { return textOf(image, "v") }, "pk")
	w.follow(t, j, arn, 5, w.contents)
	if j.shards < 4 || len(j.seen) < *changesFlag/3 {
		t.Errorf("%d records of %d shards: too few to have seen anything", len(j.seen), j.shards)
	}
}

func streamSeed(t *testing.T) uint64 {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d (run again with -stream.seed=%d)", seed, seed)
	return seed
}

// follow has writers in all regions change the table, and cuts home's power now and then, while the judge follows a stream. It
// returns when the judge has replayed what shown tells of every region.
func (w *cluster) follow(t *testing.T, j *judge, arn string, cuts int, shown func(*testing.T, *region.Region) map[string]string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var reading, writing sync.WaitGroup
	reading.Go(func() { j.follow(ctx, newStreamsSDK(w.url), arn) })
	defer reading.Wait()
	defer stop()

	var done atomic.Int64
	for n := range 6 {
		writing.Go(func() { w.write(n, &done) })
	}
	writing.Go(func() { // power cuts, spread over the changes
		for i := range cuts {
			for done.Load() < int64(*changesFlag*(i+1)/(cuts+2)) && !t.Failed() {
				time.Sleep(time.Millisecond)
			}
			w.crash()
		}
	})
	began := time.Now()
	writing.Wait()
	wrote := time.Since(began)
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		home := shown(t, w.home)
		equal := true
		for _, r := range w.others {
			equal = equal && maps.Equal(home, shown(t, r))
		}
		if equal && j.holds(home) {
			break
		}
		if failed := j.failure(); failed != "" || time.Now().After(end) {
			t.Fatalf("%s\nhome shows %d, others the same %v; replayed are %s\n%s", failed, len(home), equal, j.differences(home), w.apart())
		}
	}
	stop()
	reading.Wait()
	if failed := j.failure(); failed != "" {
		t.Fatal(failed)
	}
	t.Logf("%d writes in %v, %d records of %d shards, read to the end after %v", done.Load(), wrote.Round(time.Millisecond), len(j.seen), j.shards, time.Since(began).Round(time.Millisecond))
}

// join adds the other regions and waits until all serve.
func (w *cluster) join(t *testing.T) {
	t.Helper()
	for _, o := range w.others {
		if _, err := w.home.UpdateTable(t.Context(), "tab", catalog.Change{CreateReplica: o.Name()}); err != nil {
			t.Fatal(err)
		}
		for _, r := range []*region.Region{w.home, o} {
			await(t, r)
		}
	}
	for _, r := range w.others {
		await(t, r)
	}
}

// await waits until a region shows the table and all its replicas as active.
func await(t *testing.T, r *region.Region) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		v, err := r.DescribeTable("tab")
		if err == nil && v.Status == "ACTIVE" && !slices.ContainsFunc(v.Members, func(m catalog.Member) bool { return m.State != catalog.MemberActive }) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v %v", r.Name(), v, err)
		}
	}
}

// write is one writer. No two writes leave the same value, so an old image tells which write it is of.
func (w *cluster) write(n int, done *atomic.Int64) {
	g := rand.New(rand.NewPCG(w.seed, uint64(n)))
	for i := range *changesFlag / 6 {
		key := item.Str(fmt.Sprint("k", g.IntN(300)))
		it := item.NewItem([]item.Field{{Name: "pk", Value: key}, {Name: "v", Value: item.Str(fmt.Sprintf("%d.%d", n, i))}})
		ws := []table.Write{{Op: table.Put, Item: it}}
		switch g.IntN(10) {
		case 0, 1:
			ws[0] = table.Write{Op: table.Delete, Key: item.Key{Hash: []item.Value{key}}}
		case 2:
			ws = append(ws, ws[0]) // changes nothing, unless another came between
		}
		for _, one := range ws {
			fn := func(r *region.Region) error {
				tab, err := r.Table("tab")
				if err == nil {
					_, err = tab.Write(context.Background(), one)
				}
				return err
			}
			err := error(nil)
			if n < 4 {
				err = w.with(fn)
			} else {
				err = fn(w.others[(n-4)%len(w.others)])
			}
			if err != nil && !errors.Is(err, errCut) {
				w.t.Errorf("writer %d: %v", n, err)
				return
			}
			done.Add(1)
		}
	}
}

// contents is a table's items as the judge prints them.
func (w *cluster) contents(t *testing.T, r *region.Region) map[string]string {
	t.Helper()
	tab, err := r.Table("tab")
	if err != nil {
		t.Fatal(err)
	}
	page, err := tab.Scan(t.Context(), table.Scan{Reading: table.Reading{Consistent: true}})
	if err != nil || !page.Last.IsZero() {
		t.Fatal(err, "or more than a page")
	}
	all := map[string]string{}
	for _, it := range page.Items {
		all[it.Get("pk").Text()] = it.Get("v").Text()
	}
	return all
}

func newStreamsSDK(url string) *dynamodbstreams.Client {
	return dynamodbstreams.New(dynamodbstreams.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), RetryMaxAttempts: 10,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, nil
		}),
	})
}

// judge replays records and notes what cannot be.
type judge struct {
	see  func(image map[string]types.AttributeValue) string
	keys []string // the key's attributes

	mu     sync.Mutex
	images map[string]string // newest image of each key, if there is an item
	newest map[string]string // its sequence number
	seen   map[string]bool   // sequence numbers and event ids
	shards int
	failed string
}

// newJudge makes a judge that compares what see tells of images; of an image that is not there it gets nil.
func newJudge(see func(image map[string]types.AttributeValue) string, keys ...string) *judge {
	return &judge{see: see, keys: keys, images: map[string]string{}, newest: map[string]string{}, seen: map[string]bool{}}
}

func (j *judge) failLocked(format string, args ...any) {
	if j.failed == "" {
		j.failed = fmt.Sprintf(format, args...)
	}
}

func (j *judge) failure() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed
}

func (j *judge) holds(want map[string]string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Equal(j.images, want)
}

func (j *judge) differences(want map[string]string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []string
	for k, v := range want {
		if j.images[k] != v {
			out = append(out, fmt.Sprintf("%s: replayed %q, is %q", k, j.images[k], v))
		}
	}
	for k, v := range j.images {
		if want[k] == "" {
			out = append(out, fmt.Sprintf("%s: replayed %q, is gone", k, v))
		}
	}
	return strings.Join(out, "; ")
}

// follow reads a stream until ctx ends: each shard in a goroutine, once its parent is read to its end.
func (j *judge) follow(ctx context.Context, sdk *dynamodbstreams.Client, arn string) {
	finished, begun := map[string]bool{}, map[string]bool{}
	ends := make(chan string, 1000)
	var readers sync.WaitGroup
	defer readers.Wait()
	for ctx.Err() == nil {
		shards, err := describeAll(ctx, sdk, arn)
		for len(ends) > 0 {
			finished[<-ends] = true
		}
		if err == nil {
			for _, s := range shards {
				id := *s.ShardId
				if begun[id] || s.ParentShardId != nil && !finished[*s.ParentShardId] {
					continue
				}
				begun[id] = true
				j.mu.Lock()
				j.shards++
				j.mu.Unlock()
				readers.Go(func() {
					if j.read(ctx, sdk, arn, id) {
						ends <- id
					}
				})
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func describeAll(ctx context.Context, sdk *dynamodbstreams.Client, arn string) (all []types.Shard, err error) {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &arn, Limit: aws.Int32(50)}
	for {
		out, err := sdk.DescribeStream(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return all, nil
		}
	}
}

// read reads one shard to its end. Now and then it forgets its iterator and goes on from the last number, as a consumer
// does that was restarted from its checkpoint.
func (j *judge) read(ctx context.Context, sdk *dynamodbstreams.Client, arn, shard string) (finished bool) {
	last := ""
	var it *string
	for n := 1; ctx.Err() == nil; n++ {
		if it == nil || n%50 == 0 {
			in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
			if last != "" {
				in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &last
			}
			out, err := sdk.GetShardIterator(ctx, in)
			if err != nil {
				j.unexpected(ctx, err)
				continue
			}
			it = out.ShardIterator
		}
		out, err := sdk.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: it})
		if err != nil {
			j.unexpected(ctx, err)
			continue
		}
		for _, r := range out.Records {
			j.take(r)
			last = *r.Dynamodb.SequenceNumber
		}
		if it = out.NextShardIterator; it == nil {
			return true
		}
		if len(out.Records) == 0 {
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return false
}

// unexpected notes an error that the service's own answer was; while home is down there is none.
func (j *judge) unexpected(ctx context.Context, err error) {
	var api interface{ ErrorCode() string }
	if ctx.Err() == nil && errors.As(err, &api) && api.ErrorCode() != "ServiceUnavailable" && api.ErrorCode() != "InternalServerError" {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.failLocked("the consumer is told: %v", err)
	}
}

func (j *judge) take(r types.Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	d := r.Dynamodb
	key, seq := "", *d.SequenceNumber
	for _, name := range j.keys {
		key += textOf(d.Keys, name)
	}
	old, had := j.images[key]
	shownOld, shownNew := j.see(d.OldImage), j.see(d.NewImage)
	event := types.OperationTypeModify
	switch {
	case d.OldImage == nil:
		event = types.OperationTypeInsert
	case d.NewImage == nil:
		event = types.OperationTypeRemove
	}
	switch {
	case j.seen[seq] || j.seen[*r.EventID]:
		j.failLocked("record %s comes twice", seq)
	case seq <= j.newest[key]:
		j.failLocked("key %s: record %s after %s", key, seq, j.newest[key])
	case had != (d.OldImage != nil) || old != shownOld:
		j.failLocked("key %s: record %s replaces %q, the one before it (%s) left %q", key, seq, shownOld, j.newest[key], old)
	case r.EventName != event || d.OldImage != nil && shownOld == shownNew || *r.AwsRegion != "us-east-1":
		j.failLocked("key %s: record %s is %s in %s, from %q to %q", key, seq, r.EventName, *r.AwsRegion, shownOld, shownNew)
	}
	j.seen[seq] = true
	j.newest[key], j.images[key] = seq, shownNew
	if d.NewImage == nil {
		delete(j.images, key)
	}
}

func textOf(it map[string]types.AttributeValue, name string) string {
	if v, ok := it[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}
