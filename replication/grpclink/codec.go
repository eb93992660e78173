package grpclink

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/meridiandb/meridian/replication/replpb"
)

// compressFrom is the size from which byte strings are compressed: more than an idle link ever has to send at once.
const compressFrom = 16 << 10

// codec lays byte strings end to end and compresses them. It is for concurrent use and never closed: it has no goroutines, and
// a decoder that is closed while it is in use blocks whoever uses it for ever.
type codec struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

func newCodec() (*codec, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, err
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxMessage))
	if err != nil {
		return nil, err
	}
	return &codec{e, d}, nil
}

// pack returns nil for nothing.
func (c *codec) pack(list [][]byte) *replpb.Bytes {
	if len(list) == 0 {
		return nil
	}
	b := &replpb.Bytes{Sizes: make([]uint64, len(list))}
	total := 0
	for i, s := range list {
		b.Sizes[i] = uint64(len(s))
		total += len(s)
	}
	if len(list) == 1 {
		b.Data = list[0]
	} else {
		b.Data = make([]byte, 0, total)
		for _, s := range list {
			b.Data = append(b.Data, s...)
		}
	}
	if total < compressFrom {
		return b
	}
	if z := c.encoder.EncodeAll(b.Data, make([]byte, 0, total/2)); len(z) < total-total/16 {
		b.Data, b.Zstd = z, true
	}
	return b
}

// unpack returns slices of one buffer.
func (c *codec) unpack(b *replpb.Bytes) ([][]byte, error) {
	if b == nil {
		return nil, nil
	}
	var total uint64
	for _, n := range b.Sizes {
		if n > maxMessage || total > maxMessage {
			return nil, errors.New("byte strings above the largest message")
		}
		total += n
	}
	data := b.Data
	if b.Zstd {
		if total > maxMessage {
			return nil, errors.New("byte strings above the largest message")
		}
		var err error
		if data, err = c.decoder.DecodeAll(data, make([]byte, 0, min(total, uint64(len(data))*64))); err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
	}
	if uint64(len(data)) != total {
		return nil, fmt.Errorf("%d bytes where %d were announced", len(data), total)
	}
	list := make([][]byte, len(b.Sizes))
	for i, n := range b.Sizes {
		list[i], data = data[:n:n], data[n:]
	}
	return list, nil
}
