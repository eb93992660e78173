package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/admin"
)

// fleet is several regions, each a process of its own on ports that were free.
type fleet struct {
	names []string
	at    map[string]admin.Endpoints // the same in all of a region's lives
	data  string
	flags []string // more of them, of every region

	mu    sync.Mutex // for those who kill several regions at the same time
	procs map[string]*process
}

func (f *fleet) process(name string) *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.procs[name]
}

var threeRegions = []string{"us-east-1", "eu-west-1", "ap-northeast-1"}

// startFleet starts regions one after the other; each knows the first only.
func startFleet(t *testing.T, names ...string) *fleet {
	t.Helper()
	return startFleetWith(t, nil, names...)
}

func startFleetWith(t *testing.T, flags []string, names ...string) *fleet {
	t.Helper()
	f := &fleet{names: names, at: map[string]admin.Endpoints{}, procs: map[string]*process{}, data: t.TempDir(), flags: flags}
	for i, name := range names {
		more := slices.Clone(flags)
		if i > 0 {
			more = append(more, "--join", f.at[names[0]].Gossip)
		}
		f.procs[name], f.at[name] = startServe(t, serveFree(name, filepath.Join(f.data, name), more...)...)
	}
	f.linked(t)
	return f
}

// kill ends a region as a power cut of its process does.
func (f *fleet) kill(t *testing.T, name string) { f.process(name).stop(t, os.Kill) }

// back starts a region again where it was. The first one is told of nobody: the others must find it.
func (f *fleet) back(t *testing.T, name string) {
	t.Helper()
	e := f.at[name]
	args := []string{"serve", "--region", name, "--data", filepath.Join(f.data, name), "--log-format", "json",
		"--listen", strings.TrimPrefix(e.DynamoDB, "http://"), "--admin-listen", strings.TrimPrefix(e.Admin, "http://"),
		"--replication-listen", e.Replication, "--gossip-listen", e.Gossip}
	args = append(args, f.flags...)
	if name != f.names[0] {
		args = append(args, "--join", f.at[f.names[0]].Gossip)
	}
	p, _ := startServe(t, args...)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.procs[name] = p
}

// linked waits until every region has links to all others.
func (f *fleet) linked(t *testing.T) {
	t.Helper()
	await(t, "links between all regions", func() string {
		for _, name := range f.names {
			s := f.status(t, name)
			links := 0
			for _, p := range s.Peers {
				if p.Connected {
					links++
				}
			}
			if links != len(f.names)-1 {
				return fmt.Sprintf("%s has %+v", name, s.Peers)
			}
		}
		return ""
	})
}

func (f *fleet) status(t *testing.T, name string) admin.Status {
	t.Helper()
	_, page := getPage(t, f.at[name].Admin+"/admin/status")
	var s admin.Status
	if err := json.Unmarshal([]byte(page), &s); err != nil {
		t.Fatalf("%s: %v", page, err)
	}
	return s
}

// level waits until no link has anything left to carry.
func (f *fleet) level(t *testing.T) {
	t.Helper()
	await(t, "no lag", func() string {
		for _, name := range f.names {
			for _, p := range f.status(t, name).Peers {
				if !p.Connected || p.Sending.Commits != 0 || p.Receiving.Commits != 0 {
					return fmt.Sprintf("%s: %+v", name, p)
				}
			}
		}
		return ""
	})
}

// await asks a question again and again until the answer is empty, which means yes.
func await(t *testing.T, what string, notYet func() string) {
	t.Helper()
	awaitFor(t, 30*time.Second, what, notYet)
}

// awaitFor is await with a patience of its own.
func awaitFor(t *testing.T, patience time.Duration, what string, notYet func() string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); ; <-tick.C {
		why := notYet()
		if why == "" {
			return
		}
		if time.Since(begin) > patience {
			t.Fatalf("still not: %s: %s", what, why)
		}
	}
}

const pkSchema = `"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
	"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"`

