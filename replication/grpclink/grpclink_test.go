package grpclink

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/replication/link"
	"github.com/meridiandb/meridian/replication/replpb"
	"github.com/meridiandb/meridian/replication/transport"
	"github.com/meridiandb/meridian/stream/record"
)

var (
	here  = crdt.Origin{Region: "here", Incarnation: 1}
	there = crdt.Origin{Region: "there", Incarnation: 1 << 63}
)

// answers is a Server of a test.
type answers struct {
	follow   func(context.Context, link.Open, transport.Outbound) error
	snapshot []transport.SnapshotChunk
	gone     sync.WaitGroup // handlers under way
}

func (a *answers) Follow(ctx context.Context, o link.Open, out transport.Outbound) error {
	a.gone.Add(1)
	defer a.gone.Done()
	return a.follow(ctx, o, out)
}

func (a *answers) Catalog(ctx context.Context, from crdt.Origin, send func([][]byte) error) error {
	if err := send([][]byte{[]byte(from.String()), nil, []byte("two")}); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

func (a *answers) Call(ctx context.Context, from, name string, payload []byte) ([]byte, error) {
	switch name {
	case "fail":
		return nil, errors.New("it failed")
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return fmt.Appendf(nil, "%s %s %s", from, name, payload), nil
}

func (a *answers) Snapshot(_ context.Context, from string, table record.TableID, send func(transport.SnapshotChunk) error) error {
	if table != (record.TableID{7}) {
		return errors.New("no such table: " + table.String())
	}
	for _, c := range a.snapshot {
		if err := send(c); err != nil {
			return err
		}
	}
	return nil
}

// Repair says everything twice over, and fails when it is told to.
func (a *answers) Repair(_ context.Context, e transport.Exchange) error {
	for {
		b, err := e.Recv()
		if err != nil {
			return err
		}
		if string(b) == "fail" {
			return errors.New("it failed")
		}
		if err := e.Send(append(b, b...)); err != nil {
			return err
		}
	}
}

func (a *answers) Ping(context.Context) transport.Pong {
	return transport.Pong{Origin: there, Arrived: time.Unix(5, 6), Answered: time.Unix(7, 8)}
}

func serve(t *testing.T, o Options, a *answers) *Transport {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	tr, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Serve(a); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, tr) })
	return tr
}

func closed(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func dial(t *testing.T, tr *Transport, address string) transport.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c, err := tr.Dial(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func open(tables ...record.TableID) link.Open {
	return link.NewOpen(link.Config{}, here, there, 77, tables)
}

func TestLink(t *testing.T) {
	random := make([]byte, 100<<10)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	batches := []link.Batch{
		{From: 77, UpTo: 77, Closed: 5, End: 9},
		{From: 77, UpTo: 80, Closed: 1 << 63, End: 1 << 62, Commits: [][]byte{[]byte("a"), {}, []byte("bc")}, Behind: link.Lag{Seconds: 1.5, Commits: 2, Bytes: 3}},
		{From: 80, UpTo: 81, Commits: [][]byte{bytes.Repeat([]byte("compress me "), 10000), []byte("x")}},
		{From: 81, UpTo: 82, Commits: [][]byte{random, random[:5]}},
		{From: 82, UpTo: 83, Commits: [][]byte{bytes.Repeat(random, 400)}}, // 40 MB
	}
	acks := make(chan link.Ack, 10)
	a := &answers{follow: func(ctx context.Context, o link.Open, out transport.Outbound) error {
		if o.Receiver != here || o.Sender != there || o.Cursor != 77 || len(o.Tables) != 2 || o.Tables[1] != (record.TableID{2}) {
			return fmt.Errorf("opened with %+v", o)
		}
		if err := out.Accept(link.Accept{Protocol: 3, Sender: there, End: 1 << 40}); err != nil {
			return err
		}
		for _, b := range batches {
			if err := out.Send(b); err != nil {
				return err
			}
			ack, err := out.Recv()
			if err != nil {
				return err
			}
			acks <- ack
		}
		return link.Refuse(link.ReasonTrimmed, "no more")
	}}
	s := serve(t, Options{}, a)
	c := dial(t, serve(t, Options{}, &answers{}), s.Address())
	in, acc, err := c.Follow(t.Context(), open(record.TableID{1}, record.TableID{2}))
	if err != nil || acc != (link.Accept{Protocol: 3, Sender: there, End: 1 << 40}) {
		t.Fatalf("%+v, %v", acc, err)
	}
	for i, want := range batches {
		got, err := in.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Commits) != len(want.Commits) {
			t.Fatalf("batch %d has %d commits", i, len(got.Commits))
		}
		for k := range got.Commits {
			if !bytes.Equal(got.Commits[k], want.Commits[k]) {
				t.Errorf("commit %d of batch %d came changed", k, i)
			}
		}
		got.Commits, want.Commits = nil, nil
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %+v, sent %+v", got, want)
		}
		if err := in.Send(link.Ack{UpTo: want.UpTo}); err != nil {
			t.Fatal(err)
		}
		if ack := <-acks; ack.UpTo != want.UpTo {
			t.Errorf("acknowledged %v", ack)
		}
	}
	if _, err := in.Recv(); !errors.Is(err, &link.Refusal{Reason: link.ReasonTrimmed}) || err.Error() != "no more" {
		t.Errorf("the refusal came as %v", err)
	}
	if since := time.Since(c.Heard()); since < 0 || since > 5*time.Second {
		t.Errorf("heard %v ago", since)
	}
}

