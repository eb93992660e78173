package api

import (
	"github.com/meridiandb/meridian/region/catalog"
)

// warmInput is a WarmThroughput. Its bounds are no matter of the framework: whatever is too low is told in words.
type warmInput struct {
	read, write number
	set         bool
}

func (d *decoder) warm() (w warmInput) {
	w.set = d.structure("WarmThroughput", func(name string) bool {
		switch name {
		case "ReadUnitsPerSecond":
			w.read = d.number("Long")
		case "WriteUnitsPerSecond":
			w.write = d.number("Long")
		default:
			return false
		}
		return true
	})
	return w
}

// initial checks what a new table or index asks for, and says what it will have. of is "table", or "index " and a name.
func (w warmInput) initial(perRequest bool, t throughputInput, of string) (catalog.Warm, error) {
	for _, u := range []struct {
		asked          number
		least          int64
		provisioned    int64
		name, capacity string
	}{
		{w.read, catalog.InitialWarm.Read, t.read.n, "ReadUnitsPerSecond", "ReadCapacityUnits"},
		{w.write, catalog.InitialWarm.Write, t.write.n, "WriteUnitsPerSecond", "WriteCapacityUnits"},
	} {
		what := "Requested " + u.name + " for WarmThroughput for " + of + " is lower than "
		switch {
		case !u.asked.set:
		case perRequest && u.asked.n < u.least:
			return catalog.Warm{}, errInvalid(what + "initial throughput for OnDemand. See: " +
				"https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial")
		case !perRequest && u.asked.n < u.provisioned:
			return catalog.Warm{}, errInvalid(what + u.capacity + " of ProvisionedThroughput")
		}
	}
	return catalog.Warm{Read: w.read.n, Write: w.write.n}, nil
}

// change is what is asked for of what is there.
func (w warmInput) change() catalog.WarmChange {
	var c catalog.WarmChange
	if w.read.set {
		c.Read = &w.read.n
	}
	if w.write.set {
		c.Write = &w.write.n
	}
	return c
}

// empty reports a WarmThroughput that asks for nothing.
func (w warmInput) empty() bool { return w.set && !w.read.set && !w.write.set }
