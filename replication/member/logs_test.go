package member

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestStrangersCannotFillTheLog with what they send to the gossip port.
func TestStrangersCannotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		to := newLogger(context.Background(), slog.New(slog.NewTextHandler(&out, nil)))
		for range 500 {
			to.Print("[WARN] memberlist: discarding packet with unacceptable label \"\"")
		}
		if n := strings.Count(out.String(), "\n"); n != mostWarnings {
			t.Errorf("500 packets made %d lines", n)
		}
		time.Sleep(time.Minute)
		to.Print("[WARN] memberlist: discarding packet with unacceptable label \"\"")
		if !strings.Contains(out.String(), "count=490") || strings.Count(out.String(), "\n") != mostWarnings+2 {
			t.Errorf("what was left out is not told:\n%s", out.String())
		}
	})
}
