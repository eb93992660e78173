package member

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"
)

// story reads entries like "eu.1@5/a failed": region.incarnation, starting time, place, state (alive unless said).
func story(t *testing.T, text string) []entry {
	t.Helper()
	var all []entry
	for line := range strings.SplitSeq(text, ",") {
		var region, place, state string
		var incarnation uint64
		var started int64
		f := strings.Fields(strings.NewReplacer(".", " ", "@", " ", "/", " ").Replace(line) + " alive")
		if _, err := fmt.Sscan(strings.Join(f[:5], " "), &region, &incarnation, &started, &place, &state); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		o := origin(region, incarnation)
		all = append(all, entry{name: nameOf(o, started), origin: o, started: started, gossip: place,
			state: map[string]State{"alive": Alive, "failed": Failed, "left": Left}[state]})
	}
	return all
}

// TestWhoSpeaksForARegion is the whole table of a region's old and new process; us is us.1@10/u.
func TestWhoSpeaksForARegion(t *testing.T) {
	self := story(t, "us.1@10/u")[0]
	for _, c := range []struct{ known, kept, replaced, rivals, clash string }{
		{"eu.1@5/a", "eu.1@5/a", "", "", ""},
		{"eu.1@5/a failed", "eu.1@5/a failed", "", "", ""},
		// restarted: same origin
		{"eu.1@5/a, eu.1@6/a", "eu.1@6/a", "", "", ""},                            // death not noticed yet
		{"eu.1@5/a failed, eu.1@6/a", "eu.1@6/a", "eu.1@5/a", "", ""},             //
		{"eu.1@5/a left, eu.1@6/a failed", "eu.1@6/a failed", "eu.1@5/a", "", ""}, //
		{"eu.1@5/a, eu.1@6/b", "eu.1@6/b", "", "eu.1@5/a", ""},                    // or a cloned disk
		{"eu.1@5/a, eu.1@6/b failed", "eu.1@5/a", "eu.1@6/b", "", ""},             //
		// rebuilt: another origin
		{"eu.1@5/a, eu.2@6/a", "eu.2@6/a", "", "", ""},
		{"eu.1@5/a, eu.2@6/b", "eu.1@5/a", "", "eu.2@6/b", ""}, // two that live: the first stays
		{"eu.2@5/a, eu.1@6/b", "eu.2@5/a", "", "eu.1@6/b", ""},
		{"eu.1@5/a failed, eu.2@6/b", "eu.2@6/b", "eu.1@5/a", "", ""},
		{"eu.1@5/a, eu.2@6/b failed", "eu.1@5/a", "eu.2@6/b", "", ""},
		{"eu.1@5/a failed, eu.2@6/b left", "eu.2@6/b left", "eu.1@5/a", "", ""},
		{"eu.1@5/a failed, eu.2@6/b, eu.2@7/b, ap.1@1/x left", "ap.1@1/x left, eu.2@7/b", "eu.1@5/a", "", ""},
		// ourselves
		{"us.1@5/u", "", "us.1@5/u", "", ""},
		{"us.1@5/x failed", "", "us.1@5/x", "", ""},
		{"us.1@5/x", "", "", "", "x"},
		{"us.2@15/x", "", "", "", "x certain"},
		{"us.2@15/x left", "", "us.2@15/x", "", ""},
	} {
		all := story(t, c.known)
		for range 5 {
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			v := look(append([]entry(nil), all...), self)
			var rivals []entry
			for _, r := range v.rivals {
				rivals = append(rivals, r.other)
			}
			replaced := map[string]bool{}
			if c.replaced != "" {
				for _, e := range story(t, c.replaced) {
					replaced[e.name] = true
				}
			}
			clash := ""
			if v.clash != nil {
				clash = v.clash.Theirs
				if v.certain {
					clash += " certain"
				}
			}
			if !same(v.peers, c.kept, t) || !same(rivals, c.rivals, t) || !reflect.DeepEqual(v.replaced, replaced) || clash != c.clash {
				t.Errorf("%s: %+v, clash %q", c.known, v, clash)
			}
		}
	}
}

