package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// newSDK is the AWS SDK's client of a real region. It verifies the checksum of every answer.
func newSDK(t *testing.T) *dynamodb.Client {
	c := newMemoryClient(t)
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(c.url), EnableAcceptEncodingGzip: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, nil
		}),
	})
}

// soon is how long waiters wait between two looks, instead of their 20 seconds.
const soon = 5 * time.Millisecond

type attrs = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(n int) types.AttributeValue    { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }

// sdkTable makes a table "tab" (pk, sk N) and waits for it.
func sdkTable(t *testing.T, db *dynamodb.Client) {
	t.Helper()
	_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("tab"), BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange}},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeN},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := dynamodb.NewTableExistsWaiter(db, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay, o.MaxDelay = soon, soon }).WaitForOutput(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("tab")}, time.Minute)
	if err != nil || out.Table.TableStatus != types.TableStatusActive || out.Table.CreationDateTime == nil || len(*out.Table.TableId) != 36 {
		t.Fatalf("%v %+v", err, out)
	}
}

func TestSDKItems(t *testing.T) {
	db := newSDK(t)
	sdkTable(t, db)
	ctx, tab := t.Context(), aws.String("tab")
	all := attrs{
		"pk": str("a"), "sk": num(1), "bin": &types.AttributeValueMemberB{Value: []byte{0, 1, 255}}, "yes": &types.AttributeValueMemberBOOL{Value: true},
		"nil": &types.AttributeValueMemberNULL{Value: true}, "ss": &types.AttributeValueMemberSS{Value: []string{"x", "y"}},
		"ns": &types.AttributeValueMemberNS{Value: []string{"1", "2.5"}}, "bs": &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}},
		"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{str("é\n"), num(-3)}}, "map": &types.AttributeValueMemberM{Value: attrs{"in": str("")}},
		"long": str(strings.Repeat("long enough to be compressed ", 500)),
	}
	if _, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: tab, Item: all}); err != nil {
		t.Fatal(err)
	}
	key := attrs{"pk": str("a"), "sk": num(1)}
	got, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: tab, Key: key, ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprintf("%#v", shown(got.Item)) != fmt.Sprintf("%#v", shown(all)) || *got.ConsumedCapacity.CapacityUnits != 4 {
		t.Errorf("%v units, %v", *got.ConsumedCapacity.CapacityUnits, shown(got.Item))
	}
	up, err := db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: tab, Key: key, UpdateExpression: aws.String("SET #m.added = :v REMOVE #l[0] ADD n :one"), ReturnValues: types.ReturnValueUpdatedNew,
		ExpressionAttributeNames: map[string]string{"#m": "map", "#l": "list"}, ExpressionAttributeValues: attrs{":v": str("new"), ":one": num(1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := up.Attributes["n"].(*types.AttributeValueMemberN); !ok || n.Value != "1" {
		t.Errorf("%v", shown(up.Attributes))
	}
	_, err = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: tab, Key: key, ConditionExpression: aws.String("n > :n"), ExpressionAttributeValues: attrs{":n": num(5)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) || failed.Item["n"] == nil || failed.ErrorMessage() != "The conditional request failed" {
		t.Errorf("%v", err)
	}
	var missing *types.ResourceNotFoundException
	if _, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("none"), Key: key}); !errors.As(err, &missing) {
		t.Errorf("%v", err)
	}
	if _, err := db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: tab}); err != nil {
		t.Fatal(err)
	}
	gone := dynamodb.NewTableNotExistsWaiter(db, func(o *dynamodb.TableNotExistsWaiterOptions) { o.MinDelay, o.MaxDelay = soon, soon })
	if err := gone.Wait(ctx, &dynamodb.DescribeTableInput{TableName: tab}, time.Minute); err != nil {
		t.Error(err)
	}
}

// shown prints an item by value: the SDK's values are pointers.
func shown(it attrs) string {
	var v func(types.AttributeValue) string
	v = func(a types.AttributeValue) string {
		switch a := a.(type) {
		case *types.AttributeValueMemberL:
			out := "L"
			for _, e := range a.Value {
				out += v(e)
			}
			return out
		case *types.AttributeValueMemberM:
			return "M" + shown(a.Value)
		}
		return fmt.Sprintf("%T%v", a, reflectValue(a))
	}
	m := map[string]string{}
	for k, a := range it {
		m[k] = v(a)
	}
	return fmt.Sprint(m)
}

func reflectValue(a types.AttributeValue) string {
	return strings.TrimPrefix(fmt.Sprintf("%+v", a), "&")
}

