package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/drill"
)

func newDrillList() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Explain the named drills",
		Example: "  meridian drill list",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := drill.All()
			if err != nil {
				return err
			}
			if asJSON {
				return writeIndented(cmd.OutOrStdout(), all)
			}
			return listDrills(cmd.OutOrStdout(), all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func listDrills(w io.Writer, all []drill.Scenario) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, s := range all {
		fmt.Fprintf(t, "%s\t%s\n", s.Name, s.Title)
		for _, line := range wrap(s.About+" "+s.Expect, 96) {
			fmt.Fprintf(t, "\t%s\n", line)
		}
		fmt.Fprintf(t, "\t\n")
	}
	return t.Flush()
}

// wrap breaks a text into lines of at most so many bytes, at spaces.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

func newDrillShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show NAME",
		Short:   "Print a named drill's file, to begin one of your own with",
		Example: "  meridian drill show region-outage > my.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name one drill")
			}
			text, err := drill.Source(args[0])
			if err != nil {
				return usagef("%w", err)
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}
