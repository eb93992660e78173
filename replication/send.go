package replication

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/transport"
	"github.com/meridiandb/meridian/stream/record"
)

// sending is a link to a peer. Its sender is used under the peer's lock, and only while it is the peer's newest link: an
// older one may hang in a broken connection for a while, and must not touch the backlog any more.
type sending struct {
	p      *peer
	who    crdt.Origin
	wanted map[record.TableID]bool
	out    transport.Outbound
	acked  chan struct{} // size 1: an acknowledgement came
	sender *link.Sender
	ended  context.CancelCauseFunc
}

var errSuperseded = link.Refuse(link.ReasonSuperseded, "the region has opened a newer link")

// Follow serves a link.
func (s *server) Follow(ctx context.Context, o link.Open, out transport.Outbound) error {
	source := s.r.o.Source
	end, closed := source.End()
	accept, err := link.Answer(link.Spoken(), s.r.self, end, &o)
	if err != nil {
		var refusal *link.Refusal
		if errors.As(err, &refusal) && refusal.Reason == link.ReasonCursor {
			source.RolledBack(o.Receiver, o.Cursor)
		}
		return err
	}
	p := s.r.peer(o.Receiver.Region)
	if p == nil {
		return link.Refuse(link.ReasonInternal, "too many regions ask for this log")
	}
	if who := p.rival(o.Receiver); !who.IsZero() {
		return link.Refuse(link.ReasonIdentity, "region %s is %v as long as that lives, not %v: two processes claim one region",
			o.Receiver.Region, who, o.Receiver)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	v := &sending{
		p: p, who: o.Receiver, wanted: o.Wanted(), out: out, acked: make(chan struct{}, 1), ended: cancel,
	}
	v.open(&o, end, closed)
	defer v.close()
	p.count.sent.links.Add(1)
	if err := out.Accept(accept); err != nil {
		return err
	}
	// Recv ends when this function has returned or ctx ended, not before: Close waits for it, Follow cannot.
	s.r.running.Go(func() { cancel(v.receive(source)) })
	err = v.send(ctx, source, s.r.tail)
	s.r.o.Logger.Debug("stopped sending", "peer", p.region, "err", err)
	return err
}

// open puts the link in the place of an older one. From now on the log must be kept from the receiver's cursor.
func (v *sending) open(o *link.Open, end record.Seq, closed crdt.Time) {
	p := v.p
	p.acks.Lock()
	defer p.acks.Unlock()
	p.mu.Lock()
	if p.out != nil {
		p.out.ended(errSuperseded)
	}
	p.out = v
	v.sender = link.NewSender(p.r.o.Link, o, p.backlog, end, closed, time.Now())
	p.mu.Unlock()
	p.r.o.Source.Acked(v.who, o.Cursor)
}

func (v *sending) close() {
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	if v.p.out == v {
		v.sender.Close()
		v.p.out = nil
	}
}

// step tells the sender how the log stands and asks what to do.
func (v *sending) step(end record.Seq, closed crdt.Time) (link.Step, error) {
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	if v.p.out != v {
		return link.Step{}, errSuperseded
	}
	_, roundTrip, _ := v.p.clock.Estimate()
	v.sender.Distance(roundTrip)
	v.sender.End(end, closed, time.Now())
	return v.sender.Next(time.Now()), nil
}

// send does what the sender says until the link ends.
func (v *sending) send(ctx context.Context, source Source, tail *tail) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		moved := tail.next()
		step, err := v.step(source.End())
		if err != nil {
			return err
		}
		switch step.Do {
		case link.GiveUp:
			return errors.New("the receiver is silent")
		case link.Tell:
			err = v.transmit(step.Batch)
		case link.Read:
			err = v.read(source, step)
		case link.Wait:
			timer.Reset(time.Until(step.At))
			select {
			case <-moved:
			case <-v.acked:
			case <-timer.C:
			case <-ctx.Done():
			}
		}
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// read sends what the log has next.
func (v *sending) read(source Source, step link.Step) error {
	commits, next, err := source.Read(step.From, v.wanted, step.Bytes)
	if errors.Is(err, ErrTrimmed) {
		return link.Refuse(link.ReasonTrimmed, "the log of %s no longer reaches back to position %v: repair must help",
			v.p.r.self.Region, step.From)
	}
	if err != nil {
		return link.Refuse(link.ReasonInternal, "region %s cannot read its log: %v", v.p.r.self.Region, err)
	}
	encoded := encode(commits)
	var last crdt.Time
	if n := len(commits); n > 0 {
		last = commits[n-1].Stamp.Time
	}
	v.p.mu.Lock()
	if v.p.out != v {
		v.p.mu.Unlock()
		return errSuperseded
	}
	b, some, err := v.sender.Took(encoded, last, next, time.Now())
	v.p.mu.Unlock()
	if err != nil {
		return link.Refuse(link.ReasonInternal, "region %s cannot read its log: %v", v.p.r.self.Region, err)
	}
	if !some {
		return nil
	}
	return v.transmit(b)
}

func (v *sending) transmit(b link.Batch) error {
	count := &v.p.count.sent
	count.batches.Add(1)
	count.bytes.Add(uint64(b.Bytes()))
	count.commits.Add(uint64(len(b.Commits)))
	if err := v.out.Send(b); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// encode lays commits into one buffer.
func encode(commits []record.Commit) [][]byte {
	if len(commits) == 0 {
		return nil
	}
	size := 0
	for i := range commits {
		size += commits[i].Size()
	}
	buf := make([]byte, 0, size)
	list := make([][]byte, len(commits))
	for i := range commits {
		at := len(buf)
		buf = record.AppendCommit(buf, &commits[i])
		list[i] = buf[at:len(buf):len(buf)] // should buf move, what stands in the old one stays as it is
	}
	return list
}

// receive takes acknowledgements until the link has ended.
func (v *sending) receive(source Source) error {
	for {
		a, err := v.out.Recv()
		if err != nil {
			return err
		}
		if err := v.acknowledged(a, source); err != nil {
			return err
		}
		signal(v.acked)
	}
}

func (v *sending) acknowledged(a link.Ack, source Source) error {
	v.p.acks.Lock()
	defer v.p.acks.Unlock()
	v.p.mu.Lock()
	if v.p.out != v {
		v.p.mu.Unlock()
		return errSuperseded
	}
	before := v.sender.Position()
	err := v.sender.Acked(a, time.Now())
	at := v.sender.Position()
	v.p.mu.Unlock()
	if err == nil && at != before {
		source.Acked(v.who, at)
	}
	return err
}
