// Command check looks at running regions from outside, as their clients see them, with the AWS SDK for Go. Each subcommand
// has a file named after it.
//
// Exit codes: 0 it holds, 1 it does not, with what is wrong on standard error.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	root := &cobra.Command{
		Use:           "check",
		Short:         "Look at running regions as their clients see them",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newTable(), newEqual(), newLevel(), newWrite(), newVisible())
	err := root.ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "check: "+err.Error())
		os.Exit(1)
	}
}
