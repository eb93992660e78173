package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/internal/tail"
)

var expireItems = flag.Int("expire.items", 1_000, "items that TestManyExpire lets expire, at 100,000 a minute")

// TestManyExpire: items that expire within a minute are gone in every region within 10 s of their time, each with one REMOVE
// record that names the service in the region that expired it, while a foreground goes on. At the size that was asked for:
//
//	go test ./cmd/meridian -run TestManyExpire -v -timeout 20m -expire.items=100000
func TestManyExpire(t *testing.T) {
	f := startFleet(t, threeRegions...)
	f.table(t, "things")
	f.table(t, "busy")
	first := f.at[f.names[0]]
	call(t, first, "UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"exp"}}`)
	for _, region := range f.names {
		await(t, "expiry is on in "+region, func() string {
			if s := call(t, f.at[region], "DescribeTimeToLive", `{"TableName":"things"}`); !strings.Contains(s, `"ENABLED"`) {
				return s
			}
			return ""
		})
	}
	n := *expireItems
	spread := max(time.Duration(n)*time.Minute/100_000, 2*time.Second)
	begin := time.Now().Add(4*time.Second + time.Duration(n)*time.Millisecond).Truncate(time.Second) // what writing takes, at most
	f.fillExpiring(t, n, begin, spread)
	f.level(t)
	if time.Now().After(begin.Add(-time.Second)) {
		t.Skipf("nothing is measured: writing %d items took too long: the machine is busy", n)
	}

	before := f.foreground(t, time.Until(begin))
	worst := make(chan float64, 1)
	watched, stop := context.WithCancel(t.Context())
	go func() { worst <- f.worstOverdue(watched) }()
	during := f.foreground(t, time.Until(begin.Add(spread)))
	for _, region := range f.names {
		await(t, "all are gone in "+region, func() string { return f.remaining(t, region) })
	}
	late := time.Since(begin.Add(spread))
	stop()
	t.Logf("%d items in %v: gone everywhere %v after the last one's time; overdue by %.1f s at worst; p99 of a put %v before, %v meanwhile",
		n, spread, late, <-worst, before, during)
	if late > 10*time.Second {
		t.Errorf("gone %v after their time", late)
	}
	for i, region := range f.names {
		f.checkRemovals(t, region, i, n)
	}
}

// fillExpiring writes items in all regions, each third in its own.
func (f *fleet) fillExpiring(t *testing.T, n int, begin time.Time, spread time.Duration) {
	t.Helper()
	var next atomic.Int64
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for {
				at := int(next.Add(25)) - 25
				if at >= n || t.Failed() {
					return
				}
				by := map[string][]string{}
				for i := at; i < min(at+25, n); i++ {
					region := f.names[i%len(f.names)]
					due := begin.Add(spread * time.Duration(i) / time.Duration(n)).Unix()
					by[region] = append(by[region], fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"%s-%d"},"exp":{"N":"%d"}}}}`, region, i, due))
				}
				for region, puts := range by {
					code, text, err := request(t.Context(), f.at[region], "BatchWriteItem", `{"RequestItems":{"things":[`+strings.Join(puts, ",")+`]}}`)
					if err != nil || code != http.StatusOK {
						t.Errorf("%d %s %v", code, text, err)
					}
				}
			}
		})
	}
	writers.Wait()
}

// foreground puts items, 100 a second in each region, and returns the 99th percentile of what that takes.
func (f *fleet) foreground(t *testing.T, long time.Duration) time.Duration {
	t.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var clients sync.WaitGroup
	for _, region := range f.names {
		clients.Go(func() {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for n, end := 0, time.Now().Add(long); time.Now().Before(end); n++ {
				<-tick.C
				began := time.Now()
				code, text, err := request(t.Context(), f.at[region], "PutItem", fmt.Sprintf(`{"TableName":"busy","Item":{"pk":{"S":"%s%d"}}}`, region, n%100))
				if err != nil || code != http.StatusOK {
					t.Errorf("%d %s %v", code, text, err)
					return
				}
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// worstOverdue looks at how late the oldest expired item is, until ctx ends.
func (f *fleet) worstOverdue(ctx context.Context) (worst float64) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, region := range f.names {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.at[region].Admin+"/admin/status", nil)
			if err != nil {
				return worst
			}
			var s admin.Status
			res, err := client.Do(req)
			if err != nil {
				continue
			}
			if err := errors.Join(json.NewDecoder(res.Body).Decode(&s), res.Body.Close()); err == nil {
				worst = max(worst, s.OverdueSeconds["things"])
			}
		}
		select {
		case <-ctx.Done():
			return worst
		case <-tick.C:
		}
	}
}

// remaining says what a region still has.
func (f *fleet) remaining(t *testing.T, region string) string {
	t.Helper()
	var page struct{ Count int }
	text := call(t, f.at[region], "Scan", `{"TableName":"things","Select":"COUNT"}`)
	if err := json.Unmarshal([]byte(text), &page); err != nil || page.Count > 0 || strings.Contains(text, "LastEvaluatedKey") {
		return text
	}
	return ""
}

// checkRemovals reads a region's stream: each item was removed once, and by the service if this is the region that wrote it.
func (f *fleet) checkRemovals(t *testing.T, region string, number, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	done := errors.New("all are there")
	removed := map[string]int{}
	follower := tail.Follower{
		Client: &tail.Client{Endpoint: f.at[region].DynamoDB, HTTP: client}, Table: "things", FromStart: true, Poll: 50 * time.Millisecond,
		Gap: func(shard string) { t.Errorf("%s: a gap in %s", region, shard) },
	}
	err := follower.Run(ctx, func(r *tail.Record) error {
		var e struct {
			EventName    string          `json:"eventName"`
			UserIdentity json.RawMessage `json:"userIdentity"`
			Dynamodb     struct {
				Keys struct {
					PK struct{ S string } `json:"pk"`
				}
			} `json:"dynamodb"`
		}
		if err := json.Unmarshal(r.Raw, &e); err != nil {
			return err
		}
		if e.EventName != "REMOVE" {
			return nil
		}
		key := e.Dynamodb.Keys.PK.S
		if removed[key]++; removed[key] > 1 {
			t.Errorf("%s: %s was removed %d times", region, key, removed[key])
		}
		if own := strings.HasPrefix(key, region+"-"); own != (e.UserIdentity != nil) {
			t.Errorf("%s: %s, by the service: %s", region, key, e.UserIdentity)
		}
		if len(removed) == n {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Errorf("%s (%d): %d of %d items have a REMOVE record: %v", region, number, len(removed), n, err)
	}
}
