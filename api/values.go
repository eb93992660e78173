package api

import (
	"errors"

	"github.com/meridiandb/meridian/item"
)

// attributes is an item or key as a client sent it. A value that breaks a rule of the data model is kept as err, because
// it is reported after many other things.
type attributes struct {
	item item.Item
	set  bool
	err  error // *item.ValidationError
}

func (d *decoder) attributes() (a attributes) {
	if d.peek() == 'n' {
		d.token()
		return a
	}
	if d.err != nil {
		return a
	}
	it, err := item.ReadItem(d.json)
	return attributes{it, true, d.keep(err)}
}

// keep fails for JSON of the wrong shape and returns what is wrong with a value otherwise.
func (d *decoder) keep(err error) error {
	if err == nil {
		return nil
	}
	var invalid *item.ValidationError
	if errors.As(err, &invalid) {
		return invalid
	}
	d.fail(err)
	return nil
}

// value reads one AttributeValue; null is the zero Value.
func (d *decoder) value() (v item.Value, err error) {
	if d.peek() == 'n' {
		d.token()
		return v, nil
	}
	if d.err != nil {
		return v, nil
	}
	v, err = item.ReadValue(d.json)
	return v, d.keep(err)
}
