package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/stream/record"
)

// sim is three regions with their endpoints in virtual time, their clocks apart, on slow wires that are cut now and then.
// Sessions read and write at one region and fail over to another, a thousand times in all. Every commit that crosses a wire
// gives away its stamp, and so the history can be judged: an item's versions are ordered by their stamps.
type sim struct {
	t       *testing.T
	regions []*region.Region
	servers []*Server
	ctx     context.Context
	work    sync.WaitGroup

	mu     sync.Mutex
	rnd    *rand.Rand
	cut    [3][3]bool
	stamps map[string]crdt.Stamp // by what was written
	log    []simOp
}

// simOp is one item read or written by a session.
type simOp struct {
	session int
	key     string
	value   string // "": there was none
	write   bool
}

var simNames = []string{"us-east-1", "eu-west-1", "ap-northeast-1"}

func newSim(t *testing.T, ctx context.Context, seed uint64) *sim {
	s := &sim{t: t, ctx: ctx, rnd: rand.New(rand.NewPCG(seed, 1)), stamps: map[string]crdt.Stamp{}}
	for i, name := range simNames {
		skew := int64(i*120) - 100
		r, err := region.Open(region.Options{
			Name: name, Store: memstore.New(), Wall: func() int64 { return time.Now().UnixMilli() + skew },
		})
		if err != nil {
			t.Fatal(err)
		}
		srv, err := New(Options{Region: r})
		if err != nil {
			t.Fatal(err)
		}
		s.regions, s.servers = append(s.regions, r), append(s.servers, srv)
	}
	for to := range s.regions {
		s.regions[to].Connect(simPeers{s, to})
		for from := range s.regions {
			if from != to {
				s.work.Go(func() { s.follow(to, from) })
				s.work.Go(func() { s.learn(to, from) })
			}
		}
	}
	return s
}

func (s *sim) intN(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rnd.IntN(n)
}

func (s *sim) sleep(most time.Duration) { time.Sleep(time.Duration(s.intN(int(most)) + 1)) } // virtual

func (s *sim) isCut(to, from int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cut[to][from]
}

func (s *sim) follow(to, from int) {
	for s.ctx.Err() == nil {
		s.sleep(20 * time.Millisecond)
		if s.isCut(to, from) {
			continue
		}
		if err := s.carry(s.regions[to], s.regions[from]); err != nil && s.ctx.Err() == nil && !errors.Is(err, region.ErrStale) {
			s.t.Errorf("from %s to %s: %v", simNames[from], simNames[to], err)
			return
		}
	}
}

// carry brings what is new of one region's log to another.
func (s *sim) carry(to, from *region.Region) error {
	tables, _ := to.Wanted(from.Name())
	if len(tables) == 0 {
		return nil
	}
	wanted := map[record.TableID]bool{}
	for _, id := range tables {
		wanted[id] = true
	}
	_, closed := from.End()
	commits, next, err := from.Read(to.Cursor(from.Origin()), wanted, 1<<20)
	if err != nil {
		return err
	}
	for i := range commits {
		if closed = 0; commits[i].Changes == nil {
			continue
		}
		if commits[i], err = record.DecodeCommit(record.AppendCommit(nil, &commits[i])); err != nil {
			return err
		}
		s.mu.Lock()
		for _, ch := range commits[i].Changes {
			if !ch.Note { // what a conflict lost is no item
				s.stamps[conflict.TrustedState(ch.State).Item().Get("v").Text()] = commits[i].Stamp
			}
		}
		s.mu.Unlock()
	}
	s.sleep(150 * time.Millisecond)
	if err := to.Apply(s.ctx, from.Origin(), commits, next, closed); err != nil {
		return err
	}
	from.Acked(to.Origin(), next)
	return nil
}

func (s *sim) learn(to, from int) {
	for since := uint64(0); s.ctx.Err() == nil; {
		s.sleep(20 * time.Millisecond)
		entries, version := s.regions[from].CatalogFor(simNames[to], since)
		if err := s.regions[to].ApplyCatalog(s.ctx, s.regions[from].Origin(), entries); err != nil {
			s.t.Error(err)
			return
		}
		since = version
	}
}

