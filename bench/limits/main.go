// Command limits measures Meridian against what the machine allows, in one run: every path against a bare net/http server
// that answers the same bytes, and writes against Pebble alone. It prints each row with its target and whether it holds.
//
//	go run ./bench/limits                               # about ten minutes
//	go run ./bench/limits --scale 10000000              # also with 10,000,000 small items; about half an hour
//	go run ./bench/limits --items 100000 --duration 3s  # a quick look
//	go run ./bench/limits --endpoint http://127.0.0.1:8000   # another server in place of ours; it must take any credentials
//
// Figures of one run stand side by side and are comparable; those of two runs on a shared machine are not. The exit code is
// 0 if the measuring worked, whatever it found; with --strict it is 1 if a row does not hold.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// options are the command's flags.
type options struct {
	items       int
	duration    time.Duration
	connections int
	binary      string // meridian; empty: built from this checkout
	endpoint    string // of another server; empty: ours, started here
	cache       string // of our server: all rows but that of a small cache are of a warm one
	scale       int    // items of 200 bytes against 10,000; 0: not measured
	tables      int    // against one; 0: not measured
	json        bool
	strict      bool
	only        string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == echoArg {
		if err := runEcho(); err != nil {
			fatal(err)
		}
		return
	}
	var o options
	flag.IntVar(&o.items, "items", 1_000_000, "items of 1 KB in the table")
	flag.DurationVar(&o.duration, "duration", 8*time.Second, "length of each measurement, after a warm-up of a quarter of it")
	flag.IntVar(&o.connections, "connections", 64, "connections")
	flag.StringVar(&o.binary, "binary", "", "meridian binary (default: built from this checkout)")
	flag.StringVar(&o.endpoint, "endpoint", "", "measure this DynamoDB endpoint instead of starting Meridian")
	flag.StringVar(&o.cache, "cache", "4GiB", "cache of the server that is started; half of it is for single items, so this holds 1,000,000 of 1 KB and more")
	flag.IntVar(&o.scale, "scale", 1_000_000, "items of 200 bytes whose rates are held against those of 10,000; 0: none")
	flag.IntVar(&o.tables, "tables", 1000, "tables whose rates are held against those of one; 0: none")
	flag.BoolVar(&o.json, "json", false, "print JSON")
	flag.BoolVar(&o.strict, "strict", false, "exit with 1 if a row does not hold")
	flag.StringVar(&o.only, "only", "", "measure only rows whose path contains this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	rows, err := measure(ctx, o)
	if err != nil {
		fatal(err)
	}
	if o.json {
		err = json.NewEncoder(os.Stdout).Encode(rows)
	} else {
		err = writeRows(os.Stdout, rows)
	}
	if err != nil {
		fatal(err)
	}
	for _, r := range rows {
		if o.strict && !r.Holds() {
			os.Exit(1) //nolint:gocritic // everything that was started has been stopped
		}
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "limits:", err)
	os.Exit(1)
}
