package link

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/stream/record"
)

var update = flag.Bool("update", false, "write what comes out into testdata")

// TestScripts runs the stories in testdata: after each command stands what came out. `go test -update` writes it anew; read
// the difference before you keep it.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("came out otherwise than %s says:\n%s", file, got)
			}
		})
	}
}

// play returns the script with what comes out: lines that begin with # or are empty stay, a line with > is a command, all
// others are what came out before.
func play(t *testing.T, script string) string {
	var out strings.Builder
	p := &player{now: time.UnixMilli(1_000_000), config: Config{Window: 1000, MinBatch: 100, MaxBatch: 400}}
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			out.WriteString(line + "\n")
		case line[0] == '>':
			out.WriteString(line + "\n")
			words := strings.Fields(line[1:])
			args := map[string]string{}
			for _, w := range words[1:] {
				k, v, _ := strings.Cut(w, "=")
				args[k] = v
			}
			var got string
			if words[0] == "wait" {
				d, err := time.ParseDuration(words[1])
				if err != nil {
					t.Fatal(err)
				}
				p.now = p.now.Add(d)
				p.clock += d
				got = fmt.Sprintf("at %v", p.clock)
			} else {
				got = p.do(t, words[0], args)
			}
			if got != "" {
				out.WriteString("  " + strings.ReplaceAll(strings.TrimSpace(got), "\n", "\n  ") + "\n")
			}
		}
	}
	return out.String()
}

// player is one link's two sides, which a script plays against nothing.
type player struct {
	now      time.Time
	clock    time.Duration
	config   Config
	open     Open
	backlog  *Backlog
	sender   *Sender
	receiver *Receiver
	work     Work
}

var (
	self  = crdt.Origin{Region: "here", Incarnation: 1}
	other = crdt.Origin{Region: "there", Incarnation: 2}
)

func num(t *testing.T, args map[string]string, name string) int {
	if args[name] == "" {
		return 0
	}
	n, err := strconv.Atoi(args[name])
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// commits makes commits of sizes like 10,20.
func commits(t *testing.T, sizes string) (list [][]byte) {
	for s := range strings.SplitSeq(sizes, ",") {
		if s == "" {
			continue
		}
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, bytes.Repeat([]byte{'x'}, n))
	}
	return list
}

