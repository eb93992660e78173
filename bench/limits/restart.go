package main

import (
	"context"
	"time"

	"github.com/meridiandb/meridian/bench"
)

// small is the cache with which the loaded region is to stay within loadedMB.
const (
	small    = "64MiB"
	loadedMB = 400
)

// restarts measures how soon the loaded region serves again, and how much memory it takes with a small cache.
func (s *suite) restarts(ctx context.Context) error {
	if s.server == nil || !s.wants("start, after a clean stop") && !s.wants("start, after kill -9") && !s.wants("memory, loaded") {
		return nil
	}
	for _, row := range []struct {
		path  string
		end   func() error
		limit float64
	}{
		{"start, after a clean stop", s.server.stop, 1000},
		{"start, after kill -9 under puts", func() error { return s.killUnderPuts(ctx) }, 3000},
	} {
		took, err := s.restart(ctx, row.end)
		if err != nil {
			return err
		}
		s.add(Row{Path: row.path, Against: "target", Ours: float64(took.Milliseconds()), Limit: row.limit, Unit: "ms", Target: 1, AtMost: true})
	}
	s.meridian.cache = small
	if _, err := s.restart(ctx, s.server.stop); err != nil {
		return err
	}
	for _, workload := range []string{"get", "put"} {
		if _, err := s.ours(ctx, workload, asBefore); err != nil {
			return err
		}
	}
	return s.memory("memory, loaded, cache of "+small, loadedMB)
}

// restart ends the server in some way and starts it again.
func (s *suite) restart(ctx context.Context, end func() error) (took time.Duration, err error) {
	if err := end(); err != nil {
		return 0, err
	}
	s.server, s.endpoint, took, err = s.meridian.start(ctx)
	return took, err
}

// killUnderPuts kills the server while it is being written to, so that there is a log to be replayed.
func (s *suite) killUnderPuts(ctx context.Context) error {
	puts := make(chan struct{})
	go func() {
		defer close(puts)
		_, _ = bench.Run(ctx, s.config(s.endpoint, "put")) // fails: its server is killed
	}()
	pause := time.NewTimer(s.duration / 2) // the load's length, not a wait for something
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
	err := s.server.kill()
	<-puts
	return err
}
