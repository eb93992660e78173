package member

import (
	"context"
	"log"
	"log/slog"
	"strings"
)

// newLogger takes Serf's and memberlist's messages, which are lines like "[WARN] memberlist: text", until ctx ends.
//
// Both complain about every packet that does not get through; that a peer is gone is ours to say, once. So their INFO is our
// debug, their warnings and errors too if they are about silence, and the rest, which is about strangers and broken data on
// our port, are warnings.
func newLogger(ctx context.Context, to *slog.Logger) *log.Logger {
	return log.New(lines{ctx, to.With("part", "membership")}, "", 0)
}

type lines struct {
	ctx context.Context
	to  *slog.Logger
}

func (l lines) Write(b []byte) (int, error) {
	if l.ctx.Err() == nil {
		level, text := grade(strings.TrimSpace(string(b)))
		l.to.Log(context.Background(), level, text)
	}
	return len(b), nil
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
