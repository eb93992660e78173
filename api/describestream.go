package api

import (
	"slices"

	"github.com/meridiandb/meridian/region"
)

type describeStreamInput struct {
	arn, after text
	limit      number
	filter     shardFilter
}

// shardFilter asks for the children of one shard only.
type shardFilter struct {
	kind, shard text
	set         bool
}

func (in *describeStreamInput) member(d *decoder, name string) bool {
	switch name {
	case "StreamArn":
		in.arn = d.text()
	case "Limit":
		in.limit = d.number("Integer")
	case "ExclusiveStartShardId":
		in.after = d.text()
	case "ShardFilter":
		in.filter.set = d.structure("ShardFilter", func(name string) bool {
			switch name {
			case "Type":
				in.filter.kind = d.text()
			case "ShardId":
				in.filter.shard = d.text()
			default:
				return false
			}
			return true
		})
	default:
		return false
	}
	return true
}

func (in *describeStreamInput) constraints(v *violations) {
	if v.required("streamArn", in.arn.set) {
		v.streamARN("streamArn", in.arn)
	}
	v.between("limit", in.limit, 1, maxListed)
	v.shardID("exclusiveStartShardId", in.after)
	v.oneOf("shardFilter.type", in.filter.kind, "CHILD_SHARDS")
	v.shardID("shardFilter.shardId", in.filter.shard)
}

// shardID checks an optional shard's id.
func (v *violations) shardID(path string, t text) { v.length(path, t, 28, 65) }

func describeStream(c *call) error {
	var in describeStreamInput
	if err := c.read(&in); err != nil {
		return err
	}
	if in.filter.set && (!in.filter.kind.set || !in.filter.shard.set) {
		return errValidation("ShardFilter must have a Type and a ShardId")
	}
	name, err := c.streamNamed(in.arn)
	if err != nil {
		return err
	}
	v, err := c.backend.DescribeStream(name)
	if err != nil {
		return streamError(err, in.arn.s)
	}
	shards := in.choose(v.Shards)
	more := len(shards) > in.most()
	if more {
		shards = shards[:in.most()]
	}
	writeStream(c, &v, shards, more)
	return nil
}

func (in *describeStreamInput) most() int {
	if in.limit.set {
		return int(in.limit.n)
	}
	return maxListed
}

// choose leaves out the shards that are not asked for. A shard without children, or that is not there any more, has none.
func (in *describeStreamInput) choose(all []region.StreamShard) []region.StreamShard {
	return slices.DeleteFunc(all, func(s region.StreamShard) bool {
		return in.after.set && s.ID <= in.after.s || in.filter.set && s.Parent != in.filter.shard.s
	})
}

func writeStream(c *call, v *region.StreamView, shards []region.StreamShard, more bool) {
	w := &c.out
	w.openObject()
	w.openObjectMember("StreamDescription")
	w.stringMember("StreamArn", c.server.streamARN(v.StreamName))
	w.stringMember("StreamLabel", v.Label)
	w.stringMember("StreamStatus", v.Status)
	w.stringMember("StreamViewType", v.View)
	w.timeMember("CreationRequestDateTime", v.Created)
	w.stringMember("TableName", v.Table)
	w.key("KeySchema")
	writeKeySchema(w, v.Schema)
	w.openListMember("Shards")
	for _, s := range shards {
		writeShard(w, s)
	}
	w.closeList()
	if more {
		w.stringMember("LastEvaluatedShardId", shards[len(shards)-1].ID)
	}
	w.closeObject()
	w.closeObject()
}

func writeShard(w *writer, s region.StreamShard) {
	w.openObject()
	w.stringMember("ShardId", s.ID)
	w.openObjectMember("SequenceNumberRange")
	w.stringMember("StartingSequenceNumber", s.First)
	if s.Last != "" {
		w.stringMember("EndingSequenceNumber", s.Last)
	}
	w.closeObject()
	if s.Parent != "" {
		w.stringMember("ParentShardId", s.Parent)
	}
	w.closeObject()
}
