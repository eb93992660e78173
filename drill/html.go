package drill

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"short": short}).Parse(pageText))

// WriteHTML writes the report as one page that needs nothing else: styles and pictures are in it.
func (r *Report) WriteHTML(w io.Writer) error {
	return page.Execute(w, view{Report: r, Plot: r.plot(), Lag: r.lagPlot(), Story: r.story(), Notes: r.notes(), Tiles: r.tiles()})
}

// view is what the page shows.
type view struct {
	*Report
	Plot, Lag template.HTML
	Story     []moment
	Notes     []string
	Tiles     []tile
}

// Asked is how many calls there were.
func (v view) Asked() int {
	n := 0
	for _, c := range v.Calls {
		n += c
	}
	return n
}

// Headline says in a sentence how it went.
func (v view) Headline() string {
	if !v.Passed {
		var failed []string
		for _, x := range v.Verdicts {
			if !x.Passed {
				failed = append(failed, strings.ToLower(x.Name[:1])+x.Name[1:])
			}
		}
		return fmt.Sprintf("This drill failed. Not kept: %s.", strings.Join(failed, "; "))
	}
	if v.Outage.Touched == 0 {
		return "All held, and no client noticed anything."
	}
	return fmt.Sprintf("All held. %d of %d clients noticed something; the unluckiest was out for %s.", v.Outage.Touched, v.Outage.Clients, short(v.Outage.Worst))
}

// Words explains the page's words.
func (v view) Words() [][2]string {
	return [][2]string{
		{"region", "A complete server with a full copy of the data. Each takes reads and writes by itself and sends its changes to the others."},
		{"client", "A user of the database near one region. Its requests go through the router, which sends them to the nearest healthy region and on to the next when that fails."},
		{"session", "What one client has read and written, as a token that goes with its requests, so that it never sees an older state, whichever region answers."},
		{"unknown fate", "A write that was sent and never answered. It may have happened. It is not tried elsewhere, since it could then happen twice; the client is told."},
		{"conflict", "Two regions changed the same item without knowing of each other. The later change stands; the other one is kept in the conflict feed."},
		{"behind", "How many seconds of another region's changes a region does not have yet."},
	}
}

// tile is a figure worth a glance.
type tile struct {
	Value, Label string
	Good, Bad    bool
}

func (r *Report) tiles() []tile {
	by := map[string]Verdict{}
	for _, v := range r.Verdicts {
		by[v.Name] = v
	}
	failed := r.Calls[Failed] + r.Calls[Unknown] + r.Calls[Behind]
	missing := by["Nothing acknowledged is lost"]
	sessions := by["No session was lied to"]
	same := by["All regions hold the same"]
	value := func(v Verdict, good string) string {
		if v.Passed {
			return good
		}
		return "no"
	}
	return []tile{
		{short(r.Outage.Worst), "the unluckiest client was out", by[outageVerdict].Passed, !by[outageVerdict].Passed},
		{fmt.Sprint(failed), fmt.Sprintf("of %d calls failed", len(r.history)), by["Few calls fail"].Passed, !by["Few calls fail"].Passed},
		{strings.Fields(missing.Found + " ?")[0], "acknowledged writes lost", missing.Passed, !missing.Passed},
		{fmt.Sprint(len(r.Violations)), "times a session was lied to", sessions.Passed, !sessions.Passed},
		{value(same, strings.TrimPrefix(same.Found, "after ")), "until all regions were equal", same.Passed, !same.Passed},
	}
}

// moment is a line of the story.
type moment struct {
	At   time.Duration
	Kind string // fault, mended, clients
	Say  string
}

// story tells what was done and what the clients' routers made of it, in order of time.
func (r *Report) story() []moment {
	var all []moment
	for _, e := range r.Events {
		all = append(all, moment{e.From, "fault", e.Say})
	}
	for _, c := range r.CatchUps {
		say := c.Say
		switch {
		case c.Late:
			say += "; the links did not catch up"
		case c.Took > 0:
			say += "; " + short(c.Took) + " later all links are level"
		}
		all = append(all, moment{c.At, "mended", say})
	}
	for _, e := range r.Router {
		say := fmt.Sprintf("clients near %s ", e.Home)
		switch e.Kind {
		case "ejected":
			say += "take " + e.Region + " for failed"
		case "returned":
			say += "may use " + e.Region + " again"
		case "moved":
			say += "go to " + e.Region
		}
		all = append(all, moment{e.At, "clients", say})
	}
	slices.SortStableFunc(all, func(a, b moment) int { return int(a.At - b.At) })
	return all
}
