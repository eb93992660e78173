package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/clock"
	"github.com/meridiandb/meridian/region/table"
	"github.com/meridiandb/meridian/storage"
)

// apiError is an error as DynamoDB answers it.
type apiError struct {
	status  int
	name    string // "" answers with an empty body
	message string // "" leaves the member out
	extra   func(w *writer)
	cause   error // for the log
	quiet   bool  // the client's doing, whatever the status says: not for the log

	throttled *table.Throttled // what had no capacity left
}

func (e *apiError) Error() string { return e.name + ": " + e.message }

func (e *apiError) Unwrap() error { return e.cause }

// write writes the error's body (DYNAMODB.md 1.3).
func (e *apiError) write(w *writer) {
	if e.name == "" {
		return
	}
	w.openObject()
	w.stringMember("__type", namespace(e.name)+e.name)
	if e.message != "" {
		w.stringMember(messageMember(e.name), e.message)
	}
	if e.extra != nil {
		e.extra(w)
	}
	w.closeObject()
}

// namespace is the cosmetic prefix of an error's type.
func namespace(name string) string {
	switch name {
	case "ValidationException":
		return "com.amazon.coral.validate#"
	case "SerializationException", "UnknownOperationException", "AccessDeniedException", "MissingAuthenticationTokenException",
		"IncompleteSignatureException", "InvalidSignatureException", "UnrecognizedClientException", "ExpiredTokenException",
		"InternalFailure", "ServiceUnavailable":
		return "com.amazon.coral.service#"
	}
	return "com.amazonaws.dynamodb.v20120810#"
}

// messageMember is the message's member name, which some errors write with a capital.
func messageMember(name string) string {
	switch name {
	case "IdempotentParameterMismatchException", "TransactionCanceledException", "TransactionInProgressException",
		"InvalidEndpointException", "SerializationException", "AccessDeniedException":
		return "Message"
	}
	return "message"
}

func clientError(name, message string) *apiError {
	return &apiError{status: http.StatusBadRequest, name: name, message: message}
}

func errValidation(message string) *apiError { return clientError("ValidationException", message) }

func errBadJSON() *apiError { return clientError("SerializationException", "") }

func errTooLarge() *apiError { return &apiError{status: http.StatusRequestEntityTooLarge} }

func errInternal() *apiError {
	return &apiError{status: http.StatusInternalServerError, name: "InternalServerError", message: "Internal server error"}
}

// errUnknownOperation answers a target without an operation. An operation that DynamoDB has gets a message that says whose
// fault it is.
func errUnknownOperation(name string) *apiError {
	e := clientError("UnknownOperationException", "")
	if name != "" {
		e.message = "The operation " + name + " is not built in Meridian yet"
	}
	return e
}

// asError turns any failure into DynamoDB's. It is the only place that does so, and logs what is our own fault.
func (s *Server) asError(err error, c *call) *apiError {
	e := translate(err)
	if e.throttled != nil {
		e.extra = s.throttlingReasons(e)
	}
	if e.status >= http.StatusInternalServerError && !e.quiet && !errors.Is(err, context.Canceled) {
		s.logFailure(c, err)
		s.backend.Report(err)
	}
	return e
}

func translate(err error) *apiError {
	var (
		done       *apiError
		condition  *table.ConditionFailed
		expression *expr.Error
		value      *item.ValidationError
		shape      *item.SerializationError
		failure    *fault.Error
	)
	switch {
	case errors.As(err, &done):
		return done
	case errors.As(err, &condition):
		return clientError("ConditionalCheckFailedException", condition.Error())
	case errors.As(err, &expression):
		return errValidation(expression.Message)
	case errors.As(err, &value):
		return errValidation(value.Message)
	case errors.As(err, &shape):
		return clientError("SerializationException", shape.Message)
	case errors.As(err, &failure):
		return faultError(failure)
	case errors.Is(err, storage.ErrFull) && !errors.Is(err, storage.ErrFailed):
		return &apiError{ // quiet: every write would say it; housekeeping does
			status: http.StatusServiceUnavailable, name: "ServiceUnavailable", message: "The region's disk is full: writes are refused",
			cause: err, quiet: true, extra: sayNotDone,
		}
	}
	return errInternal()
}

// sayNotDone tells whoever can go elsewhere (package route) that a write that is one unit did not happen here. It is no part
// of DynamoDB's answer, and clients pass over members that they do not know.
func sayNotDone(w *writer) { w.boolMember("meridianNotDone", true) }

func faultError(f *fault.Error) *apiError {
	switch f.Kind {
	case fault.Invalid, fault.Unbuilt:
		return errValidation(f.Message)
	case fault.NotFound:
		return clientError("ResourceNotFoundException", f.Message)
	case fault.Exists, fault.InUse:
		return clientError("ResourceInUseException", f.Message)
	case fault.IdempotentMismatch:
		return clientError("IdempotentParameterMismatchException", f.Message)
	case fault.Limit:
		return clientError("LimitExceededException", f.Message)
	case fault.CollectionFull:
		return clientError("ItemCollectionSizeLimitExceededException", f.Message)
	case fault.Trimmed:
		return clientError("TrimmedDataAccessException", f.Message)
	case fault.Expired:
		return clientError("ExpiredIteratorException", f.Message)
	case fault.ConditionFailed:
		return clientError("ConditionalCheckFailedException", "The conditional request failed")
	case fault.Conflict:
		return clientError("TransactionConflictException", "Transaction is ongoing for the item")
	case fault.Throttled:
		return throttledError(f)
	case fault.Unavailable:
		e := &apiError{status: http.StatusServiceUnavailable, name: "ServiceUnavailable", message: f.Message, cause: f}
		if errors.Is(f, clock.ErrRefused) {
			e.extra = sayNotDone
		}
		return e
	}
	return errInternal()
}
