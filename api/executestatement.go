package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/expr/partiql"
	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/table"
)

type executeStatementInput struct {
	statementInput
	consistent flag
	nextToken  text
	limit      number
	consumed   capacity
}

func (in *executeStatementInput) member(d *decoder, name string) bool {
	switch name {
	case "ConsistentRead":
		in.consistent = d.flag()
	case "NextToken":
		in.nextToken = d.text()
	case "Limit":
		in.limit = d.number("Integer")
	case "ReturnConsumedCapacity":
		in.consumed.mode = d.text()
	default:
		return in.statementInput.member(d, name)
	}
	return true
}

const maxNextToken = 32768

func (in *executeStatementInput) constraints(v *violations) {
	v.oneOf("returnConsumedCapacity", in.consumed.mode, enumConsumed...)
	in.statementInput.constraints(v, "")
	v.length("nextToken", in.nextToken, 1, maxNextToken)
	v.between("limit", in.limit, 1, math.MaxInt64)
}

func executeStatement(c *call) error {
	var in executeStatementInput
	if err := c.read(&in); err != nil {
		return err
	}
	s, err := in.bind(c)
	if err != nil {
		return err
	}
	if s.Kind == partiql.Exists {
		return errValidation("Statement wasn't well formed, can't be processed: EXISTS can only be used in ExecuteTransaction")
	}
	if err := s.resolve(); err != nil {
		return err
	}
	if s.writes() {
		return in.write(c, s)
	}
	return in.read(c, s)
}

func (in *executeStatementInput) write(c *call, s *statement) error {
	if in.nextToken.set {
		return errBadToken()
	}
	w, err := s.write()
	if err != nil {
		return err
	}
	res, err := s.table.Write(c.ctx, w)
	if err != nil {
		return s.failed(err, in.onFailure)
	}
	var items []item.Item
	if it := s.returned(res); !it.IsZero() {
		items = append(items, it)
	}
	in.answer(c, s, items, res.Cost, "", item.Item{})
	return nil
}

func (in *executeStatementInput) answer(c *call, s *statement, items []item.Item, cost table.Cost, next string, last item.Item) {
	w := &c.out
	w.openObject()
	w.openListMember("Items")
	for _, it := range items {
		w.item(it)
	}
	w.closeList()
	if next != "" {
		w.stringMember("NextToken", next)
	}
	if !last.IsZero() {
		w.itemMember("LastEvaluatedKey", last)
	}
	in.consumed.member(w, s.Table, cost)
	w.closeObject()
}

// selection is a SELECT as reads of the table.
type selection struct {
	in     *executeStatementInput
	s      *statement
	plan   *partiql.Plan
	ranges []expr.KeyRange // of the plan's partitions
	filter *expr.Condition
	proj   *expr.Projection

	items []item.Item
	cost  table.Cost
	left  int // of Limit; 0: none was given
}

func (in *executeStatementInput) read(c *call, s *statement) error {
	sel := &selection{in: in, s: s}
	if err := sel.prepare(c); err != nil {
		return err
	}
	at, err := in.position()
	if err != nil {
		return err
	}
	next, err := sel.run(c, at)
	if err != nil {
		return err
	}
	token, last := "", item.Item{}
	if next != nil {
		token, last = next.encode(), next.start
	}
	in.answer(c, s, sel.items, sel.cost, token, last)
	return nil
}

func (sel *selection) prepare(c *call) (err error) {
	s := sel.s
	if sel.proj, err = s.projection(); err != nil {
		return err
	}
	source := readInput{tableName: text{s.Table, true}, index: text{s.Index, s.index != nil}, consistent: sel.in.consistent}
	if _, _, err := source.source(c, sel.proj); err != nil {
		return err
	}
	schema := keySchemaOf(s.table, s.index)
	if sel.plan, err = s.Select(keysOf(schema)); err != nil {
		return statementError(err)
	}
	for _, p := range sel.plan.Partitions {
		k, err := c.keyCondition(text{p.Text, true}, expr.NewParams(p.Names, p.Values))
		if err != nil {
			return err
		}
		r, err := k.Resolve(schema)
		if err != nil {
			return err
		}
		sel.ranges = append(sel.ranges, r)
	}
	if sel.filter, err = s.condition(expr.FilterExpression, sel.plan.Filter); err != nil {
		return err
	}
	sel.left = int(min(sel.in.limit.n, 1<<30))
	return checkConditionKeys(sel.filter, s.table.Descriptor())
}

