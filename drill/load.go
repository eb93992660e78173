package drill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/meridiandb/meridian/internal/wan"
	"github.com/meridiandb/meridian/route"
)

// load is all clients: for each region a router of its own, as an application there has, and some clients behind it.
type load struct {
	o       Load
	tables  tables
	seed    uint64
	history *history
	homes   []*home
}

// home is the clients of one region.
type home struct {
	region string
	router *route.Router
	client *dynamodb.Client
	close  func()
}

// RouterEvent is one thing that a region's clients decided.
type RouterEvent struct {
	At     time.Duration `json:"at"`
	Home   string        `json:"home"`
	Kind   string        `json:"kind"`
	Region string        `json:"region"`
	Reason string        `json:"reason"`
}

// maxRouterEvents bounds what is kept; single retries are not.
const maxRouterEvents = 500

// routerLog keeps what routers decide.
type routerLog struct {
	mu    sync.Mutex
	began time.Time
	all   []RouterEvent
}

// start forgets what was before the load: routers look around first.
func (l *routerLog) start(began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began, l.all = began, nil
}

func (l *routerLog) hook(home string) func(route.Event) {
	return func(e route.Event) {
		switch e.Kind {
		case route.Ejected, route.Returned, route.Moved:
		default:
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.all) < maxRouterEvents {
			l.all = append(l.all, RouterEvent{time.Since(l.began), home, string(e.Kind), e.Region, e.Reason})
		}
	}
}

func (l *routerLog) events() []RouterEvent {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// newLoad prepares clients in all regions. The routers begin to probe at once.
func newLoad(o Load, regions []Region, p *wan.Profile, t tables, seed uint64, log *routerLog) (*load, error) {
	l := &load{o: o, tables: t, seed: seed, history: &history{}}
	for _, r := range regions {
		h, err := newHome(r.Name, regions, p, log)
		if err != nil {
			l.close()
			return nil, err
		}
		l.homes = append(l.homes, h)
	}
	return l, nil
}

func newHome(name string, regions []Region, p *wan.Profile, log *routerLog) (*home, error) {
	base := newTransport()
	t := newTraveller(name, regions, p, base)
	o := route.Options{Transport: t, OnEvent: log.hook(name)}
	for _, r := range regions {
		o.Regions = append(o.Regions, route.Region{Name: r.Name, Endpoint: r.DynamoDB, Hint: t.hint(r.Name, name)})
	}
	router, err := route.New(o)
	if err != nil {
		return nil, err
	}
	client := dynamodb.New(dynamodb.Options{
		Region: name, Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
		Retryer: aws.NopRetryer{}, // the history has every try
	}, route.With(router))
	return &home{name, router, client, func() {
		router.Close()
		base.CloseIdleConnections()
	}}, nil
}

func (l *load) close() {
	for _, h := range l.homes {
		h.close()
	}
}

// run lets all clients work until ctx ends, and returns when their last calls have ended.
func (l *load) run(ctx context.Context, began time.Time) {
	var working sync.WaitGroup
	for i, h := range l.homes {
		for j := range l.o.Clients {
			number := 1 + i*l.o.Clients + j
			c := &client{
				load: l, home: h, number: number, began: began, session: route.NewSession(), sessions: 1,
				random: rand.New(rand.NewPCG(l.seed, uint64(number))),
			}
			working.Go(func() { c.run(ctx) })
		}
	}
	working.Wait()
}

func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return endpoint
	}
	return u.Host
}

// Keys of a load. Registers hold the ID of the last write; counters are in a table of their own, whose policy counts.
const (
	ownKeys    = 4  // of each client, which nobody else writes
	sharedKeys = 20 // that all fight for
	countKeys  = 5
)

func ownKey(client, n int) string       { return fmt.Sprintf("own/%d/%d", client, n) }
func sharedKey(n int) string            { return fmt.Sprintf("shared/%d", n) }
func newKey(client int, n ID) string    { return fmt.Sprintf("new/%d/%d", client, n) }
func chainKey(client, chain int) string { return fmt.Sprintf("chain/%d/%d", client, chain) }
func countKey(n int) string             { return fmt.Sprintf("count/%d", n) }
