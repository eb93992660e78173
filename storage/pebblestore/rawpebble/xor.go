package rawpebble

import (
	"io"

	"github.com/meridiandb/meridian/storage"
)

// xorMerger is the hash tree's merge, as pebblestore has it.
type xorMerger struct{ value []byte }

func (x *xorMerger) MergeNewer(v []byte) error {
	x.value = storage.XOR(x.value, v)
	return nil
}

func (x *xorMerger) MergeOlder(v []byte) error { return x.MergeNewer(v) }

func (x *xorMerger) Finish(bool) ([]byte, io.Closer, error) { return x.value, nil, nil }
