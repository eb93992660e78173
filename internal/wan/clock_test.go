package wan

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock()
		ahead := func() time.Duration { return time.Until(c.Now()) }
		if ahead() != 0 {
			t.Errorf("a new clock is %v ahead", ahead())
		}
		c.Set(ClockFault{Jump: 10 * time.Second, Drift: 20 * time.Millisecond})
		time.Sleep(5 * time.Second)
		if got := ahead(); got != 10*time.Second+100*time.Millisecond {
			t.Errorf("after a jump of 10 s and 5 s of drift it is %v ahead", got)
		}
		c.Set(ClockFault{Jump: -time.Minute})
		time.Sleep(time.Hour)
		if got := ahead(); got != -time.Minute || c.Fault().Jump != -time.Minute {
			t.Errorf("a minute behind, it is %v ahead", got)
		}
		c.Set(ClockFault{})
		if ahead() != 0 {
			t.Errorf("set right it is %v ahead", ahead())
		}
	})
	for _, f := range []ClockFault{{Jump: 25 * time.Hour}, {Jump: -25 * time.Hour}, {Drift: 2 * time.Second}, {Drift: -time.Second}} {
		if f.Check() == nil {
			t.Errorf("%+v passes", f)
		}
	}
	if err := (ClockFault{Jump: -time.Hour, Drift: time.Second}).Check(); err != nil {
		t.Error(err)
	}
}
