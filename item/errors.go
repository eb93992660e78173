package item

import "fmt"

// SerializationError is JSON that does not have the shape of what it should be.
type SerializationError struct{ Message string }

func (e *SerializationError) Error() string { return e.Message }

// ValidationError is a value that breaks a rule of the data model.
type ValidationError struct{ Message string }

func (e *ValidationError) Error() string { return e.Message }

func invalid(format string, args ...any) *ValidationError {
	return &ValidationError{Message: fmt.Sprintf(format, args...)}
}

// Limits of DYNAMODB.md sections 3 and 14.
const (
	MaxItemSize      = 400 * 1024 // bytes of an item, names included
	MaxDepth         = 32         // levels of nesting: Value.Depth
	MaxHashKeySize   = 2048       // bytes of a partition key value
	MaxRangeKeySize  = 1024       // bytes of a sort key value
	MaxAttributeName = 65535      // bytes
)

// TooDeep is the text for more than MaxDepth levels.
const TooDeep = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"

// CheckName refuses what cannot be an attribute's name. Errors are *ValidationError.
func CheckName(name string) error {
	if e := badName(len(name)); e != nil {
		return e
	}
	return nil
}

// badName is what is wrong with a name of so many bytes; nil for nothing.
func badName(size int) *ValidationError {
	switch {
	case size == 0:
		return invalid("One or more parameter values were invalid: Empty attribute name")
	case size > MaxAttributeName:
		return invalid("1 validation error detected: Attribute name is too large, must be less than 65536 bytes")
	}
	return nil
}
