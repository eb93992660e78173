package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// ConflictSource answers for the conflict feed of one running region. All methods may be called at the same time.
type ConflictSource interface {
	// Conflicts lists a page. A *fault.Error of kind NotFound or Invalid is the asker's doing.
	Conflicts(ctx context.Context, q ConflictQuery) (ConflictPage, error)
	// RestoreConflict writes back what a write that lost had written, and returns the item as it is then. It fails with
	// fault.ConditionFailed if the winner is not what stands there any more.
	RestoreConflict(ctx context.Context, table string, key item.Item, write crdt.Stamp) (item.Item, error)
}

// ConflictQuery says which conflicts to list.
type ConflictQuery struct {
	Table        string     // empty: all
	Key          item.Item  // zero: all; needs Table
	Write        crdt.Stamp // the one that lost; zero: all
	Since, Until time.Time  // of the write that lost; zero: no bound. Until is not included
	From         string     // go on where a page ended
	Limit        int        // > 0
}

// ConflictPage is a piece of the feed. Next is where to go on, empty at the end.
type ConflictPage struct {
	Conflicts []Conflict `json:"conflicts"`
	Next      string     `json:"next,omitempty"`
	// Feeds lists the feeds that have dropped conflicts, by table.
	Feeds map[string]ConflictFeed `json:"feeds,omitempty"`
}

// ConflictFeed says what a table's feed no longer has: writes before Floor, Dropped of which it had.
type ConflictFeed struct {
	Floor   time.Time `json:"floor"`
	Dropped uint64    `json:"dropped"`
}

// Conflict is one write that lost.
type Conflict struct {
	Table  string          `json:"table"`
	Key    json.RawMessage `json:"key"`
	Lost   ConflictWrite   `json:"lost"`
	Winner ConflictWrite   `json:"winner"`
	// Attributes are those that lost, with what the loser wrote to them, null if it removed one; absent if all of it lost.
	Attributes map[string]json.RawMessage `json:"attributes,omitempty"`
	Base       crdt.Stamp                 `json:"base,omitzero"` // what the loser replaced, as far as known
	Reason     string                     `json:"reason"`
	Policy     string                     `json:"policy"`
	Noted      time.Time                  `json:"noted"` // when a region first saw it
}

// ConflictWrite is one side of a conflict. Item is null for a delete.
type ConflictWrite struct {
	Write  crdt.Stamp      `json:"write"`
	Region string          `json:"region"`
	Time   time.Time       `json:"time"`
	Item   json.RawMessage `json:"item"`
}

// ConflictCount counts conflicts of a table under one policy, in which a region's write lost to another's.
type ConflictCount struct {
	Table  string `json:"table"`
	Policy string `json:"policy"`
	Loser  string `json:"loser"`
	Winner string `json:"winner"`
	Count  uint64 `json:"count"`
}

// NewConflictWrite describes a side.
func NewConflictWrite(s crdt.Stamp, it item.Item) ConflictWrite {
	return ConflictWrite{s, s.Origin.Region, time.UnixMilli(s.Time.Millis()).UTC(), itemJSON(it)}
}

func itemJSON(it item.Item) json.RawMessage {
	if it.IsZero() {
		return json.RawMessage("null")
	}
	return it.AppendJSON(nil)
}

const (
	defaultConflicts = 100
	maxConflicts     = 1000
)

func addConflicts(mux *http.ServeMux, src ConflictSource) {
	mux.HandleFunc("GET /admin/conflicts", func(w http.ResponseWriter, r *http.Request) { serveConflicts(w, r, src) })
	mux.HandleFunc("POST /admin/conflicts/restore", func(w http.ResponseWriter, r *http.Request) { serveRestore(w, r, src) })
}

func serveConflicts(w http.ResponseWriter, r *http.Request, src ConflictSource) {
	q, err := readConflictQuery(r)
	if err != nil {
		writeFailure(w, http.StatusBadRequest, "%v", err)
		return
	}
	page, err := src.Conflicts(r.Context(), q)
	if err != nil {
		writeFailure(w, codeOf(err), "%v", err)
		return
	}
	if page.Conflicts == nil {
		page.Conflicts = []Conflict{}
	}
	writeJSON(w, http.StatusOK, page)
}

func readConflictQuery(r *http.Request) (q ConflictQuery, err error) {
	form := r.URL.Query()
	q = ConflictQuery{Table: form.Get("table"), From: form.Get("from"), Limit: defaultConflicts}
	if text := form.Get("limit"); text != "" {
		if q.Limit, err = strconv.Atoi(text); err != nil || q.Limit < 1 || q.Limit > maxConflicts {
			return q, fmt.Errorf("limit is a number from 1 to %d", maxConflicts)
		}
	}
	if text := form.Get("key"); text != "" {
		if q.Table == "" {
			return q, fmt.Errorf("a key needs a table")
		}
		if q.Key, err = parseKey(text); err != nil {
			return q, fmt.Errorf("key is not an item key in DynamoDB JSON: %w", err)
		}
	}
	if text := form.Get("write"); text != "" {
		if q.Write, err = crdt.ParseStamp(text); err != nil {
			return q, fmt.Errorf("write: %w", err)
		}
	}
	for name, to := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
		if text := form.Get(name); text != "" {
			if *to, err = time.Parse(time.RFC3339, text); err != nil {
				return q, fmt.Errorf("%s is not a time like 2026-01-02T15:04:05Z", name)
			}
		}
	}
	return q, nil
}

// restored is the answer of /admin/conflicts/restore: the item as it is now, null if it was a delete that was restored.
type restored struct {
	Item json.RawMessage `json:"item"`
}

func serveRestore(w http.ResponseWriter, r *http.Request, src ConflictSource) {
	q, err := readConflictQuery(r)
	if err == nil && (q.Table == "" || q.Key.IsZero() || q.Write.IsZero()) {
		err = fmt.Errorf(`ask with ?table=NAME&key={"pk":{"S":"x"}}&write=STAMP`)
	}
	if err != nil {
		writeFailure(w, http.StatusBadRequest, "%v", err)
		return
	}
	it, err := src.RestoreConflict(r.Context(), q.Table, q.Key, q.Write)
	if err != nil {
		writeFailure(w, codeOf(err), "%v", err)
		return
	}
	writeJSON(w, http.StatusOK, restored{itemJSON(it)})
}
