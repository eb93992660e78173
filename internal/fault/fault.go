// Package fault names the few kinds of failure that callers branch on. Layers below api add context with %w;
// only api turns a kind into a DynamoDB error name.
package fault

import (
	"errors"
	"fmt"
)

// Kind is what a caller may do about a failure.
type Kind uint8

// The closed set of kinds.
const (
	Internal        Kind = iota // our bug, or a broken disk: never the client's doing
	Invalid                     // the request can never succeed as it stands (ValidationException)
	NotFound                    // no such table or index (ResourceNotFoundException)
	Exists                      // a table of that name is there (ResourceInUseException)
	InUse                       // being changed by something else (ResourceInUseException)
	Limit                       // a quota (LimitExceededException)
	ConditionFailed             // the condition was false (ConditionalCheckFailedException)
	Conflict                    // another transaction holds the item (TransactionConflictException)
	Canceled                    // a transaction did not happen (TransactionCanceledException)
	Throttled                   // over the table's throughput
	Unavailable                 // try again: a region cannot be reached, a clock is off, a disk is full
	Unbuilt                     // known to DynamoDB, not built here

	// IdempotentMismatch: a request's token was used before for another request (IdempotentParameterMismatchException).
	IdempotentMismatch
	// Trimmed: a stream no longer has what was asked for (TrimmedDataAccessException).
	Trimmed
	// Expired: a stream's iterator is too old (ExpiredIteratorException).
	Expired
	// CollectionFull: an item collection has reached its limit (ItemCollectionSizeLimitExceededException).
	CollectionFull
)

// Error is one failure with its kind. Message is what the client reads, word for word.
type Error struct {
	Kind    Kind
	Message string
	Err     error // the cause, for logs; may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// New makes an error of a kind.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an error of a kind with its cause.
func Wrap(k Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...), Err: err}
}

// KindOf finds the kind in a chain of errors; Internal if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
