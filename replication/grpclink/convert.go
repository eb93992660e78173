package grpclink

import (
	"errors"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/replpb"
	"github.com/meridiandb/meridian/stream/record"
)

func toOrigin(o crdt.Origin) *replpb.Origin {
	return &replpb.Origin{Region: o.Region, Incarnation: o.Incarnation}
}

func fromOrigin(o *replpb.Origin) crdt.Origin {
	return crdt.Origin{Region: o.GetRegion(), Incarnation: o.GetIncarnation()}
}

func fromTable(b []byte) (id record.TableID, err error) {
	if len(b) != len(id) {
		return id, errors.New("a table id has 16 bytes")
	}
	copy(id[:], b)
	return id, nil
}

func toOpen(o *link.Open) *replpb.Open {
	p := &replpb.Open{
		OldestProtocol: o.Protocols.Oldest, NewestProtocol: o.Protocols.Newest,
		Receiver: toOrigin(o.Receiver), Sender: toOrigin(o.Sender),
		Cursor: uint64(o.Cursor), Window: o.Window,
	}
	for _, id := range o.Tables {
		p.Tables = append(p.Tables, id[:])
	}
	return p
}

func fromOpen(p *replpb.Open) (link.Open, error) {
	o := link.Open{
		Protocols: link.Protocols{Oldest: p.GetOldestProtocol(), Newest: p.GetNewestProtocol()},
		Receiver:  fromOrigin(p.GetReceiver()), Sender: fromOrigin(p.GetSender()),
		Cursor: record.Seq(p.GetCursor()), Window: p.GetWindow(),
	}
	for _, b := range p.GetTables() {
		id, err := fromTable(b)
		if err != nil {
			return link.Open{}, err
		}
		o.Tables = append(o.Tables, id)
	}
	return o, nil
}

func toAccept(a link.Accept) *replpb.Accept {
	return &replpb.Accept{Protocol: a.Protocol, Sender: toOrigin(a.Sender), End: uint64(a.End)}
}

func fromAccept(p *replpb.Accept) link.Accept {
	return link.Accept{Protocol: p.GetProtocol(), Sender: fromOrigin(p.GetSender()), End: record.Seq(p.GetEnd())}
}

func toRefusal(r *link.Refusal) *replpb.Refusal {
	return &replpb.Refusal{Reason: uint32(r.Reason), Words: r.Words}
}

func fromRefusal(p *replpb.Refusal) *link.Refusal {
	return &link.Refusal{Reason: link.Reason(p.GetReason()), Words: p.GetWords()}
}

func (c *codec) toBatch(b *link.Batch) *replpb.Batch {
	return &replpb.Batch{
		From: uint64(b.From), UpTo: uint64(b.UpTo), Closed: uint64(b.Closed), End: uint64(b.End),
		BehindSeconds: b.Behind.Seconds, BehindCommits: b.Behind.Commits, BehindBytes: b.Behind.Bytes,
		Commits: c.pack(b.Commits),
	}
}

func (c *codec) fromBatch(p *replpb.Batch) (link.Batch, error) {
	commits, err := c.unpack(p.GetCommits())
	return link.Batch{
		From: record.Seq(p.GetFrom()), UpTo: record.Seq(p.GetUpTo()), Closed: crdt.Time(p.GetClosed()),
		End: record.Seq(p.GetEnd()), Commits: commits,
		Behind: link.Lag{Seconds: p.GetBehindSeconds(), Commits: p.GetBehindCommits(), Bytes: p.GetBehindBytes()},
	}, err
}