func same(got []entry, want string, t *testing.T) bool {
	if want == "" {
		return len(got) == 0
	}
	return reflect.DeepEqual(got, story(t, want))
}

func TestTagsOfStrangersAreLeftAlone(t *testing.T) {
	good := func() serf.Member {
		o := origin("eu", 1)
		return serf.Member{Name: nameOf(o, 7), Port: 5, Addr: []byte{127, 0, 0, 1}, Status: serf.StatusAlive,
			Tags: map[string]string{tagOrigin: o.String(), tagStarted: "7", tagReplication: "h:1", "new": "thing"}}
	}
	e, ok := entryOf(good())
	if want := (entry{name: nameOf(origin("eu", 1), 7), origin: origin("eu", 1), started: 7, gossip: "127.0.0.1:5", replication: "h:1"}); !ok || e != want {
		t.Errorf("got %+v %t", e, ok)
	}
	for name, spoil := range map[string]func(*serf.Member){
		"no tags":              func(m *serf.Member) { m.Tags = nil },
		"no origin":            func(m *serf.Member) { m.Tags[tagOrigin] = "eu" },
		"no time":              func(m *serf.Member) { m.Tags[tagStarted] = "" },
		"no address":           func(m *serf.Member) { m.Tags[tagReplication] = "h" },
		"another's name":       func(m *serf.Member) { m.Name = nameOf(origin("us", 1), 7) },
		"a state without name": func(m *serf.Member) { m.Status = serf.StatusNone },
	} {
		m := good()
		if spoil(&m); true {
			if _, ok := entryOf(m); ok {
				t.Errorf("%s was taken for a region", name)
			}
		}
	}
}

// The estimate of the tags' size is never below what Serf makes of them.
func TestTagsThatFitAreTakenBySerf(t *testing.T) {
	fits := 0
	for n := 1; n < memberlist.MetaMaxSize; n += 7 {
		tags := map[string]string{tagOrigin: "x", tagReplication: strings.Repeat("r", n/2), tagDynamoDB: strings.Repeat("d", n-n/2), tagAdmin: ""}
		got, err := encodeTags(tags)
		if err != nil {
			continue
		}
		fits = n
		c := brisk.config(newLogger(t.Context(), slog.New(slog.DiscardHandler)))
		c.NodeName, c.Tags, c.MemberlistConfig.BindAddr, c.MemberlistConfig.BindPort = "x", got, "127.0.0.1", 0
		s, err := serf.Create(c)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
	}
	if fits < 450 {
		t.Errorf("only %d bytes of addresses fit", fits)
	}
}

func TestGradesOfMessages(t *testing.T) {
	for line, want := range map[string]slog.Level{
		"[INFO] serf: EventMemberJoin: x":                                   slog.LevelDebug,
		"[DEBUG] memberlist: Stream connection from=x":                      slog.LevelDebug,
		"[ERR] memberlist: Failed fallback TCP ping: connection refused":    slog.LevelDebug,
		"[WARN] memberlist: Refuting a suspect message (from: x)":           slog.LevelDebug,
		"[WARN] serf: Shutdown without a Leave":                             slog.LevelDebug,
		"[ERR] memberlist: discarding packet with unacceptable label \"x\"": slog.LevelWarn,
		"[ERR] memberlist: Failed to decode ping request: EOF":              slog.LevelWarn,
		"[ERR] memberlist: Conflicting address for x":                       slog.LevelWarn,
		"no level at all": slog.LevelDebug, "[": slog.LevelDebug, "": slog.LevelDebug,
	} {
		level, text := grade(line)
		if level != want || strings.HasPrefix(text, "[ERR") || !strings.HasSuffix(line, text) {
			t.Errorf("%q: %s %q, want %s", line, level, text, want)
		}
	}
}