func (p *player) do(t *testing.T, name string, a map[string]string) string {
	n := func(name string) int { return num(t, a, name) }
	seq := func(name string) record.Seq { return record.Seq(n(name)) }
	switch name {
	case "answer": // the sender's decision: answer by= from= to= mine=oldest-newest theirs=oldest-newest cursor= end= tables= window=
		o := Open{Protocols: versions(t, a["theirs"]), Cursor: seq("cursor"), Tables: make([]record.TableID, n("tables")), Window: int64(n("window"))}
		by, err := crdt.ParseOrigin(a["by"])
		if err == nil && a["from"] != "" {
			o.Receiver, err = crdt.ParseOrigin(a["from"])
		}
		if err == nil && a["to"] != "" {
			o.Sender, err = crdt.ParseOrigin(a["to"])
		}
		if err != nil {
			t.Fatal(err)
		}
		acc, err := Answer(versions(t, a["mine"]), by, seq("end"), &o)
		if err != nil {
			return said(err)
		}
		return fmt.Sprintf("accept protocol %d, end %v\ncheck: %s", acc.Protocol, acc.End, said(o.Check(acc)))
	case "backlog":
		p.backlog = NewBacklog(seq("end"))
	case "open": // both sides begin: open cursor= tables= end= closed=
		p.open = NewOpen(p.config, self, other, seq("cursor"), make([]record.TableID, n("tables")))
		if p.backlog == nil {
			p.backlog = NewBacklog(seq("cursor"))
		}
		p.sender = NewSender(p.config, &p.open, p.backlog, seq("end"), crdt.Time(n("closed")), p.now)
		p.receiver = NewReceiver(p.config, &p.open, Accept{End: seq("end")}, p.now)
	case "end": // the log's end moves
		p.sender.End(seq("end"), crdt.Time(n("closed")), p.now)
	case "distance": // distance ms=
		p.sender.Distance(time.Duration(n("ms")) * time.Millisecond)
	case "next":
		return p.step(p.sender.Next(p.now))
	case "took": // took sizes= last= next=
		b, ok, err := p.sender.Took(commits(t, a["sizes"]), crdt.Time(n("last")), seq("next"), p.now)
		switch {
		case err != nil:
			return said(err)
		case !ok:
			return "nothing to send"
		}
		return show(b)
	case "ack":
		if err := p.sender.Acked(Ack{seq("upto")}, p.now); err != nil {
			return said(err)
		}
		return fmt.Sprintf("acknowledged %v, in flight %d", p.sender.Position(), p.sender.InFlight())
	case "disconnect":
		p.sender.Close()
	case "lag":
		return showLag(p.backlog.Lag(p.now))
	case "arrived": // arrived from= upto= sizes= closed= end= behind=
		b := Batch{From: seq("from"), UpTo: seq("upto"), Commits: commits(t, a["sizes"]), Closed: crdt.Time(n("closed")), End: seq("end")}
		b.Behind = Lag{Seconds: float64(n("behind")), Commits: uint64(n("behind"))}
		if err := p.receiver.Arrived(b, p.now); err != nil {
			return said(err)
		}
		return fmt.Sprintf("%d bytes wait", p.receiver.Waiting())
	case "take":
		w, ok := p.receiver.Take(n("commits"), int64(n("bytes")))
		if !ok {
			return "nothing"
		}
		p.work = w
		return fmt.Sprintf("%d commits up to %v, closed %d", len(w.Commits), w.UpTo, uint64(w.Closed))
	case "applied":
		ack, ok := p.receiver.Applied(p.work, p.now)
		if !ok {
			return "nothing to acknowledge"
		}
		return fmt.Sprintf("acknowledge %v", ack.UpTo)
	case "heard":
		p.receiver.Heard(p.now)
	case "due":
		return fmt.Sprintf("due %v, next in %v, %s", p.receiver.Due(p.now), p.receiver.Next().Sub(p.now), said(p.receiver.Check(p.now)))
	case "sign":
		return fmt.Sprintf("acknowledge %v", p.receiver.Ack(p.now).UpTo)
	case "behind":
		return "up " + showLag(p.receiver.Lag(p.now, true)) + "\ndown " + showLag(p.receiver.Lag(p.now, false))
	default:
		t.Fatalf("no command %q", name)
	}
	return ""
}

func versions(t *testing.T, s string) (p Protocols) {
	if s == "" {
		return Spoken()
	}
	if _, err := fmt.Sscanf(s, "%d-%d", &p.Oldest, &p.Newest); err != nil {
		t.Fatal(s, err)
	}
	return p
}

func (p *player) step(s Step) string {
	switch s.Do {
	case Read:
		return fmt.Sprintf("read from %v, %d bytes", s.From, s.Bytes)
	case Tell:
		return "tell: " + show(s.Batch)
	case Wait:
		return fmt.Sprintf("wait %v", s.At.Sub(p.now))
	case GiveUp:
		return "give up"
	}
	return "?"
}

func show(b Batch) string {
	return fmt.Sprintf("(%v, %v] %d commits, %d bytes, closed %d, end %v, %s", b.From, b.UpTo, len(b.Commits), b.Bytes(),
		uint64(b.Closed), b.End, showLag(b.Behind))
}

func showLag(l Lag) string {
	return fmt.Sprintf("behind %.3f s, %d commits, %d bytes", l.Seconds, l.Commits, l.Bytes)
}

func said(err error) string {
	var r *Refusal
	switch {
	case err == nil:
		return "fine"
	case errors.As(err, &r):
		return fmt.Sprintf("refusal %d: %v", r.Reason, err)
	}
	return "error: " + err.Error()
}
