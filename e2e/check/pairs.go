package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// How much later than half a round trip a write may be visible.
const (
	lateP50 = 20 * time.Millisecond
	lateP99 = 50 * time.Millisecond
)

// roundTrips are the times between regions, in both directions.
type roundTrips map[[2]string]time.Duration

func (t roundTrips) between(a, b string) time.Duration { return t[[2]string{a, b}] }

// readRoundTrips reads a table like internal/wan/aws.txt: a line for each region, with its round trips to those above it.
func readRoundTrips(file string) (roundTrips, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t := roundTrips{}
	var above []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(fields) != len(above)+1 {
			return nil, fmt.Errorf("%s: %s has %d times to %d regions", file, fields[0], len(fields)-1, len(above))
		}
		for i, f := range fields[1:] {
			ms, err := strconv.ParseFloat(f, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", file, fields[0], err)
			}
			d := time.Duration(ms * float64(time.Millisecond))
			t[[2]string{fields[0], above[i]}], t[[2]string{above[i], fields[0]}] = d, d
		}
		above = append(above, fields[0])
	}
	return t, nil
}

// pairs lets every region write in its turn, and judges how soon that is visible in each other.
func (o visibleOptions) pairs(ctx context.Context, regions []region) (err error) {
	if o.trips, err = readRoundTrips(o.distances); err != nil {
		return err
	}
	late, busy := 0, false
	fmt.Printf("%-34s %8s %9s %9s %9s %9s %9s\n", "FROM AND TO", "SAMPLES", "ONE WAY", "P50", "ALLOWED", "P99", "ALLOWED")
	for _, from := range regions {
		m, err := o.measure(ctx, regions, from)
		switch {
		case err != nil:
			return err
		case m.failure != nil:
			return fmt.Errorf("%d requests failed, the last: %w", m.failed, m.failure)
		}
		for _, to := range m.to {
			trip := o.trips.between(from.name, to.name)
			if trip == 0 {
				return fmt.Errorf("%s does not tell how far %s is from %s", o.distances, to.name, from.name)
			}
			seen := m.seen[to.name]
			p50, p99 := percentile(seen, 50), percentile(seen, 99)
			say := "ok"
			if len(seen) == 0 || p50 > trip/2+lateP50 || p99 > trip/2+lateP99 {
				say = "LATE"
				late++
			}
			fmt.Printf("%-34s %8d %9s %9s %9s %9s %9s  %s\n", from.name+" "+to.name, len(seen), tenths(trip/2), tenths(p50), tenths(trip/2+lateP50),
				tenths(p99), tenths(trip/2+lateP99), say)
		}
		busy = busy || len(m.acked) < int(0.95*float64(o.rate)*o.length.Seconds())
	}
	if busy {
		fmt.Println("The machine was too busy for that rate: these times are not those of that rate.")
	}
	if late > 0 {
		return errors.New(strconv.Itoa(late) + " pairs are later than allowed")
	}
	return nil
}

func tenths(d time.Duration) string {
	return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
}
