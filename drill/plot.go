package drill

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"
)

// The plot, in units of its own; a browser scales it to the page.
const (
	plotWidth   = 1000.0
	plotLeft    = 58.0
	plotRight   = 12.0
	panelHeight = 96.0
	panelGap    = 34.0
	stripHeight = 7.0
	laneHeight  = 17.0
	charWidth   = 6.3 // of a label, about
)

// canvas is a plot being drawn.
type canvas struct {
	strings.Builder
	end float64 // seconds at the right edge
}

func (r *Report) canvas() *canvas {
	end := r.LoadEnd
	for _, e := range r.Events {
		end = max(end, e.To)
	}
	return &canvas{end: max(1, end.Seconds())}
}

func (c *canvas) x(d time.Duration) float64 {
	return plotLeft + min(1, d.Seconds()/c.end)*(plotWidth-plotLeft-plotRight)
}

func (c *canvas) put(format string, args ...any) { fmt.Fprintf(c, format+"\n", args...) }

// logY places a time on a logarithmic axis from 1 ms at the bottom to 10 s at the top.
func logY(d time.Duration, top float64) float64 {
	ms := math.Max(1, float64(d)/float64(time.Millisecond))
	return top + panelHeight*(1-math.Min(1, math.Log10(ms)/4))
}

var levels = []struct {
	at  time.Duration
	say string
}{{time.Millisecond, "1 ms"}, {10 * time.Millisecond, "10 ms"}, {100 * time.Millisecond, "100 ms"}, {time.Second, "1 s"}, {10 * time.Second, "10 s"}}

// plot draws, for the clients of each region, how long they waited, what failed, and who answered; faults stand behind.
func (r *Report) plot() template.HTML {
	c := r.canvas()
	lanes := r.lanes(c)
	head := float64(len(lanes))*laneHeight + 14
	height := head + float64(len(r.Regions))*(panelHeight+panelGap) + 22
	c.put(`<svg viewBox="0 0 %g %g" role="img" aria-label="Latency and errors of clients over time, by region; faults are shaded">`, plotWidth, height)
	r.bands(c, head-6, height-24)
	for i, lane := range lanes {
		for _, l := range lane {
			y := float64(i)*laneHeight + 12
			c.put(`<text class="fault" x="%.1f" y="%.1f">%s</text>`, l.x, y, html.EscapeString(l.say))
			c.put(`<line class="faultline" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, l.at, l.at, y-10, head)
		}
	}
	for i, home := range r.Regions {
		r.panel(c, home, i, head+float64(i)*(panelHeight+panelGap)+panelGap-14)
	}
	c.axis(height - 8)
	c.put(`</svg>`)
	return template.HTML(c.String()) //nolint:gosec // all text in it was escaped
}

// label is a fault's name above the panels.
type label struct {
	x, at float64
	say   string
}

// lanes lays out the faults' names so that none covers another.
func (r *Report) lanes(c *canvas) [][]label {
	var lanes [][]label
	var free []float64
	events := slices.Clone(r.Events)
	slices.SortStableFunc(events, func(a, b Event) int { return int(a.From - b.From) })
	for _, e := range events {
		width := float64(len(e.Say)) * charWidth
		at := c.x(e.From)
		x := math.Max(plotLeft, math.Min(at+4, plotWidth-plotRight-width))
		lane := slices.IndexFunc(free, func(f float64) bool { return f <= x })
		if lane < 0 {
			if len(lanes) == 6 {
				continue // there is the story below
			}
			lanes, free, lane = append(lanes, nil), append(free, 0), len(lanes)
		}
		lanes[lane] = append(lanes[lane], label{x, at, e.Say})
		free[lane] = x + width + 12
	}
	return lanes
}

func (r *Report) bands(c *canvas, top, bottom float64) {
	for _, e := range r.Events {
		from, to := c.x(e.From), c.x(e.To)
		c.put(`<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s, %s to %s</title></rect>`,
			from, top, math.Max(1.5, to-from), bottom-top, html.EscapeString(e.Say), short(e.From), short(e.To))
	}
}

// panel draws one region's clients.
func (r *Report) panel(c *canvas, home string, place int, top float64) {
	c.put(`<text class="name" x="%g" y="%.1f">clients near %s</text>`, plotLeft, top-7, html.EscapeString(home))
	for _, l := range levels {
		y := logY(l.at, top)
		c.put(`<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/><text class="tick" x="%g" y="%.1f" text-anchor="end">%s</text>`,
			plotLeft, plotWidth-plotRight, y, y, plotLeft-7, y+3.5, l.say)
	}
	length := bucketLength(r.LoadEnd)
	width := math.Max(1, c.x(length)-plotLeft)
	var line strings.Builder
	var last time.Duration
	var bars, hits strings.Builder
	floor := top + panelHeight
	for _, b := range r.Timeline {
		if b.Home != home {
			continue
		}
		x := c.x(b.At)
		y := logY(b.Max, top)
		fmt.Fprintf(&bars, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, x, y, width, floor-y)
		cmd := "L"
		if b.At-last > 3*length || line.Len() == 0 {
			cmd = "M"
		}
		last = b.At
		fmt.Fprintf(&line, "%s%.1f %.1f", cmd, x+width/2, logY(b.P50, top))
		if b.Errors > 0 {
			h := panelHeight * math.Max(0.08, float64(b.Errors)/float64(b.Calls))
			fmt.Fprintf(&hits, `<rect class="error" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, x, top, math.Max(2.2, width), h)
		}
		who := r.strip(c, b, x, width, floor+3)
		fmt.Fprintf(&hits, `<rect class="hit" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s: %d calls, %d failed; median %s, slowest %s%s</title></rect>`,
			x, top, width, panelHeight+stripHeight+3, short(b.At), b.Calls, b.Errors, short(b.P50), short(b.Max), html.EscapeString(who))
	}
	c.put(`<g class="slow r%d">%s</g><path class="median r%d" d="%s"/>%s`, place, bars.String(), place, line.String(), hits.String())
}

