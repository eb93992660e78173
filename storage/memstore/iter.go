package memstore

import (
	"bytes"
	"strconv"

	"github.com/meridiandb/meridian/storage"
)

// iter walks over a slice that nobody changes. at is in [-1, len(data)]; the ends are off the keys.
type iter struct {
	data  entries
	at    int
	close func()
}

func newIter(data entries, o storage.IterOptions, close func()) *iter {
	if o.Lower != nil {
		i, _ := data.search(o.Lower)
		data = data[i:]
	}
	if o.Upper != nil {
		i, _ := data.search(o.Upper)
		data = data[:i]
	}
	return &iter{data: data, at: -1, close: close}
}

func (it *iter) to(i int) bool {
	it.at = min(max(i, -1), len(it.data))
	return it.Valid()
}

func (it *iter) Valid() bool { return it.at >= 0 && it.at < len(it.data) }
func (it *iter) First() bool { return it.to(0) }
func (it *iter) Last() bool  { return it.to(len(it.data) - 1) }
func (it *iter) Next() bool  { return it.Valid() && it.to(it.at+1) }
func (it *iter) Prev() bool  { return it.Valid() && it.to(it.at-1) }

func (it *iter) SeekGE(k []byte) bool {
	i, _ := it.data.search(k)
	return it.to(i)
}

func (it *iter) SeekLT(k []byte) bool {
	i, _ := it.data.search(k)
	return it.to(i - 1)
}

func (it *iter) Key() []byte   { return it.data[it.at].key }
func (it *iter) Value() []byte { return it.data[it.at].value }
func (it *iter) Err() error    { return nil }

func (it *iter) Close() error {
	it.close()
	it.close = func() {}
	it.data, it.at = nil, -1
	return nil
}

func (e entries) dump() []byte {
	var b bytes.Buffer
	for _, x := range e {
		b.WriteString(strconv.Quote(string(x.key)) + " " + strconv.Quote(string(x.value)) + "\n")
	}
	return b.Bytes()
}
