package drill

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sampleReport is a drill of a bad day, with what a hostile region could put into a page.
func sampleReport() *Report {
	regions := []string{"us-east-1", "eu-west-1", "ap-northeast-1"}
	var calls []Call
	for ms := 0; ms < 9000; ms += 25 {
		for i, home := range regions {
			c := Call{Client: i + 1, Home: home, Region: home, Op: Read, Result: OK, Begin: time.Duration(ms) * time.Millisecond}
			c.End = c.Begin + time.Duration(2+ms%7)*time.Millisecond
			if i == 0 && ms >= 3000 && ms < 6000 {
				c.Region, c.End = regions[1], c.Begin+80*time.Millisecond
				if ms < 3300 {
					c.Result, c.Error = Failed, "route: <script>alert(1)</script>"
				}
			}
			calls = append(calls, c)
		}
	}
	r := &Report{
		Scenario: "region-outage", Title: "A region's process is killed", About: "It dies.", Expect: "Clients go on.", Target: "a test", WAN: "aws",
		Began: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), Regions: regions, LoadEnd: 9 * time.Second, Calls: map[Result]int{OK: len(calls) - 12, Failed: 12},
		Events: []Event{{From: 3 * time.Second, To: 6 * time.Second, Do: Kill, Say: "us-east-1 is killed & gone", Regions: regions[:1]},
			{From: 3200 * time.Millisecond, To: 5 * time.Second, Do: Clock, Say: "the clock of eu-west-1 jumps by 10s", Regions: regions[1:2]}},
		Router:   []RouterEvent{{At: 3100 * time.Millisecond, Home: regions[0], Kind: "moved", Region: regions[1]}},
		CatchUps: []CatchUp{{At: 6 * time.Second, Took: time.Second, Say: "us-east-1 is started again"}},
		Risks:    []*Risk{{Region: regions[0], Asked: 30, Missing: 2, Oldest: 12 * time.Millisecond, Back: 2}},
		Failures: failures(calls), Timeline: timeline(calls, regions, bucketLength(9*time.Second)), history: calls,
		Violations: []Violation{{Guarantee: ReadYourWrites, Client: 1, Key: "own/1/1", Say: "it was shown nothing"}}, Missing: []string{"new/1/2"},
	}
	e := evidence{limits: defaults().Limits, calls: calls, regions: regions, took: 300 * time.Millisecond, catchUps: r.CatchUps}
	f := judge(e)
	r.Verdicts, r.Outage = f.verdicts, f.outage
	for ms := 0; ms < 9000; ms += 200 {
		for i, name := range regions {
			r.Samples = append(r.Samples, Sample{time.Duration(ms) * time.Millisecond, name, i > 0 || ms < 3000 || ms > 6000, float64(ms%3000) / 1000})
		}
	}
	return r
}

// The page is well formed, needs nothing from elsewhere, and takes no markup from a region.
func TestPageStandsAlone(t *testing.T) {
	var b bytes.Buffer
	r := sampleReport()
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if m := regexp.MustCompile(`(?i)(src|href)\s*=|url\(|@import|<script|<link|<iframe`).FindString(text); m != "" {
		t.Errorf("there is %q in the page", m)
	}
	for _, want := range []string{"FAILED", "us-east-1 is killed &amp; gone", "clients near ap-northeast-1", "prefers-color-scheme: dark", "&lt;script&gt;", "own/1/1", "12ms"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in the page", want)
		}
	}
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1) {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("a picture is not well formed: %v", err)
			}
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Error("a picture has numbers that are none")
		}
	}
	empty := &Report{Regions: []string{"a"}, Title: "nothing"}
	if err := empty.WriteHTML(io.Discard); err != nil {
		t.Errorf("of a drill in which nothing happened: %v", err)
	}
}

// A browser shows the page: it is as high as its content, and more than text is on it.
func TestPageInBrowser(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("there is no browser here: Debian's package is chromium-headless-shell")
	}
	dir := t.TempDir()
	file, shot := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.png")
	var b bytes.Buffer
	if err := sampleReport().WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// No sandbox: a container's root may have none, and the page is our own.
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1200,2600",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--screenshot="+shot, "file://"+file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := os.Open(shot)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	// Colours of the plot: the three regions' lines, failed calls.
	seen := map[[3]uint8]int{}
	for y := 0; y < img.Bounds().Dy(); y++ {
		for x := 0; x < img.Bounds().Dx(); x++ {
			seen[rgb(img, x, y)]++
		}
	}
	for name, c := range map[string][3]uint8{"us-east-1": {0x2a, 0x6f, 0xd6}, "eu-west-1": {0xd9, 0x7a, 0x06}, "ap-northeast-1": {0x7a, 0x52, 0xcc}, "errors": {0xd9, 0x2d, 0x3a}} {
		if seen[c] < 100 {
			t.Errorf("the colour of %s covers %d points", name, seen[c])
		}
	}
}

func rgb(img image.Image, x, y int) [3]uint8 {
	r, g, b, _ := img.At(x, y).RGBA()
	return [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
}
