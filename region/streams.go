package region

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream"
	"github.com/meridiandb/meridian/stream/record"
)

// StreamName is what an ARN says of a stream. Two tables of one name, of which one is deleted, have streams of different
// labels.
type StreamName struct{ Table, Label string }

// Compare orders by table, then label: by age.
func (n StreamName) Compare(o StreamName) int {
	return cmp.Or(cmp.Compare(n.Table, o.Table), cmp.Compare(n.Label, o.Label))
}

// StreamView is one stream as its region describes it.
type StreamView struct {
	StreamName
	Status  string // ENABLING ENABLED DISABLED
	View    string
	Created int64 // unix milliseconds
	Schema  item.KeySchema
	Shards  []StreamShard // parents before their children
}

// StreamShard is a run of a stream's changes. Last is empty while it is open.
type StreamShard struct{ ID, Parent, First, Last string }

// Streams lists the streams in order, after a name, at most limit; more says that others follow. An empty table lists all.
// Streams of deleted tables, and those that were turned off, are among them for a day.
func (r *Region) Streams(table string, after StreamName, limit int) (names []StreamName, more bool) {
	for _, e := range r.catalog.Entries() {
		for _, src := range sourcesOf(e) {
			if table != "" && src.name() != table {
				continue
			}
			for _, s := range src.streams() {
				if n := (StreamName{src.name(), s.Label}); n.Compare(after) > 0 {
					names = append(names, n)
				}
			}
		}
	}
	slices.SortFunc(names, StreamName.Compare)
	if len(names) > limit {
		return names[:limit], true
	}
	return names, false
}

// findStream finds a stream by its name.
func (r *Region) findStream(n StreamName) (source, *catalog.Stream, error) {
	for _, e := range r.catalog.Entries() {
		for _, src := range sourcesOf(e) {
			if src.name() != n.Table {
				continue
			}
			if s := catalog.StreamIn(src.streams(), n.Label); s != nil {
				return src, s, nil
			}
		}
	}
	return source{}, nil, errNoStream(n)
}

// NoStream begins the message of a stream that is not there. A client knows it by its ARN, which package api makes.
const NoStream = "Requested resource not found: Stream: "

func errNoStream(n StreamName) error {
	return fault.New(fault.NotFound, NoStream+"%s/stream/%s not found", n.Table, n.Label)
}

// DescribeStream describes a stream with all its shards.
func (r *Region) DescribeStream(n StreamName) (StreamView, error) {
	src, s, err := r.findStream(n)
	if err != nil {
		return StreamView{}, err
	}
	id := src.id()
	v := StreamView{StreamName: n, Status: s.Status(), View: s.View, Created: s.Created, Schema: src.schema()}
	parent := s.Earlier
	for i, g := range s.Generations {
		for shard := range uint16(record.Shards) {
			sh := StreamShard{ID: shardID(id, s.Label, g.At, shard), First: sequence(stream.Position{Seq: g.From + 1})}
			if parent > 0 {
				sh.Parent = shardID(id, s.Label, parent, shard)
			}
			if end, open := s.End(i); !open {
				sh.Last = sequence(stream.Position{Seq: end, Place: lastPlace})
				if end == g.From { // nothing was written: the first number is the last
					sh.Last = sh.First
				}
			}
			v.Shards = append(v.Shards, sh)
		}
		parent = g.At
	}
	slices.SortFunc(v.Shards, func(a, b StreamShard) int { return cmp.Compare(a.ID, b.ID) })
	return v, nil
}

// IteratorType says where a shard is to be read from.
type IteratorType string

// The types of iterators.
const (
	TrimHorizon         IteratorType = "TRIM_HORIZON"
	Latest              IteratorType = "LATEST"
	AtSequenceNumber    IteratorType = "AT_SEQUENCE_NUMBER"
	AfterSequenceNumber IteratorType = "AFTER_SEQUENCE_NUMBER"
	AtTimestamp         IteratorType = "AT_TIMESTAMP"
)

// StreamStart is where an iterator shall begin. Sequence and Time are for the types that need them.
type StreamStart struct {
	Type     IteratorType
	Sequence string
	Time     int64 // unix milliseconds
}

// ShardIterator makes an iterator over a shard.
func (r *Region) ShardIterator(n StreamName, shard string, start StreamStart) (string, error) {
	r.streams.gate.RLock()
	defer r.streams.gate.RUnlock()
	src, s, err := r.findStream(n)
	if err != nil {
		return "", err
	}
	i, number, gone, ok := findShard(src.id(), s, shard)
	if !ok {
		return "", fault.New(fault.NotFound, "Requested resource not found: Shard: %s not found", shard)
	}
	if gone {
		return "", errTrimmed()
	}
	sh := r.shard(src, s, i, number)
	after, err := sh.position(r, start)
	if err != nil {
		return "", err
	}
	it := iterator{given: r.clock.Now(), table: src.id(), label: s.Label, generation: s.Generations[i].At, shard: number, after: after}
	return it.encode(r.origin.String()), nil
}

func errTrimmed() error {
	return fault.New(fault.Trimmed, "The operation attempted to read past the oldest stream record in a shard.")
}

func errSequence(s string) error {
	return fault.New(fault.Invalid, "Invalid SequenceNumber: %s is not in the shard", s)
}

