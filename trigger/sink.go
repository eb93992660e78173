package trigger

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/trigger/batch"
)

// sink takes changes as CloudEvents 1.0 over HTTP: one event a request, its attributes in headers (binary) or beside the data
// (structured), or a batch of structured ones in a request (batch). Its answer is its status.
//
//	id          the record's eventID: the same whenever the change is sent again by one region
//	source      the stream's ARN
//	type        io.meridian.item.insert, .modify, .remove
//	subject     the table
//	time        when it was written
//	sequence    the record's sequence number (an extension; it orders the changes of an item)
//	data        the record as a function gets it
type sink struct {
	client  *http.Client
	url     string
	mode    string
	timeout time.Duration
	stream  string // ARN
	table   string
}

// event is what of a record the attributes need.
type event struct {
	ID   string `json:"eventID"`
	Name string `json:"eventName"`
}

var eventTypes = map[string]string{
	"INSERT": "io.meridian.item.insert", "MODIFY": "io.meridian.item.modify", "REMOVE": "io.meridian.item.remove",
}

func (s *sink) deliver(ctx context.Context, b *batch.Batch) (batch.Outcome, error) {
	if s.mode == modeBatch {
		body := []byte{'['}
		for i := range b.Len() {
			if i > 0 {
				body = append(body, ',')
			}
			body = s.appendStructured(body, b.Record(i))
		}
		return s.post(ctx, append(body, ']'), http.Header{"Content-Type": {"application/cloudevents-batch+json; charset=UTF-8"}})
	}
	for i := range b.Len() {
		r := b.Record(i)
		body, header := r.Body, s.header(r)
		if s.mode == modeStructured {
			body, header = s.appendStructured(nil, r), http.Header{"Content-Type": {"application/cloudevents+json; charset=UTF-8"}}
		}
		out, err := s.post(ctx, body, header)
		if err == nil {
			continue
		}
		if i > 0 { // what was taken is not sent again, whatever is wrong with this one
			out.From = r.Sequence
			if out.Verdict == batch.Failed {
				out.Verdict = batch.Partly
			}
		}
		return out, err
	}
	return batch.Outcome{Reply: batch.Reply{Status: http.StatusOK}}, nil
}

func (s *sink) post(ctx context.Context, body []byte, header http.Header) (batch.Outcome, error) {
	a, err := post(ctx, s.client, s.timeout, s.url, body, header)
	if err != nil {
		return a.outcome(), err
	}
	out := batch.Outcome{Reply: batch.Reply{Status: a.status}}
	switch a.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		out.Verdict = batch.Unavailable
	default:
		if a.status/100 == 2 {
			return out, nil
		}
		out.Verdict = batch.Failed
	}
	return out, fmt.Errorf("the sink answered %d: %.200s", a.status, a.body)
}

func eventOf(r *batch.Record) event {
	var e event
	_ = json.Unmarshal(r.Body, &e) // we wrote it
	return e
}

func eventTime(r *batch.Record) string { return r.Created.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *sink) header(r *batch.Record) http.Header {
	e := eventOf(r)
	return http.Header{
		"Content-Type":   {"application/json"},
		"Ce-Specversion": {"1.0"}, "Ce-Id": {e.ID}, "Ce-Source": {s.stream}, "Ce-Type": {eventTypes[e.Name]},
		"Ce-Subject": {url.PathEscape(s.table)}, "Ce-Time": {eventTime(r)}, "Ce-Sequence": {r.Sequence},
	}
}

func (s *sink) appendStructured(b []byte, r *batch.Record) []byte {
	e := eventOf(r)
	b = append(b, `{"specversion":"1.0"`...)
	for _, a := range [][2]string{
		{"id", e.ID}, {"source", s.stream}, {"type", eventTypes[e.Name]}, {"subject", s.table}, {"time", eventTime(r)},
		{"sequence", r.Sequence}, {"datacontenttype", "application/json"},
	} {
		b = append(item.AppendQuoted(append(b, ','), a[0]), ':')
		b = item.AppendQuoted(b, a[1])
	}
	b = append(append(b, `,"data":`...), r.Body...)
	return append(b, '}')
}