func TestSDKPages(t *testing.T) {
	db := newSDK(t)
	sdkTable(t, db)
	ctx, tab := t.Context(), aws.String("tab")
	const items = 60
	for at := 0; at < items; at += 25 {
		var batch []types.WriteRequest
		for i := at; i < min(at+25, items); i++ {
			batch = append(batch, types.WriteRequest{PutRequest: &types.PutRequest{Item: attrs{"pk": str("p"), "sk": num(i), "odd": num(i % 2)}}})
		}
		out, err := db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"tab": batch}})
		if err != nil || len(out.UnprocessedItems) > 0 {
			t.Fatal(out, err)
		}
	}
	seen := 0
	query := dynamodb.NewQueryPaginator(db, &dynamodb.QueryInput{
		TableName: tab, Limit: aws.Int32(7), KeyConditionExpression: aws.String("pk = :p AND sk >= :s"), FilterExpression: aws.String("odd = :one"),
		ExpressionAttributeValues: attrs{":p": str("p"), ":s": num(10), ":one": num(1)}, ScanIndexForward: aws.Bool(false),
	})
	for query.HasMorePages() {
		page, err := query.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		seen += len(page.Items)
	}
	if seen != 25 {
		t.Errorf("query pages hold %d items", seen)
	}
	seen = 0
	for segment := range 3 {
		scan := dynamodb.NewScanPaginator(db, &dynamodb.ScanInput{TableName: tab, Limit: aws.Int32(11), Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(3)})
		for scan.HasMorePages() {
			page, err := scan.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			seen += len(page.Items)
		}
	}
	if seen != items {
		t.Errorf("scan pages hold %d items", seen)
	}
	get, err := db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		"tab": {Keys: []attrs{{"pk": str("p"), "sk": num(1)}, {"pk": str("p"), "sk": num(2)}, {"pk": str("p"), "sk": num(99)}}, ProjectionExpression: aws.String("sk")},
	}})
	if err != nil || len(get.Responses["tab"]) != 2 || len(get.UnprocessedKeys) != 0 {
		t.Errorf("%v %v", get, err)
	}
	tables := dynamodb.NewListTablesPaginator(db, &dynamodb.ListTablesInput{Limit: aws.Int32(1)})
	for tables.HasMorePages() {
		if _, err := tables.NextPage(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSDKTransactions(t *testing.T) {
	db := newSDK(t)
	sdkTable(t, db)
	ctx, tab := t.Context(), aws.String("tab")
	key := func(i int) attrs { return attrs{"pk": str("p"), "sk": num(i)} }
	write := func(actions ...types.TransactWriteItem) error {
		_, err := db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: actions}) // with a token of the SDK's
		return err
	}
	if err := write(
		types.TransactWriteItem{Put: &types.Put{TableName: tab, Item: key(1)}},
		types.TransactWriteItem{Update: &types.Update{TableName: tab, Key: key(2), UpdateExpression: aws.String("SET a = :a"), ExpressionAttributeValues: attrs{":a": num(1)}}},
		types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: tab, Key: key(3), ConditionExpression: aws.String("attribute_not_exists(pk)")}},
	); err != nil {
		t.Fatal(err)
	}
	err := write(
		types.TransactWriteItem{Delete: &types.Delete{TableName: tab, Key: key(1)}},
		types.TransactWriteItem{Put: &types.Put{TableName: tab, Item: key(2), ConditionExpression: aws.String("attribute_not_exists(pk)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}},
	)
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) || len(canceled.CancellationReasons) != 2 || *canceled.CancellationReasons[0].Code != "None" ||
		*canceled.CancellationReasons[1].Code != "ConditionalCheckFailed" || canceled.CancellationReasons[1].Item["a"] == nil {
		t.Fatalf("%v", err)
	}
	got, err := db.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: tab, Key: key(1)}}, {Get: &types.Get{TableName: tab, Key: key(3)}},
	}})
	if err != nil || len(got.Responses) != 2 || got.Responses[0].Item == nil || got.Responses[1].Item != nil {
		t.Errorf("%v %v", got, err)
	}
}

func TestSDKExpressionBuilder(t *testing.T) {
	db := newSDK(t)
	sdkTable(t, db)
	ctx, tab := t.Context(), aws.String("tab")
	key := attrs{"pk": str("p"), "sk": num(1)}
	update := expression.Set(expression.Name("status"), expression.Value("open")).
		Set(expression.Name("seen"), expression.Plus(expression.IfNotExists(expression.Name("seen"), expression.Value(0)), expression.Value(1))).
		Add(expression.Name("tags"), expression.Value(&types.AttributeValueMemberSS{Value: []string{"x"}})).
		Remove(expression.Name("old"))
	e, err := expression.NewBuilder().WithUpdate(update).WithCondition(expression.Or(expression.AttributeNotExists(expression.Name("pk")),
		expression.Name("seen").Between(expression.Value(1), expression.Value(9)))).Build()
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: tab, Key: key, UpdateExpression: e.Update(), ConditionExpression: e.Condition(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
	if err != nil {
		t.Fatal(err)
	}
	e, err = expression.NewBuilder().WithKeyCondition(expression.Key("pk").Equal(expression.Value("p")).And(expression.Key("sk").GreaterThan(expression.Value(0)))).
		WithFilter(expression.Name("status").In(expression.Value("open"), expression.Value("shut")).And(expression.Contains(expression.Name("tags"), "x"))).
		WithProjection(expression.NamesList(expression.Name("seen"), expression.Name("sk"))).Build()
	if err != nil {
		t.Fatal(err)
	}
	out, err := db.Query(ctx, &dynamodb.QueryInput{TableName: tab, KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(),
		ProjectionExpression: e.Projection(), ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
	if err != nil || len(out.Items) != 1 || shown(out.Items[0]) != shown(attrs{"seen": num(1), "sk": num(1)}) {
		t.Errorf("%v %v", out, err)
	}
}
