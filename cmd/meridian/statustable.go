package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
)

// render prints the report as tables for people.
func (r report) render(w io.Writer) error {
	var b strings.Builder
	section(&b, "REGION\tSTATE\tTABLES\tDURABLE\tLOG\tDISK\tUPTIME\tVERSION", r.regionRows())
	section(&b, "LINK\tSTATE\tTO SEND\t\t\tTO APPLY\t\t", r.linkRows())
	section(&b, "TABLE\tREGION\tSTATUS\tITEMS\tSIZE\tREPLICAS", r.tableRows())
	if r.Healthy {
		b.WriteString("healthy\n")
	}
	for _, p := range r.Problems {
		b.WriteString("problem: " + p + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// section writes one table and an empty line; nothing when there are no rows.
func section(b *strings.Builder, head string, rows []string) {
	if len(rows) == 0 {
		return
	}
	var table strings.Builder
	t := tabwriter.NewWriter(&table, 0, 0, 3, ' ', 0)
	for _, row := range append([]string{head}, rows...) {
		fmt.Fprintln(t, row)
	}
	_ = t.Flush() // into memory
	for line := range strings.Lines(table.String()) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	b.WriteString("\n")
}

func row(cells ...string) string { return strings.Join(cells, "\t") }

func (r report) regionRows() []string {
	var rows []string
	for _, s := range r.Regions {
		if s.Unreachable != "" {
			rows = append(rows, row(s.Region, "no answer", "-", "-", "-", "-", "-", "-"))
			continue
		}
		state := "ready"
		if !s.Ready {
			state = "not ready"
		}
		rows = append(rows, row(s.Region, state, strconv.Itoa(len(s.Tables)), strconv.FormatUint(s.Log.Durable, 10),
			humanBytes(uint64(max(0, s.Log.Bytes))), humanBytes(s.DiskBytes), humanSeconds(s.UptimeSeconds), s.Version))
	}
	return rows
}

// linkRows shows each region's links: what it has still to send to a peer, and what it has still to apply of the peer's.
func (r report) linkRows() []string {
	var rows []string
	for _, s := range r.Regions {
		for _, p := range sortedBy(s.Peers, func(p admin.Peer) string { return p.Region }) {
			rows = append(rows, row(append(append([]string{s.Region + " → " + p.Region, p.State},
				lagCells(p.Sending)...), lagCells(p.Receiving)...)...))
		}
	}
	return rows
}

// lagCells has a word for the usual case, so that the other one is seen at a glance.
func lagCells(l admin.Lag) []string {
	if l.IsZero() {
		return []string{"level", "", ""}
	}
	return []string{
		strconv.FormatFloat(l.Seconds, 'f', 3, 64) + " s", plural(l.Commits, "commit"), humanBytes(l.Bytes),
	}
}

func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatUint(n, 10) + " " + noun + "s"
}

// tableRows has a row for each replica that a region holds, a table's replicas together.
func (r report) tableRows() []string {
	type replica struct {
		region string
		admin.Table
	}
	var all []replica
	for _, s := range r.Regions {
		for _, t := range s.Tables {
			all = append(all, replica{s.Region, t})
		}
	}
	// One name may be different tables in different regions; the id tells them apart.
	slices.SortStableFunc(all, func(a, b replica) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID), cmp.Compare(a.region, b.region))
	})
	var rows []string
	for i, t := range all {
		name := t.Name
		if i > 0 && all[i-1].ID == t.ID && t.ID != "" {
			name = ""
		}
		rows = append(rows, row(name, t.region, t.Status, strconv.FormatInt(t.Items, 10), humanBytes(uint64(max(0, t.Bytes))),
			members(t.Members)))
	}
	return rows
}

// members lists the other regions of a table, with their state where it is not the usual one.
func members(ms []admin.Member) string {
	var out []string
	for _, m := range sortedBy(ms, func(m admin.Member) string { return m.Region }) {
		switch m.State {
		case "REMOVED":
		case "ACTIVE":
			out = append(out, m.Region)
		default:
			out = append(out, m.Region+" ("+m.State+")")
		}
	}
	return strings.Join(out, ", ")
}

func sortedBy[T any](list []T, by func(T) string) []T {
	return slices.SortedFunc(slices.Values(list), func(a, b T) int { return cmp.Compare(by(a), by(b)) })
}

// humanSeconds prints a span with its two largest units: 3m12s, 5h7m, 12d4h.
func humanSeconds(s float64) string {
	d := time.Duration(math.Max(0, s) * float64(time.Second))
	switch day := 24 * time.Hour; {
	case d < time.Hour:
		return d.Truncate(time.Second).String()
	case d < day:
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	default:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	}
}
