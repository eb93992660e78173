package wan

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func aws(t *testing.T) *Profile {
	t.Helper()
	p, err := ParseProfile("aws")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProfile(t *testing.T) {
	p := aws(t)
	if n := len(p.Regions()); n < 12 {
		t.Errorf("there are only %d regions", n)
	}
	for _, a := range p.Regions() {
		for _, b := range p.Regions() {
			if rtt := p.RTT(a, b); rtt != p.RTT(b, a) || (a == b) != (rtt == 0) || rtt > 400*time.Millisecond {
				t.Errorf("from %s to %s it takes %v", a, b, rtt)
			}
		}
	}
	if p.RTT("us-east-1", "eu-west-1") != 69700*time.Microsecond {
		t.Errorf("across the Atlantic it takes %v", p.RTT("us-east-1", "eu-west-1"))
	}
	if err := p.Check("mars-north-1"); err == nil || !strings.Contains(err.Error(), "it has us-east-1") {
		t.Errorf("Mars: %v", err)
	}
	var none *Profile
	if none.Check("mars-north-1") != nil || none.Link("a", "b") != (Link{}) {
		t.Error("without a profile there are distances")
	}
	if _, err := ParseProfile("azure"); err == nil {
		t.Error("a profile that is not there was found")
	}
	for _, bad := range []string{"a\nb", "a\nb 1 2", "a\nb x", "a\nb -1"} {
		if _, err := parse("bad", bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// pair connects two regions.
func pair(t *testing.T, a, b *Network) (dialed, accepted net.Conn) {
	t.Helper()
	x, y := net.Pipe()
	accepted = mustAccept(t, b, y)
	first := make(chan error, 1)
	go func() {
		_, err := accepted.Read(nil) // the listener's side answers when it is first used
		first <- err
	}()
	dialed, err := a.Client(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = dialed.Write([]byte{0}) }()
	if _, err := io.ReadFull(accepted, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = dialed.Close(), accepted.Close() })
	return dialed, accepted
}

// once accepts one connection.
type once struct {
	net.Listener
	c net.Conn
}

func (o once) Accept() (net.Conn, error) { return o.c, nil }

func mustAccept(t *testing.T, n *Network, c net.Conn) net.Conn {
	t.Helper()
	got, err := n.Listen(once{c: c}).Accept()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// crossing is how long bytes take from one end to the other.
func crossing(t *testing.T, from, to net.Conn, n int) time.Duration {
	t.Helper()
	sent := bytes.Repeat([]byte{7}, n)
	began := time.Now()
	if _, err := from.Write(sent); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, n)
	if _, err := io.ReadFull(to, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("something else arrived: %v", err)
	}
	return time.Since(began)
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		us, eu := New("us-east-1", aws(t)), New("eu-west-1", aws(t))
		a, b := pair(t, us, eu)
		for _, ends := range [][2]net.Conn{{a, b}, {b, a}} {
			slow := 0
			for range 200 {
				d := crossing(t, ends[0], ends[1], 100)
				if d < 34850*time.Microsecond || d > 34850*time.Microsecond*102/100+1000*time.Microsecond {
					slow++ // lost, once in ten thousand
				}
			}
			if slow > 3 {
				t.Errorf("%d of 200 writes took another time than half of 69.7 ms", slow)
			}
		}
		if d := crossing(t, a, b, 125_000_000/10); d < 134*time.Millisecond {
			t.Errorf("a tenth of a second's worth of bytes took %v", d)
		}
	})
}

func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		us, eu := New("us-east-1", nil), New("eu-west-1", nil)
		a, b := pair(t, us, eu)
		if d := crossing(t, a, b, 100); d != 0 {
			t.Errorf("without faults it took %v", d)
		}
		us.Set("eu-west-1", Fault{Latency: 300 * time.Millisecond})
		if d := crossing(t, a, b, 100); d != 300*time.Millisecond {
			t.Errorf("with latency it took %v", d)
		}
		if d := crossing(t, b, a, 100); d != 0 {
			t.Errorf("the other way it took %v", d)
		}
		us.Set("eu-west-1", Fault{Cut: true})
		time.AfterFunc(5*time.Second, us.Heal)
		if d := crossing(t, a, b, 100); d != 5*time.Second {
			t.Errorf("over a cut of 5 s it took %v", d)
		}
		us.Set("eu-west-1", Fault{Cut: true, Until: time.Now().Add(3 * time.Second)})
		if d := crossing(t, a, b, 100); d != 3*time.Second || len(us.Faults()) != 0 {
			t.Errorf("over a cut that ends by itself it took %v; left are %v", d, us.Faults())
		}
		us.Set("eu-west-1", Fault{Loss: 0.5})
		var all time.Duration
		for range 100 {
			all += crossing(t, a, b, 100)
		}
		if all < 300*time.Millisecond || all > 3*time.Second {
			t.Errorf("with half of all packets lost, 100 took %v", all)
		}
		us.Set("ap-northeast-1", Fault{Cut: true}) // another link
		us.Set("eu-west-1", Fault{})
		if d := crossing(t, a, b, 100); d != 0 {
			t.Errorf("after all was healed it took %v", d)
		}
	})
}

// No connection comes about while either direction is cut.
func TestDialOverCut(t *testing.T) {
	for _, cut := range []string{"out", "in"} {
		synctest.Test(t, func(t *testing.T) {
			us, eu := New("us-east-1", nil), New("eu-west-1", nil)
			if cut == "out" {
				us.Set("eu-west-1", Fault{Cut: true})
			} else {
				eu.Set("us-east-1", Fault{Cut: true})
			}
			x, y := net.Pipe()
			accepted := mustAccept(t, eu, y)
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = accepted.Read(make([]byte, 1))
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if c, err := us.Client(ctx, x); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got %v, %v", cut, c, err)
			}
			_ = accepted.Close()
			<-done
		})
	}
}

func TestOnlyOneSideSimulates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := net.Pipe()
		go func() {
			_, _ = y.Read(make([]byte, 64))
			_, _ = y.Write(bytes.Repeat([]byte("x"), 100))
		}()
		if _, err := New("us-east-1", nil).Client(t.Context(), x); !errors.Is(err, errNoNetwork) {
			t.Errorf("got %v", err)
		}
		_ = y.Close()
	})
}

func TestFaultCheck(t *testing.T) {
	for _, f := range []Fault{{Latency: -1}, {Latency: time.Hour}, {Loss: -0.1}, {Loss: 1}, {Loss: math.NaN()}} {
		if f.Check() == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}
