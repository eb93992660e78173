package api

import "github.com/meridiandb/meridian/region"

type getRecordsInput struct {
	iterator text
	limit    number
}

func (in *getRecordsInput) member(d *decoder, name string) bool {
	switch name {
	case "ShardIterator":
		in.iterator = d.text()
	case "Limit":
		in.limit = d.number("Integer")
	default:
		return false
	}
	return true
}

// maxRecords is the most records in one answer.
const maxRecords = 1000

func (in *getRecordsInput) constraints(v *violations) {
	if v.required("shardIterator", in.iterator.set) {
		v.length("shardIterator", in.iterator, 1, 2048)
	}
	v.between("limit", in.limit, 1, maxRecords)
}

func getRecords(c *call) error {
	var in getRecordsInput
	if err := c.read(&in); err != nil {
		return err
	}
	limit := maxRecords
	if in.limit.set {
		limit = int(in.limit.n)
	}
	records, next, err := c.backend.StreamRecords(in.iterator.s, limit)
	if err != nil {
		return err
	}
	w := &c.out
	w.openObject()
	w.openListMember("Records")
	for i := range records {
		writeRecord(w, &records[i], c.server.region)
	}
	w.closeList()
	if next != "" {
		w.stringMember("NextShardIterator", next)
	}
	w.closeObject()
	return nil
}

func writeRecord(w *writer, r *region.StreamRecord, regionName string) {
	w.openObject()
	w.stringMember("eventID", r.EventID)
	w.stringMember("eventName", r.Event)
	w.stringMember("eventVersion", "1.1")
	w.stringMember("eventSource", "aws:dynamodb")
	w.stringMember("awsRegion", regionName)
	w.openObjectMember("dynamodb")
	w.integerMember("ApproximateCreationDateTime", r.Created/1000) // whole seconds here
	w.itemMember("Keys", r.Keys)
	if !r.New.IsZero() {
		w.itemMember("NewImage", r.New)
	}
	if !r.Old.IsZero() {
		w.itemMember("OldImage", r.Old)
	}
	w.stringMember("SequenceNumber", r.Sequence)
	w.integerMember("SizeBytes", int64(r.Size))
	w.stringMember("StreamViewType", r.View)
	w.closeObject()
	if r.Expired {
		w.openObjectMember("userIdentity") // capitals in this API, unlike in Lambda's events
		w.stringMember("PrincipalId", "dynamodb.amazonaws.com")
		w.stringMember("Type", "Service")
		w.closeObject()
	}
	w.closeObject()
}
