package api

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/region"
)

// sessionToken is what a client has seen and written: one time for each origin, in the order of origins. Clients carry it as
// text and do not look into it. In base64url without padding:
//
//	0      1         version, 1
//	       for each origin, in order:
//	         1       1 if the session has written there, else 0
//	         1       n, length of the region's name
//	         n       the region's name
//	         8       incarnation, big-endian
//	         8       time, big-endian
//	last   4         CRC-32C of all before, big-endian
//
// The checksum is against tokens cut short or put together by accident, not against clients that make them up: whoever
// shows too much waits for it, whoever shows too little hurts only themselves.
type sessionToken []region.Seen

const tokenVersion = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errToken = errors.New("it is no session token")

func (t sessionToken) String() string {
	if len(t) == 0 {
		return ""
	}
	b := []byte{tokenVersion}
	for _, s := range t {
		wrote := byte(0)
		if s.Wrote {
			wrote = 1
		}
		b = append(b, wrote, byte(len(s.Origin.Region)))
		b = append(b, s.Origin.Region...)
		b = binary.BigEndian.AppendUint64(b, s.Origin.Incarnation)
		b = binary.BigEndian.AppendUint64(b, uint64(s.Time))
	}
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseSessionToken reads what String wrote, and nothing else.
func parseSessionToken(text string) (sessionToken, error) {
	if text == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(b) < 1+4 || b[0] != tokenVersion {
		return nil, errToken
	}
	b, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(b, castagnoli) != sum {
		return nil, errToken
	}
	var t sessionToken
	for b = b[1:]; len(b) > 0; {
		if len(b) < 2 || b[0] > 1 || len(b) < 2+int(b[1])+16 {
			return nil, errToken
		}
		s, n := region.Seen{Wrote: b[0] == 1}, int(b[1])
		s.Origin.Region = string(b[2 : 2+n])
		b = b[2+n:]
		s.Origin.Incarnation, s.Time = binary.BigEndian.Uint64(b), crdt.Time(binary.BigEndian.Uint64(b[8:]))
		b = b[16:]
		if region.CheckName(s.Origin.Region) != nil || len(t) > 0 && t[len(t)-1].Origin.Compare(s.Origin) >= 0 {
			return nil, errToken
		}
		t = append(t, s)
	}
	if len(t) == 0 {
		return nil, errToken
	}
	return t, nil
}

// parseSessionTokens joins all tokens that a request shows.
func parseSessionTokens(headers []string) (all sessionToken, err error) {
	for _, h := range headers {
		for text := range strings.SplitSeq(h, ",") {
			t, err := parseSessionToken(strings.TrimSpace(text))
			if err != nil {
				return nil, err
			}
			if all == nil {
				all = t
				continue
			}
			for _, s := range t {
				all = all.add(s)
			}
		}
	}
	return all, nil
}

// with adds what was seen, and marks the origin that wrote, if any.
func (t sessionToken) with(seen crdt.Context, wrote crdt.Origin) sessionToken {
	t = slices.Clone(t)
	for s := range seen.Seen() {
		t = t.add(region.Seen{Stamp: s, Wrote: s.Origin == wrote})
	}
	return t
}

// add changes the token in place.
func (t sessionToken) add(s region.Seen) sessionToken {
	i, found := slices.BinarySearchFunc(t, s.Origin, func(e region.Seen, o crdt.Origin) int { return e.Origin.Compare(o) })
	if !found {
		return slices.Insert(t, i, s)
	}
	t[i].Time, t[i].Wrote = max(t[i].Time, s.Time), t[i].Wrote || s.Wrote
	return t
}
