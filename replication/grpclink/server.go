package grpclink

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/replpb"
	"github.com/meridiandb/meridian/replication/transport"
	"github.com/meridiandb/meridian/stream/record"
)

// server turns gRPC's calls into a transport.Server's.
type server struct {
	replpb.UnimplementedReplicationServer
	to    transport.Server
	codec *codec
}

func (s *server) Follow(stream replpb.Replication_FollowServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	o, err := fromOpen(first.GetOpen())
	if err != nil || first.GetOpen() == nil {
		return status.Error(codes.InvalidArgument, "a link begins with a request to open it")
	}
	err = s.to.Follow(stream.Context(), o, &outbound{stream, s.codec})
	var refusal *link.Refusal
	if errors.As(err, &refusal) {
		return stream.Send(&replpb.FollowReply{Message: &replpb.FollowReply_Refusal{Refusal: toRefusal(refusal)}})
	}
	return err
}

// outbound is a link as its sender has it.
type outbound struct {
	stream replpb.Replication_FollowServer
	codec  *codec
}

func (o *outbound) Accept(a link.Accept) error {
	return o.stream.Send(&replpb.FollowReply{Message: &replpb.FollowReply_Accept{Accept: toAccept(a)}})
}

func (o *outbound) Send(b link.Batch) error {
	return o.stream.Send(&replpb.FollowReply{Message: &replpb.FollowReply_Batch{Batch: o.codec.toBatch(&b)}})
}

func (o *outbound) Recv() (link.Ack, error) {
	m, err := o.stream.Recv()
	if err != nil {
		return link.Ack{}, err
	}
	if m.GetAck() == nil {
		return link.Ack{}, link.Refuse(link.ReasonMalformed, "an acknowledgement was due and something else came")
	}
	return link.Ack{UpTo: record.Seq(m.GetAck().GetUpTo())}, nil
}

func (s *server) Catalog(r *replpb.CatalogRequest, stream replpb.Replication_CatalogServer) error {
	return s.to.Catalog(stream.Context(), fromOrigin(r.GetFrom()), func(entries [][]byte) error {
		return stream.Send(&replpb.CatalogReply{Entries: entries})
	})
}

func (s *server) Call(ctx context.Context, r *replpb.CallRequest) (*replpb.CallReply, error) {
	payload, err := s.to.Call(ctx, r.GetFrom(), r.GetName(), r.GetPayload())
	if err != nil {
		return nil, err
	}
	return &replpb.CallReply{Payload: payload}, nil
}

func (s *server) Snapshot(r *replpb.SnapshotRequest, stream replpb.Replication_SnapshotServer) error {
	id, err := fromTable(r.GetTable())
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return s.to.Snapshot(stream.Context(), r.GetFrom(), id, func(c transport.SnapshotChunk) error {
		return stream.Send(s.codec.toChunk(c))
	})
}

func (s *server) Ping(ctx context.Context, _ *replpb.PingRequest) (*replpb.PingReply, error) {
	p := s.to.Ping(ctx)
	return &replpb.PingReply{
		Origin: toOrigin(p.Origin), Arrived: p.Arrived.UnixNano(), Answered: p.Answered.UnixNano(),
	}, nil
}

func (c *codec) toChunk(chunk transport.SnapshotChunk) *replpb.SnapshotReply {
	p := new(replpb.SnapshotReply)
	for o, at := range chunk.Positions {
		p.Positions = append(p.Positions, &replpb.Position{Origin: toOrigin(o), Position: uint64(at)})
	}
	if len(chunk.Changes) > 0 {
		commit := record.Commit{Changes: chunk.Changes}
		p.Commits = c.pack([][]byte{record.AppendCommit(make([]byte, 0, commit.Size()), &commit)})
	}
	return p
}

func (c *codec) fromChunk(p *replpb.SnapshotReply) (transport.SnapshotChunk, error) {
	var chunk transport.SnapshotChunk
	if len(p.GetPositions()) > 0 {
		chunk.Positions = make(map[crdt.Origin]record.Seq, len(p.GetPositions()))
	}
	for _, at := range p.GetPositions() {
		chunk.Positions[fromOrigin(at.GetOrigin())] = record.Seq(at.GetPosition())
	}
	commits, err := c.unpack(p.GetCommits())
	if err != nil {
		return chunk, err
	}
	for _, b := range commits {
		commit, err := record.DecodeCommit(b)
		if err != nil {
			return chunk, err
		}
		chunk.Changes = append(chunk.Changes, commit.Changes...)
	}
	return chunk, nil
}

func fromPong(p *replpb.PingReply) transport.Pong {
	return transport.Pong{
		Origin: fromOrigin(p.GetOrigin()), Arrived: time.Unix(0, p.GetArrived()), Answered: time.Unix(0, p.GetAnswered()),
	}
}
