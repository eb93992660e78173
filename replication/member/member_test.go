package member

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
)

// brisk is production at five times the speed, and with little patience.
var brisk = pace{
	probe: 200 * time.Millisecond, ack: 100 * time.Millisecond, suspicion: 3, gossip: 20 * time.Millisecond, dial: 2 * time.Second,
	retryMin: 5 * time.Millisecond, retryMax: 200 * time.Millisecond, patience: 2 * time.Second,
	goodbye: 500 * time.Millisecond, linger: 20 * time.Millisecond, forget: time.Second,
}

// record keeps what is logged at warn and above.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// alarms is a logger for warnings and errors, and what they were.
func alarms() (*slog.Logger, *record) {
	r := &record{}
	return slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelWarn})), r
}

func origin(region string, incarnation uint64) crdt.Origin {
	return crdt.Origin{Region: region, Incarnation: incarnation}
}

// open starts a member on loopback; change its options with with.
func open(t *testing.T, region string, seeds []string, with ...func(*Options)) *Member {
	t.Helper()
	o := Options{
		Origin: origin(region, 1), Listen: "127.0.0.1:0", ReplicationAddress: "127.0.0.1:17000", Seeds: seeds, pace: &brisk,
	}
	for _, f := range with {
		f(&o)
	}
	m, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() }) // tests of Close look at its error themselves
	return m
}

// kill ends a member as kill -9 does.
func kill(t *testing.T, m *Member) {
	t.Helper()
	m.once.Do(func() {
		m.stop()
		if err := m.serf.Shutdown(); err != nil {
			t.Error(err)
		}
		m.jobs.Wait()
	})
}

const deadline = 30 * time.Second

// await waits until a member sees what it should.
func await(t *testing.T, m *Member, what string, ok func([]Peer) bool) {
	t.Helper()
	late := time.NewTimer(deadline)
	defer late.Stop()
	for {
		changed := m.Changed()
		peers := m.Peers()
		if ok(peers) {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("%s does not see %s; it sees %+v", m.o.Origin, what, peers)
		}
	}
}

// sees waits until a member sees just these: "eu-west-1 alive, us-east-1 failed".
func sees(t *testing.T, m *Member, want string) {
	t.Helper()
	await(t, m, want, func(peers []Peer) bool {
		var got []string
		for _, p := range peers {
			got = append(got, p.Region+" "+p.State.String())
		}
		return strings.Join(got, ", ") == want
	})
}

func TestThreeFindEachOtherByOneSeed(t *testing.T) {
	t.Parallel()
	logger, log := alarms()
	quiet := func(o *Options) { o.Logger = logger }
	a := open(t, "us-east-1", nil, quiet, func(o *Options) { o.DynamoDB, o.Admin = "http://a:8000", "http://a:9000" })
	b := open(t, "eu-west-1", []string{a.Address()}, quiet)
	c := open(t, "ap-northeast-1", []string{a.Address()}, quiet)
	sees(t, a, "ap-northeast-1 alive, eu-west-1 alive")
	sees(t, b, "ap-northeast-1 alive, us-east-1 alive")
	sees(t, c, "eu-west-1 alive, us-east-1 alive")
	want := Peer{Region: "us-east-1", Origin: origin("us-east-1", 1), Address: "127.0.0.1:17000", DynamoDB: "http://a:8000", Admin: "http://a:9000"}
	got := c.Peers()[1]
	got.RTT = 0
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	// A goodbye is no death, and none of this is worth a warning.
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	sees(t, a, "ap-northeast-1 alive, eu-west-1 left")
	sees(t, c, "eu-west-1 left, us-east-1 alive")
	for _, m := range []*Member{c, a} {
		if err := errors.Join(m.Close(), m.Close()); err != nil {
			t.Error(err)
		}
	}
	if log.String() != "" {
		t.Errorf("alarms without reason:\n%s", log)
	}
}

func TestRoundTripsAreMeasured(t *testing.T) {
	t.Parallel()
	a := open(t, "us-east-1", nil)
	b := open(t, "eu-west-1", []string{a.Address()})
	sees(t, b, "us-east-1 alive")
	tick := time.NewTicker(10 * time.Millisecond) // measuring is no change
	defer tick.Stop()
	for begin := time.Now(); b.Peers()[0].RTT == 0; <-tick.C {
		if time.Since(begin) > deadline {
			t.Fatal("no round-trip time")
		}
	}
	if rtt := b.Peers()[0].RTT; rtt < 0 || rtt > time.Second {
		t.Errorf("round trip %s on one machine", rtt)
	}
}

