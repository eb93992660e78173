package replication

import (
	"context"
	"sync"
	"time"

	"github.com/meridiandb/meridian/crdt"
)

const (
	// catalogPatience is how long a link waits for the peer's catalog: several round trips. One that does not come, as older
	// regions that have no tables send none, is no reason not to replicate.
	catalogPatience = 2 * time.Second

	catalogRetry = time.Second
	catalogBytes = 1 << 20 // of descriptions in one message
)

// followCatalog takes table descriptions from a peer while the session lives. One that this region cannot take (the peer may
// be newer) is no reason to stop replicating what it does understand.
func (p *peer) followCatalog(ctx context.Context, s *session, who crdt.Origin) error {
	told := sync.OnceFunc(func() { close(s.told) })
	patience := time.AfterFunc(catalogPatience, told)
	defer patience.Stop()
	for {
		err := s.conn.Catalog(ctx, p.r.self, func(entries [][]byte) error {
			defer told()
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
	for since, first := uint64(0), true; ; first = false {
		entries, version := s.r.o.Source.CatalogFor(from.Region, since)
		if first && len(entries) == 0 { // links wait for it
			if err := send(nil); err != nil {
				return err
			}
		}
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
