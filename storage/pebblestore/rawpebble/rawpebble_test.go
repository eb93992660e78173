package rawpebble

import (
	"testing"
	"time"
)

func TestMeasure(t *testing.T) {
	for _, s := range []Shape{
		{Values: []int{100}, Sync: true},
		{Values: []int{100, 200}, Merge: true, Repeat: 3},
	} {
		n, err := Measure(t.TempDir(), 4, 20*time.Millisecond, s)
		if err != nil || n <= 0 {
			t.Errorf("%+v: %g a second, %v", s, n, err)
		}
	}
}
