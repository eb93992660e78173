package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
)

var update = flag.Bool("update", false, "write testdata anew")

// golden compares text with a file that a reviewer reads.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got\n%s", path, got)
	}
}

func healthyFleet() []admin.Status {
	table := func(items int64) admin.Table {
		return admin.Table{Name: "countries", ID: "1", Status: "ACTIVE", Ready: true, Items: items, Bytes: 81920,
			Members: []admin.Member{{Region: "us-east-1", State: "ACTIVE"}, {Region: "eu-west-1", State: "CREATING"},
				{Region: "ap-northeast-1", State: "REMOVED"}}}
	}
	region := func(name, peer string, items int64) admin.Status {
		return admin.Status{
			Region: name, Version: "v1.0.0", UptimeSeconds: 192, Ready: true, DiskBytes: 12902400,
			Log: admin.Log{First: 1, Durable: 1042, Last: 1042, Bytes: 345678}, Tables: []admin.Table{table(items)},
			Peers: []admin.Peer{{Region: peer, State: "connected", Connected: true,
				Sending: admin.Lag{Seconds: 0.0123, Commits: 1, Bytes: 2048}}},
		}
	}
	fleet := []admin.Status{region("eu-west-1", "us-east-1", 248), region("us-east-1", "eu-west-1", 249)}
	fleet[0].Tables = append(fleet[0].Tables, admin.Table{Name: "countries", ID: "2", Status: "CREATING"})
	return fleet
}

func TestStatusTable(t *testing.T) {
	var b strings.Builder
	if err := newReport(healthyFleet(), time.Minute).render(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "status_healthy.txt", b.String())

	sick := healthyFleet()
	sick[0] = admin.Status{Region: "eu-west-1", Unreachable: "connection refused"}
	sick[1].Ready, sick[1].NotReady = false, "the disk is full"
	sick[1].Peers[0].Connected, sick[1].Peers[0].State = false, "dead"
	sick[1].Tables = nil
	b.Reset()
	if err := newReport(sick, time.Minute).render(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "status_sick.txt", b.String())
}