// openShard is a shard that is about to be read. The caller holds the gate, shared.
type openShard struct {
	source
	stream *catalog.Stream
	number uint16
	keys   []string   // names of the key attributes, sorted
	oldest bool       // what comes before it has been trimmed
	from   record.Seq // its changes are after this commit,
	to     record.Seq // and not after this one: the last that is durable, or the one at which the shard was closed
	open   bool
}

func (r *Region) shard(src source, s *catalog.Stream, generation int, number uint16) openShard {
	sh := openShard{
		source: src, stream: s, number: number, keys: slices.Sorted(slices.Values(src.schema().Names())),
		from: s.Generations[generation].From, oldest: generation == 0 && s.Earlier > 0,
	}
	if sh.to, sh.open = s.End(generation); sh.open {
		sh.to = max(r.log.Durable(), sh.from)
	}
	return sh
}

// first is the position before everything in the shard, last the one after it.
func (sh *openShard) first() stream.Position { return stream.End(sh.from) }
func (sh *openShard) last() stream.Position  { return stream.End(sh.to) }

// position is where a start is in the shard.
func (sh *openShard) position(r *Region, start StreamStart) (stream.Position, error) {
	switch start.Type {
	case Latest:
		return sh.last(), nil
	case AtTimestamp:
		if start.Time > r.clock.Now() {
			return stream.Position{}, fault.New(fault.Invalid, "Invalid Timestamp: it is in the future")
		}
		at, err := r.log.Since(sh.id(), sh.number, sh.first(), sh.to, start.Time)
		return at, r.fail(err)
	case AtSequenceNumber, AfterSequenceNumber:
		p, ok := parseSequence(start.Sequence)
		switch {
		case !ok:
			return p, fault.New(fault.Invalid, "Invalid SequenceNumber: %s", start.Sequence)
		case p.Compare(sh.first()) < 0 && sh.oldest:
			return p, errTrimmed()
		case p.Compare(sh.first()) < 0 || p.Seq > max(sh.to, sh.from+1):
			return p, errSequence(start.Sequence)
		}
		if start.Type == AtSequenceNumber {
			p.Place--
		}
		return p, nil
	}
	return sh.first(), nil
}

// StreamRecord is one change as a stream shows it. Old and New are zero where there is none, or the stream does not show it.
type StreamRecord struct {
	EventID  string
	Event    string // INSERT MODIFY REMOVE
	Sequence string
	Created  int64 // unix milliseconds, when it was written in its author's region
	Keys     item.Item
	Old, New item.Item
	Size     int
	View     string
	Expired  bool       // this region removed it because its time was over
	Stamp    crdt.Stamp // of the write; zero for what repair brought
}

// recordBytes is how much one call of StreamRecords reads, about.
const recordBytes = 1 << 20

// StreamRecords reads at most limit records, and returns the iterator to go on with; next is empty when the shard is closed
// and was read to its end. There may be none although more is to come.
func (r *Region) StreamRecords(iter string, limit int) (records []StreamRecord, next string, err error) {
	it, err := decodeIterator(iter, r.origin.String())
	if err != nil {
		return nil, "", err
	}
	now := r.clock.Now()
	if now-it.given > iteratorLife.Milliseconds() {
		return nil, "", fault.New(fault.Expired, "The shard iterator has expired: it was given out more than %d minutes ago",
			int(iteratorLife.Minutes()))
	}
	r.streams.gate.RLock()
	defer r.streams.gate.RUnlock()
	sh, err := r.shardOf(&it)
	if err != nil {
		return nil, "", err
	}
	records, it.after, err = r.readShard(&sh, it.after, limit)
	if err != nil {
		return nil, "", err
	}
	if !sh.open && it.after.Compare(sh.last()) >= 0 {
		return records, "", nil
	}
	it.given = now
	return records, it.encode(r.origin.String()), nil
}

// shardOf finds an iterator's shard.
func (r *Region) shardOf(it *iterator) (openShard, error) {
	src, ok := r.sourceOf(it.table)
	if !ok {
		return openShard{}, errIterator()
	}
	s := catalog.StreamIn(src.streams(), it.label)
	if s == nil {
		return openShard{}, errNoStream(StreamName{src.name(), it.label})
	}
	i, ok := slices.BinarySearchFunc(s.Generations, it.generation, func(g catalog.Generation, at int64) int { return cmp.Compare(g.At, at) })
	if !ok {
		return openShard{}, errTrimmed()
	}
	return r.shard(src, s, i, it.shard), nil
}

// readShard reads on until there is a record, or enough was looked at: changes that changed nothing are no records.
func (r *Region) readShard(sh *openShard, after stream.Position, limit int) (records []StreamRecord, next stream.Position, err error) {
	if sh.to == 0 {
		return nil, after, nil // nothing was ever written; ReadShard takes 0 for no bound
	}
	for left := recordBytes; len(records) == 0 && left > 0 && after.Compare(sh.last()) < 0; {
		entries, at, err := r.log.ReadShard(sh.id(), sh.number, after, sh.to, limit, left)
		if errors.Is(err, ErrTrimmed) {
			return nil, after, errTrimmed()
		}
		if err != nil {
			return nil, after, r.fail(err)
		}
		for i := range entries {
			left -= len(entries[i].Change.State) + len(entries[i].Change.Old)
			rec, ok, err := r.streamRecord(sh, &entries[i])
			if err != nil {
				return nil, after, r.fail(err)
			}
			if ok {
				records = append(records, rec)
			}
		}
		if len(entries) == 0 {
			left = math.MinInt
		}
		after = at
	}
	return records, after, nil
}
