package main

import (
	"encoding/base64"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/meridiandb/meridian/replication"
)

// secrets keep strangers out of what regions say to each other.
type secrets struct {
	tls       *replication.TLS // nil: replication is open
	gossipKey []byte           // nil: gossip is open
}

// secretFiles are where they are kept; empty: none.
type secretFiles struct{ ca, cert, key, gossipKey string }

func (s *secretFiles) flags(f *pflag.FlagSet) {
	f.StringVar(&s.ca, "replication-ca", s.ca, "PEM file of the authority whose certificates other regions must show")
	f.StringVar(&s.cert, "replication-cert", s.cert,
		"PEM file of this region's certificate, for serving and asking, with the host of --replication-advertise in it")
	f.StringVar(&s.key, "replication-key", s.key, "PEM file of that certificate's key")
	f.StringVar(&s.gossipKey, "gossip-key", s.gossipKey,
		"file with the key that encrypts gossip: 16, 24 or 32 random bytes in base64 (openssl rand -base64 32)")
}

// read fails if one of three is missing: half a protection is none. What is wrong within the PEM files replication says.
func (s *secretFiles) read() (found secrets, err error) {
	named := []string{s.ca, s.cert, s.key}
	switch missing := slices.Index(named, ""); {
	case missing < 0:
		found.tls = &replication.TLS{CAFile: s.ca, CertFile: s.cert, KeyFile: s.key}
	case strings.Join(named, "") != "":
		flag := []string{"--replication-ca", "--replication-cert", "--replication-key"}[missing]
		return secrets{}, usagef("%s is missing: TLS between regions needs an authority, a certificate and its key", flag)
	}
	if s.gossipKey != "" {
		text, err := os.ReadFile(s.gossipKey)
		if err != nil {
			return secrets{}, usagef("--gossip-key: %w", err)
		}
		found.gossipKey, err = base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
		if n := len(found.gossipKey); err != nil || n != 16 && n != 24 && n != 32 {
			return secrets{}, usagef("--gossip-key: %s does not hold 16, 24 or 32 bytes in base64", s.gossipKey)
		}
	}
	return found, nil
}
