package main

import (
	"net"
	"strings"
	"testing"
)

func TestPortsAreAllNamedAndNoneIsKept(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	heldUDP, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer heldUDP.Close()
	free := claimOne(t)
	free.release()

	_, err = claimPorts([]want{
		{what: "DynamoDB endpoint of a", addr: held.Addr().String()},
		{what: "admin of a", addr: free.tcp.Addr().String()},
		{what: "gossip of a", addr: heldUDP.LocalAddr().String(), packet: true},
		{what: "gossip of b", addr: "no-such-host.invalid:1"},
	})
	if err == nil || exitCode(err) != exitUsage {
		t.Fatalf("got %v", err)
	}
	for _, s := range []string{
		held.Addr().String() + " (DynamoDB endpoint of a: address already in use)",
		heldUDP.LocalAddr().String() + " (gossip of a: address already in use)", "gossip of b",
	} {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
	if strings.Contains(err.Error(), "admin of a") {
		t.Errorf("%q names a port that is free", err)
	}
	again, err := claimPorts([]want{{what: "x", addr: free.tcp.Addr().String()}})
	if err != nil {
		t.Fatalf("a free port was kept: %v", err)
	}
	again.release()
}

func claimOne(t *testing.T) *claim {
	t.Helper()
	cs, err := claimPorts([]want{{what: "x", addr: "127.0.0.1:0", packet: true}})
	if err != nil {
		t.Fatal(err)
	}
	if a := cs[0].address(); a != cs[0].tcp.Addr().String() || cs[0].udp.LocalAddr().String() != a {
		t.Fatalf("claimed %s, TCP %s, UDP %s", a, cs[0].tcp.Addr(), cs[0].udp.LocalAddr())
	}
	return cs[0]
}

func TestPortsThatCannotBe(t *testing.T) {
	for _, c := range []struct{ addrs, want string }{
		{"127.0.0.1:8000 127.0.0.1:8000", "wanted twice: one, two"},
		{"127.0.0.1:0 127.0.0.1:65536", "no port 65536"},
		{"127.0.0.1:0 127.0.0.1:-1", "no port -1"},
		{"127.0.0.1 127.0.0.1:0", `"127.0.0.1" is not host:port`},
	} {
		a := strings.Fields(c.addrs)
		_, err := claimPorts([]want{{what: "one", addr: a[0]}, {what: "two", addr: a[1]}})
		if err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.addrs, err, c.want)
		}
	}
}