// table makes a table with a replica in every region.
func (f *fleet) table(t *testing.T, name string) {
	t.Helper()
	first := f.at[f.names[0]]
	call(t, first, "CreateTable", `{"TableName":"`+name+`",`+pkSchema+`}`)
	active(t, first, name)
	for _, region := range f.names[1:] {
		call(t, first, "UpdateTable", `{"TableName":"`+name+`","ReplicaUpdates":[{"Create":{"RegionName":"`+region+`"}}]}`)
		active(t, first, name)
		active(t, f.at[region], name)
	}
}

// active waits until a table and its replicas are ACTIVE as a region sees them.
func active(t *testing.T, e admin.Endpoints, name string) {
	t.Helper()
	await(t, name+" ACTIVE", func() string {
		code, body, err := request(t.Context(), e, "DescribeTable", `{"TableName":"`+name+`"}`)
		var d struct {
			Table struct {
				TableStatus string
				Replicas    []struct{ ReplicaStatus string }
			}
		}
		if err != nil || code != 200 || json.Unmarshal([]byte(body), &d) != nil || d.Table.TableStatus != "ACTIVE" {
			return body
		}
		for _, r := range d.Table.Replicas {
			if r.ReplicaStatus != "ACTIVE" {
				return body
			}
		}
		return ""
	})
}

var client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// request sends a DynamoDB request.
func request(ctx context.Context, e admin.Endpoints, operation, body string) (code int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.DynamoDB, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), errors.Join(err, res.Body.Close())
}

// scan reads a whole table of a region: the items' JSON by their pk.
func scan(t *testing.T, e admin.Endpoints, table string) map[string]string {
	t.Helper()
	all, from := map[string]string{}, ""
	for {
		var page struct {
			Items            []map[string]json.RawMessage
			LastEvaluatedKey json.RawMessage
		}
		body := call(t, e, "Scan", `{"TableName":"`+table+`","ConsistentRead":true`+from+`}`)
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			b, err := json.Marshal(it) // by name, so that equal items are equal texts
			if err != nil {
				t.Fatal(err)
			}
			all[keyOf(it["pk"])] = string(b)
		}
		if page.LastEvaluatedKey == nil {
			return all
		}
		from = `,"ExclusiveStartKey":` + string(page.LastEvaluatedKey)
	}
}

func keyOf(attribute json.RawMessage) string {
	return string(bytes.TrimSuffix(bytes.TrimPrefix(attribute, []byte(`{"S":"`)), []byte(`"}`)))
}

// equal waits until all regions hold the same items and returns them.
func (f *fleet) equal(t *testing.T, table string) map[string]string {
	t.Helper()
	f.level(t)
	first := scan(t, f.at[f.names[0]], table)
	for _, name := range f.names[1:] {
		other := scan(t, f.at[name], table)
		if maps.Equal(first, other) {
			continue
		}
		for _, k := range slices.Sorted(maps.Keys(first)) {
			if first[k] != other[k] {
				t.Errorf("%s: %s in %s, %q in %s", k, first[k], f.names[0], other[k], name)
				break
			}
		}
		t.Fatalf("%s has %d items, %s %d", f.names[0], len(first), name, len(other))
	}
	return first
}

// itemPage is what /admin/item shows of one item.
type itemPage struct {
	Item    json.RawMessage
	Stamp   crdt.Stamp
	Context struct{ Seen []crdt.Stamp }
}

func storedItem(t *testing.T, e admin.Endpoints, table, pk string) (page itemPage, text string) {
	t.Helper()
	code, text := getPage(t, e.Admin+"/admin/item?"+url.Values{"table": {table}, "key": {`{"pk":{"S":"` + pk + `"}}`}}.Encode())
	if err := json.Unmarshal([]byte(text), &page); code != 200 || err != nil {
		t.Fatalf("item %s: %d %v %s", pk, code, err, text)
	}
	return page, text
}
