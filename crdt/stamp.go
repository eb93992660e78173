package crdt

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Time is hybrid logical time: unix milliseconds in the upper 48 bits, a counter within the millisecond in the lower 16.
// Zero is before everything.
type Time uint64

// maxMillis is the last millisecond that fits: the year 10889.
const maxMillis = 1<<48 - 1

// TimeFromMillis is the first time of a millisecond. Negative milliseconds count as 0, those past the year 10889 as that:
// a shift that wrapped would send a clock back to its beginning.
func TimeFromMillis(ms int64) Time { return Time(min(max(ms, 0), maxMillis)) << 16 }

// Millis is the physical part in unix milliseconds.
func (t Time) Millis() int64 { return int64(t >> 16) }

func (t Time) String() string { return fmt.Sprintf("%d.%d", t>>16, uint16(t)) }

// ParseTime reads what String prints.
func ParseTime(s string) (Time, error) {
	ms, n, ok := strings.Cut(s, ".")
	m, err := strconv.ParseUint(ms, 10, 48)
	if err != nil || !ok {
		return 0, fmt.Errorf("%q is no hybrid time", s)
	}
	c, err := strconv.ParseUint(n, 10, 16)
	if t := Time(m<<16 | c); err == nil && t.String() == s {
		return t, nil
	}
	return 0, fmt.Errorf("%q is no hybrid time", s)
}

// Origin is a region and the incarnation of its store: a region rebuilt from nothing is another origin.
type Origin struct {
	Region      string
	Incarnation uint64
}

// IsZero reports whether o names nobody.
func (o Origin) IsZero() bool { return o == Origin{} }

// Compare orders by region name, then incarnation.
func (o Origin) Compare(p Origin) int {
	if c := strings.Compare(o.Region, p.Region); c != 0 {
		return c
	}
	return cmp.Compare(o.Incarnation, p.Incarnation)
}

// String is like us-east-1@00000000000000a1.
func (o Origin) String() string { return fmt.Sprintf("%s@%016x", o.Region, o.Incarnation) }

// ParseOrigin reads what String prints.
func ParseOrigin(s string) (Origin, error) {
	at := strings.LastIndexByte(s, '@')
	n, err := strconv.ParseUint(s[at+1:], 16, 64)
	o := Origin{s[:max(at, 0)], n}
	// Printing it again refuses all other spellings: keys are made of these texts.
	if err != nil || o.Region == "" || o.String() != s {
		return Origin{}, fmt.Errorf("%q is no origin (region@16 hexadecimal digits)", s)
	}
	return o, nil
}

// Stamp is when and where a write was made. The zero Stamp is no write.
type Stamp struct {
	Time   Time
	Origin Origin
}

// IsZero reports whether s is no write.
func (s Stamp) IsZero() bool { return s == Stamp{} }

// Compare is the total order: time, then origin.
func (s Stamp) Compare(t Stamp) int {
	if c := cmp.Compare(s.Time, t.Time); c != 0 {
		return c
	}
	return s.Origin.Compare(t.Origin)
}

// Less reports whether s is before t.
func (s Stamp) Less(t Stamp) bool { return s.Compare(t) < 0 }

// String is like 1764000000000.3/us-east-1@00000000000000a1, or "-" for the zero Stamp.
func (s Stamp) String() string {
	if s.IsZero() {
		return "-"
	}
	return s.Time.String() + "/" + s.Origin.String()
}

// ParseStamp reads what String prints.
func ParseStamp(s string) (Stamp, error) {
	if s == "-" {
		return Stamp{}, nil
	}
	t, o, ok := strings.Cut(s, "/")
	if !ok {
		return Stamp{}, fmt.Errorf("%q is no stamp (time/origin)", s)
	}
	tm, err := ParseTime(t)
	if err != nil {
		return Stamp{}, err
	}
	or, err := ParseOrigin(o)
	return Stamp{tm, or}, err
}

// MarshalText and UnmarshalText make stamps readable in JSON.
func (s Stamp) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Stamp) UnmarshalText(b []byte) (err error) {
	*s, err = ParseStamp(string(b))
	return err
}

// MarshalText and UnmarshalText make origins readable in JSON, as map keys too.
func (o Origin) MarshalText() ([]byte, error) {
	if o.IsZero() {
		return nil, nil
	}
	return []byte(o.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (o *Origin) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*o = Origin{}
		return nil
	}
	*o, err = ParseOrigin(string(b))
	return err
}
