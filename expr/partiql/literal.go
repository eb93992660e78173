package partiql

import (
	"errors"

	"github.com/meridiandb/meridian/item"
)

var literalWords = []string{"TRUE", "FALSE", "NULL", "MISSING"}

var literalKinds = []valueKind{litTrue, litFalse, litNull, litMissing}

// value reads a literal or a parameter.
func (p *parser) value() (*value, error) {
	t := p.tok
	switch {
	case t.kind == tokParam:
		p.advance()
		p.params++
		return &value{kind: litParam, param: p.params - 1}, nil
	case t.kind == tokString:
		p.advance()
		return &value{kind: litString, text: t.text}, nil
	case t.kind == tokNumber, p.symbol("-"), p.symbol("+"):
		return p.numberLiteral()
	case p.symbol("["):
		return p.collection(litList, "]")
	case p.symbol("<<"):
		return p.collection(litSet, ">>")
	case p.symbol("{"):
		return p.tuple()
	}
	for i, w := range literalWords {
		if p.takeWord(w) {
			return &value{kind: literalKinds[i]}, nil
		}
	}
	return nil, p.unexpected("a value")
}

func (p *parser) numberLiteral() (*value, error) {
	sign := ""
	if p.takeSymbol("-") {
		sign = "-"
	} else {
		p.takeSymbol("+")
	}
	if p.tok.kind != tokNumber {
		return nil, p.unexpected("a number")
	}
	v := &value{kind: litNumber, text: sign + p.tok.text}
	p.advance()
	return v, nil
}

func (p *parser) collection(kind valueKind, end string) (*value, error) {
	p.advance()
	v := &value{kind: kind}
	if p.takeSymbol(end) {
		return v, nil
	}
	err := p.nested(func() error {
		return p.list(func() error {
			e, err := p.value()
			v.elems = append(v.elems, e)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return v, p.expectSymbol(end)
}

func (p *parser) tuple() (*value, error) {
	p.advance()
	v := &value{kind: litTuple}
	if p.takeSymbol("}") {
		return v, nil
	}
	err := p.nested(func() error {
		return p.list(func() error {
			if p.tok.kind != tokString && p.tok.kind != tokQuoted {
				return p.unexpected("a name in quotes")
			}
			v.names = append(v.names, p.tok.text)
			p.advance()
			if err := p.expectSymbol(":"); err != nil {
				return err
			}
			e, err := p.value()
			v.elems = append(v.elems, e)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return v, p.expectSymbol("}")
}

// errMissing marks a MISSING inside a collection, which leaves it out.
var errMissing = errors.New("partiql: missing")

// bind makes the value, with parameters put in.
func (v *value) bind(params []item.Value) (item.Value, error) {
	switch v.kind {
	case litParam:
		return params[v.param], nil
	case litString:
		return item.Str(v.text), nil
	case litNumber:
		n, err := item.ParseNum([]byte(v.text))
		if err != nil {
			return item.Value{}, &Error{err.Error()}
		}
		return item.NumVal(n), nil
	case litTrue, litFalse:
		return item.BoolVal(v.kind == litTrue), nil
	case litNull:
		return item.NullVal(), nil
	case litMissing:
		return item.Value{}, errMissing
	case litTuple:
		return v.bindTuple(params)
	}
	elems := make([]item.Value, 0, len(v.elems))
	for _, e := range v.elems {
		x, err := e.bind(params)
		if err != nil && !errors.Is(err, errMissing) {
			return item.Value{}, err
		}
		if err == nil {
			elems = append(elems, x)
		}
	}
	if v.kind == litList {
		return item.NewList(elems), nil
	}
	return bindSet(elems)
}

// comparable is bind where MISSING is no value: nothing can be compared with it or set to it.
func (v *value) comparable(params []item.Value) (item.Value, error) {
	x, err := v.bind(params)
	if errors.Is(err, errMissing) {
		err = malformed("MISSING can only stand after IS")
	}
	return x, err
}

func bindSet(elems []item.Value) (item.Value, error) {
	if len(elems) == 0 {
		return item.Value{}, errorf("One or more parameter values were invalid: An string set  may not be empty")
	}
	kinds := map[item.Kind]item.Kind{item.String: item.StringSet, item.Number: item.NumberSet, item.Binary: item.BinarySet}
	set, ok := kinds[elems[0].Kind()]
	for _, e := range elems {
		if !ok || e.Kind() != elems[0].Kind() {
			return item.Value{}, malformed("the members of a set must all be strings, numbers or binaries")
		}
	}
	v, err := item.NewSet(set, elems)
	if err != nil {
		return item.Value{}, &Error{err.Error()}
	}
	return v, nil
}

func (v *value) bindTuple(params []item.Value) (item.Value, error) {
	fields := make([]item.Field, 0, len(v.elems))
	seen := map[string]bool{}
	for i, e := range v.elems {
		if seen[v.names[i]] {
			return item.Value{}, malformed("the tuple names %s twice", v.names[i])
		}
		if v.names[i] == "" {
			return item.Value{}, errorf("One or more parameter values were invalid: Empty attribute name")
		}
		seen[v.names[i]] = true
		x, err := e.bind(params)
		if err != nil && !errors.Is(err, errMissing) {
			return item.Value{}, err
		}
		if err == nil {
			fields = append(fields, item.Field{Name: v.names[i], Value: x})
		}
	}
	return item.NewMap(fields), nil
}
