package drill

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tables are a drill's two: registers under the default policy, counters under the one that counts. Their names are new for
// each drill, as it may be run again where the last one's tables are.
type tables struct{ registers, counters string }

func newTables(id string) tables { return tables{"drill-" + id, "drill-" + id + "-counters"} }

func (t tables) names() []string { return []string{t.registers, t.counters} }

// direct is a client of one region that goes nowhere else: what it is told is what that region has.
func direct(r Region) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: r.Name, BaseEndpoint: aws.String(r.DynamoDB),
		Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""), RetryMaxAttempts: 5,
	})
}

// make creates the tables in all regions and returns when each can be used everywhere.
func (t tables) make(ctx context.Context, regions []Region) error {
	first := direct(regions[0])
	for _, name := range t.names() {
		in := &dynamodb.CreateTableInput{
			TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		}
		if name == t.counters {
			in.Tags = []types.Tag{{Key: aws.String("meridian:conflict-policy"), Value: aws.String("crdt")}}
		}
		if _, err := first.CreateTable(ctx, in); err != nil {
			return err
		}
		for i, r := range regions {
			if i > 0 {
				_, err := first.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(name), ReplicaUpdates: []types.ReplicationGroupUpdate{
					{Create: &types.CreateReplicationGroupMemberAction{RegionName: aws.String(r.Name)}}}})
				if err != nil {
					return err
				}
			}
			for _, at := range []Region{r, regions[0]} {
				if err := active(ctx, direct(at), name, i); err != nil {
					return fmt.Errorf("table %s in %s: %w", name, at.Name, err)
				}
			}
		}
	}
	return nil
}

// remove deletes the tables, as far as that can be done; what stays is in nobody's way.
func (t tables) remove(ctx context.Context, regions []Region) error {
	first := direct(regions[0])
	var errs []error
	for _, name := range t.names() {
		for _, r := range regions[1:] {
			_, err := first.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(name), ReplicaUpdates: []types.ReplicationGroupUpdate{
				{Delete: &types.DeleteReplicationGroupMemberAction{RegionName: aws.String(r.Name)}}}})
			if err == nil {
				err = await(ctx, 10*time.Second, func() error {
					_, err := direct(r).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
					var gone *types.ResourceNotFoundException
					if errors.As(err, &gone) {
						return nil
					}
					return fmt.Errorf("table %s is still in %s", name, r.Name)
				})
			}
			errs = append(errs, err)
		}
		_, err := first.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(name)})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func active(ctx context.Context, c *dynamodb.Client, name string, replicas int) error {
	return await(ctx, 30*time.Second, func() error {
		out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		switch {
		case err != nil:
			return err
		case out.Table.TableStatus != types.TableStatusActive:
			return fmt.Errorf("it is %s", out.Table.TableStatus)
		}
		ready := 0
		for _, r := range out.Table.Replicas {
			if r.ReplicaStatus == types.ReplicaStatusActive {
				ready++
			}
		}
		if ready < replicas {
			return fmt.Errorf("%d of %d replicas are ready", ready, replicas)
		}
		return nil
	})
}

// await asks again and again until there is nothing to complain of, and returns the last complaint if that takes too long.
func await(ctx context.Context, patience time.Duration, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("still so after %v: %w", patience, err)
		case <-tick.C:
		}
	}
}

// contents is all that one region holds of a drill's tables.
type contents struct {
	items    map[string]ID
	counters map[string]int64
}

// read scans both tables in one region, as it has them now.
func (t tables) read(ctx context.Context, r Region) (contents, error) {
	c := contents{map[string]ID{}, map[string]int64{}}
	client := direct(r)
	err := scan(ctx, client, t.registers, func(pk string, it map[string]types.AttributeValue) (err error) {
		c.items[pk], err = idOf(it)
		return err
	})
	if err != nil {
		return c, err
	}
	return c, scan(ctx, client, t.counters, func(pk string, it map[string]types.AttributeValue) (err error) {
		n, ok := it["n"].(*types.AttributeValueMemberN)
		if !ok {
			return fmt.Errorf("%s has no n", pk)
		}
		c.counters[pk], err = strconv.ParseInt(n.Value, 10, 64)
		return err
	})
}

func scan(ctx context.Context, c *dynamodb.Client, table string, take func(string, map[string]types.AttributeValue) error) error {
	pages := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: aws.String(table), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, it := range page.Items {
			pk, ok := it["pk"].(*types.AttributeValueMemberS)
			if !ok {
				return errors.New("an item of the drill has no pk")
			}
			if err := take(pk.Value, it); err != nil {
				return err
			}
		}
	}
	return nil
}

// differ says in which way two regions differ; "" if they do not.
func (c contents) differ(o contents) string {
	var say []string
	n := 0
	for k, v := range c.items {
		if o.items[k] != v {
			if n++; n == 1 {
				say = append(say, fmt.Sprintf("%s is %s and %s", k, sayID(v), sayID(o.items[k])))
			}
		}
	}
	for k, v := range c.counters {
		if o.counters[k] != v {
			say = append(say, fmt.Sprintf("%s is %d and %d", k, v, o.counters[k]))
		}
	}
	if n > 1 {
		say = append(say, fmt.Sprintf("%d items differ", n))
	}
	if len(c.items) != len(o.items) || len(c.counters) != len(o.counters) {
		say = append(say, fmt.Sprintf("there are %d and %d items", len(c.items)+len(c.counters), len(o.items)+len(o.counters)))
	}
	return strings.Join(say, "; ")
}

// have reports which of some items a region has. Those under keys are asked for 100 at a time.
func (t tables) have(ctx context.Context, r Region, keys []string) (map[string]bool, error) {
	found, client := map[string]bool{}, direct(r)
	for len(keys) > 0 {
		some := keys[:min(100, len(keys))]
		keys = keys[len(some):]
		ask := types.KeysAndAttributes{ConsistentRead: aws.Bool(true), ProjectionExpression: aws.String("pk")}
		for _, k := range some {
			ask.Keys = append(ask.Keys, keyItem(k))
		}
		out, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{t.registers: ask}})
		if err != nil {
			return nil, err
		}
		for _, it := range out.Responses[t.registers] {
			if pk, ok := it["pk"].(*types.AttributeValueMemberS); ok {
				found[pk.Value] = true
			}
		}
		if n := len(out.UnprocessedKeys); n > 0 {
			return nil, errors.New("a small BatchGetItem was answered in part")
		}
	}
	return found, nil
}
