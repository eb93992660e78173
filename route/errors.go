package route

import (
	"errors"
	"fmt"
)

// UnknownFateError says that a write may have happened at a region, or may not: the connection broke, or the time ran out,
// after the request had been sent. It was not tried at another region. Read the item to find out, or mark the write as
// idempotent if doing it twice does no harm.
type UnknownFateError struct {
	Region    string
	Operation string
	Err       error
}

func (e *UnknownFateError) Error() string {
	return fmt.Sprintf("route: whether %s happened in %s is not known: %v", e.Operation, e.Region, e.Err)
}

func (e *UnknownFateError) Unwrap() error { return e.Err }

// UnavailableError says that no region could do a request; nothing was done.
type UnavailableError struct {
	Operation string
	Err       error // each region's own reason
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("route: no region could do %s: %v", e.Operation, e.Err)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

var (
	errEjected  = errors.New("the region was taken out meanwhile")
	errSlow     = errors.New("no answer in time")
	errClosed   = errors.New("route: the router is closed")
	errTooLarge = errors.New("the answer is larger than any answer")
)
