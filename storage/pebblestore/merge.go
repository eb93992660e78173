package pebblestore

import (
	"io"

	"github.com/cockroachdb/pebble/v2"

	"github.com/meridiandb/meridian/storage"
)

// merger is storage's XOR in Pebble's terms. Newer or older makes no difference to it, and it never fails: a merge that
// failed in a compaction would fail in every one after it.
func merger() *pebble.Merger {
	return &pebble.Merger{
		Name: storage.MergeName,
		Merge: func(_, v []byte) (pebble.ValueMerger, error) {
			return &xor{append(make([]byte, 0, len(v)), v...)}, nil
		},
	}
}

type xor struct{ value []byte }

func (x *xor) MergeNewer(v []byte) error {
	x.value = storage.XOR(x.value, v)
	return nil
}

func (x *xor) MergeOlder(v []byte) error { return x.MergeNewer(v) }

func (x *xor) Finish(bool) ([]byte, io.Closer, error) { return x.value, nil, nil }
