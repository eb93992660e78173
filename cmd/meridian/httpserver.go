package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/meridiandb/meridian/api/front"
)

// drainTime is how long requests under way may take to end when the process stops; then their connections are cut.
const drainTime = 5 * time.Second

// newHTTPServer makes a server with limits that a slow or hostile client cannot stretch. The largest legal request is
// 16 MB; a minute for it still serves a client on 2.5 Mbit/s.
func newHTTPServer(h http.Handler, connections int, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ConnState:         newConnLimit(connections).changed,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       3 * time.Minute, // SDKs keep connections for a minute or two
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug), // clients' broken connections
	}
}

// newEndpoint makes the server of the DynamoDB endpoint, with the same limits.
func newEndpoint(h front.Handler, connections int, logger *slog.Logger) *front.Server {
	return front.New(newHTTPServer(nil, connections, logger), h, logger)
}

// httpServer is what http.Server and front.Server have in common.
type httpServer interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
}

// serveHTTP returns when the server has been stopped, with nil, or has failed.
func serveHTTP(s httpServer, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// stopHTTP lets requests under way end, for drainTime at most. It waits.
func stopHTTP(servers ...httpServer) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	for _, s := range servers {
		if s.Shutdown(ctx) != nil {
			_ = s.Close() // connections that did not end in time are cut; there is nobody to tell
		}
	}
}
