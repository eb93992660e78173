package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
)

// The long run:
//
//	go test ./cmd/meridian -run TestSoak -soak 10m -v -timeout 20m
var soak = flag.Duration("soak", 4*time.Second, "how long TestSoak makes trouble")

// TestSoak keeps three processes under load while they are killed, stopped and continued, and cut off from each other, several
// at a time. Afterwards all regions are equal, and every acknowledged write is accounted for:
//
//	new keys        are there
//	counting up     one key of each worker stands at what was acknowledged last, or later
//	adding          has what was acknowledged, and at most what nobody knows the fate of besides
func TestSoak(t *testing.T) {
	random := newRand(t)
	f := startFleetWith(t, []string{"--allow-faults"}, threeRegions...)
	f.table(t, "things")
	s := &soaking{t: t, f: f, idle: time.NewTicker(5 * time.Millisecond)}
	defer s.idle.Stop()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.load(ctx)
	var trouble sync.WaitGroup
	end := time.After(*soak)
	for _, name := range f.names {
		rnd := rand.New(rand.NewPCG(random.Uint64(), 1))
		trouble.Go(func() { s.harass(ctx, name, rnd) })
	}
	trouble.Go(func() { s.cut(ctx, rand.New(rand.NewPCG(random.Uint64(), 2))) })
	<-end
	cancel()
	trouble.Wait()
	s.working.Wait()
	if t.Failed() {
		return
	}
	s.fault("heal")
	f.linked(t)
	began := time.Now()
	items := f.equal(t, "things")
	t.Logf("equal, %d items, %v after the end", len(items), time.Since(began).Round(time.Millisecond))
	s.account(items)
}

// soaking is one run: what its workers were promised, and what was done to them.
type soaking struct {
	t       *testing.T
	f       *fleet
	workers []*soakWorker
	working sync.WaitGroup
	idle    *time.Ticker // of workers whose region is down

	kills, stops, cuts atomic.Int64
}

// soakWorker writes keys of its own in one region.
type soakWorker struct {
	name   string
	region admin.Endpoints

	fresh          []int // numbers of the new keys that were acknowledged
	counted        int   // newest acknowledged
	added, unknown int   // acknowledged, and without an answer
}

func (s *soaking) load(ctx context.Context) {
	for _, name := range s.f.names {
		for i := range loaders {
			w := &soakWorker{name: fmt.Sprintf("%s/%d", name, i), region: s.f.at[name]}
			s.workers = append(s.workers, w)
			s.working.Go(func() {
				for n := 1; ctx.Err() == nil; n++ {
					if !w.write(n) {
						<-s.idle.C
					}
				}
			})
		}
	}
}

// write sends three writes, and reports whether the region could be reached. It waits for their answers also when the run
// ends: half a request says nothing.
func (w *soakWorker) write(n int) bool {
	put := func(pk string) bool {
		code, _, err := request(context.Background(), w.region, "PutItem",
			fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":%q},"n":{"N":"%d"}}}`, pk, n))
		return err == nil && code == 200
	}
	if n%8 == 0 && put(w.name+"/"+strconv.Itoa(n)) {
		w.fresh = append(w.fresh, n)
	}
	if put(w.name) {
		w.counted = n
	}
	code, _, err := request(context.Background(), w.region, "UpdateItem", fmt.Sprintf(`{"TableName":"things",
		"Key":{"pk":{"S":%q}},"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}`, w.name+"/sum"))
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return false
	case err != nil || code >= 500: // the region may have done it before it fell silent
		w.unknown++
	case code == 200:
		w.added++
	}
	return true
}

// harass kills a region again and again, or lets it stand still.
func (s *soaking) harass(ctx context.Context, name string, rnd *rand.Rand) {
	for pause(ctx, rnd, 4*time.Second) {
		if rnd.IntN(2) == 0 {
			s.f.kill(s.t, name)
			s.kills.Add(1)
			pause(ctx, rnd, 2*time.Second)
			s.f.back(s.t, name)
			continue
		}
		p := s.f.process(name).cmd.Process
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			s.t.Error(err)
			return
		}
		s.stops.Add(1)
		pause(ctx, rnd, 5*time.Second)
		if err := p.Signal(syscall.SIGCONT); err != nil {
			s.t.Error(err)
			return
		}
	}
}

// cut takes links away, and gives them back.
func (s *soaking) cut(ctx context.Context, rnd *rand.Rand) {
	names := s.f.names
	for pause(ctx, rnd, 2*time.Second) {
		i := rnd.IntN(len(names))
		args := []string{"partition", "--from", names[i], "--to", names[(i+1+rnd.IntN(len(names)-1))%len(names)]}
		if rnd.IntN(2) == 0 {
			args = append(args, "--one-way")
		}
		s.fault(args...)
		s.cuts.Add(1)
		pause(ctx, rnd, 4*time.Second)
		s.fault("heal")
	}
}

// fault asks all regions; those that are down answer nothing, which is as it should be.
func (s *soaking) fault(args ...string) {
	var all []string
	for _, name := range s.f.names {
		all = append(all, s.f.at[name].Admin)
	}
	runHere(append([]string{"fault"}, append(args, "--admin", strings.Join(all, ","))...)...)
}

// pause waits for up to limit, and reports whether to go on.
func pause(ctx context.Context, rnd *rand.Rand, limit time.Duration) bool {
	select {
	case <-time.After(time.Duration(rnd.Int64N(int64(limit)))):
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *soaking) account(items map[string]string) {
	fresh, counted, added, unknown := 0, 0, 0, 0
	for _, w := range s.workers {
		for _, n := range w.fresh {
			if pk := w.name + "/" + strconv.Itoa(n); valueOf(items[pk]) != n {
				s.t.Errorf("%s was acknowledged and is %q", pk, items[pk])
			}
		}
		if got := valueOf(items[w.name]); got < w.counted {
			s.t.Errorf("%s was acknowledged with n = %d and is %d", w.name, w.counted, got)
		}
		if got := valueOf(items[w.name+"/sum"]); got < w.added || got > w.added+w.unknown {
			s.t.Errorf("%s was added to %d times, and perhaps %d times more, and is %d", w.name, w.added, w.unknown, got)
		}
		fresh, counted, added, unknown = fresh+len(w.fresh), counted+w.counted, added+w.added, unknown+w.unknown
	}
	s.t.Logf("%d kills, %d stops, %d cuts; %d new keys, %d in counting, %d additions acknowledged, %d without an answer",
		s.kills.Load(), s.stops.Load(), s.cuts.Load(), fresh, counted, added, unknown)
	if fresh == 0 || added == 0 {
		s.t.Error("nothing was acknowledged")
	}
}
