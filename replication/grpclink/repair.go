package grpclink

import (
	"context"
	"errors"
	"io"

	"github.com/meridiandb/meridian/replication/replpb"
	"github.com/meridiandb/meridian/replication/transport"
)

var errRepairMessage = errors.New("a message between regions that compare their copies cannot be read")

func (c *codec) toRepair(b []byte) *replpb.RepairMessage {
	return &replpb.RepairMessage{Data: c.pack([][]byte{b})}
}

func (c *codec) fromRepair(m *replpb.RepairMessage) ([]byte, error) {
	list, err := c.unpack(m.GetData())
	if err == nil && len(list) != 1 {
		err = errRepairMessage
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func (c *conn) Repair(ctx context.Context) (transport.Exchange, error) {
	stream, err := c.rpc.Repair(ctx)
	if err != nil {
		return nil, failure(ctx, err)
	}
	return &asking{ctx, stream, c.codec}, nil
}

// asking is an exchange as the one who asks has it.
type asking struct {
	ctx    context.Context
	stream replpb.Replication_RepairClient
	codec  *codec
}

func (a *asking) Send(b []byte) error {
	err := a.stream.Send(a.codec.toRepair(b))
	if errors.Is(err, io.EOF) { // Recv knows why
		return nil
	}
	return failure(a.ctx, err)
}

func (a *asking) Recv() ([]byte, error) {
	m, err := a.stream.Recv()
	if err != nil {
		return nil, failure(a.ctx, err)
	}
	return a.codec.fromRepair(m)
}

// answering is an exchange as the one who answers has it.
type answering struct {
	stream replpb.Replication_RepairServer
	codec  *codec
}

func (a *answering) Send(b []byte) error { return a.stream.Send(a.codec.toRepair(b)) }

func (a *answering) Recv() ([]byte, error) {
	m, err := a.stream.Recv()
	if err != nil {
		return nil, err
	}
	return a.codec.fromRepair(m)
}

func (s *server) Repair(stream replpb.Replication_RepairServer) error {
	return s.to.Repair(stream.Context(), &answering{stream, s.codec})
}
