package table

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/stream/record"
)

// Where items stand in the order of their expiry. The table comes before the time, so that a table's entries can be removed
// as one range and its oldest be found by one seek.
//
//	offset  size  field
//	0       1     storage.KindTTL
//	1       16    table id
//	17      8     when it expires, unix milliseconds, big endian
//	25      …     the item's key (item.Key.Append)
//
// The value is the name of the region that wrote the current version, which is the one to expire it.
//
// Every item with a time has an entry, however far off or long past it is: what is too old is passed over when it is looked
// for (Due), because that depends on when one looks.

func expiryPrefix(id record.TableID) []byte { return storage.AppendTable(nil, storage.KindTTL, id) }

func expiryKey(dst []byte, id record.TableID, at int64, itemKey []byte) []byte {
	dst = binary.BigEndian.AppendUint64(storage.AppendTable(dst, storage.KindTTL, id), uint64(at))
	return append(dst, itemKey...)
}

const expiryKeyMin = 1 + 16 + 8

// splitExpiry takes an entry's key apart.
func splitExpiry(key []byte) (at int64, itemKey []byte, err error) {
	if len(key) <= expiryKeyMin {
		return 0, nil, storage.Corruptf("expiry key", "%x is too short", key)
	}
	return int64(binary.BigEndian.Uint64(key[1+16:])), key[expiryKeyMin:], nil
}

// maxExpiry keeps sums with times away from overflow. It is 146 million years off.
const maxExpiry = math.MaxInt64 / 2

// expiresAt is the first millisecond at which an item with this value is not expired yet but for the next: the value,
// rounded up. Only numbers count, fractions and exponents too (DYNAMODB.md 9.1); what is not after 1970 never expires.
func expiresAt(v item.Value) (ms int64, ok bool) {
	if v.Kind() != item.Number {
		return 0, false
	}
	n := v.Num()
	if s, whole := n.Int64(); whole {
		return s * 1000, s > 0 && s <= maxExpiry/1000
	}
	s, err := strconv.ParseFloat(n.String(), 64)
	if f := math.Ceil(s * 1000); err == nil && f > 0 && f <= maxExpiry {
		return int64(f), true
	}
	return 0, false
}

// expiry is when an item expires; ok is false for one that does not.
func (t *Table) expiry(it item.Item) (ms int64, ok bool) {
	if !t.entry.TTL.Enabled || it.IsZero() {
		return 0, false
	}
	return expiresAt(it.Get(t.entry.TTL.Attribute))
}

// writeExpiry moves an item's entry; owner is the region that wrote the new version.
func (t *Table) writeExpiry(w storage.Writer, itemKey []byte, old, new item.Item, owner string) error {
	if !t.entry.TTL.Enabled {
		return nil
	}
	was, had := t.expiry(old)
	is, has := t.expiry(new)
	if had && !(has && is == was) {
		if err := w.Delete(expiryKey(nil, t.entry.ID, was, itemKey)); err != nil {
			return err
		}
	}
	if !has {
		return nil
	}
	// Also where it stays in its place: the owner may be another.
	return w.Set(expiryKey(nil, t.entry.ID, is, itemKey), []byte(owner))
}

// isExpired is the rule for when a time counts: past, and not by more than five years (DYNAMODB.md 9.1).
func isExpired(at, now int64) bool { return at < now && at > now-maxOverdue }

const maxOverdue = 5 * 365 * 24 * 60 * 60 * 1000 // milliseconds

// expirySpan is the range of entries that count at a time, from a time on.
func expirySpan(id record.TableID, from, now int64) span {
	from = max(from, now-maxOverdue+1, 0)
	return span{expiryKey(nil, id, from, nil), expiryKey(nil, id, max(from, now), nil)}
}

// itemKeyOf is the place of the item that an entry is for.
func (t *Table) itemKeyOf(itemKey []byte) []byte {
	return append(bytes.Clone(t.prefix), itemKey...)
}
