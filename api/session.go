package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/meridiandb/meridian/conflict"
	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/table"
)

// Headers of sessions, as net/http writes their names. A request with the first, empty or a token, is answered with a token
// of what it and its predecessors have seen. Several tokens, of requests that were under way at the same time, can be shown
// together, in several headers or with commas between. The second, a duration like 300ms, shortens the wait for a region that
// is behind. The third comes with the refusal and names the region whose writes are missing here.
const (
	sessionHeader = "X-Meridian-Session"
	waitHeader    = "X-Meridian-Session-Wait"
	behindHeader  = "X-Meridian-Session-Behind"
)

// sessions is what a Backend has that can keep sessions.
type sessions interface {
	AwaitSession(ctx context.Context, session []region.Seen, patience time.Duration) error
	Seen(ctx context.Context) (crdt.Context, error)
	Origin() crdt.Origin
}

// session is one request's: what it shows, and what it has seen by its end.
//
// Single items count with their own contexts, so that a client which reads old items does not depend on what other clients
// wrote a moment before a region died. Queries and scans show by what they leave out, too: they count with all that the
// region has seen. Tables without a replica elsewhere count for nothing: there is nowhere to be behind.
type session struct {
	ctx      context.Context
	backend  sessions
	patience time.Duration
	shown    sessionToken
	token    sessionToken // shown, and what was seen since
	awaited  bool
}

// openSession puts a session before the call's backend if the request asks for one.
func (c *call) openSession() error {
	shown := c.head.Values(sessionHeader)
	if shown == nil {
		return nil
	}
	b, ok := c.backend.(sessions)
	if !ok {
		return nil
	}
	t, err := parseSessionTokens(shown)
	if err != nil {
		return errValidation("Invalid " + sessionHeader + ": it must be empty or what an earlier response carried")
	}
	patience := c.server.patience
	if v := c.head.Get(waitHeader); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil || d < 0 {
			return errValidation("Invalid " + waitHeader + ": it must be a duration like 300ms")
		}
		patience = min(patience, d)
	}
	c.session = &session{ctx: c.ctx, backend: b, patience: patience, shown: t, token: t}
	c.backend = &sessionBackend{Backend: c.backend, session: c.session}
	return nil
}

// headers are those of the call's answer.
func (s *session) headers(err error) http.Header {
	h := http.Header{sessionHeader: {s.token.String()}}
	var behind *region.BehindError
	if errors.As(err, &behind) {
		h[behindHeader] = []string{behind.Lacks.Origin.Region}
	}
	return h
}

// await returns when the region holds what the session has seen. Its refusal is an error that every SDK retries; nothing
// was done, and the region is in good order: it is not for the log.
func (s *session) await() error {
	if s.awaited {
		return nil
	}
	err := s.backend.AwaitSession(s.ctx, s.shown, s.patience)
	var behind *region.BehindError
	if errors.As(err, &behind) {
		e := translate(err)
		e.quiet = true
		return e
	}
	s.awaited = err == nil
	return err
}

// states is a Table that tells an item with its versions.
type states interface {
	State(ctx context.Context, key item.Key) (conflict.State, error)
}

// item notes that the session has seen, or written, what stands under a key. It is read after the fact: versions only grow,
// so what is there now covers it.
func (s *session) item(t Table, key item.Key, wrote bool) error {
	v, ok := t.(states)
	if !ok || !t.Descriptor().Shared() {
		return nil
	}
	state, err := v.State(s.ctx, key)
	if err != nil {
		return err
	}
	var by crdt.Origin
	if wrote {
		by = s.backend.Origin()
	}
	s.token = s.token.with(state.Context(), by)
	return nil
}

// all notes that the session has seen what a read of many items shows.
func (s *session) all(t Table) error {
	if !t.Descriptor().Shared() {
		return nil
	}
	seen, err := s.backend.Seen(s.ctx)
	if err == nil {
		s.token = s.token.with(seen, crdt.Origin{})
	}
	return err
}

