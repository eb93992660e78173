package expr

import (
	"flag"
	"os"
	"testing"
)

// Random tests are cheap here, so there are more of them than rapid's 100; -rapid.checks=N still wins.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "4000"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(m.Run())
}