// simPeers is what a region knows of the others.
type simPeers struct {
	s    *sim
	self int
}

func (p simPeers) Call(ctx context.Context, to, name string, payload []byte) ([]byte, error) {
	return p.s.regions[slices.Index(simNames, to)].Handle(ctx, simNames[p.self], name, payload)
}

func (p simPeers) FetchSnapshot(ctx context.Context, from string, id record.TableID, fn func(region.Chunk) error) error {
	c, err := p.s.regions[slices.Index(simNames, from)].Snapshot(ctx, id)
	if err != nil {
		return err
	}
	err = fn(region.Chunk{Positions: c.Positions()})
	for more := true; more && err == nil; {
		var changes []record.Change
		if changes, more, err = c.Next(1 << 20); err == nil {
			err = fn(region.Chunk{Changes: changes})
		}
	}
	return errors.Join(err, c.Close())
}

// call runs an operation at a region. A nil token asks for no session.
func (s *sim) call(at int, token *string, op, body string) (status int, answer string) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)).WithContext(s.ctx)
	r.Header.Set("Content-Type", amzJSON)
	r.Header.Set("X-Amz-Target", targetDynamoDB+op)
	if token != nil {
		r.Header.Set("x-meridian-session", *token)
	}
	w := httptest.NewRecorder()
	s.servers[at].ServeHTTP(w, r)
	if token != nil {
		*token = w.Header().Get("x-meridian-session")
	}
	return w.Code, w.Body.String()
}

