package replication

import (
	"context"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/transport"
)

const (
	catalogRetry = time.Second
	catalogBytes = 1 << 20 // of descriptions in one message
)

// followCatalog takes table descriptions from a peer while the session lives. One that this region cannot take (the peer may
// be newer) is no reason to stop replicating what it does understand.
func (p *peer) followCatalog(ctx context.Context, conn transport.Conn, who crdt.Origin) error {
	for {
		err := conn.Catalog(ctx, p.r.self, func(entries [][]byte) error {
			return p.r.o.Sink.ApplyCatalog(ctx, who, entries)
		})
		pause(ctx, catalogRetry) // a broken connection ends the session meanwhile, and is not worth a word of its own
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p.r.o.Logger.Warn("table descriptions stopped coming", "peer", p.region, "err", err)
	}
}

// Catalog sends a peer what it must know.
func (s *server) Catalog(ctx context.Context, from crdt.Origin, send func(entries [][]byte) error) error {
	for since := uint64(0); ; {
		entries, version := s.r.o.Source.CatalogFor(from.Region, since)
		for len(entries) > 0 {
			n, size := 0, 0
			for n < len(entries) && (n == 0 || size+len(entries[n]) <= catalogBytes) {
				size += len(entries[n])
				n++
			}
			if err := send(entries[:n]); err != nil {
				return err
			}
			entries = entries[n:]
		}
		since = version
		if err := s.r.o.Source.WaitCatalog(ctx, since); err != nil {
			return err
		}
	}
}
