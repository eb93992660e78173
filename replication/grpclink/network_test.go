package grpclink

import (
	"context"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/wan"
)

// Over a simulated network everything takes as long as it should, and what is cut stays cut until it is healed.
func TestSimulatedNetwork(t *testing.T) {
	profile, err := wan.ParseProfile("aws")
	if err != nil {
		t.Fatal(err)
	}
	us, eu := wan.New("us-east-1", profile), wan.New("eu-west-1", profile)
	server := serve(t, Options{Network: eu}, &answers{})
	from := serve(t, Options{Network: us}, &answers{})
	c := dial(t, from, server.Address())
	ping := func(patience time.Duration) (time.Duration, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		began := time.Now()
		_, err := c.Ping(ctx)
		return time.Since(began), err
	}
	if took, err := ping(5 * time.Second); err != nil || took < 69*time.Millisecond {
		t.Errorf("a round trip took %v: %v", took, err)
	}
	eu.Set("us-east-1", wan.Fault{Cut: true}) // the answers
	if took, err := ping(500 * time.Millisecond); err == nil {
		t.Errorf("over a cut a round trip took %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if other, err := from.Dial(ctx, server.Address()); err == nil {
		t.Error("a connection came about over a cut")
		closed(t, other)
	}
	eu.Heal()
	if took, err := ping(5 * time.Second); err != nil {
		t.Errorf("after healing: %v, %v", took, err)
	}
}
