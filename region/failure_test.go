package region

import (
	"errors"
	"testing"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
)

// DESIGN.md section 1: corruption stops a region; errors of requests do not.
func TestReport(t *testing.T) {
	r, err := Open(Options{Name: "us-east-1", Store: memstore.New()})
	if err != nil {
		t.Fatal(err)
	}
	r.Report(nil)
	r.Report(fault.New(fault.Invalid, "no"))
	select {
	case <-r.Failed():
		t.Fatal("an invalid request stops the region:", r.Err())
	default:
	}
	r.Report(storage.Corruptf("item 00", "it was eaten"))
	<-r.Failed()
	var corrupt *storage.CorruptionError
	if !errors.As(r.Err(), &corrupt) || corrupt.Where != "item 00" {
		t.Error(r.Err())
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
