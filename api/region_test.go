package api

import (
	"net/http"
	"testing"

	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
)

// newRegionClient serves a real region over a store and returns a client for it.
func newRegionClient(t testing.TB, store storage.Store, set ...func(*Options)) *client {
	t.Helper()
	r, err := region.Open(region.Options{Name: "us-east-1", Store: store})
	if err != nil {
		t.Fatal(err)
	}
	return newServedClient(t, r, set...)
}

// newServedClient serves a region, which ends with the test.
func newServedClient(t testing.TB, r *region.Region, set ...func(*Options)) *client {
	t.Helper()
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	o := Options{Region: r}
	for _, fn := range set {
		fn(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, url: listen(t, s)}
}

func newMemoryClient(t testing.TB, set ...func(*Options)) *client {
	t.Helper()
	return newRegionClient(t, memstore.New(), set...)
}

// Error names that rows use.
const (
	validation    = "ValidationException"
	serialization = "SerializationException"
	notFound      = "ResourceNotFoundException"
	inUse         = "ResourceInUseException"
	limitExceeded = "LimitExceededException"
	denied        = "AccessDeniedException"
	checkFailed   = "ConditionalCheckFailedException"
	invalidParam  = "One or more parameter values were invalid: "
)

// refusal is one request that must fail with exactly one error.
type refusal struct {
	section string // of DYNAMODB.md
	op      string
	body    string
	name    string
	message string
}

func (c *client) refuses(rows []refusal) {
	c.t.Helper()
	for _, r := range rows {
		a := c.call(r.op, r.body)
		if a.status != http.StatusBadRequest {
			c.t.Errorf("%s: %s %.300s\n answered %d %.300s", r.section, r.op, r.body, a.status, a.body)
			continue
		}
		if got, want := memberText(c.t, a.body, "__type"), namespace(r.name)+r.name; got != want {
			c.t.Errorf("%s: %s %.300s\n got %s, want %s: %.300s", r.section, r.op, r.body, got, want, a.body)
			continue
		}
		if got := memberText(c.t, a.body, messageMember(r.name)); got != r.message {
			c.t.Errorf("%s: %s %.300s\n got  %.400q\n want %.400q", r.section, r.op, r.body, got, r.message)
		}
	}
}

// reply is one request that must succeed with exactly one body.
type reply struct {
	section string
	op      string
	body    string
	want    string
}

func (c *client) replies(rows []reply) {
	c.t.Helper()
	for _, r := range rows {
		if a := c.call(r.op, r.body); a.status != http.StatusOK || a.body != r.want {
			c.t.Errorf("%s: %s %.300s\n got  %d %.600s\n want %.600s", r.section, r.op, r.body, a.status, a.body, r.want)
		}
	}
}