func (s *sim) setUp() {
	must := func(op, body string) {
		if status, a := s.call(0, nil, op, body); status != 200 {
			s.t.Fatalf("%s: %d %s", op, status, a)
		}
	}
	must("CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}]}`)
	for _, name := range simNames[1:] {
		s.until("the table is active")
		must("UpdateTable", `{"TableName":"things","ReplicaUpdates":[{"Create":{"RegionName":"`+name+`"}}]}`)
	}
	s.until("the replicas are active")
}

// until waits until the table is active with all replicas, as all regions see it.
func (s *sim) until(what string) {
	for range 600 {
		active := true
		for at := range s.regions {
			_, a := s.call(at, nil, "DescribeTable", `{"TableName":"things"}`)
			active = active && !strings.Contains(a, "CREATING") && !strings.Contains(a, "UPDATING") &&
				(at > 0 || strings.Contains(a, `"TableStatus":"ACTIVE"`))
		}
		if active {
			return
		}
		time.Sleep(100 * time.Millisecond) // virtual
	}
	s.t.Fatalf("never: %s", what)
}

// client is one session's life: some operations at a region, then a failover to another one, and so on.
func (s *sim) client(id, failovers int, tokens bool) (refused int) {
	at, token := id%3, ""
	shown := &token
	if !tokens {
		shown = nil
	}
	for n := range failovers {
		for i := range 4 {
			s.sleep(60 * time.Millisecond)
			for tries := 0; !s.step(id, at, shown, fmt.Sprintf("%d.%d.%d", id, n, i)); tries++ {
				refused++
				at = s.intN(3) // as package route does
			}
		}
		at = (at + 1 + s.intN(2)) % 3
	}
	return refused
}

// step does one operation and remembers what it showed; false if the region sent the session away.
func (s *sim) step(id, at int, token *string, value string) bool {
	key := fmt.Sprintf("k%d", s.intN(3))
	switch what := s.intN(8); {
	case what < 3:
		return s.did(id, at, token, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"p"},"sk":{"S":%q},"v":{"S":%q}}}`, key, value),
			simOp{id, key, value, true})
	case what < 4:
		return s.did(id, at, token, "TransactWriteItems", fmt.Sprintf(
			`{"TransactItems":[{"Put":{"TableName":"things","Item":{"pk":{"S":"p"},"sk":{"S":%q},"v":{"S":%q}}}}]}`, key, value),
			simOp{id, key, value, true})
	case what < 7:
		return s.did(id, at, token, "GetItem", fmt.Sprintf(`{"TableName":"things","Key":{"pk":{"S":"p"},"sk":{"S":%q}}}`, key), simOp{id, key, "", false})
	}
	return s.did(id, at, token, "Query", `{"TableName":"things","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p"}}}`)
}

func (s *sim) did(id, at int, token *string, op, body string, ops ...simOp) bool {
	status, a := s.call(at, token, op, body)
	if status == http.StatusServiceUnavailable && token != nil && strings.Contains(a, "has not caught up") {
		return false
	}
	if status != 200 {
		s.t.Errorf("%s at %s: %d %s", op, simNames[at], status, a)
		return true
	}
	type shown struct {
		SK struct{ S string } `json:"sk"`
		V  struct{ S string } `json:"v"`
	}
	var got struct {
		Item  *shown
		Items []shown
	}
	if err := json.Unmarshal([]byte(a), &got); err != nil {
		s.t.Error(err)
	}
	if got.Item != nil {
		ops[0].value = got.Item.V.S
	}
	if op == "Query" {
		for _, k := range []string{"k0", "k1", "k2"} {
			o := simOp{id, k, "", false}
			if i := slices.IndexFunc(got.Items, func(it shown) bool { return it.SK.S == k }); i >= 0 {
				o.value = got.Items[i].V.S
			}
			ops = append(ops, o)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, ops...)
	return true
}

// judge counts violations of each guarantee, session by session and item by item.
func (s *sim) judge() map[string]int {
	type sessionKey struct {
		session int
		key     string
	}
	read, written := map[sessionKey]crdt.Stamp{}, map[sessionKey]crdt.Stamp{}
	bad := map[string]int{}
	for _, op := range s.log {
		k, at := sessionKey{op.session, op.key}, s.stamps[op.value]
		if op.value != "" && at.IsZero() {
			s.t.Errorf("nobody ever sent %s on", op.value)
		}
		count := func(name string, violated bool) {
			if violated {
				bad[name]++
			}
		}
		if op.write {
			count("monotonic writes", at.Less(written[k]))
			count("writes follow reads", at.Less(read[k]))
			written[k] = at
			continue
		}
		count("read your writes", at.Less(written[k]))
		count("monotonic reads", at.Less(read[k]))
		read[k] = at
	}
	return bad
}

func runSim(t *testing.T, seed uint64, failovers int, tokens bool) (bad map[string]int, refused int) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		s := newSim(t, ctx, seed)
		defer s.work.Wait()
		defer cancel()
		s.setUp()
		const clients = 10
		var running sync.WaitGroup
		var mu sync.Mutex
		for id := range clients {
			running.Go(func() {
				n := s.client(id, failovers/clients, tokens)
				mu.Lock()
				refused += n
				mu.Unlock()
			})
		}
		over := make(chan struct{})
		s.work.Go(func() { // cuts, in both directions or one
			for {
				a, b, both, cut := s.intN(3), s.intN(3), s.intN(2) == 0, s.intN(2) == 0
				s.mu.Lock()
				s.cut[a][b] = cut
				s.cut[b][a] = cut && both
				s.mu.Unlock()
				select {
				case <-over:
					s.mu.Lock()
					s.cut = [3][3]bool{}
					s.mu.Unlock()
					return
				case <-time.After(time.Duration(s.intN(int(2*time.Second))) + 1):
				}
			}
		})
		running.Wait()
		close(over)
		time.Sleep(5 * time.Second) // virtual: the last commits cross their wires
		cancel()
		s.work.Wait()
		bad = s.judge()
		for _, r := range s.regions {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return bad, refused
}

// TestSessionsFailOver is the proof of DESIGN section 8.
func TestSessionsFailOver(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	bad, refused := runSim(t, seed, 1000, true)
	t.Logf("with tokens: sent away %d times", refused)
	if len(bad) > 0 {
		t.Errorf("with tokens, violated: %v", bad)
	}
	bad, _ = runSim(t, seed, 1000, false)
	t.Logf("without tokens, violated: %v", bad)
	for _, name := range []string{"read your writes", "monotonic reads", "monotonic writes", "writes follow reads"} {
		if bad[name] == 0 {
			t.Errorf("without tokens nothing violates %q: the judge cannot see it", name)
		}
	}
}
