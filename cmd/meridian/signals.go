package main

import (
	"context"
	"os/signal"
	"syscall"
)

// interruptible returns a context that the first Ctrl-C or SIGTERM ends, for a clean shutdown. From then on signals have
// their ordinary effect again, so that a second one ends the process at once.
func interruptible(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
