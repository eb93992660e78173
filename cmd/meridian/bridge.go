package main

import (
	"context"

	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/replication"
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

// peers is replication as a region sees it.
type peers struct{ *replication.Replication }

var _ region.Peers = peers{}

// FetchSnapshot copies a table from another region.
func (p peers) FetchSnapshot(ctx context.Context, from string, id record.TableID, fn func(region.Chunk) error) error {
	return p.Replication.FetchSnapshot(ctx, from, id, func(c replication.SnapshotChunk) error {
		return fn(region.Chunk{Positions: c.Positions, Changes: c.Changes})
	})
}