// statementPage is how much one answer may read, as a page of Query does. It is told by the capacity that was consumed.
const statementPage = 1 << 20

// run reads from a position on, and returns where to go on; nil at the end.
func (sel *selection) run(c *call, at position) (*position, error) {
	for at.partition < max(1, len(sel.ranges)) {
		r := table.Reading{
			Index: sel.s.Index, Limit: sel.left, Start: at.start, Filter: sel.filter, Projection: sel.proj, Consistent: sel.in.consistent.v,
		}
		var page table.Page
		var err error
		if len(sel.ranges) == 0 {
			page, err = sel.s.table.Scan(c.ctx, table.Scan{Reading: r})
		} else {
			page, err = sel.s.table.Query(c.ctx, table.Query{Reading: r, Range: sel.ranges[at.partition], Reverse: sel.plan.Backward})
		}
		if err != nil && fault.KindOf(err) == fault.Throttled && sel.cost.Total() > 0 {
			return &at, nil // what was read is paid for
		}
		if err != nil {
			return nil, err
		}
		if full := sel.take(page); !page.Last.IsZero() {
			return &position{digest: at.digest, partition: at.partition, start: page.Last}, nil
		} else if at.partition++; full && at.partition < len(sel.ranges) {
			return &position{digest: at.digest, partition: at.partition}, nil
		}
		at.start = item.Item{}
	}
	return nil, nil
}

// take adds a page to the answer; full says that there is room for no more.
func (sel *selection) take(page table.Page) (full bool) {
	for _, it := range page.Items {
		sel.items = append(sel.items, sel.s.Row(it))
	}
	var sum bill
	sum.add("", sel.cost)
	sum.add("", page.Cost)
	sel.cost = *sum.costs[""]
	if sel.in.limit.set {
		if sel.left -= page.Scanned; sel.left <= 0 {
			return true
		}
	}
	read := sel.cost.Total() * 4096
	if !sel.in.consistent.v {
		read *= 2
	}
	return read >= statementPage
}

// position is where a SELECT goes on. NextToken carries it to the client and back, with a digest of the statement and its
// parameters: it is good for no other.
type position struct {
	digest    []byte
	partition int
	start     item.Item // zero: from the partition's beginning
}

type tokenJSON struct {
	Digest    []byte         `json:"d"`
	Partition int            `json:"p"`
	Start     jsontext.Value `json:"s,omitempty"`
}

func (in *executeStatementInput) digest() []byte {
	h := sha256.New()
	d := digester{h}
	d.text(in.statement.s)
	for _, v := range in.parameters {
		d.bytes(v.Encoded())
	}
	return h.Sum(nil)[:12]
}

func (in *executeStatementInput) position() (position, error) {
	at := position{digest: in.digest()}
	if !in.nextToken.set {
		return at, nil
	}
	b, err := base64.StdEncoding.DecodeString(in.nextToken.s)
	var t tokenJSON
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err == nil && (!bytes.Equal(t.Digest, at.digest) || t.Partition < 0) {
		err = errors.New("of another statement")
	}
	if err == nil && len(t.Start) > 0 {
		at.start, err = item.ReadItem(jsontext.NewDecoder(bytes.NewReader(t.Start)))
	}
	if err != nil {
		return at, errBadToken()
	}
	at.partition = t.Partition
	return at, nil
}

func errBadToken() error { return errValidation("Given NextToken is invalid") }

func (p *position) encode() string {
	t := tokenJSON{Digest: p.digest, Partition: p.partition}
	if !p.start.IsZero() {
		t.Start = p.start.AppendJSON(nil)
	}
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // bytes, a number and JSON that we wrote
	}
	return base64.StdEncoding.EncodeToString(b)
}
