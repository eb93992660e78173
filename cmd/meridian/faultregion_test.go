package main

import (
	"os"
	"strings"
	"testing"
)

// A region's clock and disk are broken and mended while it runs, by whoever is allowed to.
func TestFaultsOfARegion(t *testing.T) {
	p, e := startServe(t, serveFree("us-east-1", t.TempDir(), "--allow-faults")...)
	say := func(want string, args ...string) {
		t.Helper()
		code, stdout, stderr := exec1(t, append(append([]string{"fault"}, args...), "--admin", e.Admin)...)
		if code != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("%v: %d %q %q", args, code, stdout, stderr)
		}
	}
	call(t, e, "CreateTable", `{"TableName":"things",`+pkSchema+`}`)
	put := `{"TableName":"things","Item":{"pk":{"S":"x"}}}`
	write := func(want int) (text string) {
		t.Helper()
		code, text, err := request(t.Context(), e, "PutItem", put)
		if err != nil || code != want {
			t.Errorf("a write: %d %s %v, want %d", code, text, err, want)
		}
		return text
	}
	write(200)
	say("us-east-1: the disk is full", "disk", "--region", "us-east-1", "--full")
	if text := write(503); !strings.Contains(text, `"meridianNotDone":true`) {
		t.Errorf("a refused write does not say that it was not done: %s", text)
	}
	call(t, e, "GetItem", `{"TableName":"things","Key":{"pk":{"S":"x"}}}`)
	say("us-east-1: the disk is what it is", "disk", "--region", "us-east-1", "--free")
	write(200)

	before := clockOf(t, e.Admin)
	say("the clock is 1h0m0s ahead", "clock", "--region", "us-east-1", "--jump", "1h")
	write(200) // alone, it is ahead of nobody
	if after := clockOf(t, e.Admin); after-before < 3_600_000 {
		t.Errorf("hybrid time went from %d to %d", before, after)
	}
	say("the clock is 1m0s behind and drifts by 20ms each second", "clock", "--region", "us-east-1", "--jump", "-1m", "--drift", "20ms")
	say("us-east-1: all is healed", "heal")
	if code, page := getPage(t, e.Admin+"/admin/faults/clock"); code != 200 || strings.TrimSpace(page) != "{}" {
		t.Errorf("after healing the clock is %d %s", code, page)
	}
	refused(t, exitFailed, "mars-north-1 does not answer", "fault", "disk", "--full", "--region", "mars-north-1", "--admin", e.Admin)
	p.stop(t, os.Interrupt)
}

// clockOf is a region's hybrid time, after it has stamped a write.
func clockOf(t *testing.T, admin string) int64 {
	t.Helper()
	s, err := newAdminClient(adminTimeout).status(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	return s.Clock
}
