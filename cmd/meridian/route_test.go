package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
)

// freePort is one that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A client of meridian route writes and reads while its region is cut off and then killed. It never reads anything older
// than what it has written, and does not stand still for long.
func TestRouteOverFaultsAndKill(t *testing.T) {
	f := &fleet{names: threeRegions[:2], at: map[string]admin.Endpoints{}, procs: map[string]*process{}, data: t.TempDir()}
	for i, name := range f.names {
		more := []string{"--allow-faults"}
		if i > 0 {
			more = append(more, "--join", f.at[f.names[0]].Gossip)
		}
		f.procs[name], f.at[name] = startServe(t, serveFree(name, filepath.Join(f.data, name), more...)...)
	}
	f.linked(t)
	f.table(t, "things")
	us, eu := f.at["us-east-1"], f.at["eu-west-1"]
	listen := freePort(t)
	proxy := start(t, false, "route", "--listen", listen, "--session", "--region", "us-east-1="+us.DynamoDB, "--region", "eu-west-1="+eu.DynamoDB)
	proxy.until(t, "leads to the nearest of 2 regions")
	at := admin.Endpoints{DynamoDB: "http://" + listen}

	n, longest, unknown := 0, time.Duration(0), 0
	// step writes the next number and reads it back. A write of unknown fate is made again: it is the same write.
	step := func() {
		t.Helper()
		n++
		began := time.Now()
		for done := false; !done; {
			code, text, err := request(t.Context(), at, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"n":{"N":"%d"}}}`, n))
			switch {
			case err == nil && code == 200:
				done = true
			case err == nil && (code == 503 || strings.Contains(text, "UnknownFate")) && time.Since(began) < 30*time.Second:
				unknown++
			default:
				t.Fatalf("put: %d %s %v", code, text, err)
			}
		}
		for done := false; !done; {
			code, text, err := request(t.Context(), at, "GetItem", `{"TableName":"things","Key":{"pk":{"S":"a"}}}`)
			switch {
			case err == nil && code == 200 && strings.Contains(text, fmt.Sprintf(`"n":{"N":"%d"}`, n)):
				done = true
			case err == nil && code == 503 && time.Since(began) < 30*time.Second:
			default:
				t.Fatalf("get after writing %d: %d %s %v", n, code, text, err)
			}
		}
		longest = max(longest, time.Since(began))
	}
	both := us.Admin + "," + eu.Admin
	fault := func(args ...string) {
		t.Helper()
		code, stdout, stderr := exec1(t, append([]string{"fault"}, append(args, "--admin", both)...)...)
		if code != exitOK {
			t.Fatalf("%v: %d %s %s", args, code, stdout, stderr)
		}
	}
	for range 20 {
		step()
	}
	fault("partition", "--from", "us-east-1", "--to", "eu-west-1")
	for range 20 {
		step()
	}
	fault("heal")
	f.level(t)
	longest = 0
	_, inUse := getPage(t, at.DynamoDB)
	for _, name := range f.names {
		if strings.Contains(inUse, name) {
			f.kill(t, name)
			break
		}
	}
	for range 20 {
		step()
	}
	if longest > 5*time.Second { // of a machine that does other things, too; a second and a half on one that does not
		t.Errorf("the longest write and read took %v", longest)
	}
	t.Logf("the longest write and read over a kill took %v; %d of unknown fate or refused", longest, unknown)
	if code := proxy.stop(t, os.Interrupt); code != exitOK {
		t.Errorf("exit code %d after an interrupt", code)
	}
}

func TestFaultsRefused(t *testing.T) {
	p, e := startServe(t, serveFree("us-east-1", t.TempDir())...)
	refused(t, exitFailed, "was not started with --allow-faults", "fault", "heal", "--admin", e.Admin)
	p.stop(t, os.Interrupt)
}
