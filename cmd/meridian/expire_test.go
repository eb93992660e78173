package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/internal/tail"
)

var expireItems = flag.Int("expire.items", 1_000, "items that TestManyExpire lets expire, at 100,000 a minute")

// expireWhole is the size that was asked for. From it on how late items are and what they cost is judged: by hand, on a machine
// that does nothing else.
const expireWhole = 100_000

// TestManyExpire: items that expire within a minute are gone in every region within 10 s of their time, each with one REMOVE
// record that names the service in the region that expired it, while a foreground goes on. At the size that was asked for:
//
//	go test ./cmd/meridian -run TestManyExpire -v -timeout 20m -expire.items=100000
//
// The foreground is the same before, meanwhile and afterwards, and so is what watches. Each stretch is as long as the other two
// and is cut into windows; the medians of the windows' p99s are compared. The quiet windows say how much is the machine's.
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
	spread := max(time.Duration(n)*time.Minute/expireWhole, 2*time.Second)
	filling := 4*time.Second + time.Duration(n)*time.Millisecond // at most
	begin := time.Now().Add(filling + spread).Truncate(time.Second)
	end := begin.Add(spread)
	due := func(i int) time.Time {
		return begin.Add(spread * time.Duration(i) / time.Duration(n)).Truncate(time.Second)
	}
	f.fillExpiring(t, n, due)
	f.level(t)
	if time.Now().After(begin) { // what is half a minute late when it arrives, others than its writer expire, too
		t.Skipf("writing %d items took longer than %v: the machine is busy", n, filling+spread)
	}

	busy := f.foreground(t, "busy")
	watched, stop := context.WithCancel(t.Context())
	worst := make(chan float64, 1)
	go func() { worst <- f.worstOverdue(watched) }()
	time.Sleep(time.Until(end))
	for _, region := range f.names {
		awaitFor(t, 2*time.Minute, "all are gone in "+region, func() string { return f.remaining(t, region) })
	}
	late := time.Since(end)
	after := time.Now().Add(time.Second) // the counting is over
	time.Sleep(time.Until(after.Add(spread)))
	busy.stop()
	stop()
	slowest := time.Duration(0)
	for i, region := range f.names {
		slowest = max(slowest, f.checkRemovals(t, region, i, n, due))
	}
	overdue := time.Duration(<-worst * float64(time.Second))
	t.Logf("%d items in %v: gone everywhere %v after the last one's time; deleted within %v of their time; seen overdue by %v at most",
		n, spread, late, slowest, overdue)

	window := spread / 6
	quiet := busy.windows(begin.Add(-spread), begin, window)
	meanwhile := busy.windows(begin, end, window)
	t.Logf("before:    %v", quiet)
	t.Logf("meanwhile: %v", meanwhile)
	calm := busy.windows(after, after.Add(spread), window)
	t.Logf("after:     %v", calm)
	quiet = append(quiet, calm...)
	times := float64(meanwhile.p99()) / float64(max(1, quiet.p99()))
	t.Logf("p99 of a put: %v without expiry, %v meanwhile: × %.2f", quiet.p99(), meanwhile.p99(), times)
	if n < expireWhole {
		return
	}
	if late > 10*time.Second || slowest > 10*time.Second || overdue > 10*time.Second {
		t.Error("later than 10 s")
	}
	if times > 2 {
		t.Error("the foreground's p99 is more than doubled")
	}
}

// fillExpiring writes items in all regions, each third in its own.
func (f *fleet) fillExpiring(t *testing.T, n int, due func(i int) time.Time) {
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
					by[region] = append(by[region], fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"%s-%d"},"exp":{"N":"%d"}}}}`, region, i, due(i).Unix()))
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

// checkRemovals reads a region's stream: each item was removed once, after its time, and by the service if this is the region
// that wrote it. It returns how late the latest was, in whole seconds, as records tell the time.
func (f *fleet) checkRemovals(t *testing.T, region string, number, n int, due func(i int) time.Time) (latest time.Duration) {
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
				ApproximateCreationDateTime int64
				Keys                        struct {
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
		i, err := strconv.Atoi(key[strings.LastIndexByte(key, '-')+1:])
		if err != nil {
			return err
		}
		after := time.Unix(e.Dynamodb.ApproximateCreationDateTime, 0).Sub(due(i))
		if after < 0 {
			t.Errorf("%s: %s was removed %v before its time", region, key, -after)
		}
		latest = max(latest, after)
		if len(removed) == n {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Errorf("%s (%d): %d of %d items have a REMOVE record: %v", region, number, len(removed), n, err)
	}
	return latest
}
