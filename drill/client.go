package drill

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/meridiandb/meridian/route"
)

// client is one user: it does one thing after the other, in one session.
type client struct {
	load     *load
	home     *home
	number   int
	began    time.Time
	random   *rand.Rand
	session  *route.Session
	sessions int // begun
	writes   ID  // given out
	chain    int // which key its conditional writes go to
	last     ID  // what they wrote there; 0: nothing yet
}

// run works at the rate until ctx ends; a call that takes long leaves out the next ones.
func (c *client) run(ctx context.Context) {
	every := time.Duration(float64(time.Second) / c.load.o.Rate)
	timer := time.NewTimer(time.Duration(c.random.Int64N(int64(every)))) // not all at once
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		began := time.Now()
		c.act(context.WithoutCancel(ctx)) // a call under way is finished: its answer counts
		timer.Reset(max(0, every-time.Since(began)))
	}
}

// act does one thing, of the kinds that applications do.
func (c *client) act(ctx context.Context) {
	switch p := c.random.IntN(100); {
	case p < 30:
		c.read(ctx, ownKey(c.number, c.random.IntN(ownKeys)))
	case p < 40:
		c.read(ctx, sharedKey(c.random.IntN(sharedKeys)))
	case p < 55:
		c.write(ctx, ownKey(c.number, c.random.IntN(ownKeys)))
	case p < 65:
		c.write(ctx, sharedKey(c.random.IntN(sharedKeys)))
	case p < 83:
		id := c.next()
		c.put(ctx, Insert, newKey(c.number, id), id, "attribute_not_exists(pk)", 0)
	case p < 92:
		c.add(ctx, countKey(c.random.IntN(countKeys)))
	default:
		c.replace(ctx)
	}
}

// next is an ID that no other write has.
func (c *client) next() ID {
	c.writes++
	return ID(c.number)<<32 | c.writes
}

func (c *client) read(ctx context.Context, key string) {
	call := Call{Op: Read, Key: key}
	c.do(ctx, &call, func(ctx context.Context) error {
		out, err := c.home.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(c.load.tables.registers), Key: keyItem(key)})
		if err == nil {
			call.Saw, err = idOf(out.Item)
		}
		return err
	})
}

func (c *client) write(ctx context.Context, key string) { c.put(ctx, Write, key, c.next(), "", 0) }

// replace writes on condition that its own last write is there. After an answer that leaves open what is, it goes on with
// another key.
func (c *client) replace(ctx context.Context) {
	id, condition := c.next(), "attribute_not_exists(pk)"
	if c.last != 0 {
		condition = "v = :last"
	}
	switch c.put(ctx, Replace, chainKey(c.number, c.chain), id, condition, c.last) {
	case OK:
		c.last = id
	case Failed:
	default:
		c.chain++
		c.last = 0
	}
}

func (c *client) put(ctx context.Context, op Op, key string, id ID, condition string, last ID) Result {
	in := &dynamodb.PutItemInput{TableName: aws.String(c.load.tables.registers), Item: keyItem(key)}
	in.Item["v"] = number(id)
	in.Item["by"] = &types.AttributeValueMemberS{Value: c.home.region}
	if condition != "" {
		in.ConditionExpression = aws.String(condition)
	}
	if last != 0 {
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":last": number(last)}
	}
	call := Call{Op: op, Key: key, Wrote: id}
	c.do(ctx, &call, func(ctx context.Context) error {
		_, err := c.home.client.PutItem(ctx, in)
		return err
	})
	return call.Result
}

func (c *client) add(ctx context.Context, key string) {
	call := Call{Op: Add, Key: key, Wrote: c.next()}
	c.do(ctx, &call, func(ctx context.Context) error {
		_, err := c.home.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(c.load.tables.counters), Key: keyItem(key), UpdateExpression: aws.String("ADD n :one"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":one": number(1)},
		})
		return err
	})
}

// do makes a call and notes what became of it.
func (c *client) do(ctx context.Context, call *Call, ask func(context.Context) error) {
	var tried attempts
	ctx = route.WithSession(context.WithValue(ctx, attemptsKey{}, &tried), c.session)
	call.Client, call.Session, call.Home = c.number, c.sessions, c.home.region
	call.Begin = time.Since(c.began)
	err := ask(ctx)
	call.End = time.Since(c.began)
	call.Attempts, call.Region = tried.get()
	if call.Result = resultOf(err); err != nil {
		call.Error = err.Error()
	}
	if call.Result == Condition && call.Attempts > 1 {
		call.Result = Unknown // an earlier attempt may have met its own condition
	}
	c.load.history.add(*call)
	if call.Result == Behind {
		// What the session has seen is in no region that answers. As docs/failover.md says: wait, or go on without it.
		c.session = route.NewSession()
		c.sessions++
		c.chain++ // the new session need not see what the old one wrote
		c.last = 0
	}
}

func resultOf(err error) Result {
	var fate *route.UnknownFateError
	var condition *types.ConditionalCheckFailedException
	var answer *awshttp.ResponseError
	switch {
	case err == nil:
		return OK
	case errors.As(err, &fate):
		return Unknown
	case errors.As(err, &condition):
		return Condition
	case errors.As(err, &answer) && answer.Response != nil && answer.Response.Header.Get("X-Meridian-Session-Behind") != "":
		return Behind
	}
	return Failed
}

func keyItem(key string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: key}}
}

func number[N ID | int](n N) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatUint(uint64(n), 10)}
}

// idOf reads what was written; 0 for no item.
func idOf(item map[string]types.AttributeValue) (ID, error) {
	if item == nil {
		return 0, nil
	}
	v, ok := item["v"].(*types.AttributeValueMemberN)
	if !ok {
		return 0, errors.New("an item of the drill has no v")
	}
	id, err := strconv.ParseUint(v.Value, 10, 64)
	return ID(id), err
}
