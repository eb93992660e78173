package fakenet

import (
	"context"

	"github.com/meridiandb/meridian/replication/transport"
)

// Repair begins an exchange of messages.
func (c *conn) Repair(ctx context.Context) (transport.Exchange, error) {
	asks, answers := newBox[[]byte](), newBox[[]byte]()
	e := &exchange{w: c.up, out: asks, in: answers}
	e.ctx, _ = ask(ctx, c, answers, func(ctx context.Context) error {
		return c.to.server.Repair(ctx, &exchange{ctx: ctx, w: c.down, out: answers, in: asks})
	})
	return e, nil
}

// exchange is one side of it.
type exchange struct {
	ctx     context.Context
	w       *way
	out, in *box[[]byte]
}

func (e *exchange) Send(b []byte) error   { return e.out.post(e.ctx, e.w, false, b) }
func (e *exchange) Recv() ([]byte, error) { return e.in.next(e.ctx) }
