package memstore_test

import (
	"testing"

	"github.com/meridiandb/meridian/storage"
	"github.com/meridiandb/meridian/storage/memstore"
	"github.com/meridiandb/meridian/storage/storagetest"
)

func TestConformance(t *testing.T) {
	storagetest.Test(t, func(testing.TB) storage.Store { return memstore.New() })
}
