package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Row is one path held against one limit.
type Row struct {
	Path    string  `json:"path"`
	Against string  `json:"against"`
	Ours    float64 `json:"ours"`  // in Unit
	Limit   float64 `json:"limit"` // in Unit
	Unit    string  `json:"unit"`
	Target  float64 `json:"target"` // of Ours/Limit
	AtMost  bool    `json:"atMost"` // the ratio should be at most Target; else at least
	// Processor time of a server for each unit, in microseconds; 0: not measured. On a machine with other work these say more
	// than the rates.
	OursCPU  float64 `json:"oursCPU,omitempty"`
	LimitCPU float64 `json:"limitCPU,omitempty"`
}

// Ratio is ours over the limit.
func (r Row) Ratio() float64 {
	if r.Limit == 0 {
		return 0
	}
	return r.Ours / r.Limit
}

// Holds reports whether the row meets its target.
func (r Row) Holds() bool {
	if r.AtMost {
		return r.Ratio() <= r.Target
	}
	return r.Ratio() >= r.Target
}

func writeRows(w io.Writer, rows []Row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "path\tours\tagainst\tlimit\tratio\ttarget\tholds\tCPU of each")
	for _, r := range rows {
		sign, holds := "≥", "yes"
		if r.AtMost {
			sign = "≤"
		}
		if !r.Holds() {
			holds = "NO"
		}
		cpu := ""
		if r.OursCPU > 0 {
			cpu = fmt.Sprintf("%.0f / %.0f µs", r.OursCPU, r.LimitCPU)
		}
		fmt.Fprintf(t, "%s\t%.0f %s\t%s\t%.0f\t%.2f\t%s %.2f\t%s\t%s\n",
			r.Path, r.Ours, r.Unit, r.Against, r.Limit, r.Ratio(), sign, r.Target, holds, cpu)
	}
	return t.Flush()
}
