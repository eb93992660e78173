package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/admin"
)

// Longer runs:
//
//	go test ./cmd/meridian -run TestKillUnderLoad -kills 20
//	go test ./cmd/meridian -run TestKillUnderLoad -kills 3 -seed 42
var (
	kills = flag.Int("kills", 3, "how often TestKillUnderLoad kills a region")
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the tests' choices")
)

func newRand(t *testing.T) *rand.Rand {
	t.Logf("-seed %d", *seed)
	return rand.New(rand.NewPCG(*seed, 0))
}

// One key written in all regions at the same time, for many keys: all regions keep the same version, and it is the one with
// the highest stamp of those that anybody saw.
func TestConcurrentWritesOfOneKey(t *testing.T) {
	const keys = 1000
	f := startFleet(t, threeRegions...)
	f.table(t, "things")
	var writing sync.WaitGroup
	for _, name := range f.names {
		for worker := range 4 {
			writing.Go(func() {
				for k := worker; k < keys; k += 4 {
					code, body, err := request(t.Context(), f.at[name], "PutItem",
						fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"k%d"},"by":{"S":%q}}}`, k, name))
					if err != nil || code != 200 {
						t.Errorf("%d %s %v", code, body, err)
						return
					}
				}
			})
		}
	}
	writing.Wait()
	items := f.equal(t, "things")
	if len(items) != keys {
		t.Fatalf("%d items", len(items))
	}
	winners := map[string]int{}
	for k := range keys {
		pk := "k" + strconv.Itoa(k)
		page, text := storedItem(t, f.at[f.names[0]], "things", pk)
		for _, name := range f.names[1:] {
			if _, other := storedItem(t, f.at[name], "things", pk); other != text {
				t.Fatalf("%s stores %s\n%s stores %s", f.names[0], text, name, other)
			}
		}
		var highest crdt.Stamp
		for _, s := range page.Context.Seen {
			if highest.Less(s) {
				highest = s
			}
		}
		by := highest.Origin.Region
		if len(page.Context.Seen) != len(f.names) || page.Stamp != highest || !strings.Contains(items[pk], `"by":{"S":"`+by+`"}`) {
			t.Fatalf("the winner of %s is not its highest stamp: %s", pk, text)
		}
		winners[by]++
	}
	t.Logf("winners: %v", winners)
}

// load writes to all regions, each worker its own keys: "name/worker/n", each once, and "name/worker", again and again.
type load struct {
	fleet   *fleet
	region  map[string]*regionLoad
	stop    atomic.Bool
	running sync.WaitGroup
}

// regionLoad is what one region acknowledged.
type regionLoad struct {
	acked   atomic.Int64
	mu      sync.Mutex
	written map[string]int // key → newest acknowledged value
}

const loaders = 4

func startLoad(t *testing.T, f *fleet, round int) *load {
	l := &load{fleet: f, region: map[string]*regionLoad{}}
	for _, name := range f.names {
		r := &regionLoad{written: map[string]int{}}
		l.region[name] = r
		e := f.at[name] // a region comes back at the same address
		for worker := range loaders {
			l.running.Go(func() {
				own := fmt.Sprintf("%s/%d/%d", name, round, worker)
				for n := 1; !l.stop.Load() && t.Context().Err() == nil; n++ {
					for _, pk := range []string{own, own + "/" + strconv.Itoa(n)} {
						code, _, err := request(t.Context(), e, "PutItem",
							fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":%q},"n":{"N":"%d"}}}`, pk, n))
						if err != nil || code != 200 {
							continue // nothing is promised about it
						}
						r.mu.Lock()
						r.written[pk] = n
						r.mu.Unlock()
						r.acked.Add(1)
					}
				}
			})
		}
	}
	return l
}

// more waits until a region has acknowledged so many writes more.
func (l *load) more(t *testing.T, name string, n int64) {
	t.Helper()
	target := l.region[name].acked.Load() + n
	await(t, "writes acknowledged by "+name, func() string {
		if got := l.region[name].acked.Load(); got < target {
			return fmt.Sprintf("%d of %d", got, target)
		}
		return ""
	})
}

func (l *load) end() {
	l.stop.Store(true)
	l.running.Wait()
}

