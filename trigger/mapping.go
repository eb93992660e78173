package trigger

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/catalog"
)

// Mapping is a trigger as Lambda's API describes it (EventSourceMappingConfiguration).
type Mapping struct {
	UUID                           string
	EventSourceMappingArn          string
	EventSourceArn                 string
	FunctionArn                    string
	State                          string
	StateTransitionReason          string
	LastProcessingResult           string
	LastModified                   float64
	BatchSize                      int
	MaximumBatchingWindowInSeconds int
	StartingPosition               string
	StartingPositionTimestamp      float64 `json:",omitempty"`
	ParallelizationFactor          int
	MaximumRecordAgeInSeconds      int
	MaximumRetryAttempts           int
	BisectBatchOnFunctionError     bool
	TumblingWindowInSeconds        int
	FunctionResponseTypes          []string
	FilterCriteria                 *filterCriteria `json:",omitempty"`
	DestinationConfig              destinationConfig
}

// userAction is why a state changed: nobody else changes it.
const userAction = "User action"

func (m *Manager) functionARN(f string) string {
	if isURL(f) || strings.HasPrefix(f, "arn:") {
		return f
	}
	if account, name, ok := strings.Cut(f, ":function:"); ok {
		return "arn:aws:lambda:" + m.name + ":" + account + ":function:" + name
	}
	return "arn:aws:lambda:" + m.name + ":" + m.o.AccountID + ":function:" + f
}

// describe shows a trigger. st is what the region that runs it says, which may be of earlier settings.
func (m *Manager) describe(t region.Trigger, st status) (Mapping, error) {
	s, err := decodeSettings(t.Spec)
	if err != nil {
		return Mapping{}, err
	}
	d := Mapping{
		UUID: t.ID, EventSourceMappingArn: "arn:aws:lambda:" + m.name + ":" + m.o.AccountID + ":event-source-mapping:" + t.ID,
		FunctionArn: m.functionARN(s.Function), State: t.Doing, StateTransitionReason: userAction,
		LastProcessingResult: cmp.Or(st.Result, noResult), LastModified: float64(t.Modified) / 1000,
		BatchSize: s.BatchSize, MaximumBatchingWindowInSeconds: s.Window, StartingPosition: s.Position, StartingPositionTimestamp: s.Timestamp,
		ParallelizationFactor: s.Lanes, MaximumRecordAgeInSeconds: s.Age, MaximumRetryAttempts: s.Retries,
		BisectBatchOnFunctionError: s.Bisect, FunctionResponseTypes: []string{},
		DestinationConfig: destinationConfig{OnFailure: &destinationOf{s.OnFailure}},
	}
	d.EventSourceArn = m.streamARN(region.StreamName{Table: t.Name, Label: t.Stream})
	if name, err := m.o.Source.StreamOf(t.Table, t.Stream); err == nil {
		d.EventSourceArn = m.streamARN(name)
	}
	if st.Revision >= t.Revision {
		d.State = "Disabled"
		if s.Enabled {
			d.State = "Enabled"
		}
	}
	if s.ReportFailures {
		d.FunctionResponseTypes = []string{reportBatchItemFailures}
	}
	if len(s.Filters) > 0 {
		d.FilterCriteria = new(filterCriteria)
		for _, p := range s.Filters {
			d.FilterCriteria.Filters = append(d.FilterCriteria.Filters, filterPattern{p})
		}
	}
	return d, nil
}

// find returns a trigger as the catalog has it now.
func (m *Manager) find(id string) (region.Trigger, error) {
	all, _ := m.o.Source.Triggers()
	i := slices.IndexFunc(all, func(t region.Trigger) bool { return t.ID == id })
	if i < 0 {
		return region.Trigger{}, errNotFound()
	}
	return all[i], nil
}

func (m *Manager) statusOf(id string) (st status) {
	if u := m.unit(id); u != nil {
		u.mu.Lock()
		defer u.mu.Unlock()
		st = u.status
	}
	return st
}

// Get describes a trigger.
func (m *Manager) Get(id string) (Mapping, error) {
	t, err := m.find(id)
	if err != nil {
		return Mapping{}, err
	}
	return m.describe(t, m.statusOf(id))
}

// source finds what a request is about.
func (m *Manager) source(r request) (n region.StreamName, err error) {
	if r.EventSourceArn == nil {
		return n, invalid("EventSourceArn is missing: the ARN of the stream")
	}
	arn := *r.EventSourceArn
	where, account, table, label, err := parseStreamARN(arn)
	switch {
	case err != nil:
		return n, errUnrecognized(arn)
	case where != m.name || account != m.o.AccountID:
		return n, invalid("the stream %s is not of this region, %s of account %s", arn, m.name, m.o.AccountID)
	}
	return region.StreamName{Table: table, Label: label}, nil
}

