package catalog

import (
	"slices"
	"time"

	"github.com/meridiandb/meridian/stream/record"
)

// Stream is one enabling of a table's stream as this region has it. Like the ARN that names it, it is the region's own: each
// region's stream begins and ends at a place of that region's log, and has its own label (DYNAMODB.md 10.1).
//
// It holds the commits after the first generation's From, up to and with To when it is closed. All of them carry old images.
type Stream struct {
	Of      string `json:"of"`    // StreamSpec.Label of the enabling, the same in all regions
	Label   string `json:"label"` // this region's, unique among the streams of all tables of one name
	View    string `json:"view"`
	Created int64  `json:"created"` // unix ms
	// Generations are the stream's sets of shards in order, each the parent of the next; none while the stream is being
	// enabled. Earlier is when the last one that was trimmed began, 0 if none was.
	Generations []Generation `json:"generations,omitempty"`
	Earlier     int64        `json:"earlier,omitempty"`
	Closed      int64        `json:"closed,omitempty"` // unix ms; 0: open
	To          record.Seq   `json:"to,omitempty"`     // the last commit, when closed
}

// Generation is one set of shards. It has the commits after From, up to and with the next one's From.
type Generation struct {
	From record.Seq `json:"from"`
	At   int64      `json:"at"` // unix ms when it began; rises strictly
}

// Status is as DescribeStream shows it. Closing takes no time.
func (s *Stream) Status() string {
	switch {
	case s.Closed > 0:
		return "DISABLED"
	case len(s.Generations) == 0:
		return "ENABLING"
	}
	return "ENABLED"
}

// End is the last commit of generation number i; open reports that there is none yet.
func (s *Stream) End(i int) (end record.Seq, open bool) {
	if i+1 < len(s.Generations) {
		return s.Generations[i+1].From, false
	}
	return s.To, s.Closed == 0
}

// Begin ends the enabling: all commits after from carry old images.
func (s *Stream) Begin(from record.Seq, now int64) {
	if s.Closed == 0 && len(s.Generations) == 0 {
		s.Generations = []Generation{{From: from, At: max(now, s.Created)}}
	}
}

// Roll closes the newest shards and opens the next ones, if the newest are as old as life and have anything.
func (s *Stream) Roll(from record.Seq, now, life int64) {
	if s.Due(from, now, life) {
		s.Generations = append(slices.Clone(s.Generations), Generation{From: from, At: now})
	}
}

// Due reports whether Roll would do something.
func (s *Stream) Due(from record.Seq, now, life int64) bool {
	n := len(s.Generations)
	return s.Closed == 0 && n > 0 && s.Generations[n-1].At+life <= now && s.Generations[n-1].From < from
}

// Trim forgets the generations that ended at or before a time. The newest goes with the stream only (TrimStreams).
func (s *Stream) Trim(before int64) {
	n := 0
	for n+1 < len(s.Generations) && s.Generations[n+1].At <= before {
		s.Earlier = s.Generations[n].At
		n++
	}
	s.Generations = s.Generations[n:]
}

// OpenStream is the stream that is enabled or being enabled, nil if none is.
func (l *Local) OpenStream() *Stream { return openIn(l.Streams) }

// OpenFeed is the stream of the conflict feed, nil if the table has none.
func (l *Local) OpenFeed() *Stream { return openIn(l.Feeds) }

func openIn(all []Stream) *Stream {
	if n := len(all); n > 0 && all[n-1].Closed == 0 {
		return &all[n-1]
	}
	return nil
}

// StreamIn finds a stream by its label, nil if there is none.
func StreamIn(all []Stream, label string) *Stream {
	for i := range all {
		if all[i].Label == label {
			return &all[i]
		}
	}
	return nil
}

// TrimStreams forgets what ended at or before a time, and says from where on the log is still needed: what is at or below
// that position may go. needed is false if no stream is left.
func TrimStreams(all []Stream, before int64) (left []Stream, from record.Seq, needed bool) {
	left = slices.DeleteFunc(all, func(s Stream) bool { return s.Closed > 0 && s.Closed <= before })
	for i := range left {
		left[i].Trim(before)
	}
	for _, s := range left {
		if len(s.Generations) > 0 {
			return left, s.Generations[0].From, true
		}
	}
	return left, 0, len(left) > 0
}

// followStream makes a region's streams those of a new description: what it turns off ends where the log stands now,
// before the description can be seen, so that all commits in it carry old images.
func (l *Local) followStream(d *Descriptor, region string, now int64, at func() record.Seq, label func(after string) string) {
	on := d.Stream.Enabled && d.Holds(region)
	if s := l.OpenStream(); s != nil && (!on || s.Of != d.Stream.Label) {
		s.close(at(), now)
	}
	if on && l.OpenStream() == nil {
		l.StreamLabel = label(l.StreamLabel)
		l.Streams = append(l.Streams, Stream{Of: d.Stream.Label, Label: l.StreamLabel, View: d.Stream.View, Created: now})
	}
}

func (s *Stream) close(at record.Seq, now int64) {
	s.Closed, s.To = now, at
	if len(s.Generations) > 0 { // a restart may have left the log's end before the beginning
		s.To = max(s.To, s.Generations[len(s.Generations)-1].From)
	}
}

// followFeed gives the conflict feed of a shared table its stream. It begins at once: whatever changes the feed is in the log
// for it, with what it was before.
func (l *Local) followFeed(d *Descriptor, region string, now int64, at func() record.Seq, label func(after string) string) {
	on, s := d.Shared() && d.Holds(region), l.OpenFeed()
	switch {
	case s != nil && !on:
		s.close(at(), now)
	case s == nil && on:
		l.FeedLabel = label(l.FeedLabel)
		l.Feeds = append(l.Feeds, Stream{Label: l.FeedLabel, View: "NEW_AND_OLD_IMAGES", Created: now})
		l.OpenFeed().Begin(at(), now)
	}
}

func cloneStreams(ss []Stream) []Stream {
	ss = slices.Clone(ss)
	for i := range ss {
		ss[i].Generations = slices.Clone(ss[i].Generations)
	}
	return ss
}

// streamLabel is a label for a stream that begins now: above those of all tables that have, or had, the name here, because
// an ARN says no more than name and label.
func (c *Catalog) streamLabel(name, after string, now int64, newest func(*Local) string) string {
	for _, e := range c.state.Load().byID {
		if e.Name == name {
			after = max(after, newest(&e.Local))
		}
	}
	label := StreamLabel(now)
	if label > after {
		return label
	}
	last, err := time.Parse(labelLayout, after)
	if err != nil { // not one of ours: a later one follows it all the same
		return after + "1"
	}
	return StreamLabel(last.UnixMilli() + 1)
}
