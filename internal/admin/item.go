package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
)

// itemPage is the answer of /admin/item. Two regions hold the same version of an item iff their pages are equal.
type itemPage struct {
	// Item is null for a remembered delete.
	Item    json.RawMessage `json:"item"`
	Deleted bool            `json:"deleted"` // iff Item is null
	Stamp   crdt.Stamp      `json:"stamp"`
	Context contextPage     `json:"context"`
}

// contextPage says which writes the item has seen: all at or below Floor, and of each origin all up to the stamp in Seen.
type contextPage struct {
	Floor string       `json:"floor"`
	Seen  []crdt.Stamp `json:"seen"`
}

func serveItem(w http.ResponseWriter, r *http.Request, src Source) {
	q := r.URL.Query()
	table, text := q.Get("table"), q.Get("key")
	if table == "" || text == "" {
		writeFailure(w, http.StatusBadRequest, `ask with ?table=NAME&key={"pk":{"S":"x"}}`)
		return
	}
	key, err := parseKey(text)
	if err != nil {
		writeFailure(w, http.StatusBadRequest, "key is not an item key in DynamoDB JSON: %v", err)
		return
	}
	s, err := src.Item(r.Context(), table, key)
	switch {
	case err != nil:
		writeFailure(w, codeOf(err), "%v", err)
	case !s.Found:
		writeFailure(w, http.StatusNotFound, "nothing is stored under this key")
	default:
		writeJSON(w, http.StatusOK, newItemPage(s))
	}
}

func newItemPage(s ItemState) itemPage {
	p := itemPage{
		Item: json.RawMessage("null"), Deleted: s.Item.IsZero(), Stamp: s.Stamp,
		Context: contextPage{Floor: s.Context.Floor().String(), Seen: []crdt.Stamp{}},
	}
	if !p.Deleted {
		p.Item = s.Item.AppendJSON(nil)
	}
	for seen := range s.Context.Seen() {
		p.Context.Seen = append(p.Context.Seen, seen)
	}
	return p
}

// parseKey reads one item and nothing after it.
func parseKey(text string) (item.Item, error) {
	d := jsontext.NewDecoder(strings.NewReader(text))
	key, err := item.ReadItem(d)
	if err != nil {
		return item.Item{}, err
	}
	if key.Len() == 0 {
		return item.Item{}, errors.New("it has no attributes")
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return item.Item{}, errors.New("there is more after the end of the key")
	}
	return key, nil
}

// codeOf chooses the HTTP status for a failed look-up: the asker's doing, or ours.
func codeOf(err error) int {
	var invalid *item.ValidationError
	if errors.As(err, &invalid) {
		return http.StatusBadRequest
	}
	switch fault.KindOf(err) {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.NotFound:
		return http.StatusNotFound
	case fault.ConditionFailed:
		return http.StatusConflict
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
