package main

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/meridiandb/meridian/replication"
)

// repairLine is a line of the answer to POST /admin/repair: a round so far or at its end, or the end of it all. An answer
// without an end was cut off.
type repairLine struct {
	*replication.RepairReport
	End   bool   `json:"end,omitempty"`
	Error string `json:"failure,omitempty"` // with End: nothing could be done at all
}

// lineWait is how long a reader of the answer may take for a line.
const lineWait = 30 * time.Second

// withRepair adds the pages that meridian repair, takeover, expel and aside ask to the admin pages. As with theirs, pages of another origin may
// not.
func withRepair(pages http.Handler, n *node) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	guard := http.NewCrossOriginProtection()
	mux.Handle("POST /admin/repair", guard.Handler(http.HandlerFunc(n.serveRepair)))
	mux.Handle("POST /admin/takeover", guard.Handler(http.HandlerFunc(n.serveTakeOver)))
	mux.Handle("POST /admin/expel", guard.Handler(http.HandlerFunc(n.serveExpel)))
	mux.HandleFunc("GET /admin/aside", n.serveAside)
	mux.Handle("DELETE /admin/aside", guard.Handler(http.HandlerFunc(n.serveDiscard)))
	return mux
}

// serveRepair compares and mends, and tells line by line (JSON) what it does. It ends when its asker goes.
func (n *node) serveRepair(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	scrub, err := strconv.ParseBool(cmp.Or(query.Get("scrub"), "false"))
	if err != nil {
		http.Error(w, "scrub is true or false", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	tell := func(l repairLine) {
		b, err := json.Marshal(l)
		if err == nil {
			_ = out.SetWriteDeadline(time.Now().Add(lineWait)) // where it cannot be set, the server's own holds
			_, err = w.Write(append(b, '\n'))
		}
		if err == nil {
			_ = out.Flush() // a reader that went away ends the request's context
		}
	}
	end := repairLine{End: true}
	err = n.replication.Repair(r.Context(), replication.RepairRequest{
		Table: query.Get("table"), Peer: query.Get("peer"), Scrub: scrub,
	}, func(report replication.RepairReport) { tell(repairLine{RepairReport: &report}) })
	if err != nil {
		end.Error = oneLine(err)
	}
	tell(end)
}
