package table

import (
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
)

// subject is what a history is run on: an engine, or the model. Answers are text.
type subject interface {
	write(d *catalog.Descriptor, w Write) string
	batch(ds []*catalog.Descriptor, ws []Write) string
	transact(ds []*catalog.Descriptor, ws []Write) string
	get(d *catalog.Descriptor, k item.Key, consistent bool) string
	transactGet(ds []*catalog.Descriptor, ks []item.Key) string
	query(d *catalog.Descriptor, q Query) (Page, string)
	scan(d *catalog.Descriptor, s Scan) (Page, string)
}

type onEngine struct{ *rig }

func (s onEngine) of(d *catalog.Descriptor) *Table { return s.table(d.ID) }

func (s onEngine) write(d *catalog.Descriptor, w Write) string {
	return writeText(s.of(d).Write(bg, w))
}

func (s onEngine) tableWrites(ds []*catalog.Descriptor, ws []Write) []TableWrite {
	out := make([]TableWrite, len(ws))
	for i := range ws {
		out[i] = TableWrite{s.of(ds[i]), ws[i]}
	}
	return out
}

func (s onEngine) batch(ds []*catalog.Descriptor, ws []Write) string {
	return writesText(s.engine.WriteBatch(bg, s.tableWrites(ds, ws)))
}

func (s onEngine) transact(ds []*catalog.Descriptor, ws []Write) string {
	done, err := s.engine.Transact(bg, nil, s.tableWrites(ds, ws))
	if err != nil {
		return "error: " + err.Error()
	}
	return writesText(done.Results, done.Reasons)
}

func getText(it item.Item, c Cost) string { return short(it) + " " + costText(c) }

func (s onEngine) get(d *catalog.Descriptor, k item.Key, consistent bool) string {
	res, err := s.of(d).Get(bg, k, consistent)
	if err != nil {
		return "error: " + err.Error()
	}
	return getText(res.Item, res.Cost)
}

func (s onEngine) transactGet(ds []*catalog.Descriptor, ks []item.Key) string {
	keys := make([]TableKey, len(ks))
	for i := range ks {
		keys[i] = TableKey{s.of(ds[i]), ks[i]}
	}
	res, err := s.engine.TransactGet(bg, keys)
	if err != nil {
		return "error: " + err.Error()
	}
	text := ""
	for _, r := range res {
		text += getText(r.Item, r.Cost) + "\n"
	}
	return text
}

func (s onEngine) query(d *catalog.Descriptor, q Query) (Page, string) {
	p, err := s.of(d).Query(bg, q)
	return p, pageText(p, err)
}

func (s onEngine) scan(d *catalog.Descriptor, q Scan) (Page, string) {
	p, err := s.of(d).Scan(bg, q)
	return p, pageText(p, err)
}

type onModel struct{ *model }

func (s onModel) write(d *catalog.Descriptor, w Write) string {
	return writeText(s.model.write(d.Name, w))
}

func (s onModel) batch(ds []*catalog.Descriptor, ws []Write) string {
	rs, errs := make([]WriteResult, len(ws)), make([]error, len(ws))
	for i, w := range ws {
		rs[i], errs[i] = s.model.write(ds[i].Name, w)
	}
	return writesText(rs, errs)
}

func (s onModel) transact(ds []*catalog.Descriptor, ws []Write) string {
	names := make([]string, len(ds))
	for i, d := range ds {
		names[i] = d.Name
	}
	return writesText(s.model.transact(names, ws))
}

func (s onModel) get(d *catalog.Descriptor, k item.Key, consistent bool) string {
	it := s.tables[d.Name].get(k)
	return getText(it, Cost{Table: units4096(it.Size(), consistent)})
}

func (s onModel) transactGet(ds []*catalog.Descriptor, ks []item.Key) string {
	text := ""
	for i := range ks {
		text += s.get(ds[i], ks[i], true) + "\n"
	}
	return text
}

func (s onModel) query(d *catalog.Descriptor, q Query) (Page, string) {
	p, err := s.model.query(d.Name, q)
	return p, pageText(p, err)
}

func (s onModel) scan(d *catalog.Descriptor, q Scan) (Page, string) {
	p, err := s.model.scan(d.Name, q)
	return p, pageText(p, err)
}