// create makes a trigger under an id, run by this region: s with what the request asks for.
func (m *Manager) create(ctx context.Context, id string, r request, s Settings) (Mapping, error) {
	name, err := m.source(r)
	if err != nil {
		return Mapping{}, err
	}
	if err := r.change(&s); err != nil {
		return Mapping{}, err
	}
	if err := s.check(m.o.Files != ""); err != nil {
		return Mapping{}, err
	}
	table, ref, err := m.o.Source.StreamRef(name)
	if err != nil {
		return Mapping{}, invalid("Stream not found: %s", *r.EventSourceArn)
	}
	if _, err := m.target(s, *r.EventSourceArn, name.Table); err != nil {
		return Mapping{}, err
	}
	t := catalog.Trigger{ID: id, Stream: ref, Function: m.identity(s.Function), Spec: s.encode(), Doing: "Creating", Region: m.name}
	if s.Position == latest {
		if t.Start, err = m.start(ctx); err != nil {
			return Mapping{}, err
		}
	}
	if err := m.o.Source.ChangeTriggers(ctx, table, catalog.TriggerChange{Create: &t}); err != nil {
		return Mapping{}, conflictOf(err, *r.EventSourceArn, s.Function)
	}
	return m.answer(id, "Creating")
}

// identity is what makes two triggers of a stream the same: the function however it was named, in whatever region.
func (m *Manager) identity(f string) string {
	if isURL(f) {
		return f
	}
	name, qualifier, _ := functionName(f) // checked before
	return strings.TrimSuffix(name+":"+qualifier, ":")
}

// start is what had been written by now, and where this region begins.
func (m *Manager) start(ctx context.Context) (vector, error) {
	after, _ := m.o.Source.LogEnd()
	seen, err := m.o.Source.Seen(ctx)
	if err != nil {
		return nil, err
	}
	v := vectorOf(seen)
	m.seenMu.Lock()
	defer m.seenMu.Unlock()
	m.seen.add(mark{after, v})
	return v, nil
}

func conflictOf(err error, arn, function string) error {
	if fault.KindOf(err) != fault.Exists {
		return err
	}
	return &apiError{"ResourceConflictException", 409, "The event source arn (\" " + arn + " \") and function (\" " + function +
		" \") provided mapping already exists. Please update or delete the existing mapping with UUID " + err.Error()}
}

// answer describes a trigger that was just changed.
func (m *Manager) answer(id, state string) (Mapping, error) {
	signal(m.kick)
	t, err := m.find(id)
	if err != nil {
		return Mapping{}, err
	}
	d, err := m.describe(t, m.statusOf(id))
	d.State = state
	return d, err
}

// update changes what the request names.
func (m *Manager) update(ctx context.Context, id string, r request) (Mapping, error) {
	t, err := m.find(id)
	if err != nil {
		return Mapping{}, err
	}
	s, err := decodeSettings(t.Spec)
	if err != nil {
		return Mapping{}, err
	}
	was := s
	r.StartingPosition, r.StartingPositionTimestamp = nil, nil // Lambda's update has none either
	if err := r.change(&s); err != nil {
		return Mapping{}, err
	}
	return m.put(ctx, t, was, s)
}

// put gives a trigger other settings.
func (m *Manager) put(ctx context.Context, t region.Trigger, was, s Settings) (Mapping, error) {
	if err := s.check(m.o.Files != "" || s.OnFailure == was.OnFailure); err != nil {
		return Mapping{}, err
	}
	doing := "Updating"
	switch {
	case s.Enabled && !was.Enabled:
		doing = "Enabling"
	case !s.Enabled && was.Enabled:
		doing = "Disabling"
	}
	n := catalog.Trigger{ID: t.ID, Function: m.identity(s.Function), Spec: s.encode(), Doing: doing}
	if err := m.o.Source.ChangeTriggers(ctx, t.Table, catalog.TriggerChange{Update: &n}); err != nil {
		return Mapping{}, conflictOf(err, m.streamARN(region.StreamName{Table: t.Name, Label: t.Stream}), s.Function)
	}
	return m.answer(t.ID, doing)
}

// delete removes a trigger; it is described as it was.
func (m *Manager) delete(ctx context.Context, id string) (Mapping, error) {
	t, err := m.find(id)
	if err != nil {
		return Mapping{}, err
	}
	d, err := m.describe(t, m.statusOf(id))
	if err != nil {
		return Mapping{}, err
	}
	d.State = "Deleting"
	if err := m.o.Source.ChangeTriggers(ctx, t.Table, catalog.TriggerChange{Delete: id}); err != nil {
		return Mapping{}, err
	}
	signal(m.kick)
	return d, nil
}

// query chooses mappings to list.
type query struct {
	stream, function string // "": all
	after            string // UUID
	limit            int
}

// pageSize is the most mappings in one answer.
const pageSize = 100

// page describes triggers in the order of their UUIDs; next is empty when there are no more.
func (m *Manager) page(q query) (all []Mapping, next string, err error) {
	triggers, _ := m.o.Source.Triggers()
	slices.SortFunc(triggers, func(a, b region.Trigger) int { return cmp.Compare(a.ID, b.ID) })
	limit := pageSize
	if q.limit > 0 {
		limit = min(q.limit, pageSize)
	}
	all = []Mapping{}
	for _, t := range triggers {
		if t.ID <= q.after {
			continue
		}
		d, err := m.describe(t, m.statusOf(t.ID))
		if err != nil {
			return nil, "", err
		}
		if q.stream != "" && q.stream != d.EventSourceArn || q.function != "" && m.identity(q.function) != t.Function {
			continue
		}
		if len(all) == limit {
			return all, all[limit-1].UUID, nil
		}
		all = append(all, d)
	}
	return all, "", nil
}
