package api

import "github.com/meridiandb/meridian/region"

type listStreamsInput struct {
	table, after text
	limit        number
}

func (in *listStreamsInput) member(d *decoder, name string) bool {
	switch name {
	case "TableName":
		in.table = d.text()
	case "Limit":
		in.limit = d.number("Integer")
	case "ExclusiveStartStreamArn":
		in.after = d.text()
	default:
		return false
	}
	return true
}

func (in *listStreamsInput) constraints(v *violations) {
	table := in.table
	table.s = streamedTable(table.s)
	v.indexName("tableName", table)
	v.between("limit", in.limit, 1, maxListed)
	v.streamARN("exclusiveStartStreamArn", in.after)
}

// listStreams lists the streams of a table, or of all, those of deleted tables too. Where to go on need not exist any more.
func listStreams(c *call) error {
	var in listStreamsInput
	err := c.read(&in)
	if err != nil {
		return err
	}
	var after region.StreamName
	if in.after.set {
		if after, err = c.streamNamed(in.after); err != nil {
			return err
		}
	}
	limit := maxListed
	if in.limit.set {
		limit = int(in.limit.n)
	}
	names, more := c.backend.Streams(in.table.s, after, limit)
	w := &c.out
	w.openObject()
	w.openListMember("Streams")
	for _, n := range names {
		w.openObject()
		w.stringMember("TableName", n.Table)
		w.stringMember("StreamArn", c.server.streamARN(n))
		w.stringMember("StreamLabel", n.Label)
		w.closeObject()
	}
	w.closeList()
	if more {
		w.stringMember("LastEvaluatedStreamArn", c.server.streamARN(names[len(names)-1]))
	}
	w.closeObject()
	return nil
}
