package arch_test

import "strings"

const module = "github.com/meridiandb/meridian"

// pure lists the packages that decide and do not act: no I/O, no clock, no goroutine, no lock. Their tests may do all that.
var pure = []string{
	"item", "expr", "crdt", "conflict", "stream/record", "replication/link", "replication/antientropy",
	"trigger/filter", "trigger/batch", "trigger/duty",
}

// impureImports are what a pure package may not import.
var impureImports = map[string]string{
	"os": "it does I/O", "os/exec": "it does I/O", "os/signal": "it does I/O", "io/ioutil": "it does I/O",
	"net": "it does I/O", "net/http": "it does I/O", "net/rpc": "it does I/O", "syscall": "it does I/O",
	"log": "it writes to standard error", "log/slog": "it writes a log: return what happened, the driver logs it",
	"sync": "it locks: a pure value belongs to one goroutine, its driver locks", "sync/atomic": "it shares state between goroutines",
	"math/rand": "it is chance: take random numbers as arguments", "math/rand/v2": "it is chance: take random numbers as arguments",
	"crypto/rand": "it is chance: take random bytes as arguments", "database/sql": "it does I/O", "runtime": "it looks at the process",
}

// impureCalls are what a pure package may not use of a package that it may import.
var impureCalls = map[string]map[string]string{
	"time": {
		"Now": clock, "Since": clock, "Until": clock, "Sleep": waits, "After": waits, "AfterFunc": waits, "Tick": waits,
		"NewTimer": waits, "NewTicker": waits,
	},
	"fmt": {"Print": prints, "Println": prints, "Printf": prints, "Scan": prints, "Scanln": prints, "Scanf": prints},
}

const (
	clock  = "it reads the clock: take now as an argument"
	waits  = "it waits: return the time at which to be called again"
	prints = "it does I/O: return the text"
)

// ban forbids imports. from and to say what is meant by a package's path inside the module, or a file's path; third-party
// packages by their full path.
type ban struct {
	from   func(file file) bool
	to     func(pkg string) bool
	tests  bool     // holds for test files too
	only   []string // names of the package that may be used all the same
	why    string
	remedy string
}

var bans = []ban{
	{
		from: in("region"), to: ours("replication"), tests: true,
		why:    "region must work without replication, and replication over any engine",
		remedy: "replication declares the Source and Sink it needs, region satisfies them; they meet in cmd/meridian and replication/repltest",
	},
	{
		from: but(in("replication"), in("replication/repltest")), to: ours("region"), tests: true,
		why:    "replication must work over any engine, and region without replication",
		remedy: "declare what you need in replication's Source or Sink; join the two in cmd/meridian or replication/repltest",
	},
	{
		from: in("api"), to: ours("replication"), tests: true,
		why:    "an endpoint answers from its own region and never waits for others",
		remedy: "ask region for it; region knows its peers' state",
	},
	{
		from: but(all, in("cmd")), to: ours("cmd"), tests: true,
		why:    "cmd is wiring only",
		remedy: "move what you need out of cmd into the package that owns the idea",
	},
	{
		from: in("trigger"), to: ours("replication", "api"), tests: true,
		why:    "a trigger reads its own region's streams, and reaches other regions by what it is handed: so it is tested without sockets",
		remedy: "declare what you need in trigger's Peers; the parts meet in cmd/meridian",
	},
	{
		from: in("api", "region", "replication"), to: ours("trigger"), tests: true,
		why:    "triggers are a consumer of streams like any other: nothing depends on them",
		remedy: "let trigger ask",
	},
	{
		from: in("drill", "bench", "route"),
		// The engine alone is a floor that bench/limits holds a server against; it is no part of that server.
		to:  except(ours("region", "replication", "storage", "stream", "conflict", "crdt"), module+"/storage/pebblestore/rawpebble"),
		why: "drill, bench and route speak to servers by public interfaces only, or they would judge by what they should doubt", remedy: "use the HTTP and admin APIs",
	},
	{
		from: but(all, in("storage/pebblestore")), to: under("github.com/cockroachdb/pebble"),
		why:    "nothing above storage knows which engine runs (DESIGN 9 changes it)",
		remedy: "use package storage; for what it lacks, extend its contract and every engine",
	},
	{
		from: but(all, in("replication/grpclink", "replication/replpb")), to: under("google.golang.org/grpc"), tests: true,
		why:    "the link is a pure machine and its transport can change",
		remedy: "use replication's transport interface; only replication/grpclink and replication/replpb know gRPC",
	},
	{
		from: but(all, in("replication/member")), to: under("github.com/hashicorp/serf", "github.com/hashicorp/memberlist"), tests: true,
		why:    "membership must be scriptable in tests, without sockets",
		remedy: "use replication/member's types",
	},
	{
		from: but(all, in("cmd"), named("metrics.go")), to: under("github.com/prometheus/client_golang"),
		only:   []string{"Registerer", "Gatherer"}, // an options struct must name what it is handed
		why:    "metrics of a component stand in one place, and it is handed its registry",
		remedy: "move it to the package's metrics.go",
	},
}

// badNames are package names that say nothing: they collect what nobody owns.
var badNames = []string{"util", "utils", "common", "types", "pkg", "helpers", "misc"}

// in matches files of packages at or under some paths.
func in(paths ...string) func(file) bool {
	return func(f file) bool { return anyUnder(f.pkg, paths) }
}

func named(name string) func(file) bool { return func(f file) bool { return f.name == name } }

func all(file) bool { return true }

// but matches what yes matches and no other does.
func but(yes func(file) bool, no ...func(file) bool) func(file) bool {
	return func(f file) bool {
		for _, n := range no {
			if n(f) {
				return false
			}
		}
		return yes(f)
	}
}

// ours matches packages of this module at or under some paths.
func ours(paths ...string) func(string) bool {
	return func(pkg string) bool {
		inside, ok := strings.CutPrefix(pkg, module+"/")
		return ok && anyUnder(inside, paths)
	}
}

func under(paths ...string) func(string) bool {
	return func(pkg string) bool { return anyUnder(pkg, paths) }
}

// except takes one package out.
func except(to func(string) bool, pkg string) func(string) bool {
	return func(p string) bool { return p != pkg && to(p) }
}

func anyUnder(pkg string, paths []string) bool {
	for _, p := range paths {
		if pkg == p || strings.HasPrefix(pkg, p+"/") {
			return true
		}
	}
	return false
}
