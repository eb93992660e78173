package e2e

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/meridiandb/meridian/api"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/storage/memstore"
)

// compatibility is docs/compatibility.md: what it says of each parameter of the operations that are built, and the
// parameters of those that are not.
type compatibility struct {
	built   map[string]map[string]string // operation → path of a parameter → state
	unbuilt map[string][]string
}

var (
	headingLine   = regexp.MustCompile(`^### (\w+)$`)
	parameterLine = regexp.MustCompile("^\\| `([\\w.\\[\\]]+)` \\| (built|partly|refused)(: [^|]+)? \\|$")
	unbuiltLine   = regexp.MustCompile("^\\| `(\\w+)`( \\(Streams\\))? \\| (.*) \\|$")
)

func readCompatibility(t *testing.T) compatibility {
	t.Helper()
	text, err := os.ReadFile("../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	c := compatibility{map[string]map[string]string{}, map[string][]string{}}
	operation, unbuilt := "", false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch m := headingLine.FindStringSubmatch(line); {
		case m != nil:
			operation = m[1]
			c.built[operation] = map[string]string{}
		case line == "## Not built":
			unbuilt = true
		case unbuilt:
			if m := unbuiltLine.FindStringSubmatch(line); m != nil {
				c.unbuilt[m[1]] = strings.FieldsFunc(m[3], func(r rune) bool { return strings.ContainsRune("`, ", r) })
			}
		case strings.HasPrefix(line, "| `"):
			m := parameterLine.FindStringSubmatch(line)
			if m == nil {
				t.Fatalf("docs/compatibility.md: cannot read %q", line)
			}
			c.built[operation][m[1]] = m[2]
		}
	}
	return c
}

// modelled are the operations of the SDK, of both its clients, with the types of their parameters.
func modelled() map[string]map[string]reflect.Type {
	all := map[string]map[string]reflect.Type{}
	for _, client := range []reflect.Type{reflect.TypeFor[*dynamodb.Client](), reflect.TypeFor[*dynamodbstreams.Client]()} {
		for m := range client.Methods() {
			if m.Type.NumIn() < 3 || m.Type.In(2).Kind() != reflect.Pointer || !strings.HasSuffix(m.Type.In(2).Elem().Name(), "Input") {
				continue
			}
			parameters := map[string]reflect.Type{}
			for f := range m.Type.In(2).Elem().Fields() {
				if f.IsExported() {
					parameters[f.Name] = f.Type
				}
			}
			all[m.Name] = parameters
		}
	}
	return all
}

