package member

import (
	"context"
	"log"
	"log/slog"
	"strings"
	"time"
)

// newLogger takes Serf's and memberlist's messages, which are lines like "[WARN] memberlist: text", until ctx ends.
//
// Both complain about every packet that does not get through; that a peer is gone is ours to say, once. So their INFO is our
// debug, their warnings and errors too if they are about silence, and the rest, which is about strangers and broken data on
// our port, are warnings.
func newLogger(ctx context.Context, to *slog.Logger) *log.Logger {
	return log.New(&lines{ctx: ctx, to: to.With("part", "membership")}, "", 0)
}

// lines are written one at a time: log.Logger sees to it.
type lines struct {
	ctx context.Context
	to  *slog.Logger

	since    time.Time // when the present minute of warnings began
	warnings int       // in it
}

// mostWarnings a minute: a stranger's packets, one warning each, must not fill the disk with our log.
const mostWarnings = 10

func (l *lines) Write(b []byte) (int, error) {
	if l.ctx.Err() == nil {
		level, text := grade(strings.TrimSpace(string(b)))
		if level == slog.LevelWarn && !l.may(time.Now()) {
			level = slog.LevelDebug
		}
		l.to.Log(context.Background(), level, text)
	}
	return len(b), nil
}

// may counts a warning and reports whether it may be one; how many were not is told with the next that may.
func (l *lines) may(now time.Time) bool {
	if now.Sub(l.since) >= time.Minute {
		if more := l.warnings - mostWarnings; more > 0 {
			l.to.Warn("more such warnings, told at debug", "count", more)
		}
		l.since, l.warnings = now, 0
	}
	l.warnings++
	return l.warnings <= mostWarnings
}

// strange are messages that an operator should see: something on the port that does not belong there, or our own mistake.
var strange = []string{
	"unacceptable label", "double", "Decrypt", "decode", "Decode", "msgType", "msg type", "not supported", "checksum", "encode", "protocol version",
	"Remote node state size", "Too many pending", "queue full", "queue depth", "Conflicting address", "accepting TCP",
	"without encryption", "Bad state",
}

// grade splits a line into its level for us and its text.
func grade(line string) (slog.Level, string) {
	level, text := "", line
	if strings.HasPrefix(line, "[") {
		level, text, _ = strings.Cut(line[1:], "] ")
	}
	if level != "WARN" && level != "ERR" && level != "ERROR" {
		return slog.LevelDebug, text
	}
	for _, s := range strange {
		if strings.Contains(text, s) {
			return slog.LevelWarn, text
		}
	}
	return slog.LevelDebug, text
}
