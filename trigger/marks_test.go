package trigger

import (
	"fmt"
	"testing"

	"github.com/meridiandb/meridian/crdt"
)

func at(us, eu crdt.Time) vector {
	return vector{{Time: us, Origin: crdt.Origin{Region: "us", Incarnation: 1}}, {Time: eu, Origin: crdt.Origin{Region: "eu", Incarnation: 1}}}
}

// TestMarks: the newest place that a vector covers is found; marks that were passed are taken out with what they hold; and
// there are never too many, whose oldest is kept.
func TestMarks(t *testing.T) {
	var m marks
	for i := range crdt.Time(10) {
		m.add(mark{fmt.Sprintf("%06d", i+1), at(10*(i+1), 5*(i+1))})
	}
	for _, c := range []struct {
		us, eu crdt.Time
		after  string
		want   string
	}{
		{100, 50, "", "000010"}, {1000, 30, "", "000006"}, {55, 1000, "", "000005"}, {9, 1000, "", ""}, {1000, 30, "000006", ""}, {1000, 30, "000005", "000006"},
	} {
		n, ok := m.newest(c.after, coveredBy(at(c.us, c.eu).context()))
		if ok != (c.want != "") || n.After != c.want {
			t.Errorf("%+v: %+v", c, n)
		}
	}
	// An origin that the vector does not know covers nothing.
	if n, ok := m.newest("", coveredBy(at(1000, 1000)[:1].context())); ok {
		t.Errorf("%+v", n)
	}
	m.add(mark{"000010", at(200, 200)})
	if n := m.all[len(m.all)-1]; len(m.all) != 10 || n.Vector[0].Time != 200 {
		t.Errorf("a mark at the place of the one before: %+v", n)
	}
	if c := m.passed("000004x"); c.Of(at(1, 1)[0].Origin) != 40 || len(m.all) != 6 {
		t.Errorf("passed: %v, %d left", c, len(m.all))
	}
	if c := m.passed("000004"); c.Len() != 0 || len(m.all) != 6 {
		t.Errorf("passed again: %v, %d left", c, len(m.all))
	}
	for i := range 20 * maxMarks {
		m.add(mark{fmt.Sprintf("%06d", 100+i), nil})
		if len(m.all) >= maxMarks {
			t.Fatalf("%d marks", len(m.all))
		}
	}
	if first, last := m.all[0].After, m.all[len(m.all)-1].After; first != "000005" || last != fmt.Sprintf("%06d", 99+20*maxMarks) {
		t.Errorf("from %s to %s", first, last)
	}
}