func TestKilledAndBack(t *testing.T) {
	t.Parallel()
	a := open(t, "us-east-1", nil)
	b := open(t, "eu-west-1", []string{a.Address()})
	c := open(t, "ap-northeast-1", []string{a.Address()})
	sees(t, c, "eu-west-1 alive, us-east-1 alive")
	kill(t, a)
	sees(t, b, "ap-northeast-1 alive, us-east-1 failed")
	sees(t, c, "eu-west-1 alive, us-east-1 failed")

	// The seed of the others comes back on its old address and knows nobody: they find it.
	a = open(t, "us-east-1", nil, func(o *Options) { o.Listen = a.Address() })
	for _, m := range []*Member{b, c} {
		await(t, m, "us-east-1 again", func(ps []Peer) bool { return ps[1].State == Alive })
	}
	sees(t, a, "ap-northeast-1 alive, eu-west-1 alive")
}

// One that left and comes back without a seed is found too.
// A process that is killed and back at once, without seeds, hears of the others although nobody has noticed that its
// predecessor died: here, nobody ever does.
func TestBackBeforeItsDeathIsNoticed(t *testing.T) {
	slow := brisk
	slow.probe, slow.ack, slow.gossip, slow.greet = time.Hour, time.Minute, time.Hour, 50*time.Millisecond
	with := func(o *Options) { o.pace = &slow }
	a := open(t, "us-east-1", nil, with)
	b := open(t, "eu-west-1", []string{a.Address()}, with)
	sees(t, a, "eu-west-1 alive")
	sees(t, b, "us-east-1 alive")
	kill(t, a)
	a = open(t, "us-east-1", nil, with, func(o *Options) { o.Listen = a.Address() })
	sees(t, a, "eu-west-1 alive")
}

func TestLeftAndBackWithoutSeed(t *testing.T) {
	t.Parallel()
	a := open(t, "us-east-1", nil)
	b := open(t, "eu-west-1", []string{a.Address()})
	sees(t, a, "eu-west-1 alive")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	sees(t, b, "us-east-1 left")
	a = open(t, "us-east-1", nil, func(o *Options) { o.Listen = a.Address() })
	sees(t, a, "eu-west-1 alive")
	sees(t, b, "us-east-1 alive")
}

// Seeds need not be there at first, nor all of them ever.
func TestSeedsThatComeLate(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	never := "nowhere.invalid:1"
	b := open(t, "eu-west-1", []string{never, address})
	sees(t, b, "")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	a := open(t, "us-east-1", []string{never, address}, func(o *Options) { o.Listen = address })
	sees(t, b, "us-east-1 alive")
	sees(t, a, "eu-west-1 alive")
}

// A region that knows somebody still tries a seed that never answered: it may be another group's only way in.
func TestTwoGroupsBecomeOne(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	late := l.Addr().String()
	a := open(t, "us-east-1", nil)
	b := open(t, "eu-west-1", []string{a.Address(), late})
	sees(t, b, "us-east-1 alive")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c := open(t, "ap-northeast-1", nil, func(o *Options) { o.Listen = late })
	sees(t, c, "eu-west-1 alive, us-east-1 alive")
	sees(t, a, "ap-northeast-1 alive, eu-west-1 alive")
}

func TestRebuiltRegionReplacesTheOld(t *testing.T) {
	t.Parallel()
	for _, elsewhere := range []bool{false, true} {
		t.Run(fmt.Sprintf("elsewhere=%t", elsewhere), func(t *testing.T) {
			t.Parallel()
			logger, log := alarms()
			a := open(t, "us-east-1", nil, func(o *Options) { o.Logger = logger })
			b := open(t, "eu-west-1", []string{a.Address()})
			sees(t, a, "eu-west-1 alive")
			kill(t, b)
			b = open(t, "eu-west-1", []string{a.Address()}, func(o *Options) {
				o.Origin.Incarnation = 2
				if !elsewhere {
					o.Listen = b.Address()
				}
			})
			await(t, a, "the new incarnation", func(ps []Peer) bool {
				return len(ps) == 1 && ps[0].Origin == origin("eu-west-1", 2) && ps[0].State == Alive
			})
			sees(t, b, "us-east-1 alive")
			if strings.Contains(log.String(), "two living") {
				t.Error(log)
			}
		})
	}
}

// A link that is cut and mended heals by itself, though both sides have declared the other dead and have no seed to go by.
func TestPartitionHeals(t *testing.T) {
	t.Parallel()
	a := open(t, "us-east-1", nil)
	b := open(t, "eu-west-1", []string{a.Address()})
	c := open(t, "ap-northeast-1", []string{a.Address()})
	sees(t, b, "ap-northeast-1 alive, us-east-1 alive")
	sees(t, c, "eu-west-1 alive, us-east-1 alive")
	cut(c, a, b)
	cut(a, c)
	cut(b, c)
	sees(t, c, "eu-west-1 failed, us-east-1 failed")
	sees(t, a, "ap-northeast-1 failed, eu-west-1 alive")
	sees(t, b, "ap-northeast-1 failed, us-east-1 alive")
	begin := time.Now()
	for _, m := range []*Member{a, b, c} {
		cut(m)
	}
	sees(t, c, "eu-west-1 alive, us-east-1 alive")
	sees(t, a, "ap-northeast-1 alive, eu-west-1 alive")
	sees(t, b, "ap-northeast-1 alive, us-east-1 alive")
	t.Logf("healed in %s", time.Since(begin))
}

