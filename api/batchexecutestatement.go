package api

import (
	"strings"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/expr/partiql"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
)

type batchStatementInput struct {
	statements []batchStatement
	set        bool
	consumed   capacity
}

// batchStatement is one statement of a batch and what became of it.
type batchStatement struct {
	statementInput
	consistent flag

	s    *statement
	item item.Item
	cost table.Cost
	err  error
}

func (in *batchStatementInput) member(d *decoder, name string) bool {
	switch name {
	case "Statements":
		in.set = d.list(func() {
			var b batchStatement
			d.structure("BatchStatementRequest", func(name string) bool {
				if name == "ConsistentRead" {
					b.consistent = d.flag()
					return true
				}
				return b.statementInput.member(d, name)
			})
			in.statements = append(in.statements, b)
		})
	case "ReturnConsumedCapacity":
		in.consumed.mode = d.text()
	default:
		return false
	}
	return true
}

// maxBatchStatements is the most that one BatchExecuteStatement holds.
const maxBatchStatements = 25

func (in *batchStatementInput) constraints(v *violations) {
	v.oneOf("returnConsumedCapacity", in.consumed.mode, enumConsumed...)
	if !v.required("statements", in.set) {
		return
	}
	countStatements(v, "statements", len(in.statements), maxBatchStatements)
	for i := range in.statements {
		in.statements[i].statementInput.constraints(v, statementPath("statements", i))
	}
}

func batchExecuteStatement(c *call) error {
	var in batchStatementInput
	if err := c.read(&in); err != nil {
		return err
	}
	for i := range in.statements {
		b := &in.statements[i]
		if b.s, b.err = b.bind(c); b.err == nil {
			b.err = b.s.resolve()
		}
	}
	if err := in.check(); err != nil {
		return err
	}
	in.write(c)
	for i := range in.statements {
		if b := &in.statements[i]; b.err == nil && !b.s.writes() {
			b.item, b.cost, b.err = b.get(c)
		}
	}
	in.answer(c)
	return nil
}

// check applies the rules on the batch as a whole: reads or writes, and no item written twice.
func (in *batchStatementInput) check() error {
	reads, writes := false, false
	seen := distinct{}
	for i := range in.statements {
		b := &in.statements[i]
		if b.err != nil {
			continue
		}
		reads, writes = reads || !b.s.writes(), writes || b.s.writes()
		if !b.s.writes() {
			continue
		}
		if w, err := b.s.write(); err == nil && !seen.add(b.s.table, w.Key) {
			return errValidation("Request Items List contains multiple operations on the same item")
		}
	}
	if reads && writes {
		return errValidation("Batch statements must either be all reads or all writes")
	}
	return nil
}

// write does all writes, each by itself.
func (in *batchStatementInput) write(c *call) {
	var writes []Write
	var places []*batchStatement
	for i := range in.statements {
		b := &in.statements[i]
		if b.err != nil || !b.s.writes() {
			continue
		}
		var w table.Write
		if w, b.err = b.s.write(); b.err == nil {
			writes, places = append(writes, Write{b.s.table, w}), append(places, b)
		}
	}
	if len(writes) == 0 {
		return
	}
	results, errs := c.backend.WriteBatch(c.ctx, writes)
	for i, b := range places {
		if errs[i] != nil {
			b.err = b.s.failed(errs[i], b.onFailure)
			continue
		}
		b.cost, b.item = results[i].Cost, b.s.returned(results[i])
	}
}

// get answers a SELECT of one item.
func (b *batchStatement) get(c *call) (item.Item, table.Cost, error) {
	key, cond, err := b.s.target()
	if err != nil {
		return item.Item{}, table.Cost{}, err
	}
	r, err := b.s.reading(cond)
	if err != nil {
		return item.Item{}, table.Cost{}, err
	}
	res, err := b.s.table.Get(c.ctx, key, b.consistent.v)
	if err != nil {
		return item.Item{}, table.Cost{}, err
	}
	it, err := r.show(res.Item)
	return it, res.Cost, err
}

// itemView is what a SELECT of one item shows of it.
type itemView struct {
	s      *statement
	filter *expr.Condition
}

func (s *statement) reading(cond partiql.Expression) (r itemView, err error) {
	if s.index != nil {
		return r, errValidation("An index cannot be read by a statement of a batch or a transaction")
	}
	r.s = s
	r.filter, err = s.condition(expr.FilterExpression, cond)
	return r, err
}

func (r itemView) show(it item.Item) (item.Item, error) {
	if it.IsZero() {
		return it, nil
	}
	if r.filter != nil {
		if ok, err := r.filter.Eval(it); err != nil || !ok {
			return item.Item{}, err
		}
	}
	return r.s.Row(it), nil
}

func (in *batchStatementInput) answer(c *call) {
	w := &c.out
	w.openObject()
	w.openListMember("Responses")
	var sum bill
	for i := range in.statements {
		b := &in.statements[i]
		b.answer(c, w)
		if b.err == nil {
			sum.add(b.s.Table, b.cost)
		}
	}
	w.closeList()
	sum.member(w, in.consumed, plainSide)
	w.closeObject()
}

func (b *batchStatement) answer(c *call, w *writer) {
	w.openObject()
	if b.err != nil {
		e := c.server.asError(b.err, c)
		w.openObjectMember("Error")
		w.stringMember("Code", statementCode(e.name))
		w.stringMember("Message", e.message)
		if e.extra != nil && e.throttled == nil {
			e.extra(w) // the item of a failed condition
		}
		w.closeObject()
	}
	if b.s != nil {
		w.stringMember("TableName", b.s.Table)
	}
	if !b.item.IsZero() {
		w.itemMember("Item", b.item)
	}
	w.closeObject()
}

// statementCode is what BatchExecuteStatement calls an error.
func statementCode(name string) string {
	switch name {
	case "ValidationException":
		return "ValidationError"
	case "ThrottlingException":
		return "ThrottlingError"
	case "InternalServerError", "ServiceUnavailable":
		return "InternalServerError"
	case "RequestLimitExceeded":
		return name
	case "AccessDeniedException", "ResourceNotFoundException", "ConditionalCheckFailedException", "DuplicateItemException",
		"ItemCollectionSizeLimitExceededException", "ProvisionedThroughputExceededException", "TransactionConflictException":
		return strings.TrimSuffix(name, "Exception")
	}
	return "InternalServerError"
}
