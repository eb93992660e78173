package api

import (
	"github.com/meridiandb/meridian/expr"
)

// Expressions are parsed once and cached by text; binding them to a request's names and values is per request. An absent
// expression is nil.

func (c *call) condition(kind expr.Kind, t text, p *expr.Params) (*expr.Condition, error) {
	if !t.set {
		return nil, nil
	}
	ast, err := c.server.expressions.Condition(kind, t.s)
	if err != nil {
		return nil, err
	}
	return ast.Bind(p)
}

func (c *call) keyCondition(t text, p *expr.Params) (*expr.KeyCondition, error) {
	if !t.set {
		return nil, nil
	}
	ast, err := c.server.expressions.KeyCondition(t.s)
	if err != nil {
		return nil, err
	}
	return ast.Bind(p)
}

func (c *call) projection(t text, p *expr.Params) (*expr.Projection, error) {
	if !t.set {
		return nil, nil
	}
	ast, err := c.server.expressions.Projection(t.s)
	if err != nil {
		return nil, err
	}
	return ast.Bind(p)
}

func (c *call) update(t text, p *expr.Params) (*expr.Update, error) {
	if !t.set {
		return nil, nil
	}
	ast, err := c.server.expressions.Update(t.s)
	if err != nil {
		return nil, err
	}
	return ast.Bind(p)
}
