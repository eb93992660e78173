package partiql

import "fmt"

// Error is what is wrong with a statement: a ValidationException's text.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func errorf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// malformed is the error for a text that is no statement.
func malformed(format string, args ...any) error {
	return errorf("Statement wasn't well formed, can't be processed: "+format, args...)
}
