package main

import (
	"strings"
	"testing"

	"github.com/meridiandb/meridian/region"
)

// TestPartialIsAnAlarm: an operator is told of whom transactions may show in parts, once.
func TestPartialIsAnAlarm(t *testing.T) {
	got := inboundAlarms(region.Stats{Behind: []string{"eu@1"}, Partial: []string{"eu@1", "us@2"}})
	if len(got) != 2 || !strings.Contains(got[0], "repairs its tables from eu@1") || !strings.Contains(got[1], "transactions of us@2 may show in parts") {
		t.Errorf("alarms: %q", got)
	}
	if got := inboundAlarms(region.Stats{}); len(got) > 0 {
		t.Errorf("alarms of a region that lacks nothing: %q", got)
	}
}
