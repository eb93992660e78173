package item

import "testing"

func TestQuickNum(t *testing.T) {
	for _, c := range [][2]string{{"007", "7"}, {"1.0", "1"}, {"1e3", "1000"}, {"-0", "0"}, {"0e5", "0"}, {"1e-20", "0.00000000000000000001"}, {".5", "0.5"}, {"-12.340", "-12.34"}, {"123456789.5", "123456789.5"}, {"99999999999999999999999999999999999999", "99999999999999999999999999999999999999"}, {"100", "100"}, {"0.05", "0.05"}, {"10.05", "10.05"}} {
		n, err := ParseNum([]byte(c[0]))
		if err != nil || n.String() != c[1] {
			t.Errorf("%s: %s %v", c[0], n, err)
		}
		if m, u, ok := numFromBytes(n.AppendOrdered(nil)); !ok || m != n || u != int(n.n) {
			t.Errorf("%s bytes", c[0])
		}
	}
	a := NumFromInt(7)
	b, _ := ParseNum([]byte("-2.5"))
	s, err := a.Add(b)
	if s.String() != "4.5" || err != nil {
		t.Error(s, err)
	}
}
