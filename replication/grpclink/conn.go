package grpclink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/replpb"
	"github.com/meridiandb/meridian/replication/transport"
	"github.com/meridiandb/meridian/stream/record"
)

// conn is one connection to another region.
type conn struct {
	client *grpc.ClientConn
	rpc    replpb.ReplicationClient
	codec  *codec
	socket *hearing
}

// hearing is a socket that remembers when something came.
type hearing struct {
	net.Conn
	began time.Time
	heard atomic.Int64 // nanoseconds after began; 0: nothing came yet
}

func (h *hearing) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	if n > 0 {
		h.heard.Store(int64(time.Since(h.began)))
	}
	return n, err
}

// firstByte is how long the other side may take to say anything at all on a new connection: several round trips. A line that
// was cut just then would otherwise cost the whole time that the caller gives.
const firstByte = time.Second

var errBroken = errors.New("the connection is broken")

// Dial connects to a region.
func (t *Transport) Dial(ctx context.Context, address string) (transport.Conn, error) {
	raw, err := knock(ctx, address)
	if err == nil && t.network != nil {
		raw, err = t.network.Client(ctx, raw)
	}
	if err != nil {
		return nil, err
	}
	socket := &hearing{Conn: raw, began: time.Now()}
	mute := time.AfterFunc(firstByte, func() {
		if socket.heard.Load() == 0 {
			_ = raw.Close() // whoever reads hears of it
		}
	})
	defer mute.Stop()
	var used atomic.Bool
	client, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(t.client),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			if used.Swap(true) {
				return nil, errBroken
			}
			return socket, nil
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window),
		grpc.WithReadBufferSize(bufferSize), grpc.WithWriteBufferSize(bufferSize),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second, PermitWithoutStream: true}),
		grpc.WithIdleTimeout(0), grpc.WithDisableServiceConfig(), grpc.WithNoProxy(),
	)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	c := &conn{client: client, rpc: replpb.NewReplicationClient(client), codec: t.codec, socket: socket}
	if err := c.ready(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// ready waits until the handshakes are through. What went wrong in them stands in the error of a call, not in the state.
func (c *conn) ready(ctx context.Context) error {
	c.client.Connect()
	for {
		switch s := c.client.GetState(); s {
		case connectivity.Ready:
			return nil
		case connectivity.TransientFailure, connectivity.Shutdown:
			_, err := c.Ping(ctx)
			if err == nil {
				err = errBroken
			}
			return err
		default:
			if !c.client.WaitForStateChange(ctx, s) {
				return fmt.Errorf("no answer on the open port: %w", context.Cause(ctx))
			}
		}
	}
}

func (c *conn) Heard() time.Time {
	return c.socket.began.Add(time.Duration(c.socket.heard.Load()))
}

func (c *conn) Close() error {
	err := c.client.Close()
	if e := c.socket.Close(); e != nil && !errors.Is(e, net.ErrClosed) {
		err = errors.Join(err, e)
	}
	return err
}

func (c *conn) Follow(ctx context.Context, o link.Open) (transport.Inbound, link.Accept, error) {
	stream, err := c.rpc.Follow(ctx)
	if err == nil {
		err = stream.Send(&replpb.FollowRequest{Message: &replpb.FollowRequest_Open{Open: toOpen(&o)}})
	}
	if err != nil && !errors.Is(err, io.EOF) { // EOF: Recv knows why
		return nil, link.Accept{}, failure(ctx, err)
	}
	in := &inbound{ctx: ctx, stream: stream, codec: c.codec}
	m, err := in.recv()
	if err != nil {
		return nil, link.Accept{}, err
	}
	if m.GetAccept() == nil {
		return nil, link.Accept{}, link.Refuse(link.ReasonMalformed, "an answer to the request to open a link was due and something else came")
	}
	return in, fromAccept(m.GetAccept()), nil
}

// inbound is a link as its receiver has it.
type inbound struct {
	ctx    context.Context
	stream replpb.Replication_FollowClient
	codec  *codec
}

func (i *inbound) recv() (*replpb.FollowReply, error) {
	m, err := i.stream.Recv()
	if err != nil {
		return nil, failure(i.ctx, err)
	}
	if m.GetRefusal() != nil {
		return nil, fromRefusal(m.GetRefusal())
	}
	return m, nil
}

func (i *inbound) Recv() (link.Batch, error) {
	m, err := i.recv()
	if err != nil {
		return link.Batch{}, err
	}
	if m.GetBatch() == nil {
		return link.Batch{}, link.Refuse(link.ReasonMalformed, "a batch was due and something else came")
	}
	b, err := i.codec.fromBatch(m.GetBatch())
	if err != nil {
		return link.Batch{}, link.Refuse(link.ReasonMalformed, "a batch cannot be read: %v", err)
	}
	return b, nil
}

func (i *inbound) Send(a link.Ack) error {
	err := i.stream.Send(&replpb.FollowRequest{Message: &replpb.FollowRequest_Ack{Ack: &replpb.Ack{UpTo: uint64(a.UpTo)}}})
	return failure(i.ctx, err)
}

func (c *conn) Catalog(ctx context.Context, from crdt.Origin, fn func(entries [][]byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.rpc.Catalog(ctx, &replpb.CatalogRequest{From: toOrigin(from)})
	for err == nil {
		var m *replpb.CatalogReply
		if m, err = stream.Recv(); err != nil {
			break
		}
		if err := fn(m.GetEntries()); err != nil {
			return err
		}
	}
	return failure(ctx, err)
}

func (c *conn) Call(ctx context.Context, from, name string, payload []byte) ([]byte, error) {
	m, err := c.rpc.Call(ctx, &replpb.CallRequest{From: from, Name: name, Payload: payload})
	return m.GetPayload(), failure(ctx, err)
}

func (c *conn) Snapshot(ctx context.Context, from string, table record.TableID, fn func(transport.SnapshotChunk) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.rpc.Snapshot(ctx, &replpb.SnapshotRequest{From: from, Table: table[:]})
	for err == nil {
		var m *replpb.SnapshotReply
		if m, err = stream.Recv(); err != nil {
			break
		}
		chunk, err := c.codec.fromChunk(m)
		if err == nil {
			err = fn(chunk)
		}
		if err != nil {
			return err
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return failure(ctx, err)
}

func (c *conn) Ping(ctx context.Context) (transport.Pong, error) {
	m, err := c.rpc.Ping(ctx, &replpb.PingRequest{})
	if err != nil {
		return transport.Pong{}, failure(ctx, err)
	}
	return fromPong(m), nil
}

// failure says in words what gRPC says in codes. The end of the context explains everything that follows from it.
func failure(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, io.EOF):
		return errors.New("the other region ended the stream")
	}
	s := status.Convert(err)
	switch s.Code() {
	case codes.Unknown: // an error of the other region's own
		return errors.New(s.Message())
	case codes.DeadlineExceeded: // the other side's clock was a little faster
		return context.DeadlineExceeded
	case codes.Canceled:
		return context.Canceled
	case codes.Unavailable:
		return fmt.Errorf("%w: %s", errBroken, s.Message())
	}
	return fmt.Errorf("%s: %s", s.Code(), s.Message())
}
