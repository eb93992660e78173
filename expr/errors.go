package expr

import "fmt"

// Kind is which of a request's expressions a text is; error messages begin with it.
type Kind string

// The five kinds.
const (
	ConditionExpression    Kind = "ConditionExpression"
	FilterExpression       Kind = "FilterExpression"
	KeyConditionExpression Kind = "KeyConditionExpression"
	ProjectionExpression   Kind = "ProjectionExpression"
	UpdateExpression       Kind = "UpdateExpression"
)

// Error is what is wrong with an expression, its substitutions or its use; a ValidationException's text.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func errorf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// errorf makes an error of this expression.
func (k Kind) errorf(format string, args ...any) error {
	return &Error{"Invalid " + string(k) + ": " + fmt.Sprintf(format, args...)}
}
