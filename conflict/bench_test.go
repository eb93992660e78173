package conflict

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// BenchmarkPolicies is what a policy's write of an item of ten attributes costs before anything is stored: the stored bytes are
// read, the write is made, and its bytes are written.
//
//	go test ./conflict -run - -bench Policies -benchmem
func BenchmarkPolicies(b *testing.B) {
	var fields []item.Field
	for i := range 10 {
		fields = append(fields, item.Field{Name: fmt.Sprint("attribute", i), Value: item.Str(strings.Repeat("v", 40))})
	}
	fields = append(fields, item.Field{Name: "n", Value: item.NumVal(item.NumFromInt(5))}, item.Field{Name: "pk", Value: item.Str("k")})
	it := item.NewItem(fields)
	set := []item.Field{{Name: "attribute1", Value: item.Str(strings.Repeat("w", 40))}}
	sum := append([]item.Field{{Name: "n", Value: item.NumVal(item.NumFromInt(6))}}, set...)
	one := []Add{{Name: "n", Value: item.NumVal(item.NumFromInt(1))}}
	at := func(n int) crdt.Stamp {
		return crdt.Stamp{Time: crdt.TimeFromMillis(1_700_000_000_000 + int64(n)), Origin: crdt.Origin{Region: "us-east-1", Incarnation: 7}}
	}
	for _, p := range []Policy{LastWriterWins, Attribute, CRDT} {
		for _, c := range []struct {
			name string
			w    Local
		}{
			{"put", Local{Op: Put, New: it}},
			{"update", Local{Op: Update, New: it.With(set), Touched: []string{"pk", "attribute1"}}},
			{"add", Local{Op: Update, New: it.With(sum), Touched: []string{"pk", "attribute1", "n"}, Adds: one}},
		} {
			b.Run(c.name+"/"+p.String(), func(b *testing.B) {
				first := Write(p, State{}, Local{Op: Put, New: it, Stamp: at(0)})
				c.w.Stamp = at(1)
				stored := Write(p, first, c.w).Append(nil)
				c.w.Stamp = at(2)
				if c.name == "add" {
					c.w.New = it.With([]item.Field{{Name: "n", Value: item.NumVal(item.NumFromInt(7))}, set[0]})
				}
				var buf []byte
				b.ReportAllocs()
				for b.Loop() {
					s := Write(p, TrustedState(stored), c.w)
					buf = s.Append(buf[:0])
				}
			})
		}
	}
}
