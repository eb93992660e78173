package table

import (
	"sync"
	"testing"
)

// TestRecountUnderWrites is right to the item, whatever was counted before and is written meanwhile.
func TestRecountUnderWrites(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, open(t), "us-east-1")
			defer r.close()
			d := wide(true)
			id := d.ID
			tab := r.describe(d)
			var writers sync.WaitGroup
			done := make(chan struct{})
			for seed := range uint64(4) {
				writers.Go(func() {
					for g := newGen(seed); ; {
						select {
						case <-done:
							return
						default:
							_, _ = tab.Write(bg, g.write(d, Put, Put, Delete)) // done or refused
						}
					}
				})
			}
			for range 20 {
				r.engine.SetCount(id, Count{Items: 1000, Bytes: 5})
				if err := r.engine.Recount(bg, id); err != nil {
					t.Error(err)
				}
			}
			close(done)
			writers.Wait()
			got := r.engine.Count(id)
			want := must(countItems(bg, r.store, tab.prefix))
			if got != want {
				t.Errorf("counted %+v, there is %+v", got, want)
			}
		})
	}
}
