package conflict

import "fmt"

// Policy says what a local write claims.
type Policy uint8

// LastWriterWins: every write claims the whole item.
const LastWriterWins Policy = 0

func (p Policy) String() string { return "last-writer-wins" }

// ParsePolicy reads a table's policy; empty is the default.
func ParsePolicy(s string) (Policy, error) {
	switch s {
	case "", "last-writer-wins":
		return LastWriterWins, nil
	case "attribute", "crdt":
		return 0, fmt.Errorf("conflict policy %q is not built yet", s)
	}
	return 0, fmt.Errorf("conflict policy %q is none of last-writer-wins, attribute, crdt", s)
}
