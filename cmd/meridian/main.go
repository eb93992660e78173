// Command meridian is the whole of Meridian in one binary: servers, and the tools that look at them. Each subcommand has a
// file named after it; everything here is wiring.
//
// Exit codes: 0 done (or healthy), 1 failed (or not healthy), 2 asked for something that cannot be: a flag, a port that is
// taken, a folder that cannot be used. Failures are one line on standard error.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := interruptible(context.Background())
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if text := oneLine(err); text != "" {
		fmt.Fprintln(stderr, "meridian: "+text)
	}
	return exitCode(err)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "meridian",
		Short: "A DynamoDB-compatible database that is writable in every region",
		Long: `Meridian is a DynamoDB-compatible database. Every region takes reads and writes by itself; what is written in one reaches
all others.`,
		Example: `  meridian dev                  # three regions on this machine, to try things
  meridian serve --help         # one region of a real deployment
  meridian status               # regions, links, lag, tables`,
		Args:              noArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:     true, // run prints them
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w (see %s --help)", err, cmd.CommandPath())
	})
	root.AddCommand(newDev(), newServe(), newStatus(), newConflicts(), newRepair(), newTakeOver(), newExpel(), newAside(), newHealth(), newRoute(), newFault(), newDrill(), newBench(), newTail(), newVersion())
	return root
}

// noArgs refuses what is no flag; on the root that is a subcommand which does not exist.
func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasParent():
		return usagef("%s takes no arguments, only flags: %q (see %s --help)", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return usagef("there is no command %q (see meridian --help)", args[0])
}
