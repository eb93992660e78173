package trigger

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/meridiandb/meridian/internal/fault"
)

// apiError is an error as Lambda's API has them.
type apiError struct {
	code   string
	status int
	text   string
}

func (e *apiError) Error() string { return e.text }

func invalid(format string, args ...any) error {
	return &apiError{"InvalidParameterValueException", http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func errNotFound() error {
	return &apiError{"ResourceNotFoundException", http.StatusNotFound, "The resource you requested does not exist."}
}

// apiErrorOf words an error for the API's user.
func apiErrorOf(err error) *apiError {
	var e *apiError
	if errors.As(err, &e) {
		return e
	}
	switch fault.KindOf(err) {
	case fault.NotFound:
		return &apiError{"ResourceNotFoundException", http.StatusNotFound, err.Error()}
	case fault.Invalid:
		return &apiError{"InvalidParameterValueException", http.StatusBadRequest, err.Error()}
	case fault.Exists:
		return &apiError{"ResourceConflictException", http.StatusConflict, err.Error()}
	case fault.InUse:
		return &apiError{"ResourceInUseException", http.StatusBadRequest, err.Error()}
	case fault.Limit:
		return &apiError{"TooManyRequestsException", http.StatusTooManyRequests, err.Error()}
	}
	return &apiError{"ServiceException", http.StatusInternalServerError, err.Error()}
}
