package api

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/meridiandb/meridian/storage"
)

// TestFullDisk is told to clients as what it is: to be tried again. A store that failed of it is another matter.
func TestFullDisk(t *testing.T) {
	full := fmt.Errorf("%w: 4 MB free", storage.ErrFull)
	if e := translate(full); e.status != http.StatusServiceUnavailable || e.name != "ServiceUnavailable" || !e.quiet {
		t.Errorf("a full disk is told as %d %s", e.status, e)
	}
	if e := translate(fmt.Errorf("%w: %w", storage.ErrFailed, full)); e.status != http.StatusInternalServerError || e.quiet {
		t.Errorf("a store that failed is told as %d %s", e.status, e)
	}
}
