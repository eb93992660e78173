package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestKindOf(t *testing.T) {
	cause := errors.New("cause")
	for _, c := range []struct {
		err  error
		want Kind
	}{
		{nil, Internal},
		{cause, Internal},
		{New(NotFound, "no %s", "table"), NotFound},
		{fmt.Errorf("open: %w", Wrap(Unavailable, cause, "away")), Unavailable},
		{errors.Join(cause, New(Limit, "much")), Limit},
		{Wrap(Invalid, New(Limit, "inner"), "outer"), Invalid}, // the outermost decides
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("%v is of kind %d, want %d", c.err, got, c.want)
		}
	}
	if err := Wrap(Unavailable, cause, "away"); !errors.Is(err, cause) || err.Error() != "away: cause" {
		t.Errorf("%q, its cause found: %v", err, errors.Is(err, cause))
	}
}
