package grpclink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"google.golang.org/grpc/credentials"
)

// TLS names the PEM files of mutual authentication. All are required. The certificate must be good for serving and asking
// alike (extended key usage serverAuth and clientAuth) and name the host that others dial. Certificate and key are read again
// for every connection, so they can be replaced while the server runs; the authority cannot.
type TLS struct{ CertFile, KeyFile, CAFile string }

func (t *TLS) credentials() (server, client credentials.TransportCredentials, err error) {
	if t.CertFile == "" || t.KeyFile == "" || t.CAFile == "" {
		return nil, nil, errors.New("TLS between regions needs a certificate, its key and the authority's certificate")
	}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, nil, fmt.Errorf("authority of TLS between regions: %w", err)
	}
	authority := x509.NewCertPool()
	if !authority.AppendCertsFromPEM(pem) {
		return nil, nil, fmt.Errorf("authority of TLS between regions: no certificate in %s", t.CAFile)
	}
	if _, err := t.load(); err != nil { // say so now, not at the first connection
		return nil, nil, err
	}
	server = credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return t.load() },
	})
	client = credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: authority,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.load() },
	})
	return server, client, nil
}

func (t *TLS) load() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate of TLS between regions: %w", err)
	}
	return &c, nil
}