// strip draws who answered, one share beside the other, and says it.
func (r *Report) strip(c *canvas, b Bucket, x, width, y float64) string {
	total := 0
	for _, n := range b.By {
		total += n
	}
	say := ""
	for i, name := range r.Regions {
		n := b.By[name]
		if n == 0 {
			continue
		}
		w := width * float64(n) / float64(total)
		c.put(`<rect class="who r%d" x="%.2f" y="%.1f" width="%.2f" height="%g"/>`, i, x, y, w+0.3, stripHeight)
		x += w
		say += fmt.Sprintf("; %d answered by %s", n, name)
	}
	return say
}

// axis draws the time below everything.
func (c *canvas) axis(y float64) {
	step := 1.0
	for c.end/step > 16 {
		step *= 2
		if step == 4 || step == 40 {
			step *= 1.25
		}
	}
	for s := 0.0; s <= c.end; s += step {
		c.put(`<text class="tick" x="%.1f" y="%.1f" text-anchor="middle">%g s</text>`, c.x(time.Duration(s*float64(time.Second))), y, s)
	}
}

// lagPlot draws how far each region is behind the others.
func (r *Report) lagPlot() template.HTML {
	if len(r.Samples) == 0 {
		return ""
	}
	c := r.canvas()
	const top, height = 10.0, 120.0
	most := 0.5
	for _, s := range r.Samples {
		most = math.Max(most, s.Behind)
	}
	y := func(v float64) float64 { return top + height*(1-v/most) }
	c.put(`<svg viewBox="0 0 %g %g" role="img" aria-label="How far each region is behind the others, over time">`, plotWidth, top+height+26)
	r.bands(c, top, top+height)
	for _, f := range []float64{0, 0.5, 1} {
		c.put(`<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/><text class="tick" x="%g" y="%.1f" text-anchor="end">%.2g s</text>`,
			plotLeft, plotWidth-plotRight, y(f*most), y(f*most), plotLeft-7, y(f*most)+3.5, f*most)
	}
	for i, name := range r.Regions {
		var path strings.Builder
		gap := true
		for _, s := range r.Samples {
			if s.Region != name || s.At.Seconds() > c.end {
				continue
			}
			if !s.Up { // a region that does not answer has no lag to show
				gap = true
				continue
			}
			cmd := "L"
			if gap {
				cmd, gap = "M", false
			}
			fmt.Fprintf(&path, "%s%.1f %.1f", cmd, c.x(s.At), y(s.Behind))
		}
		c.put(`<path class="median r%d" d="%s"><title>%s</title></path>`, i, path.String(), html.EscapeString(name))
	}
	c.axis(top + height + 20)
	c.put(`</svg>`)
	return template.HTML(c.String()) //nolint:gosec // all text in it was escaped
}
