package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func newHealth() *cobra.Command {
	address := defaultAdmin
	timeout := 5 * time.Second
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Tell by the exit code whether a region serves",
		Long: `Asks a region's /readyz and exits with 0 if it serves requests, else with 1. For the health checks of containers whose
image holds nothing but this binary.`,
		Example: "  meridian health --admin http://127.0.0.1:9000",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			base, err := parseAdmin(address)
			if err != nil {
				return err
			}
			if _, err := newAdminClient(timeout).get(cmd.Context(), base, "/readyz"); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "ready")
			return err
		},
	}
	cmd.Flags().StringVar(&address, "admin", address, "admin address of the region")
	cmd.Flags().DurationVar(&timeout, "timeout", timeout, "how long to wait for an answer")
	return cmd
}
