package api

import (
	"crypto/sha256"
	"errors"
	"strconv"

	"github.com/meridiandb/meridian/expr/partiql"
	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/table"
)

type executeTransactionInput struct {
	statements []statementInput
	set        bool
	token      text
	consumed   capacity
}

func (in *executeTransactionInput) member(d *decoder, name string) bool {
	switch name {
	case "TransactStatements":
		in.set = d.list(func() {
			var s statementInput
			d.structure("ParameterizedStatement", func(name string) bool { return s.member(d, name) })
			in.statements = append(in.statements, s)
		})
	case "ClientRequestToken":
		in.token = d.text()
	case "ReturnConsumedCapacity":
		in.consumed.mode = d.text()
	default:
		return false
	}
	return true
}

func (in *executeTransactionInput) constraints(v *violations) {
	v.oneOf("returnConsumedCapacity", in.consumed.mode, enumConsumed...)
	v.length("clientRequestToken", in.token, 1, maxRequestToken)
	if !v.required("transactStatements", in.set) {
		return
	}
	countStatements(v, "transactStatements", len(in.statements), maxTransact)
	for i := range in.statements {
		in.statements[i].constraints(v, statementPath("transactStatements", i))
	}
}

func executeTransaction(c *call) error {
	var in executeTransactionInput
	if err := c.read(&in); err != nil {
		return err
	}
	bound, err := in.bind(c)
	if err != nil {
		return err
	}
	if bound[0].writes() {
		return in.write(c, bound)
	}
	return in.read(c, bound)
}

// bind makes the checks of the request as a whole.
func (in *executeTransactionInput) bind(c *call) ([]*statement, error) {
	bound := make([]*statement, len(in.statements))
	size := 0
	for i := range in.statements {
		s, err := in.statements[i].bind(c)
		if err != nil {
			return nil, err
		}
		if s.Returning != "" {
			return nil, errValidation("RETURNING clause is not supported in a transaction")
		}
		bound[i] = s
		size += len(in.statements[i].statement.s)
		for _, v := range in.statements[i].parameters {
			size += v.Size()
		}
	}
	if size > maxTransactBytes {
		return nil, errValidation("Transaction request size cannot exceed " + strconv.Itoa(maxTransactBytes) + " bytes")
	}
	for _, s := range bound {
		if s.writes() != bound[0].writes() {
			return nil, errValidation("ExecuteTransaction API does not support both read and write operations in the same request")
		}
		if err := s.resolve(); err != nil {
			return nil, err
		}
		if err := s.checkTarget(); err != nil {
			return nil, err
		}
	}
	return bound, nil
}

func (in *executeTransactionInput) write(c *call, bound []*statement) error {
	writes := make([]Write, len(bound))
	seen := distinct{}
	for i, s := range bound {
		w, err := s.write()
		if err != nil {
			return invalidAction(len(bound), i, err)
		}
		if !seen.add(s.table, w.Key) {
			return errSameItem()
		}
		writes[i] = Write{s.table, w}
	}
	var token *table.Token
	if in.token.set {
		token = &table.Token{ID: in.token.s, Digest: in.digest()}
		if !c.server.tokens.begin(in.token.s) {
			return errInProgress()
		}
		defer c.server.tokens.end(in.token.s)
	}
	done, err := c.backend.Transact(c.ctx, token, writes)
	if err != nil {
		return canceled(inserted(err, bound), func(i int) bool { return in.statements[i].onFailure.s == "ALL_OLD" })
	}
	w := &c.out
	w.openObject()
	side := writeSide
	if done.Replayed { // what was done before is only looked at
		side = readSide
	}
	var sum bill
	w.openListMember("Responses")
	for i, s := range bound {
		w.openObject()
		w.closeObject()
		cost := done.Results[i].Cost
		cost.Table *= 2
		sum.add(s.Table, cost)
	}
	w.closeList()
	sum.member(w, in.consumed, side)
	w.closeObject()
	return nil
}

// inserted gives the reasons of INSERTs their own name.
func inserted(err error, bound []*statement) error {
	var c *region.Canceled
	var cf *table.ConditionFailed
	if !errors.As(err, &c) {
		return err
	}
	for i, r := range c.Reasons {
		if bound[i].Kind == partiql.Insert && errors.As(r, &cf) {
			c.Reasons[i] = errDuplicate()
		}
	}
	return c
}

func (in *executeTransactionInput) digest() (sum [sha256.Size]byte) {
	d := digester{sha256.New()}
	d.number(len(in.statements))
	for _, s := range in.statements {
		d.text(s.statement.s)
		d.number(len(s.parameters))
		for _, v := range s.parameters {
			d.bytes(v.Encoded())
		}
	}
	copy(sum[:], d.hash.Sum(nil))
	return sum
}

func (in *executeTransactionInput) read(c *call, bound []*statement) error {
	keys := make([]Key, len(bound))
	shows := make([]itemView, len(bound))
	seen := distinct{}
	for i, s := range bound {
		key, cond, err := s.target()
		if err == nil {
			shows[i], err = s.reading(cond)
		}
		if err != nil {
			return invalidAction(len(bound), i, err)
		}
		if !seen.add(s.table, key) {
			return errSameItem()
		}
		keys[i] = Key{s.table, key}
	}
	results, err := c.backend.TransactGet(c.ctx, keys)
	if err != nil {
		return canceled(err, nil)
	}
	if err := checkResponse(results); err != nil {
		return err
	}
	w := &c.out
	w.openObject()
	w.openListMember("Responses")
	var sum bill
	for i, res := range results {
		it, err := shows[i].show(res.Item)
		if err != nil {
			return err
		}
		w.openObject()
		if !it.IsZero() {
			w.itemMember("Item", it)
		}
		w.closeObject()
		cost := res.Cost
		cost.Table *= 2
		sum.add(bound[i].Table, cost)
	}
	w.closeList()
	sum.member(w, in.consumed, readSide)
	w.closeObject()
	return nil
}
