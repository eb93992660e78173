package api

import (
	"math"
	"strconv"

	"github.com/meridiandb/meridian/region"
)

type getShardIteratorInput struct {
	arn, shard, kind, sequence text
	time                       number // unix milliseconds
}

func (in *getShardIteratorInput) member(d *decoder, name string) bool {
	switch name {
	case "StreamArn":
		in.arn = d.text()
	case "ShardId":
		in.shard = d.text()
	case "ShardIteratorType":
		in.kind = d.text()
	case "SequenceNumber":
		in.sequence = d.text()
	case "Timestamp":
		in.time = d.moment()
	default:
		return false
	}
	return true
}

// moment reads a time, which the protocol sends as seconds with a fraction, as unix milliseconds.
func (d *decoder) moment() number {
	switch k := d.peek(); k {
	case 0:
	case '0':
		raw, err := d.json.ReadValue()
		if err != nil {
			d.syntax(err)
			return number{}
		}
		s, err := strconv.ParseFloat(string(raw), 64)
		if ms := math.Round(s * 1000); err == nil && math.Abs(ms) < 1<<53 {
			return number{int64(ms), true}
		}
		d.wrong(string(raw) + " can not be converted to a Date")
	case 'n':
		d.token()
	default:
		d.wrongScalar(k, "Date")
	}
	return number{}
}

func (in *getShardIteratorInput) constraints(v *violations) {
	if v.required("streamArn", in.arn.set) {
		v.streamARN("streamArn", in.arn)
	}
	if v.required("shardId", in.shard.set) {
		v.shardID("shardId", in.shard)
	}
	if v.required("shardIteratorType", in.kind.set) {
		v.oneOf("shardIteratorType", in.kind, "TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP")
	}
	v.length("sequenceNumber", in.sequence, 21, 40)
}

// start checks what only some types need (DYNAMODB.md section 8).
func (in *getShardIteratorInput) start() (region.StreamStart, error) {
	s := region.StreamStart{Type: region.IteratorType(in.kind.s), Sequence: in.sequence.s, Time: in.time.n}
	bySequence := s.Type == region.AtSequenceNumber || s.Type == region.AfterSequenceNumber
	switch {
	case bySequence && !in.sequence.set:
		return s, errValidation("SequenceNumber is required for ShardIteratorType " + in.kind.s)
	case !bySequence && in.sequence.set:
		return s, errValidation("SequenceNumber must not be specified for ShardIteratorType " + in.kind.s)
	case s.Type == region.AtTimestamp && !in.time.set:
		return s, errValidation("Timestamp is required for ShardIteratorType " + in.kind.s)
	case s.Type != region.AtTimestamp && in.time.set:
		return s, errValidation("Timestamp must not be specified for ShardIteratorType " + in.kind.s)
	}
	return s, nil
}

func getShardIterator(c *call) error {
	var in getShardIteratorInput
	if err := c.read(&in); err != nil {
		return err
	}
	start, err := in.start()
	if err != nil {
		return err
	}
	name, err := c.streamNamed(in.arn)
	if err != nil {
		return err
	}
	it, err := c.backend.ShardIterator(name, in.shard.s, start)
	if err != nil {
		return streamError(err, in.arn.s)
	}
	c.out.openObject()
	c.out.stringMember("ShardIterator", it)
	c.out.closeObject()
	return nil
}
