package main

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/meridiandb/meridian/region"
)

// feedLimits are the flags of serve and dev about how much of the conflict feeds is kept.
type feedLimits struct {
	age  time.Duration
	size byteSize
}

func (l *feedLimits) flags(f *pflag.FlagSet) {
	l.age, l.size = region.DefaultConflictAge, byteSize(region.DefaultConflictBytes)
	f.DurationVar(&l.age, "conflicts-age", l.age, "how long conflicts are listed; where regions differ, the shortest holds for all")
	f.Var(&l.size, "conflicts-size", "how large the conflict feed of a table may get until its oldest go; the smallest holds likewise")
}

func (l *feedLimits) check() error {
	if l.age <= 0 {
		return usagef("--conflicts-age must be more than nothing")
	}
	if l.size <= 0 {
		return usagef("--conflicts-size must be more than nothing")
	}
	return nil
}
