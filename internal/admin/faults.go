package admin

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/meridiandb/meridian/internal/wan"
)

// Faults is the simulated network that a region sends by.
type Faults interface {
	Faults() map[string]wan.Fault
	Set(to string, f wan.Fault)
	Heal()
}

// Trouble is what else can be wrong with a region on purpose.
type Trouble interface {
	ClockFault() wan.ClockFault
	SetClock(wan.ClockFault)
	DiskFull() bool
	SetDiskFull(full bool)
}

// DiskFault is what /admin/faults/disk takes and shows: whether the disk counts as full.
type DiskFault struct {
	Full bool `json:"full"`
}

// FaultChange puts a fault on the way from the region that is asked to another; without one, it heals that way.
type FaultChange struct {
	To    string    `json:"to"`
	Fault wan.Fault `json:"fault"`
}

// maxFault is more than a FaultChange takes.
const maxFault = 4 << 10

// addFaults serves /admin/faults: GET lists those of links, POST changes one, DELETE heals them all, clock and disk too.
// /admin/faults/clock and /admin/faults/disk show by GET and change by POST.
func addFaults(mux *http.ServeMux, o Options) {
	if o.Faults == nil {
		refuse := func(w http.ResponseWriter, _ *http.Request) {
			writeFailure(w, http.StatusForbidden, "this region was not started with --allow-faults")
		}
		mux.HandleFunc("/admin/faults", refuse)
		mux.HandleFunc("/admin/faults/", refuse)
		return
	}
	if o.Trouble != nil {
		addTrouble(mux, o.Trouble)
	}
	mux.HandleFunc("GET /admin/faults", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, o.Faults.Faults())
	})
	mux.HandleFunc("DELETE /admin/faults", func(w http.ResponseWriter, _ *http.Request) {
		o.Faults.Heal()
		if o.Trouble != nil {
			o.Trouble.SetClock(wan.ClockFault{})
			o.Trouble.SetDiskFull(false)
		}
		writeJSON(w, http.StatusOK, o.Faults.Faults())
	})
	mux.HandleFunc("POST /admin/faults", func(w http.ResponseWriter, r *http.Request) { changeFault(w, r, o) })
}

func addTrouble(mux *http.ServeMux, t Trouble) {
	mux.HandleFunc("GET /admin/faults/clock", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, t.ClockFault()) })
	mux.HandleFunc("POST /admin/faults/clock", func(w http.ResponseWriter, r *http.Request) {
		var f wan.ClockFault
		if !readFault(w, r, &f) {
			return
		}
		if err := f.Check(); err != nil {
			writeFailure(w, http.StatusBadRequest, "%v", err)
			return
		}
		t.SetClock(f)
		writeJSON(w, http.StatusOK, t.ClockFault())
	})
	disk := func() DiskFault { return DiskFault{t.DiskFull()} }
	mux.HandleFunc("GET /admin/faults/disk", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, disk()) })
	mux.HandleFunc("POST /admin/faults/disk", func(w http.ResponseWriter, r *http.Request) {
		var f DiskFault
		if readFault(w, r, &f) {
			t.SetDiskFull(f.Full)
			writeJSON(w, http.StatusOK, disk())
		}
	})
}

// readFault reads what a fault is to be; if it cannot be read, that is the answer.
func readFault(w http.ResponseWriter, r *http.Request, to any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxFault))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		writeFailure(w, http.StatusBadRequest, "the fault cannot be read: %v", err)
		return false
	}
	return true
}

func changeFault(w http.ResponseWriter, r *http.Request, o Options) {
	var ch FaultChange
	if !readFault(w, r, &ch) {
		return
	}
	if err := ch.Fault.Check(); err != nil {
		writeFailure(w, http.StatusBadRequest, "%v", err)
		return
	}
	if !slices.ContainsFunc(o.Source.Status().Peers, func(p Peer) bool { return p.Region == ch.To }) {
		writeFailure(w, http.StatusNotFound, "this region knows no region %q to break the way to", ch.To)
		return
	}
	o.Faults.Set(ch.To, ch.Fault)
	writeJSON(w, http.StatusOK, o.Faults.Faults())
}
