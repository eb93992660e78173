package tail

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Record is one change. Raw is the record as the endpoint sent it.
type Record struct {
	EventName string `json:"eventName"`
	AWSRegion string `json:"awsRegion"`
	Change    struct {
		Created        float64 `json:"ApproximateCreationDateTime"` // unix seconds
		Keys           image
		NewImage       image
		OldImage       image
		SequenceNumber string
	} `json:"dynamodb"`
	UserIdentity *struct{ Type string } `json:"userIdentity"`

	Raw json.RawMessage `json:"-"`
}

// image is attributes in DynamoDB JSON.
type image map[string]json.RawMessage

func readRecord(raw json.RawMessage) (*Record, error) {
	r := &Record{Raw: raw}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, fmt.Errorf("a record cannot be read: %w", err)
	}
	return r, nil
}

// Filter says which changes are shown. The zero Filter shows all.
type Filter struct {
	Events []string          // INSERT, MODIFY, REMOVE; none: all
	Keys   map[string]string // key attributes and the text of their values
}

// Shows reports whether a change passes.
func (f Filter) Shows(r *Record) bool {
	if len(f.Events) > 0 && !slices.Contains(f.Events, r.EventName) {
		return false
	}
	for name, want := range f.Keys {
		v, ok := r.Change.Keys[name]
		if !ok || plain(v) != want {
			return false
		}
	}
	return true
}

// Text is the change in one line: when, what, which item, and how its attributes changed.
//
//	15:04:05 MODIFY artist=Nina Simone song=Sinnerman: minutes 10 → 11, + label "Philips", - draft
func (r *Record) Text() string {
	var b strings.Builder
	b.WriteString(time.UnixMilli(int64(r.Change.Created * 1000)).Format(time.TimeOnly))
	b.WriteString(" " + r.EventName)
	for _, name := range slices.Sorted(maps.Keys(r.Change.Keys)) {
		b.WriteString(" " + name + "=" + plain(r.Change.Keys[name]))
	}
	if d := r.differences(); len(d) > 0 {
		b.WriteString(": " + strings.Join(d, ", "))
	}
	if r.UserIdentity != nil && r.UserIdentity.Type == "Service" {
		b.WriteString(" (expired)")
	}
	return b.String()
}

// differences says what happened to each attribute beside the key, as far as the stream's view shows it.
func (r *Record) differences() []string {
	names := map[string]bool{}
	for name := range r.Change.NewImage {
		names[name] = true
	}
	for name := range r.Change.OldImage {
		names[name] = true
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if _, key := r.Change.Keys[name]; key {
			continue
		}
		before, had := r.Change.OldImage[name]
		now, has := r.Change.NewImage[name]
		switch {
		case had && has && string(before) == string(now):
		case had && has:
			out = append(out, name+" "+shown(before)+" → "+shown(now))
		case has:
			out = append(out, "+ "+name+" "+shown(now))
		case r.EventName != "REMOVE":
			out = append(out, "- "+name)
		}
	}
	return out
}

// maxShown bounds a value in a line of text.
const maxShown = 60

// shown is a value for reading: a number or true as it is, a string in quotes, all else as JSON.
func shown(v json.RawMessage) string {
	s := string(v)
	var one map[string]any
	if json.Unmarshal(v, &one) == nil && len(one) == 1 {
		for kind, x := range one {
			switch x := x.(type) {
			case string:
				s = x
				if kind == "S" {
					s = fmt.Sprintf("%q", x)
				}
			case bool:
				s = fmt.Sprint(x)
				if kind == "NULL" {
					s = "null"
				}
			}
		}
	}
	if r := []rune(s); len(r) > maxShown {
		s = string(r[:maxShown-1]) + "…"
	}
	return s
}

// plain is a key's value without its type.
func plain(v json.RawMessage) string {
	var one map[string]string
	if json.Unmarshal(v, &one) == nil {
		for _, x := range one {
			return x
		}
	}
	return string(v)
}