// written notes a write by its outcome; a false condition has been seen, too. A write whose outcome is not known was not
// acknowledged, and counts for nothing.
func (s *session) written(t Table, w *table.Write, err error) error {
	var failed *table.ConditionFailed
	if err != nil && !errors.As(err, &failed) {
		return nil
	}
	key := w.Key
	if w.Op == table.Put {
		var e error
		if key, e = t.Schema().FromItem(w.Item); e != nil {
			return e
		}
	}
	return s.item(t, key, err == nil && w.Op != table.Check)
}

// sessionBackend lets a session see what a call reads and writes. What the session cannot note fails the call: a token that
// left it out would break its promise later, in silence.
type sessionBackend struct {
	Backend
	session *session
}

// Table finds a table and waits until the region holds what the session has seen.
func (b *sessionBackend) Table(name string) (Table, error) {
	if err := b.session.await(); err != nil {
		return nil, err
	}
	t, err := b.Backend.Table(name)
	if err != nil {
		return nil, err
	}
	return sessionTable{t, b.session}, nil
}

func bare(t Table) Table {
	if s, ok := t.(sessionTable); ok {
		return s.Table
	}
	return t
}

func bareWrites(ws []Write) []Write {
	out := make([]Write, len(ws))
	for i, w := range ws {
		out[i] = Write{Table: bare(w.Table), Write: w.Write}
	}
	return out
}

func (b *sessionBackend) WriteBatch(ctx context.Context, ws []Write) ([]table.WriteResult, []error) {
	ws = bareWrites(ws)
	results, errs := b.Backend.WriteBatch(ctx, ws)
	for i := range ws {
		if err := b.session.written(ws[i].Table, &ws[i].Write, errs[i]); err != nil {
			errs[i] = err
		}
	}
	return results, errs
}

func (b *sessionBackend) Transact(ctx context.Context, token *table.Token, ws []Write) (table.Transacted, error) {
	ws = bareWrites(ws)
	done, err := b.Backend.Transact(ctx, token, ws)
	if err != nil {
		return done, err
	}
	for i := range ws {
		var reason error
		if done.Reasons != nil {
			if reason = done.Reasons[i]; reason == nil {
				continue
			}
		}
		if err := b.session.written(ws[i].Table, &ws[i].Write, reason); err != nil {
			return done, err
		}
	}
	return done, nil
}

func (b *sessionBackend) TransactGet(ctx context.Context, keys []Key) ([]table.GetResult, error) {
	bareKeys := make([]Key, len(keys))
	for i, k := range keys {
		bareKeys[i] = Key{Table: bare(k.Table), Key: k.Key}
	}
	results, err := b.Backend.TransactGet(ctx, bareKeys)
	for _, k := range bareKeys {
		if err == nil {
			err = b.session.item(k.Table, k.Key, false)
		}
	}
	return results, err
}

// sessionTable is comparable, as tables are: two of one table and one session are equal.
type sessionTable struct {
	Table
	session *session
}

func (t sessionTable) Write(ctx context.Context, w table.Write) (table.WriteResult, error) {
	res, err := t.Table.Write(ctx, w)
	if e := t.session.written(t.Table, &w, err); e != nil {
		return res, e
	}
	return res, err
}

func (t sessionTable) Get(ctx context.Context, key item.Key, consistent bool) (table.GetResult, error) {
	res, err := t.Table.Get(ctx, key, consistent)
	if err == nil {
		err = t.session.item(t.Table, key, false)
	}
	return res, err
}

func (t sessionTable) Query(ctx context.Context, q table.Query) (table.Page, error) {
	p, err := t.Table.Query(ctx, q)
	if err == nil {
		err = t.session.all(t.Table)
	}
	return p, err
}

func (t sessionTable) Scan(ctx context.Context, s table.Scan) (table.Page, error) {
	p, err := t.Table.Scan(ctx, s)
	if err == nil {
		err = t.session.all(t.Table)
	}
	return p, err
}
