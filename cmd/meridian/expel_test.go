package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/meridiandb/meridian/internal/admin"
)

// runMeridian runs a command to its end.
func runMeridian(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	cmd := meridian(t.Context(), args...)
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	_ = cmd.Run() // the exit code says it
	return cmd.ProcessState.ExitCode(), b.String()
}

// A region that is dead, and keeps the table, is expelled. The others change the table and go on; when it comes back it begins anew
// by itself, what it alone had is set aside and shows nowhere, and it can be a member again.
func TestExpelAndReturn(t *testing.T) {
	f := startFleet(t, threeRegions...)
	us, eu, ap := f.names[0], f.names[1], f.names[2]
	f.table(t, "things")
	put := func(at, pk string) {
		t.Helper()
		call(t, f.at[at], "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":%q},"by":{"S":%q}}}`, pk, at))
	}
	put(us, "all")
	f.equal(t, "things")
	f.kill(t, eu)
	f.kill(t, ap)
	put(us, "alone")
	f.kill(t, us)
	f.names = []string{eu, ap, us} // they find each other through eu from now on
	f.back(t, eu)
	f.back(t, ap)
	await(t, "a link between the two", func() string {
		for _, p := range f.status(t, eu).Peers {
			if p.Region == ap && p.Connected {
				return ""
			}
		}
		return "none"
	})

	if code, out := runMeridian(t, "expel", "--admin", f.at[ap].Admin, "--region", eu); code != exitFailed || !strings.Contains(out, "not gone") {
		t.Fatalf("a region that lives: %d %s", code, out)
	}
	if code, out := runMeridian(t, "expel", "--admin", f.at[eu].Admin, "--region", us); code != exitOK || !strings.Contains(out, "things") {
		t.Fatalf("exit code %d: %s", code, out)
	}
	put(eu, "after")

	f.back(t, us)
	await(t, "the region is opened again", func() string {
		res, err := http.Get(f.at[us].Admin + "/admin/status")
		if err != nil {
			return err.Error() // it is down for a moment
		}
		defer func() { _ = res.Body.Close() }()
		var s admin.Status
		if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
			return err.Error()
		}
		if i := slices.IndexFunc(s.Alarms, func(a string) bool { return strings.Contains(a, "set aside") }); i < 0 {
			return fmt.Sprint(s.Alarms, s.NotReady)
		}
		return ""
	})
	if code, out := runMeridian(t, "aside", "--admin", f.at[us].Admin); code != exitOK ||
		strings.Count(out, "\n") != 1 || !strings.Contains(out, `"key":{"pk":{"S":"alone"}}`) {
		t.Errorf("exit code %d: %s", code, out)
	}
	await(t, "the region has no replica", func() string {
		if n := len(f.status(t, us).Tables); n > 0 {
			return fmt.Sprint(n, " tables")
		}
		return ""
	})
	await(t, "it is a member again", func() string {
		code, answer, err := request(t.Context(), f.at[eu], "UpdateTable", fmt.Sprintf(`{"TableName":"things","ReplicaUpdates":[{"Create":{"RegionName":%q}}]}`, us))
		if err != nil || code != 200 {
			return fmt.Sprint(code, answer, err)
		}
		return ""
	})
	active(t, f.at[us], "things")
	items := f.equal(t, "things")
	if _, there := items["alone"]; there || len(items) != 2 {
		t.Errorf("items: %v", items)
	}
	if code, out := runMeridian(t, "aside", "--admin", f.at[us].Admin, "--discard"); code != exitOK {
		t.Errorf("exit code %d: %s", code, out)
	}
	if code, out := runMeridian(t, "aside", "--admin", f.at[us].Admin); code != exitOK || out != "" {
		t.Errorf("after it was discarded: %d %s", code, out)
	}
	if code := f.process(us).stop(t, syscall.SIGTERM); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}