func streamsOperations() []string {
	return []string{"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}
}

// The page names exactly the operations and parameters that the SDK knows.
func TestCompatibilityPageIsComplete(t *testing.T) {
	page, model := readCompatibility(t), modelled()
	if len(model) < 60 {
		t.Fatalf("the SDK has %d operations: reflection finds too few", len(model))
	}
	for op, parameters := range model {
		var listed []string
		for path := range page.built[op] {
			if !strings.ContainsAny(path, ".[") {
				listed = append(listed, path)
			}
		}
		if unbuilt, ok := page.unbuilt[op]; ok {
			if page.built[op] != nil {
				t.Errorf("%s is listed as built and as not built", op)
			}
			listed = unbuilt
		} else if page.built[op] == nil {
			t.Errorf("%s is not listed", op)
			continue
		}
		slices.Sort(listed)
		if want := slices.Sorted(maps.Keys(parameters)); !slices.Equal(listed, want) {
			t.Errorf("%s: listed are the parameters %v, the SDK has %v", op, listed, want)
		}
	}
	for op := range page.built {
		if model[op] == nil {
			t.Errorf("%s is listed, but no operation", op)
		}
	}
	if n := len(page.built) + len(page.unbuilt); n != len(model) {
		t.Errorf("%d operations are listed of %d", n, len(model))
	}
}

// asker sends requests to a server of one region.
type asker struct {
	t   *testing.T
	url string
}

func newAsker(t *testing.T) asker {
	t.Helper()
	r, err := region.Open(region.Options{Name: "us-east-1", Store: memstore.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := api.New(api.Options{Region: r})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return asker{t, server.URL}
}

// ask returns the answer's error, without its namespace, and the whole body.
func (a asker) ask(operation, body string) (name, text string) {
	a.t.Helper()
	target := "DynamoDB_20120810."
	if slices.Contains(streamsOperations(), operation) {
		target = "DynamoDBStreams_20120810."
	}
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.url, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", target+operation)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	var e struct {
		Type string `json:"__type"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		a.t.Fatalf("%s answers %.200q: %v", operation, raw, err)
	}
	return e.Type[strings.LastIndexByte(e.Type, '#')+1:], string(raw)
}

const unsupported = "is not supported by Meridian yet"

// What the page calls built, the server knows; every parameter is read, which shows in that a value of a wrong type is
// noticed, or refused by name. None is ignored.
func TestCompatibilityPageIsTrue(t *testing.T) {
	page, model, a := readCompatibility(t), modelled(), newAsker(t)
	for op := range page.unbuilt {
		if name, text := a.ask(op, "{}"); name != "UnknownOperationException" {
			t.Errorf("%s is listed as not built, and answers %s", op, text)
		}
	}
	for op, parameters := range page.built {
		if name, text := a.ask(op, "{}"); name == "UnknownOperationException" {
			t.Errorf("%s is listed as built, and answers %s", op, text)
		}
		for path, state := range parameters {
			if state == "refused" {
				a.checkRefused(op, path)
				continue
			}
			if typ, ok := model[op][path]; ok {
				a.checkRead(op, path, typ)
			}
		}
	}
}

// checkRead sends an object for what is a scalar, and a number for what is none.
func (a asker) checkRead(op, parameter string, typ reflect.Type) {
	a.t.Helper()
	wrong := "7"
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch typ.Kind() {
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64:
		wrong = `{"x": 7}`
	case reflect.Struct:
		if typ == reflect.TypeFor[time.Time]() {
			wrong = `{"x": 7}`
		}
	}
	if name, text := a.ask(op, `{"`+parameter+`": `+wrong+`}`); name != "SerializationException" {
		a.t.Errorf("%s ignores or refuses %s: to %s it answers %s", op, parameter, wrong, text)
	}
}

// valid are requests that only a refused parameter is wrong with.
var valid = map[string]string{
	"CreateTable": `{"TableName": "tab", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
		"AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST",
		"GlobalSecondaryIndexes": [{"IndexName": "idx", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
		"Projection": {"ProjectionType": "ALL"}}]}`,
	"UpdateTable": `{"TableName": "tab", "ReplicaUpdates": [{"Create": {"RegionName": "eu-west-1"}}],
		"GlobalSecondaryIndexUpdates": [{"Create": {"IndexName": "idx", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
		"Projection": {"ProjectionType": "ALL"}}}]}`,
	"DeleteItem":              `{"TableName": "tab", "Key": {"k": {"S": "x"}}}`,
	"GetItem":                 `{"TableName": "tab", "Key": {"k": {"S": "x"}}}`,
	"PutItem":                 `{"TableName": "tab", "Item": {"k": {"S": "x"}}}`,
	"Query":                   `{"TableName": "tab"}`,
	"Scan":                    `{"TableName": "tab"}`,
	"UpdateItem":              `{"TableName": "tab", "Key": {"k": {"S": "x"}}}`,
	"UpdateContinuousBackups": `{"TableName": "tab", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": false}}`,
}

func (a asker) checkRefused(op, path string) {
	a.t.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(valid[op]), &body); err != nil {
		a.t.Fatalf("%s has refused parameters and no valid request to try them in: %v", op, err)
	}
	put(body, strings.Split(path, "."))
	text, err := json.Marshal(body)
	if err != nil {
		a.t.Fatal(err)
	}
	if name, answer := a.ask(op, string(text)); name != "ValidationException" || !strings.Contains(answer, unsupported) {
		a.t.Errorf("%s is listed as refusing %s, and answers %s", op, path, answer)
	}
}

// put sets the member at the end of a path to something; "x[]" is the first element of list x.
func put(in map[string]any, path []string) {
	for _, step := range path[:len(path)-1] {
		name, isList := strings.CutSuffix(step, "[]")
		if isList {
			in = in[name].([]any)[0].(map[string]any)
			continue
		}
		if in[name] == nil {
			in[name] = map[string]any{}
		}
		in = in[name].(map[string]any)
	}
	in[path[len(path)-1]] = "something"
}