func TestRefusal(t *testing.T) {
	a := &answers{follow: func(context.Context, link.Open, transport.Outbound) error {
		return link.Refuse(link.ReasonProtocol, "too old")
	}}
	c := dial(t, serve(t, Options{}, &answers{}), serve(t, Options{}, a).Address())
	if _, _, err := c.Follow(t.Context(), open()); !errors.Is(err, &link.Refusal{Reason: link.ReasonProtocol}) {
		t.Errorf("%v", err)
	}
	a.follow = func(context.Context, link.Open, transport.Outbound) error { return errors.New("oh") }
	if _, _, err := c.Follow(t.Context(), open()); err == nil || err.Error() != "oh" {
		t.Errorf("%v", err)
	}
}

func TestOtherCalls(t *testing.T) {
	id := record.TableID{7}
	item := record.Change{Table: id, Shard: 3, Key: []byte("k"), State: bytes.Repeat([]byte("s"), 400<<10), Base: crdt.Stamp{Time: 1, Origin: here}}
	a := &answers{snapshot: []transport.SnapshotChunk{
		{Positions: map[crdt.Origin]record.Seq{here: 5, there: 1 << 50}},
		{Changes: []record.Change{item, item}},
		{Changes: []record.Change{item}},
	}}
	c := dial(t, serve(t, Options{}, &answers{}), serve(t, Options{}, a).Address())

	if b, err := c.Call(t.Context(), "me", "do", []byte("it")); err != nil || string(b) != "me do it" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := c.Call(t.Context(), "me", "fail", nil); err == nil || err.Error() != "it failed" {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := c.Call(ctx, "me", "hang", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if p, err := c.Ping(t.Context()); err != nil || p.Origin != there || !p.Arrived.Equal(time.Unix(5, 6)) || !p.Answered.Equal(time.Unix(7, 8)) {
		t.Errorf("%+v, %v", p, err)
	}

	enough := errors.New("enough")
	err := c.Catalog(t.Context(), here, func(entries [][]byte) error {
		if len(entries) != 3 || string(entries[0]) != here.String() || string(entries[2]) != "two" {
			t.Errorf("%q", entries)
		}
		return enough
	})
	if !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}

	var got []transport.SnapshotChunk
	if err := c.Snapshot(t.Context(), "me", id, func(c transport.SnapshotChunk) error { got = append(got, c); return nil }); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, a.snapshot) {
		t.Error("the copy came changed")
	}
	if err := c.Snapshot(t.Context(), "me", record.TableID{1}, nil); err == nil || !strings.Contains(err.Error(), "no such table") {
		t.Errorf("%v", err)
	}
	if err := c.Snapshot(t.Context(), "me", id, func(transport.SnapshotChunk) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
}

// What does not end by itself ends with its context, with its connection and with the server.
func TestEnds(t *testing.T) {
	hang := func(ctx context.Context, _ link.Open, out transport.Outbound) error {
		if err := out.Accept(link.Accept{}); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	for name, end := range map[string]func(stop context.CancelCauseFunc, c transport.Conn, s *Transport){
		"context":    func(stop context.CancelCauseFunc, _ transport.Conn, _ *Transport) { stop(errors.New("enough")) },
		"connection": func(_ context.CancelCauseFunc, c transport.Conn, _ *Transport) { _ = c.Close() },
		"server":     func(_ context.CancelCauseFunc, _ transport.Conn, s *Transport) { _ = s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			a := &answers{follow: hang}
			s := serve(t, Options{}, a)
			c := dial(t, serve(t, Options{}, &answers{}), s.Address())
			ctx, stop := context.WithCancelCause(t.Context())
			defer stop(nil)
			in, _, err := c.Follow(ctx, open())
			if err != nil {
				t.Fatal(err)
			}
			end(stop, c, s)
			if _, err := in.Recv(); err == nil {
				t.Error("it goes on")
			} else if name == "context" && err.Error() != "enough" {
				t.Errorf("the reason came as %v", err)
			}
			a.gone.Wait()
		})
	}
}

func TestDialFails(t *testing.T) {
	tr := serve(t, Options{}, &answers{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Dial(t.Context(), l.Addr().String()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a closed port: %v", err)
	}
	// A port that is open and says nothing.
	if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer closed(t, l)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := tr.Dial(ctx, l.Addr().String()); err == nil {
		t.Error("connected to nobody")
	}
}

// A receiver that does not read holds nobody up, not even on its own connection.
func TestFlowControl(t *testing.T) {
	sent := make(chan int, 1)
	a := &answers{follow: func(ctx context.Context, _ link.Open, out transport.Outbound) error {
		if err := out.Accept(link.Accept{}); err != nil {
			return err
		}
		junk := make([]byte, 1<<20)
		if _, err := rand.Read(junk); err != nil {
			return err
		}
		for n := 0; ; n++ {
			select {
			case <-sent:
			default:
			}
			sent <- n
			if err := out.Send(link.Batch{UpTo: 1, Commits: [][]byte{junk}}); err != nil {
				return err
			}
		}
	}}
	c := dial(t, serve(t, Options{}, &answers{}), serve(t, Options{}, a).Address())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, _, err := c.Follow(ctx, open()); err != nil {
		t.Fatal(err)
	}
	for n, still := 0, 0; still < 50; still++ { // until it stands still
		select {
		case n = <-sent:
			still = 0
			if n > 3*window>>20 {
				t.Fatalf("%d MB were taken for one who does not read", n)
			}
		case <-time.After(10 * time.Millisecond):
		}
	}
	once, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	if _, err := c.Ping(once); err != nil {
		t.Errorf("a ping beside a full stream: %v", err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	bomb := c.encoder.EncodeAll(make([]byte, 64<<20), nil)
	for name, b := range map[string]*replpb.Bytes{
		"too few":      {Sizes: []uint64{3, 4}, Data: []byte("abc")},
		"too many":     {Sizes: []uint64{1}, Data: []byte("abc")},
		"overflow":     {Sizes: []uint64{1 << 63, 1 << 63, 3}, Data: []byte("abc")},
		"no frame":     {Sizes: []uint64{3}, Data: []byte("abc"), Zstd: true},
		"bomb":         {Sizes: []uint64{10}, Data: bomb, Zstd: true},
		"cut off":      {Sizes: []uint64{64 << 20}, Data: bomb[:len(bomb)-1], Zstd: true},
		"above limits": {Sizes: []uint64{maxMessage, 1}, Data: bomb, Zstd: true},
	} {
		if _, err := c.unpack(b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("abc"), uint64(1), uint64(2), false)
	f.Add(c.encoder.EncodeAll([]byte("abcabcabc"), nil), uint64(4), uint64(5), true)
	f.Fuzz(func(t *testing.T, data []byte, m, n uint64, zstd bool) {
		list, err := c.unpack(&replpb.Bytes{Sizes: []uint64{m, n}, Data: data, Zstd: zstd})
		if err == nil && (uint64(len(list[0])) != m || uint64(len(list[1])) != n) {
			t.Error("other sizes than announced")
		}
	})
}

// authority makes certificates.
type authority struct {
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	n    int64
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.key, a.cert = a.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	return a
}

func (a *authority) issue(name string, c *x509.Certificate, by *authority) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.n++
	c.SerialNumber, c.Subject = big.NewInt(a.n), pkix.Name{CommonName: name}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	kb, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, b := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: kb}} {
		if err := os.WriteFile(filepath.Join(a.dir, name+file), pem.EncodeToMemory(b), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return key, cert
}

// files are those of a region whose certificate says an address.
func (a *authority) files(name, ip string) *TLS {
	a.issue(name, &x509.Certificate{
		IPAddresses: []net.IP{net.ParseIP(ip)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a)
	return &TLS{CertFile: a.path(name + ".crt"), KeyFile: a.path(name + ".key"), CAFile: a.path("ca.crt")}
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

func TestTLS(t *testing.T) {
	ours, foreign := newAuthority(t), newAuthority(t)
	s := serve(t, Options{TLS: ours.files("server", "127.0.0.1")}, &answers{})
	try := func(o *TLS, address string) error {
		tr := serve(t, Options{TLS: o}, &answers{})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		c, err := tr.Dial(ctx, address)
		if err != nil {
			return err
		}
		defer closed(t, c)
		_, err = c.Ping(ctx) // TLS 1.3: a client learns of its refusal with the first answer
		return err
	}
	if err := try(ours.files("client", "127.0.0.1"), s.Address()); err != nil {
		t.Errorf("one of ours: %v", err)
	}
	for name, o := range map[string]*TLS{
		"a foreign client":                  foreign.files("client", "127.0.0.1"),
		"one that trusts us and is foreign": {CertFile: foreign.path("client.crt"), KeyFile: foreign.path("client.key"), CAFile: ours.path("ca.crt")},
		"one that we trust and trusts none": {CertFile: ours.path("client.crt"), KeyFile: ours.path("client.key"), CAFile: foreign.path("ca.crt")},
		"one without TLS":                   nil,
	} {
		if err := try(o, s.Address()); err == nil {
			t.Errorf("%s got in", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	wrong := serve(t, Options{TLS: ours.files("elsewhere", "192.0.2.1")}, &answers{})
	if err := try(ours.files("client", "127.0.0.1"), wrong.Address()); err == nil || !strings.Contains(err.Error(), "192.0.2.1") {
		t.Errorf("a server that is not who was dialed: %v", err)
	}
	plain := serve(t, Options{}, &answers{})
	if err := try(ours.files("client", "127.0.0.1"), plain.Address()); err == nil {
		t.Error("a server without TLS was trusted")
	}

	for name, o := range map[string]*TLS{
		"no CA":         {CertFile: ours.path("client.crt"), KeyFile: ours.path("client.key")},
		"no such file":  {CertFile: ours.path("nobody.crt"), KeyFile: ours.path("client.key"), CAFile: ours.path("ca.crt")},
		"another's key": {CertFile: ours.path("client.crt"), KeyFile: ours.path("server.key"), CAFile: ours.path("ca.crt")},
		"CA is a key":   {CertFile: ours.path("client.crt"), KeyFile: ours.path("client.key"), CAFile: ours.path("ca.key")},
	} {
		if tr, err := New(Options{Listen: "127.0.0.1:0", TLS: o}); err == nil {
			closed(t, tr)
			t.Errorf("%s: opened", name)
		}
	}
}

// After everything is closed no goroutine is left.
func TestNothingLeaks(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("use", func(t *testing.T) {
		a := &answers{follow: func(ctx context.Context, _ link.Open, out transport.Outbound) error {
			_ = out.Accept(link.Accept{})
			_, err := out.Recv()
			return err
		}}
		s := serve(t, Options{}, a)
		for range 10 {
			c := dial(t, serve(t, Options{}, &answers{}), s.Address())
			if _, _, err := c.Follow(t.Context(), open()); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Call(t.Context(), "", "", nil); err != nil {
				t.Fatal(err)
			}
		}
	})
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, now:\n%s", before, buf[:runtime.Stack(buf, true)])
		}
	}
}
