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

// TimeFromMillis is the first time of a millisecond. Negative milliseconds count as 0.
func TimeFromMillis(ms int64) Time {
	if ms < 0 {
		return 0
	}
	return Time(ms) << 16
}

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
	if err != nil {
		return 0, fmt.Errorf("%q is no hybrid time", s)
	}
	return Time(m<<16 | c), nil
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
	region, inc, ok := strings.Cut(s, "@")
	n, err := strconv.ParseUint(inc, 16, 64)
	if !ok || err != nil || len(inc) != 16 || region == "" {
		return Origin{}, fmt.Errorf("%q is no origin (region@16 hexadecimal digits)", s)
	}
	return Origin{region, n}, nil
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

// Clock is a hybrid logical clock (Kulkarni et al., 2014) without a source of time: the caller says what it is. It is not
// safe for concurrent use. The zero Clock is ready.
type Clock struct{ last Time }

// Next returns a time above all that were returned or observed before, and at or above physical time.
func (c *Clock) Next(nowMillis int64) Time {
	c.last = max(c.last+1, TimeFromMillis(nowMillis))
	return c.last
}

// Observe takes note of a time from elsewhere.
func (c *Clock) Observe(t Time) { c.last = max(c.last, t) }

// Last is the newest time returned or observed.
func (c *Clock) Last() Time { return c.last }
