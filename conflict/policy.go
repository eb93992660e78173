package conflict

import "fmt"

// Policy says what a local write claims. It has no part in merging.
type Policy uint8

// The three policies; the first is the default.
const (
	LastWriterWins Policy = iota // every write claims the whole item
	Attribute                    // an update claims the attributes that it touches
	CRDT                         // as Attribute, and ADD and DELETE make counters and sets
)

var policyNames = [...]string{"last-writer-wins", "attribute", "crdt"}

func (p Policy) String() string {
	if int(p) < len(policyNames) {
		return policyNames[p]
	}
	return fmt.Sprintf("policy(%d)", uint8(p))
}

// ParsePolicy reads a table's policy; empty is the default.
func ParsePolicy(s string) (Policy, error) {
	if s == "" {
		return LastWriterWins, nil
	}
	for p, name := range policyNames {
		if s == name {
			return Policy(p), nil
		}
	}
	return 0, fmt.Errorf("conflict policy %q is none of last-writer-wins, attribute, crdt", s)
}
