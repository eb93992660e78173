package trigger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// request is what CreateEventSourceMapping and UpdateEventSourceMapping ask for. A nil field was not given.
type request struct {
	EventSourceArn                 *string
	FunctionName                   *string
	Enabled                        *bool
	BatchSize                      *int
	MaximumBatchingWindowInSeconds *int
	StartingPosition               *string
	StartingPositionTimestamp      *float64
	ParallelizationFactor          *int
	MaximumRecordAgeInSeconds      *int
	MaximumRetryAttempts           *int
	BisectBatchOnFunctionError     *bool
	TumblingWindowInSeconds        *int
	FunctionResponseTypes          *[]string
	FilterCriteria                 *filterCriteria
	DestinationConfig              *destinationConfig
	Tags                           map[string]string
}

type filterCriteria struct {
	Filters []filterPattern `json:",omitempty"`
}

type filterPattern struct{ Pattern string }

type destinationConfig struct {
	OnSuccess *destinationOf `json:",omitempty"`
	OnFailure *destinationOf `json:",omitempty"`
}

type destinationOf struct {
	Destination string `json:",omitempty"`
}

// unsupported are members of Lambda's requests that are for other sources, or that are not built.
var unsupported = []string{
	"Topics", "Queues", "SourceAccessConfigurations", "SelfManagedEventSource", "AmazonManagedKafkaEventSourceConfig",
	"SelfManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig", "ScalingConfig", "KMSKeyArn", "ProvisionedPollerConfig",
	"MetricsConfig", "LoggingConfig",
}

// Tags by which clients that know only Lambda's fields choose ours, at creation.
const (
	tagEndpoint = "meridian:endpoint"
	tagTimeout  = "meridian:timeout"
	tagMode     = "meridian:mode"
)

// maxRequest bounds the body of a request: ten patterns and some names.
const maxRequest = 1 << 20

func readRequest(body io.Reader) (r request, err error) {
	b, err := io.ReadAll(io.LimitReader(body, maxRequest+1))
	if err != nil {
		return r, err
	}
	if len(b) > maxRequest {
		return r, invalid("the request is larger than 1 MB")
	}
	var members map[string]json.RawMessage
	if len(bytes.TrimSpace(b)) > 0 {
		if err := json.Unmarshal(b, &members); err != nil {
			return r, &apiError{"InvalidRequestContentException", 400, "Could not parse request body into json: " + err.Error()}
		}
		if err := json.Unmarshal(b, &r); err != nil {
			return r, &apiError{"InvalidRequestContentException", 400, "Could not parse request body into json: " + err.Error()}
		}
	}
	for _, name := range unsupported {
		if v, ok := members[name]; ok && !isEmpty(v) {
			return r, invalid("%s is not supported for DynamoDB streams here", name)
		}
	}
	return r, nil
}

// isEmpty reports whether a member says nothing: null, {} or [].
func isEmpty(v json.RawMessage) bool {
	s := strings.Join(strings.Fields(string(v)), "")
	return s == "null" || s == "{}" || s == "[]"
}

// change makes settings what the request asks for.
func (r *request) change(s *Settings) error {
	set(&s.Function, r.FunctionName)
	set(&s.Enabled, r.Enabled)
	set(&s.BatchSize, r.BatchSize)
	set(&s.Window, r.MaximumBatchingWindowInSeconds)
	set(&s.Position, r.StartingPosition)
	set(&s.Timestamp, r.StartingPositionTimestamp)
	set(&s.Lanes, r.ParallelizationFactor)
	set(&s.Age, r.MaximumRecordAgeInSeconds)
	set(&s.Retries, r.MaximumRetryAttempts)
	set(&s.Bisect, r.BisectBatchOnFunctionError)
	if r.TumblingWindowInSeconds != nil && *r.TumblingWindowInSeconds != 0 {
		return invalid("TumblingWindowInSeconds is not supported by Meridian")
	}
	if r.FunctionResponseTypes != nil {
		s.ReportFailures = false
		for _, t := range *r.FunctionResponseTypes {
			if t != reportBatchItemFailures {
				return invalid("FunctionResponseTypes: %q is not ReportBatchItemFailures", t)
			}
			s.ReportFailures = true
		}
	}
	if r.FilterCriteria != nil {
		s.Filters = nil
		for _, f := range r.FilterCriteria.Filters {
			s.Filters = append(s.Filters, f.Pattern)
		}
	}
	if d := r.DestinationConfig; d != nil {
		if d.OnSuccess != nil && d.OnSuccess.Destination != "" {
			return invalid("DestinationConfig.OnSuccess is not for streams")
		}
		s.OnFailure = ""
		if d.OnFailure != nil {
			s.OnFailure = d.OnFailure.Destination
		}
	}
	return r.changeByTags(s)
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (r *request) changeByTags(s *Settings) (err error) {
	for name, value := range r.Tags {
		switch name {
		case tagEndpoint:
			s.Endpoint = value
		case tagMode:
			s.Mode = value
		case tagTimeout:
			if s.Timeout, err = strconv.Atoi(value); err != nil || s.Timeout < 1 {
				return invalid("tag %s: %q is no number of seconds", tagTimeout, value)
			}
		default:
			return invalid("tags of mappings are not supported, except meridian:endpoint, meridian:timeout and meridian:mode; this is %q", name)
		}
	}
	return nil
}

// parseStreamARN finds account, region, table and label in a stream's ARN.
func parseStreamARN(arn string) (region, account, table, label string, err error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) == 6 && parts[0] == "arn" && parts[2] == "dynamodb" {
		name, ok := strings.CutPrefix(parts[5], "table/")
		table, label, found := strings.Cut(name, "/stream/")
		if ok && found && table != "" && label != "" {
			return parts[3], parts[4], table, label, nil
		}
	}
	return "", "", "", "", errors.New("it is no ARN of a DynamoDB stream")
}

func errUnrecognized(arn string) error {
	return invalid("Unrecognized event source, must be a DynamoDB stream. Unsupported source arn: %s", fmt.Sprintf("%.300s", arn))
}
