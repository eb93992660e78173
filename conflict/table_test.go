package conflict

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the tables in testdata anew")

// tableOp is a write of the table on whatever its region has stored.
type tableOp struct {
	name string
	do   func(p Policy, s State, stamp string) State
}

func putOp(it string) tableOp {
	return tableOp{"put " + it, func(p Policy, s State, st string) State { return put(p, s, st, it) }}
}

func updateOp(what string) tableOp {
	return tableOp{what, func(p Policy, s State, st string) State { return update(p, s, st, what) }}
}

var (
	deleteOp = tableOp{"delete", del}
	expireOp = tableOp{"expire", func(p Policy, s State, st string) State {
		return Write(p, s, Local{Stamp: at(st), Op: Expire})
	}}
)

// TestTable is the whole table of DESIGN section 5: stored × arriving → result and feed, ties included, under every policy.
// The tables are checked in, to be read; -rewrite makes them anew after a change that was meant.
func TestTable(t *testing.T) {
	ops := map[Policy][]tableOp{
		LastWriterWins: {putOp("x=1"), putOp("x=2"), updateOp("y=3"), deleteOp, expireOp},
		Attribute:      {putOp("x=1"), updateOp("x=2"), updateOp("y=3"), updateOp("x="), deleteOp, expireOp},
		CRDT: {putOp("n=7"), updateOp("n=8"), updateOp("n+5"), updateOp("n="), updateOp("s+{q}"), updateOp("s-{p}"),
			updateOp("s={r}"), deleteOp},
	}
	begin := map[Policy]string{LastWriterWins: "x=0 y=0", Attribute: "x=0 y=0", CRDT: "n=1 s={p}"}
	for p, list := range ops {
		t.Run(p.String(), func(t *testing.T) {
			var b strings.Builder
			fmt.Fprintf(&b, "Policy %s: what becomes of the item, and what the conflict feed gets. See TestTable.\n", p)
			b.WriteString("Stamps are time and origin; \"5b(x=1).x to 9c base 1c\" is a loss: the write 5b, its image, the\n" +
				"attributes if not all, what it lost to, and what it had replaced.\n")
			for _, first := range []string{"", begin[p]} {
				for _, stored := range list {
					for _, arriving := range list {
						if first == "" && (stored.name == "expire" || arriving.name == "expire") {
							continue
						}
						tableRows(&b, p, first, stored, arriving)
					}
				}
			}
			compareGolden(t, filepath.Join("testdata", "table-"+p.String()+".txt"), b.String())
		})
	}
}

func tableRows(b *strings.Builder, p Policy, first string, stored, arriving tableOp) {
	var base State
	if first != "" {
		base = put(p, base, "1c", first)
	}
	fmt.Fprintf(b, "\nboth had %s; stored 5b %s; arriving %s\n", shortItem(base.Item()), stored.name, arriving.name)
	l := stored.do(p, base, "5b")
	for _, how := range []struct{ name, stamp string }{
		{"older", "3c"}, {"same time, lower origin", "5a"}, {"same time, higher origin", "5c"}, {"newer", "9c"},
	} {
		tableRow(b, how.name, how.stamp, l, arriving.do(p, base, how.stamp))
	}
	r := arriving.do(p, l, "9c")
	tableRow(b, "had seen stored", "9c", l, r)
	tableRow(b, "had been seen by stored", "9c", r, l)
}

func tableRow(b *strings.Builder, how, stamp string, l, r State) {
	out := Merge(l, r)
	verb := "joined"
	switch {
	case !out.Changed:
		verb = "dropped"
	case out.State.Equal(r):
		verb = "replaced"
	}
	fmt.Fprintf(b, "  %-24s %s  %-8s %-22s lost: %s\n", how, stamp, verb, shortItem(out.State.Item()), shortLosses(out.Lost))
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *rewrite {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("%s:%d is\n%s\nwant\n%s\n(go test ./conflict -run TestTable -rewrite writes it anew)", file, i+1, g[i], w[i])
		}
	}
	t.Fatalf("%s has %d lines, want %d", file, len(g), len(w))
}
