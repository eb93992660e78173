package catalog

import "maps"

// What a region keeps of a table, and of its streams, for tools that manage them, and shows when asked: nothing here changes
// what the region does.

// Resource is a table or one of its streams.
type Resource struct {
	Tags     map[string]string `json:"tags,omitempty"` // of a stream; a table's stand in Local.Tags
	Policy   string            `json:"policy,omitempty"`
	Revision string            `json:"revision,omitempty"` // of the policy; empty: there is none
}

// Insights is the setting of Contributor Insights of a table or a global index.
type Insights struct {
	Enabled   bool   `json:"enabled,omitempty"`
	Mode      string `json:"mode,omitempty"`
	ChangedAt int64  `json:"changedAt,omitempty"` // unix ms
}

// SetResource replaces what is kept of a stream, by its label, or of the table itself, "".
func (l *Local) SetResource(label string, r Resource) {
	all := maps.Clone(l.Resources)
	if all == nil {
		all = map[string]Resource{}
	}
	all[label] = r
	maps.DeleteFunc(all, func(label string, r Resource) bool {
		return len(r.Tags) == 0 && r.Revision == "" || label != "" && StreamIn(l.Streams, label) == nil // trimmed since
	})
	l.Resources = all
}

// SetInsights replaces a setting, of a global index by its name, of the table by "".
func (l *Local) SetInsights(index string, i Insights) {
	all := maps.Clone(l.Insights)
	if all == nil {
		all = map[string]Insights{}
	}
	all[index] = i
	l.Insights = all
}
