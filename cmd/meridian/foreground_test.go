package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// foreground is clients that put items at a steady rate, 100 a second in each region, and note how long each put took.
type foreground struct {
	stop func() // and wait

	mu   sync.Mutex
	puts []timed
}

// timed is a put: when it began, and what it took.
type timed struct {
	at   time.Time
	took time.Duration
}

// foregroundClients is how many clients a region has: a put that takes long keeps only its own client from the next one.
const foregroundClients = 4

func (f *fleet) foreground(t *testing.T, table string) *foreground {
	ctx, cancel := context.WithCancel(t.Context())
	fg := new(foreground)
	var clients sync.WaitGroup
	fg.stop = func() { cancel(); clients.Wait() }
	t.Cleanup(fg.stop) // nobody may tell a test that failed meanwhile, and is over, of an error
	every := foregroundClients * 10 * time.Millisecond
	for i, region := range f.names {
		for c := range foregroundClients {
			begin := time.NewTimer(every * time.Duration(c*len(f.names)+i) / time.Duration(foregroundClients*len(f.names))) // not all at once
			clients.Go(func() {
				defer begin.Stop()
				select {
				case <-ctx.Done():
					return
				case <-begin.C:
				}
				tick := time.NewTicker(every)
				defer tick.Stop()
				for n := c; ; n += foregroundClients {
					at := time.Now()
					item := fmt.Sprintf(`{"TableName":"%s","Item":{"pk":{"S":"%s%d"}}}`, table, region, n%100)
					code, text, err := request(t.Context(), f.at[region], "PutItem", item)
					if err != nil || code != http.StatusOK {
						t.Errorf("%d %s %v", code, text, err)
						return
					}
					fg.note(timed{at, time.Since(at)})
					select {
					case <-ctx.Done():
						return
					case <-tick.C:
					}
				}
			})
		}
	}
	return fg
}

func (fg *foreground) note(p timed) {
	fg.mu.Lock()
	defer fg.mu.Unlock()
	fg.puts = append(fg.puts, p)
}

// windows cuts a stretch of time into windows of one length.
func (fg *foreground) windows(from, to time.Time, long time.Duration) (all windows) {
	fg.mu.Lock()
	defer fg.mu.Unlock()
	for at := from; !at.Add(long).After(to); at = at.Add(long) {
		var w []time.Duration
		for _, p := range fg.puts {
			if !p.at.Before(at) && p.at.Before(at.Add(long)) {
				w = append(w, p.took)
			}
		}
		if len(w) > 0 {
			slices.Sort(w)
			all = append(all, w)
		}
	}
	return all
}

// windows are what puts took, in order, by windows of time.
type windows [][]time.Duration

// p99 is the median of the windows' 99th percentiles; one window that a flush or the machine made slow does not move it.
func (w windows) p99() time.Duration {
	all := w.each()
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

func (w windows) each() (all []time.Duration) {
	for _, puts := range w {
		all = append(all, puts[len(puts)*99/100])
	}
	return all
}

func (w windows) String() string {
	var text strings.Builder
	n := 0
	for _, puts := range w {
		n += len(puts)
	}
	fmt.Fprintf(&text, "%d puts, p99 %v, by window", n, w.p99().Round(10*time.Microsecond))
	for _, p := range w.each() {
		fmt.Fprintf(&text, " %v", p.Round(10*time.Microsecond))
	}
	return text.String()
}
