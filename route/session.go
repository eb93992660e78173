package route

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	sessionHeader = "X-Meridian-Session"
	behindHeader  = "X-Meridian-Session-Behind"
	waitHeader    = "X-Meridian-Session-Wait"
)

// sessionWidth is how many requests of one session run at the same time; more wait. Each can leave a token of its own until
// a later one has shown them all, and all must fit the headers of a request.
const sessionWidth = 64

// Session is what one user has seen and written, as tokens that regions gave out; they say nothing to us. It is safe for
// concurrent use.
//
// Requests at the same time are answered with tokens of which none covers the other. All are kept, and shown together; the
// answer to a request covers what it has shown.
type Session struct {
	running chan struct{}

	mu     sync.Mutex
	tokens []string
	behind map[string]refusal // regions that had not caught up when they were asked last
}

// refusal is that a region had not caught up with a session. What it lacks may be long in coming, if its origin is gone:
// until is when it is asked first again.
type refusal struct {
	until time.Time
	pause time.Duration
}

// How long a region that is behind a session is passed over; twice as long each time.
const (
	firstPause = time.Second
	mostPause  = 30 * time.Second
)

// refused notes that a region is behind.
func (s *Session) refused(region string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.behind[region]
	r.pause = min(max(firstPause, 2*r.pause), mostPause)
	r.until = now.Add(r.pause)
	if s.behind == nil {
		s.behind = map[string]refusal{}
	}
	s.behind[region] = r
}

// accepted notes that a region has caught up.
func (s *Session) accepted(region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.behind, region)
}

// standing says whether a region was behind when it was asked last, and whether it is too soon to ask it first.
func (s *Session) standing(region string, now time.Time) (behind, passed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, behind := s.behind[region]
	return behind, behind && now.Before(r.until)
}

// NewSession begins a session. A token of an earlier one, of another process perhaps, can be given to go on with it.
func NewSession(tokens ...string) *Session {
	s := &Session{running: make(chan struct{}, sessionWidth)}
	for _, t := range tokens {
		s.tokens = append(s.tokens, split(t)...)
	}
	return s
}

func split(token string) []string {
	return strings.FieldsFunc(token, func(r rune) bool { return r == ',' || r == ' ' })
}

// Token is what to give to NewSession elsewhere.
func (s *Session) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.tokens, ",")
}

// begin returns what to show, when it is this request's turn.
func (s *Session) begin(ctx context.Context) ([]string, error) {
	select {
	case s.running <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tokens), nil
}

// end takes the answer's token, if there is an answer, in the place of those that were shown.
func (s *Session) end(shown []string, h http.Header) {
	defer func() { <-s.running }()
	token := h.Get(sessionHeader)
	if token == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = slices.DeleteFunc(s.tokens, func(t string) bool { return slices.Contains(shown, t) })
	if !slices.Contains(s.tokens, token) {
		s.tokens = append(s.tokens, token)
	}
}

type (
	sessionKey    struct{}
	idempotentKey struct{}
)

// WithSession makes requests under ctx part of a session, in the place of the client's own.
func WithSession(ctx context.Context, s *Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

// Idempotent says that doing the requests under ctx twice, in two regions, does no more harm than doing them once: a put of
// the same item, for instance, without a condition. A write whose fate is unknown is then tried elsewhere.
func Idempotent(ctx context.Context) context.Context {
	return context.WithValue(ctx, idempotentKey{}, true)
}

func isIdempotent(ctx context.Context) bool { return ctx.Value(idempotentKey{}) != nil }
