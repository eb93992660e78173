package item

// Kind is an attribute's data type.
type Kind uint8

// The ten types; None is no value at all.
const (
	None Kind = iota
	String
	Number
	Binary
	Bool
	Null
	StringSet
	NumberSet
	BinarySet
	List
	Map
)

var kindNames = [...]string{"", "S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "?"
}

// ParseKind reads a type's name as it stands in JSON.
func ParseKind(s string) (Kind, bool) {
	for k := String; k <= Map; k++ {
		if kindNames[k] == s {
			return k, true
		}
	}
	return None, false
}

// IsSet reports whether k is one of the three set types.
func (k Kind) IsSet() bool { return k >= StringSet && k <= BinarySet }

// Member is the type of a set's members.
func (k Kind) Member() Kind {
	if !k.IsSet() {
		return None
	}
	return k - StringSet + String
}
