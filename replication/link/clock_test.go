package link

import (
	"testing"
	"time"

	"github.com/meridiandb/meridian/stream/record"
)

func recordSeq(n int) record.Seq { return record.Seq(n) }

func at(ms int) time.Time { return time.UnixMilli(int64(ms)) }

func TestClock(t *testing.T) {
	var c Clock
	if _, _, ok := c.Estimate(); ok {
		t.Error("an estimate without a sample")
	}
	// The other clock is 1000 ms ahead; 20 ms there, 20 ms back, 5 ms in between.
	c.Add(Sample{at(0), at(1020), at(1025), at(45)})
	if o, rtt, _ := c.Estimate(); o != time.Second || rtt != 40*time.Millisecond {
		t.Errorf("offset %v, round trip %v", o, rtt)
	}
	// A queue on the way back spoils samples; the good one counts.
	for range 5 {
		c.Add(Sample{at(0), at(1020), at(1025), at(845)})
	}
	if o, rtt, _ := c.Estimate(); o != time.Second || rtt != 40*time.Millisecond {
		t.Errorf("offset %v, round trip %v", o, rtt)
	}
	// The clock was set: after a few samples the old one is forgotten.
	for range clockSamples {
		c.Add(Sample{at(0), at(-470), at(-470), at(60)})
	}
	if o, rtt, _ := c.Estimate(); o != -500*time.Millisecond || rtt != 60*time.Millisecond {
		t.Errorf("offset %v, round trip %v", o, rtt)
	}
}

func TestBackoff(t *testing.T) {
	b := Backoff{Min: 10, Max: 50}
	var got []time.Duration
	for range 5 {
		got = append(got, b.Next(0))
	}
	b.Reset()
	got = append(got, b.Next(0), b.Next(0.5))
	for i, want := range []time.Duration{10, 20, 40, 50, 50, 10, 15} {
		if got[i] != want {
			t.Errorf("pause %d is %v, want %v", i, got[i], want)
		}
	}
}

// Marks are bounded, and the lag they tell is never too small.
func TestMarksAreBounded(t *testing.T) {
	b := NewBacklog(0)
	b.Open(0, false, at(0))
	for i := 1; i <= 100_000; i++ {
		b.End(2, at(i)) // the same end again is no news
		if i >= 2 {
			b.End(recordSeq(i), at(i))
		}
		if len(b.marks) > maxMarks {
			t.Fatalf("%d marks", len(b.marks))
		}
	}
	b.Read(recordSeq(100_000), 100_000, 100_000)
	for _, acked := range []int{1, 10, 777, 50_000, 99_000, 99_999} {
		b.Acked(recordSeq(acked), 1, 1)
		truth := at(100_000).Sub(at(acked + 1)).Seconds()
		if got := b.Lag(at(100_000)).Seconds; got < truth || got > truth+100 {
			t.Errorf("acknowledged up to %d: %v s, in truth %v", acked, got, truth)
		}
	}
}
