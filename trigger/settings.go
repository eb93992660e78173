package trigger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridiandb/meridian/trigger/batch"
	"github.com/meridiandb/meridian/trigger/filter"
)

// Settings are what a trigger's owner chose: the fields of Lambda's mapping, and ours. They are stored as JSON in the table's
// description (catalog.Trigger.Spec).
type Settings struct {
	Function string `json:"function"` // a name, an ARN, or the URL of a sink of CloudEvents
	Enabled  bool   `json:"enabled"`

	BatchSize      int      `json:"batchSize"`
	Window         int      `json:"window"` // MaximumBatchingWindowInSeconds
	Position       string   `json:"position"`
	Timestamp      float64  `json:"timestamp,omitempty"` // unix seconds, of AT_TIMESTAMP
	Lanes          int      `json:"lanes"`               // ParallelizationFactor
	Age            int      `json:"age"`                 // MaximumRecordAgeInSeconds, -1: no bound
	Retries        int      `json:"retries"`             // MaximumRetryAttempts, -1: no bound
	Bisect         bool     `json:"bisect,omitempty"`
	ReportFailures bool     `json:"reportFailures,omitempty"` // FunctionResponseTypes has ReportBatchItemFailures
	Filters        []string `json:"filters,omitempty"`
	OnFailure      string   `json:"onFailure,omitempty"`

	// Ours. Endpoint is where the function is called, "" where the region that runs the trigger was told (Options.Endpoint);
	// Timeout is in seconds, 0 DefaultTimeout; Mode is that of a sink.
	Endpoint string `json:"endpoint,omitempty"`
	Timeout  int    `json:"timeout,omitempty"`
	Mode     string `json:"mode,omitempty"`
}

// Values of Settings.
const (
	trimHorizon = "TRIM_HORIZON"
	latest      = "LATEST"
	atTimestamp = "AT_TIMESTAMP"

	reportBatchItemFailures = "ReportBatchItemFailures"

	modeBinary     = "binary"
	modeStructured = "structured"
	modeBatch      = "batch"
)

// DefaultTimeout is how long a function may take. Lambda's functions end after 3 seconds unless told otherwise, and after 15
// minutes at the latest.
const (
	DefaultTimeout = time.Minute
	maxTimeout     = 900 // seconds
)

// MaxPayload is the most that a function is called with at once.
const MaxPayload = 6 << 20

// buffered bounds what a shard holds of records under way, besides one batch: four of them are open at a time.
const buffered = 8 << 20

func defaultSettings() Settings {
	return Settings{Enabled: true, BatchSize: 100, Lanes: 1, Age: -1, Retries: -1}
}

// check refuses what cannot be. The ranges are DYNAMODB.md's, 13.1.
func (s *Settings) check(files bool) error {
	for _, f := range []struct {
		name          string
		value, lo, hi int
	}{
		{"BatchSize", s.BatchSize, 1, 10_000},
		{"MaximumBatchingWindowInSeconds", s.Window, 0, 300},
		{"ParallelizationFactor", s.Lanes, 1, 10},
		{"MaximumRetryAttempts", s.Retries, -1, 10_000},
		{"MaximumRecordAgeInSeconds", s.Age, -1, 604_800},
		{"Timeout", s.Timeout, 0, maxTimeout},
	} {
		if f.value < f.lo || f.value > f.hi {
			return invalid("%s is %d and must be between %d and %d", f.name, f.value, f.lo, f.hi)
		}
	}
	if s.Age >= 0 && s.Age < 60 {
		return invalid("MaximumRecordAgeInSeconds is %d and must be -1, or 60 at least", s.Age)
	}
	if err := s.checkPosition(); err != nil {
		return err
	}
	if len(s.Filters) > 10 {
		return invalid("FilterCriteria has more than 10 filters")
	}
	if _, err := s.patterns(); err != nil {
		return err
	}
	if err := checkDestination(s.OnFailure, files); err != nil {
		return err
	}
	return s.checkTarget()
}

func (s *Settings) checkPosition() error {
	switch s.Position {
	case trimHorizon, latest:
		if s.Timestamp != 0 {
			return invalid("StartingPositionTimestamp goes with StartingPosition AT_TIMESTAMP")
		}
	case atTimestamp:
		if s.Timestamp <= 0 || s.Timestamp > 1e11 {
			return invalid("StartingPosition AT_TIMESTAMP needs a StartingPositionTimestamp in seconds since 1970")
		}
	case "":
		return invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
	default:
		return invalid("StartingPosition %q is none of TRIM_HORIZON, LATEST, AT_TIMESTAMP", s.Position)
	}
	return nil
}

func (s *Settings) checkTarget() error {
	if s.Function == "" {
		return invalid("FunctionName is missing")
	}
	if s.Endpoint != "" && !isURL(s.Endpoint) {
		return invalid("the endpoint %q is no http or https URL", s.Endpoint)
	}
	if !s.isSink() {
		if s.Mode != "" {
			return invalid("a mode is for sinks of CloudEvents: the function is a URL then")
		}
		_, _, err := functionName(s.Function)
		return err
	}
	if s.ReportFailures {
		return invalid("FunctionResponseTypes is for functions: a sink of CloudEvents answers by its status")
	}
	if s.Endpoint != "" {
		return invalid("a sink has no endpoint besides its URL")
	}
	if s.Mode != "" && !slices.Contains([]string{modeBinary, modeStructured, modeBatch}, s.Mode) {
		return invalid("the mode %q is none of binary, structured, batch", s.Mode)
	}
	return nil
}

// isSink reports whether the function is the URL of a sink of CloudEvents.
func (s *Settings) isSink() bool { return isURL(s.Function) }

// functionName finds name and qualifier in NAME, NAME:QUALIFIER, ACCOUNT:function:NAME, or a whole ARN.
func functionName(f string) (name, qualifier string, err error) {
	if _, after, ok := strings.Cut(f, ":function:"); ok {
		f = after
	}
	name, qualifier, _ = strings.Cut(f, ":")
	bad := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '$' || r == '.')
		})
	}
	if name == "" || len(name) > 140 || bad(name) || bad(qualifier) {
		return "", "", invalid("FunctionName %q is no function's name or ARN", f)
	}
	return name, qualifier, nil
}

func (s *Settings) patterns() ([]*filter.Pattern, error) {
	var all []*filter.Pattern
	for _, text := range s.Filters {
		p, err := filter.Parse(text)
		if err != nil {
			return nil, invalid("Invalid filter pattern definition: %v: %.200s", err, text)
		}
		all = append(all, p)
	}
	return all, nil
}

func (s *Settings) timeout(or time.Duration) time.Duration {
	if s.Timeout > 0 {
		return time.Duration(s.Timeout) * time.Second
	}
	return or
}

func (s *Settings) batching() batch.Options {
	o := batch.Options{
		Lanes: s.Lanes, Size: s.BatchSize, Bytes: MaxPayload - len(payloadHead) - len(payloadTail), Bisect: s.Bisect,
		Window: time.Duration(s.Window) * time.Second, Retries: s.Retries, Buffered: MaxPayload + buffered,
	}
	if s.Age > 0 {
		o.Age = time.Duration(s.Age) * time.Second
	}
	return o
}

func (s *Settings) encode() json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a plain struct; a timestamp was checked to be finite
	}
	return b
}

func decodeSettings(b json.RawMessage) (s Settings, err error) {
	if err = json.Unmarshal(b, &s); err != nil {
		err = fmt.Errorf("the trigger's settings cannot be read: %w", err)
	}
	return s, err
}
