package grpclink

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/meridiandb/meridian/internal/wan"
	"github.com/meridiandb/meridian/replication/replpb"
	"github.com/meridiandb/meridian/replication/transport"
)

const (
	window     = 32 << 20  // flow control, per stream and per connection: 160 MB/s over 200 ms
	maxMessage = 256 << 20 // a commit of 100 items of 400 KB with their old images is 80 MB
	bufferSize = 64 << 10  // of one read or write of the socket
)

// Options says where to listen and whom to trust.
type Options struct {
	Listen string // host:port; port 0: any free one
	TLS    *TLS   // nil: no encryption, no authentication

	Network *wan.Network // simulated between the regions; nil: none is
}

// Transport is gRPC as replication uses it.
type Transport struct {
	listener net.Listener
	server   *grpc.Server
	client   credentials.TransportCredentials
	codec    *codec
	network  *wan.Network
	serving  sync.WaitGroup
}

var _ transport.Transport = (*Transport)(nil)

// New opens the port. Nothing is answered before Serve.
func New(o Options) (*Transport, error) {
	t := &Transport{client: insecure.NewCredentials(), network: o.Network}
	server := insecure.NewCredentials()
	var err error
	if o.TLS != nil {
		if server, t.client, err = o.TLS.credentials(); err != nil {
			return nil, err
		}
	}
	if t.codec, err = newCodec(); err != nil {
		return nil, err
	}
	t.server = grpc.NewServer(
		grpc.Creds(server),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
		grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(window),
		grpc.ReadBufferSize(bufferSize), grpc.WriteBufferSize(bufferSize),
		grpc.ConnectionTimeout(5*time.Second),
		grpc.WaitForHandlers(true),
		// A peer that vanished is noticed in 5 s, and its link's memory freed.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 2 * time.Second, Timeout: 3 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	if t.listener, err = net.Listen("tcp", o.Listen); err != nil {
		return nil, fmt.Errorf("listen for other regions: %w", err)
	}
	if t.network != nil {
		t.listener = t.network.Listen(t.listener)
	}
	return t, nil
}

// Address is where this region can be reached, as it listens.
func (t *Transport) Address() string { return t.listener.Addr().String() }

// Serve begins to answer.
func (t *Transport) Serve(s transport.Server) error {
	replpb.RegisterReplicationServer(t.server, &server{to: s, codec: t.codec})
	t.serving.Go(func() { _ = t.server.Serve(t.listener) }) // ends with Close; accept errors before that are retried inside
	return nil
}

// Close breaks all connections that others made and waits for what they asked.
func (t *Transport) Close() error {
	t.server.Stop()
	t.serving.Wait()
	if err := t.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
