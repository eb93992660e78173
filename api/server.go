package api

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridiandb/meridian/expr/exprcache"
	"github.com/meridiandb/meridian/region"
)

// Options says what a Server serves. One of Region and Backend is required.
type Options struct {
	Region  *region.Region
	Backend Backend // instead of Region, for tests

	// AccountID is the account that all ARNs name; 12 digits. "" is 000000000000.
	AccountID string
	// RequireAuthorization refuses requests without a signature as AWS does. Off, everything is accepted: signatures are
	// not checked yet, and a local database without credentials is what most people want.
	RequireAuthorization bool
	// ExpressionCache is how many parsed expressions are kept; 0 is 4096. Too few costs parsing, too many memory: an
	// expression takes up to 4 KB of text and a few times that as a tree.
	ExpressionCache int
	// SessionPatience is how long a request that shows a session token waits for this region to have caught up with it; 0 is
	// 2 s. Too little and a client that follows its own write is sent away, too much and it hangs where another region
	// could serve it.
	SessionPatience time.Duration

	Logger     *slog.Logger          // nil: none
	Registerer prometheus.Registerer // nil: no metrics
}

// Server is the DynamoDB endpoint of a region.
type Server struct {
	backend     Backend
	region      string
	account     string
	requireAuth bool
	patience    time.Duration
	logger      *slog.Logger
	metrics     *metrics
	expressions *exprcache.Cache
	operations  map[string]operation
	streams     map[string]operation // of the Streams target; no name is in both
	calls       sync.Pool            // of *call
	gzips       sync.Pool            // of *gzip.Writer
	tokens      runningTokens
}

var _ http.Handler = (*Server)(nil)

// New makes a Server. It starts nothing and needs no closing.
func New(o Options) (*Server, error) {
	if o.Backend == nil {
		if o.Region == nil {
			return nil, errors.New("api: neither a Region nor a Backend")
		}
		o.Backend = regionBackend{o.Region}
	}
	if o.AccountID == "" {
		o.AccountID = "000000000000"
	}
	if o.ExpressionCache == 0 {
		o.ExpressionCache = 4096
	}
	if o.SessionPatience == 0 {
		o.SessionPatience = 2 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ops, streams := operations(), streamsOperations()
	m, err := newMetrics(o.Registerer, ops, streams)
	if err != nil {
		return nil, err
	}
	s := &Server{
		backend: o.Backend, region: o.Backend.Name(), account: o.AccountID, requireAuth: o.RequireAuthorization,
		patience: o.SessionPatience,
		logger:   o.Logger, metrics: m, expressions: exprcache.New(o.ExpressionCache), operations: ops,
		streams: streams,
	}
	s.calls.New = func() any { return &call{server: s, decoder: &decoder{json: new(jsontext.Decoder)}} }
	return s, nil
}
