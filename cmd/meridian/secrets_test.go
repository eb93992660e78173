package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
)

// certificates is an authority and a folder of what it issued.
type certificates struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newCertificates(t *testing.T) *certificates {
	a := &certificates{dir: t.TempDir()}
	a.cert = &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.key = a.write(t, "ca", a.cert)
	a.write(t, "region", &x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	return a
}

// write issues a certificate; the first one signs itself and all others.
func (a *certificates) write(t *testing.T, name string, c *x509.Certificate) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer := a.key
	if signer == nil {
		signer = key
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(1), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a.file(t, name+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	a.file(t, name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return key
}

func (a *certificates) file(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(a.dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (a *certificates) flags() []string {
	at := func(name string) string { return filepath.Join(a.dir, name) }
	return []string{"--replication-ca", at("ca.crt"), "--replication-cert", at("region.crt"), "--replication-key", at("region.key")}
}

// TestStrangersStayOut: regions with the same secrets replicate; one that lacks a part of them, or has another authority's,
// gets nothing.
func TestStrangersStayOut(t *testing.T) {
	ours, theirs := newCertificates(t), newCertificates(t)
	key := filepath.Join(t.TempDir(), "gossip")
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte(base64.StdEncoding.EncodeToString(secret)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := append(ours.flags(), "--gossip-key", key)
	f := &fleet{names: []string{"us-east-1", "eu-west-1"}, at: map[string]admin.Endpoints{}, procs: map[string]*process{}, data: t.TempDir()}
	begin := func(name string, flags ...string) admin.Endpoints {
		if e, ok := f.at["us-east-1"]; ok {
			flags = append(flags, "--join", e.Gossip)
		}
		f.procs[name], f.at[name] = startServe(t, serveFree(name, filepath.Join(f.data, name), flags...)...)
		return f.at[name]
	}
	begin("us-east-1", all...)
	begin("eu-west-1", all...)
	begin("ap-south-1", append(theirs.flags(), "--gossip-key", key)...) // knows the others, is let in by none
	begin("sa-east-1", ours.flags()...)                                 // does not even know them
	begin("ca-west-1", "--gossip-key", key)                             // no certificate
	f.linked(t)
	f.table(t, "things")
	call(t, f.at["us-east-1"], "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"}}}`)
	await(t, "the item elsewhere", func() string {
		if len(scan(t, f.at["eu-west-1"], "things")) == 1 {
			return ""
		}
		return "not there"
	})
	await(t, "refusals", func() string {
		for _, name := range []string{"ap-south-1", "ca-west-1"} {
			s := f.status(t, name)
			if len(s.Peers) == 0 {
				return name + " knows nobody yet"
			}
			for _, p := range s.Peers {
				if p.Connected || p.Error == "" {
					return fmt.Sprintf("%s has %+v", name, p)
				}
			}
		}
		return ""
	})
	if peers := f.status(t, "sa-east-1").Peers; len(peers) != 0 {
		t.Errorf("without the gossip key sa-east-1 knows %+v", peers)
	}
}

func TestSecretsThatAreNone(t *testing.T) {
	ours := newCertificates(t)
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("c2hvcnQ="), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{ours.flags()[:4], "--replication-key is missing: TLS between regions needs an authority, a certificate and its key"},
		{ours.flags()[2:], "--replication-ca is missing"},
		{[]string{"--replication-ca", short, "--replication-cert", short, "--replication-key", short}, "no certificate in " + short},
		{[]string{"--gossip-key", short}, "does not hold 16, 24 or 32 bytes in base64"},
		{[]string{"--gossip-key", short + "er"}, "no such file"},
	} {
		code, _, stderr := exec1(t, serveFree("us-east-1", t.TempDir(), c.flags...)...)
		if code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d, %q", c.flags, code, stderr)
		}
	}
}
