package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/replication"
	"github.com/meridiandb/meridian/stream"
	"github.com/meridiandb/meridian/stream/record"
)

// region and replication do not know each other. These two types carry what the one declares to the other.

// sourceAndSink is a region as replication sees it.
type sourceAndSink struct{ *region.Region }

var (
	_ replication.Source = sourceAndSink{}
	_ replication.Sink   = sourceAndSink{}
)

// Snapshot returns the region's copy of a table. The nil check keeps a typed nil out of the interface.
func (s sourceAndSink) Snapshot(ctx context.Context, id record.TableID) (replication.SnapshotReader, error) {
	c, err := s.Region.Snapshot(ctx, id)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Read says ErrTrimmed in replication's words.
func (s sourceAndSink) Read(from record.Seq, wanted map[record.TableID]bool, maxBytes int) ([]record.Commit, record.Seq, error) {
	commits, next, err := s.Region.Read(from, wanted, maxBytes)
	if errors.Is(err, stream.ErrTrimmed) {
		err = fmt.Errorf("%w: %w", replication.ErrTrimmed, err)
	}
	return commits, next, err
}

// Apply says ErrStale, ErrHeld and ErrOver in replication's words.
func (s sourceAndSink) Apply(ctx context.Context, peer crdt.Origin, commits []record.Commit, upTo record.Seq, closed crdt.Time) error {
	err := s.Region.Apply(ctx, peer, commits, upTo, closed)
	switch {
	case errors.Is(err, region.ErrStale):
		return replication.ErrStale
	case errors.Is(err, region.ErrHeld):
		return fmt.Errorf("%w: %w", replication.ErrHeld, err)
	case errors.Is(err, region.ErrOver):
		return fmt.Errorf("%w: %w", replication.ErrOver, err)
	}
	return err
}

// repairer is a region as repair sees it.
type repairer struct{ *region.Region }

var _ replication.Repairer = repairer{}

// OpenCopy returns the region's copy. The nil check keeps a typed nil out of the interface.
func (r repairer) OpenCopy(ctx context.Context, id record.TableID, forgotten crdt.Time, live []crdt.Origin) (replication.RepairCopy, error) {
	c, err := r.Region.OpenCopy(ctx, id, forgotten, live)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// peers is replication as a region sees it.
type peers struct{ *replication.Replication }

var (
	_ region.Peers  = peers{}
	_ region.Mender = peers{}
)

// FetchSnapshot copies a table from another region.
func (p peers) FetchSnapshot(ctx context.Context, from string, id record.TableID, fn func(region.Chunk) error) error {
	return p.Replication.FetchSnapshot(ctx, from, id, func(c replication.SnapshotChunk) error {
		return fn(region.Chunk{Positions: c.Positions, Changes: c.Changes})
	})
}
