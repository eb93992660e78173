package trigger

import (
	"strconv"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region"
)

// A function's event: {"Records":[…]} (DYNAMODB.md 13.2).
const (
	payloadHead = `{"Records":[`
	payloadTail = `]}`
)

// appendRecord writes a record as Lambda delivers it.
func appendRecord(b []byte, r *region.StreamRecord, regionName, arn string) []byte {
	text := func(name, value string) {
		b = append(append(append(b, '"'), name...), `":`...)
		b = append(item.AppendQuoted(b, value), ',')
	}
	b = append(b, '{')
	text("eventID", r.EventID)
	text("eventName", r.Event)
	text("eventVersion", "1.1")
	text("eventSource", "aws:dynamodb")
	text("awsRegion", regionName)
	b = append(b, `"dynamodb":{"ApproximateCreationDateTime":`...)
	b = strconv.AppendInt(b, r.Created/1000, 10)
	b = append(b, `,"Keys":`...)
	b = append(r.Keys.AppendJSON(b), ',')
	if !r.New.IsZero() {
		b = append(r.New.AppendJSON(append(b, `"NewImage":`...)), ',')
	}
	if !r.Old.IsZero() {
		b = append(r.Old.AppendJSON(append(b, `"OldImage":`...)), ',')
	}
	text("SequenceNumber", r.Sequence)
	b = append(b, `"SizeBytes":`...)
	b = append(strconv.AppendInt(b, int64(r.Size), 10), ',')
	b = append(item.AppendQuoted(append(b, `"StreamViewType":`...), r.View), '}', ',')
	if r.Expired { // in small letters here, unlike in GetRecords
		b = append(b, `"userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"},`...)
	}
	b = append(b, `"eventSourceARN":`...)
	return append(item.AppendQuoted(b, arn), '}')
}

// payload is the event of some records.
func payload(bodies func(yield func([]byte) bool)) []byte {
	b := []byte(payloadHead)
	for body := range bodies {
		if len(b) > len(payloadHead) {
			b = append(b, ',')
		}
		b = append(b, body...)
	}
	return append(b, payloadTail...)
}