// kill -9 of any region under load, at any moment: whatever was acknowledged is in all regions when it is back, and all are
// equal.
func TestKillUnderLoad(t *testing.T) {
	random := newRand(t)
	f := startFleet(t, threeRegions...)
	f.table(t, "things")
	promised := map[string]int{}
	for round := range *kills {
		victim := f.names[random.IntN(len(f.names))]
		l := startLoad(t, f, round)
		l.more(t, victim, 1+random.Int64N(500))
		f.kill(t, victim)
		for _, name := range f.names {
			if name != victim {
				l.more(t, name, 1+random.Int64N(300)) // the others do not mind
			}
		}
		f.back(t, victim)
		for _, name := range f.names {
			l.more(t, name, 50)
		}
		l.end()
		for _, r := range l.region {
			for pk, n := range r.written {
				promised[pk] = n
			}
		}
		f.linked(t)
		items := f.equal(t, "things")
		for pk, n := range promised {
			if got := valueOf(items[pk]); got < n {
				t.Fatalf("round %d, %s killed: %s was acknowledged with n = %d and is %q", round, victim, pk, n, items[pk])
			}
		}
		t.Logf("round %d: %s killed and back, %d acknowledged writes so far", round, victim, len(promised))
	}
}

// valueOf is the n of an item like {"n":{"N":"7"},"pk":…}; 0 if there is none.
func valueOf(item string) int {
	_, rest, _ := strings.Cut(item, `"n":{"N":"`)
	digits, _, _ := strings.Cut(rest, `"`)
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// A second process that calls itself as a living region takes nothing from it: the first one's links stay as they are, the
// second one is refused, and both say so.
func TestTwoProcessesOfOneRegion(t *testing.T) {
	f := startFleet(t, "us-east-1", "eu-west-1")
	_, twin := startServe(t, serveFree("eu-west-1", filepath.Join(t.TempDir(), "twin"), "--join", f.at["us-east-1"].Gossip)...)
	f.at["twin"] = twin
	await(t, "the twin is refused and both alarm", func() string {
		s := f.status(t, "twin")
		if len(s.Peers) != 1 || s.Peers[0].State != "refused" || !strings.Contains(s.Peers[0].Error, "two processes claim one region") {
			return fmt.Sprintf("%+v", s.Peers)
		}
		return noAlarm(f.status(t, "eu-west-1"), "two living processes are region eu-west-1")
	})
	f.linked(t)
	_, page := getPage(t, f.at["us-east-1"].Admin+"/metrics")
	if line := `meridian_replication_links_opened_total{direction="sending",peer="eu-west-1",region="us-east-1"} 1`; !strings.Contains(page, line+"\n") {
		t.Error("the first one's link was opened again")
	}
	if code, stdout, _ := runHere("status", "--admin", f.at["eu-west-1"].Admin); code != exitFailed || !strings.Contains(stdout, "stop one of them") {
		t.Errorf("status: %d %s", code, stdout)
	}
}

// noAlarm is empty if a region has raised an alarm.
func noAlarm(s admin.Status, text string) string {
	for _, a := range s.Alarms {
		if strings.Contains(a, text) {
			return ""
		}
	}
	return fmt.Sprintf("alarms %q", s.Alarms)
}

// A region whose disk went back in time stops before it writes under stamps that it has used already.
func TestDiskRolledBack(t *testing.T) {
	f := startFleet(t, "us-east-1", "eu-west-1")
	f.table(t, "things")
	const name = "eu-west-1"
	put := func(pk string) { call(t, f.at[name], "PutItem", `{"TableName":"things","Item":{"pk":{"S":"`+pk+`"}}}`) }
	put("before")
	if code := f.procs[name].stop(t, os.Interrupt); code != exitOK {
		t.Fatal(code)
	}
	old := filepath.Join(f.data, "old")
	if err := os.CopyFS(old, os.DirFS(filepath.Join(f.data, name))); err != nil {
		t.Fatal(err)
	}
	f.back(t, name)
	put("after")
	f.linked(t)
	f.equal(t, "things")
	f.kill(t, name)
	if err := errors.Join(os.RemoveAll(filepath.Join(f.data, name)), os.Rename(old, filepath.Join(f.data, name))); err != nil {
		t.Fatal(err)
	}
	f.back(t, name)
	code, last := f.procs[name].exit(t)
	if code != exitFailed || !strings.HasPrefix(last, "meridian: region eu-west-1: ") || !strings.Contains(last, "the disk was rolled back") {
		t.Errorf("exit code %d, %q", code, last)
	}
	if items := scan(t, f.at["us-east-1"], "things"); len(items) != 2 {
		t.Errorf("the other region has %v", items)
	}
}
