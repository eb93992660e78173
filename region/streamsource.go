package region

import (
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/stream/record"
)

// FeedSuffix behind a table's name is the name under which its conflict feed has streams. CreateTable refuses the tilde, so no
// table has such a name; shells, URLs and file systems take it as it is.
const FeedSuffix = "~conflicts"

// source is what has streams: a table, or its conflict feed.
type source struct {
	entry *catalog.Entry
	feed  bool
}

// sourcesOf lists what of a table can have streams.
func sourcesOf(e *catalog.Entry) [2]source { return [2]source{{e, false}, {e, true}} }

// sourceOf finds what has an id in the log.
func (r *Region) sourceOf(id record.TableID) (source, bool) {
	if e := r.catalog.ByID(id); e != nil {
		return source{e, false}, true
	}
	e := r.catalog.ByID(id.Feed())
	return source{e, true}, e != nil
}

func (s source) id() record.TableID {
	if s.feed {
		return s.entry.ID.Feed()
	}
	return s.entry.ID
}

func (s source) name() string {
	if s.feed {
		return s.entry.Name + FeedSuffix
	}
	return s.entry.Name
}

func (s source) streams() []catalog.Stream { return *s.of(&s.entry.Local) }

// of is where a region keeps the source's streams.
func (s source) of(l *catalog.Local) *[]catalog.Stream {
	if s.feed {
		return &l.Feeds
	}
	return &l.Streams
}

func (s source) open() *catalog.Stream { return s.openIn(&s.entry.Local) }

func (s source) openIn(l *catalog.Local) *catalog.Stream {
	if s.feed {
		return l.OpenFeed()
	}
	return l.OpenStream()
}

func (s source) schema() item.KeySchema {
	if s.feed {
		return feedSchema()
	}
	return s.entry.Schema
}
