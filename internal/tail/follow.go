package tail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Follower reads a table's changes. Client and Table are required.
type Follower struct {
	Client *Client
	Table  string
	// FromStart begins with the oldest change that the stream still has, instead of with the next one.
	FromStart bool
	// Poll is how long a shard without news rests; 0: 200 ms. Shorter shows changes sooner and asks more often.
	Poll time.Duration
	// Gap is told that changes of a shard were trimmed before they could be read; nil: that ends Run with an error.
	Gap func(shard string)

	stream   string // ARN of the stream that is followed
	shards   map[string]*shard
	describe time.Time // when shards were listed last
}

// shard is where the follower stands in one shard.
type shard struct {
	id, parent string
	iterator   string // empty: to be asked for
	last       string // sequence number of the last record seen
	fromStart  bool   // where an iterator begins while last is empty
	done       bool
}

// ErrNoStream says that the table has no stream to follow.
var ErrNoStream = errors.New("the table has no stream")

// relist is how often shards are listed although nothing happened.
const relist = 10 * time.Second

// Run calls emit for each change until ctx ends, emit fails, or there is nothing more to follow.
func (f *Follower) Run(ctx context.Context, emit func(*Record) error) error {
	if f.Poll == 0 {
		f.Poll = 200 * time.Millisecond
	}
	if err := f.begin(ctx); err != nil {
		return err
	}
	for {
		news, err := f.round(ctx, emit)
		if err != nil {
			return err
		}
		if news {
			continue
		}
		rest := time.NewTimer(f.Poll)
		select {
		case <-ctx.Done():
			rest.Stop()
			return ctx.Err()
		case <-rest.C:
		}
	}
}

// begin finds the newest stream and its shards. Of shards that are closed, only a reader from the start wants anything.
func (f *Follower) begin(ctx context.Context) error {
	arn, err := f.newest(ctx)
	if err != nil {
		return err
	}
	f.stream, f.shards = arn, map[string]*shard{}
	refs, _, err := f.Client.shards(ctx, arn)
	if err != nil {
		return err
	}
	for i := range refs {
		r := &refs[i]
		f.shards[r.ShardID] = &shard{id: r.ShardID, parent: r.ParentShardID, fromStart: f.FromStart, done: r.closed() && !f.FromStart}
	}
	f.describe = time.Now()
	return f.position(ctx)
}

// position fixes where a reader of what comes next begins, before anything else is done: LATEST is the moment it is asked
// for.
func (f *Follower) position(ctx context.Context) error {
	for _, s := range f.shards {
		if s.done || s.fromStart {
			continue
		}
		if err := f.open(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (f *Follower) newest(ctx context.Context) (string, error) {
	all, err := f.Client.streams(ctx, f.Table)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", fmt.Errorf("%w: turn one on with update-table --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES", ErrNoStream)
	}
	newest := slices.MaxFunc(all, func(a, b streamRef) int { return strings.Compare(a.StreamLabel, b.StreamLabel) })
	return newest.StreamArn, nil
}

// round reads once from each shard that may be read.
func (f *Follower) round(ctx context.Context, emit func(*Record) error) (news bool, err error) {
	closed := false
	for _, id := range f.order() {
		s := f.shards[id]
		if p := f.shards[s.parent]; s.done || p != nil && !p.done {
			continue
		}
		n, err := f.read(ctx, s, emit)
		if err != nil {
			return false, err
		}
		news = news || n > 0
		closed = closed || s.done
	}
	if closed || time.Since(f.describe) >= relist {
		if err := f.list(ctx); err != nil {
			return false, err
		}
	}
	return news || closed, nil
}

func (f *Follower) order() []string {
	ids := make([]string, 0, len(f.shards))
	for id := range f.shards {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// read reads one answer of a shard.
func (f *Follower) read(ctx context.Context, s *shard, emit func(*Record) error) (n int, err error) {
	if s.iterator == "" {
		if err := f.open(ctx, s); err != nil {
			return 0, err
		}
	}
	raw, next, err := f.Client.records(ctx, s.iterator)
	switch {
	case isType(err, "ExpiredIteratorException"):
		s.iterator = ""
		return 0, nil
	case isType(err, "TrimmedDataAccessException"):
		return 0, f.gap(s)
	case err != nil:
		return 0, err
	}
	for _, b := range raw {
		if err := f.emit(s, b, emit); err != nil {
			return 0, err
		}
	}
	s.iterator, s.done = next, next == ""
	return len(raw), nil
}

func (f *Follower) emit(s *shard, raw json.RawMessage, emit func(*Record) error) error {
	r, err := readRecord(raw)
	if err != nil {
		return err
	}
	s.last = r.Change.SequenceNumber
	return emit(r)
}

// open asks for an iterator where the shard was left.
func (f *Follower) open(ctx context.Context, s *shard) (err error) {
	kind := "LATEST"
	switch {
	case s.last != "":
		kind = "AFTER_SEQUENCE_NUMBER"
	case s.fromStart:
		kind = "TRIM_HORIZON"
	}
	s.iterator, err = f.Client.iterator(ctx, f.stream, s.id, kind, s.last)
	if isType(err, "TrimmedDataAccessException") {
		return f.gap(s)
	}
	return err
}

// gap goes on with the oldest change that is left, once that changes are missing has been told.
func (f *Follower) gap(s *shard) error {
	if f.Gap == nil {
		return fmt.Errorf("changes of shard %s were trimmed before they could be read", s.id)
	}
	f.Gap(s.id)
	s.iterator, s.last, s.fromStart = "", "", true
	return nil
}

// list takes up shards that are new, from their beginning, forgets those that are gone, and moves on to a newer stream
// when everything of this one has been read.
func (f *Follower) list(ctx context.Context) error {
	refs, status, err := f.Client.shards(ctx, f.stream)
	if err != nil {
		return err
	}
	f.describe = time.Now()
	there := map[string]bool{}
	open := false
	for i := range refs {
		r := &refs[i]
		there[r.ShardID] = true
		if f.shards[r.ShardID] == nil {
			f.shards[r.ShardID] = &shard{id: r.ShardID, parent: r.ParentShardID, fromStart: true}
		}
		open = open || !f.shards[r.ShardID].done
	}
	for id := range f.shards {
		if !there[id] {
			delete(f.shards, id)
		}
	}
	if open || status == "ENABLED" || status == "ENABLING" {
		return nil
	}
	arn, err := f.newest(ctx)
	if err != nil {
		return err
	}
	if arn == f.stream {
		return fmt.Errorf("%w any more: it was turned off, and all of it has been read", ErrNoStream)
	}
	f.FromStart = true // of the newer stream, everything is new
	return f.begin(ctx)
}
