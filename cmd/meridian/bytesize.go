package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a number of bytes on the command line: 64MiB, 1GiB, 500MB or plain bytes. It is a pflag.Value.
type byteSize int64

// byteUnits are ordered so that a unit comes before those that it ends with.
var byteUnits = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// Set reads what a user wrote.
func (b *byteSize) Set(s string) error {
	number, unit := strings.TrimSpace(s), int64(1)
	for _, u := range byteUnits {
		if rest, ok := cutSuffixFold(number, u.name); ok {
			number, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return fmt.Errorf("%q is no size: write 64MiB, 1GiB, 500MB or a number of bytes", s)
	}
	*b = byteSize(n * unit)
	return nil
}

func cutSuffixFold(s, suffix string) (string, bool) {
	at := len(s) - len(suffix)
	if at < 0 || !strings.EqualFold(s[at:], suffix) {
		return s, false
	}
	return s[:at], true
}

func (b *byteSize) String() string { return humanBytes(uint64(*b)) }

// Type names the value in --help.
func (b *byteSize) Type() string { return "size" }

// humanBytes prints a size with about three digits.
func humanBytes(n uint64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n), []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	for i, unit := range units {
		v /= 1 << 10
		if v < 1023.5 || i == len(units)-1 {
			return strconv.FormatFloat(v, 'f', digitsAfter(v), 64) + " " + unit
		}
	}
	panic("unreachable")
}

// digitsAfter is how many decimals show a value exactly if it is whole, and to three digits otherwise.
func digitsAfter(v float64) int {
	switch {
	case v == math.Trunc(v) || v >= 99.95:
		return 0
	case v >= 9.995:
		return 1
	}
	return 2
}
