package grpclink

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// TestExchange: messages of any size come back one for one, and the other side's error arrives in words.
func TestExchange(t *testing.T) {
	tr := serve(t, Options{}, &answers{})
	c := dial(t, tr, tr.Address())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	e, err := c.Repair(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{{}, []byte("x"), bytes.Repeat([]byte("long "), 100_000)} {
		if err := e.Send(b); err != nil {
			t.Fatal(err)
		}
		if got, err := e.Recv(); err != nil || !bytes.Equal(got, append(b, b...)) {
			t.Fatalf("%d bytes came back, %v", len(got), err)
		}
	}
	if err := e.Send([]byte("fail")); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Recv(); err == nil || !strings.Contains(err.Error(), "it failed") {
		t.Errorf("%v", err)
	}
	cancel()
	if _, err := e.Recv(); err == nil {
		t.Error("an exchange goes on after its end")
	}
}
