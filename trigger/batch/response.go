package batch

import (
	"bytes"
	"encoding/json"
)

// ReadFailures reads a function's answer to a batch, where ReportBatchItemFailures is on (DYNAMODB.md 13.1): nothing failed
// if it is empty, null, or lists nothing; everything failed if it is anything else that lists no record of the batch; else what
// stands before the lowest listed sequence number is done with.
func ReadFailures(b *Batch, body []byte) Outcome {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || string(body) == "null" {
		return Outcome{Verdict: Succeeded}
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return Outcome{Verdict: Failed}
	}
	raw, ok := members["batchItemFailures"]
	if !ok || string(raw) == "null" {
		return Outcome{Verdict: Succeeded}
	}
	var list []map[string]json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return Outcome{Verdict: Failed}
	}
	lowest := ""
	for _, f := range list {
		var id string
		if json.Unmarshal(f["itemIdentifier"], &id) != nil || b.find(id) < 0 {
			return Outcome{Verdict: Failed}
		}
		if lowest == "" || id < lowest {
			lowest = id
		}
	}
	if lowest == "" {
		return Outcome{Verdict: Succeeded}
	}
	return Outcome{Verdict: Partly, From: lowest}
}
