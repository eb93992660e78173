package main

import (
	"time"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/region"
)

// floorFigures says what tables remember of deletes, what that costs, and who holds back that they are forgotten.
func floorFigures(s region.Stats, now time.Time) []admin.Figure {
	figures := []admin.Figure{
		{Name: "deletes_forgotten_total", Help: "Remembered deletes that went.", Value: float64(s.Forgotten), Counter: true},
		{Name: "relayed_commits_total", Help: "Commits of regions that cannot be heard, taken from another region's log.",
			Value: float64(s.Relayed), Counter: true},
	}
	gauge := func(name, help string, v float64, labels ...string) {
		figures = append(figures, admin.Figure{Name: name, Help: help, Value: v, Labels: labels})
	}
	age := func(ms int64) float64 { return max(0, now.Sub(time.UnixMilli(ms)).Seconds()) }
	for _, f := range s.Floors {
		if f.Floor > 0 {
			gauge("floor_age_seconds", "Deletes older than that are forgotten; absent while none are.", age(f.Floor.Millis()), "table", f.Table)
		}
		if f.Known {
			gauge("deletes_remembered", "Deletes that a table remembered when it was looked last.", float64(f.Remembered.Kept), "table", f.Table)
			gauge("deletes_remembered_bytes", "Their bytes.", float64(f.Remembered.Bytes), "table", f.Table)
			if f.Remembered.Oldest > 0 {
				gauge("deletes_oldest_seconds", "Age of the oldest of them.", age(f.Remembered.Oldest.Millis()), "table", f.Table)
			}
		}
		for _, region := range holders(f.HeldBack) {
			gauge("floor_held_back", "1 for each region that holds back that a table's deletes are forgotten.", 1, "table", f.Table, "by", region)
		}
	}
	return figures
}

// holders lists the regions of some reasons once each. They are in order.
func holders(all []region.HoldingBack) (names []string) {
	for _, h := range all {
		if len(names) == 0 || names[len(names)-1] != h.Region {
			names = append(names, h.Region)
		}
	}
	return names
}
