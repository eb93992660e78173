package table

import "context"

// TableWrite is one write with its table.
type TableWrite struct {
	Table *Table
	Write
}

// Write does one write. It returns *ConditionFailed if the condition is false.
func (t *Table) Write(ctx context.Context, w Write) (WriteResult, error) {
	a, err := t.action(w)
	if err != nil {
		return WriteResult{}, err
	}
	p := t.engine.start(ctx, nil, a)
	return a.outcome(ctx, t.engine, &p)
}

// outcome waits until the outcome of a commit of this action alone may be told.
func (a *action) outcome(ctx context.Context, e *Engine, p *pending) (WriteResult, error) {
	if err := p.wait(ctx, e); err != nil {
		return WriteResult{}, err
	}
	if a.failed != nil {
		return WriteResult{}, a.failed
	}
	return a.result, nil
}
