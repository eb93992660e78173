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

// FaultChange puts a fault on the way from the region that is asked to another; without one, it heals that way.
type FaultChange struct {
	To    string    `json:"to"`
	Fault wan.Fault `json:"fault"`
}

// maxFault is more than a FaultChange takes.
const maxFault = 4 << 10

// addFaults serves /admin/faults: GET lists, POST changes one, DELETE heals all.
func addFaults(mux *http.ServeMux, o Options) {
	if o.Faults == nil {
		mux.HandleFunc("/admin/faults", func(w http.ResponseWriter, _ *http.Request) {
			writeFailure(w, http.StatusForbidden, "this region was not started with --allow-faults")
		})
		return
	}
	mux.HandleFunc("GET /admin/faults", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, o.Faults.Faults())
	})
	mux.HandleFunc("DELETE /admin/faults", func(w http.ResponseWriter, _ *http.Request) {
		o.Faults.Heal()
		writeJSON(w, http.StatusOK, o.Faults.Faults())
	})
	mux.HandleFunc("POST /admin/faults", func(w http.ResponseWriter, r *http.Request) { changeFault(w, r, o) })
}

func changeFault(w http.ResponseWriter, r *http.Request, o Options) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxFault))
	d.DisallowUnknownFields()
	var ch FaultChange
	if err := d.Decode(&ch); err != nil {
		writeFailure(w, http.StatusBadRequest, "the fault cannot be read: %v", err)
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