// cut makes what m sends to the others vanish.
func cut(m *Member, others ...*Member) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.net.cut = func(addr string) bool {
		for _, o := range others {
			if addr == o.Address() {
				return true
			}
		}
		return false
	}
}

func TestTwoProcessesOfOneRegion(t *testing.T) {
	t.Parallel()
	logger, log := alarms()
	a := open(t, "us-east-1", nil, func(o *Options) { o.Logger = logger })
	first := open(t, "eu-west-1", []string{a.Address()})
	sees(t, a, "eu-west-1 alive")
	second := open(t, "eu-west-1", []string{a.Address()}, func(o *Options) { o.Origin.Incarnation = 2 })
	for _, m := range []*Member{first, second} {
		await(t, m, "the clash", func([]Peer) bool {
			if p := a.Peers(); p[0].Origin != first.o.Origin {
				t.Fatalf("the newcomer took over: %+v", p)
			}
			return m.Err() != nil
		})
	}
	var clash *ClashError
	if err := second.Err(); !errors.As(err, &clash) || clash.Theirs != first.Address() || clash.Origin != first.o.Origin {
		t.Errorf("the second says %v", err)
	}
	sees(t, second, "us-east-1 alive") // it is no peer of its twin
	for begin := time.Now(); !strings.Contains(log.String(), "two living processes"); {
		select {
		case <-a.Changed():
		case <-time.After(10 * time.Millisecond): // the alarm is no change of Peers
		}
		if time.Since(begin) > deadline {
			t.Fatal("no alarm at the third")
		}
	}
	if strings.Count(log.String(), "two living processes") != 1 {
		t.Errorf("alarmed more than once:\n%s", log)
	}
	// With the second gone, all is well again; with the first gone, the second would be the region.
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, second, "the end of the clash", func([]Peer) bool { return second.Err() == nil })
	await(t, a, "the second", func(ps []Peer) bool { return ps[0].Origin == second.o.Origin && ps[0].State == Alive })
}

func TestHostNamesAreWaysToGo(t *testing.T) {
	t.Parallel()
	_, port, _ := net.SplitHostPort(freePort(t))
	a := open(t, "us-east-1", nil, func(o *Options) { o.Listen, o.Advertise = "localhost:"+port, "localhost:"+port })
	b := open(t, "eu-west-1", []string{"localhost:" + port})
	sees(t, b, "us-east-1 alive")
	begin := time.Now()
	for ok := false; !ok; {
		b.net.mu.Lock()
		for name, addr := range b.net.routes {
			ok = strings.HasPrefix(name, "us-east-1@") && addr == "127.0.0.1:"+port
		}
		b.net.mu.Unlock()
		if time.Since(begin) > deadline {
			t.Fatalf("no route to %s: %v", a.advert, b.net.routes)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestRefusals(t *testing.T) {
	taken := open(t, "us-east-1", nil).Address()
	for _, c := range []struct {
		say  string
		with func(*Options)
	}{
		{"no origin", func(o *Options) { o.Origin = crdt.Origin{} }},
		{"address already in use", func(o *Options) { o.Listen = taken }},
		{"not host:port", func(o *Options) { o.Listen = "127.0.0.1" }},
		{"not host:port", func(o *Options) { o.ReplicationAddress = "" }},
		{"not host:port", func(o *Options) { o.Advertise = ":7" }},
		{"not host:port", func(o *Options) { o.Seeds = []string{"x"} }},
		{"512 fit", func(o *Options) { o.DynamoDB = "http://" + strings.Repeat("x", 500) }},
	} {
		o := Options{Origin: origin("eu-west-1", 1), Listen: "127.0.0.1:0", ReplicationAddress: "127.0.0.1:1"}
		c.with(&o)
		m, err := Start(o)
		if err == nil {
			_ = m.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("got %v, want %q", err, c.say)
		}
	}
}

// Close does not wait for a host that does not answer.
func TestCloseWhileTrying(t *testing.T) {
	m := open(t, "us-east-1", []string{"192.0.2.1:7100", "nowhere.invalid:1"}) // reserved for documentation
	begin := time.Now()
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if d := time.Since(begin); d > brisk.dial {
		t.Errorf("took %s", d)
	}
}
