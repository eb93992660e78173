package api

import (
	"errors"
	"strconv"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/expr/partiql"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
	"github.com/meridiandb/meridian/region/table"
)

// statementInput is one PartiQL statement with its parameters, as all three operations take it (DYNAMODB.md section 12).
type statementInput struct {
	statement  text
	parameters []item.Value
	badValue   error // the first parameter that breaks the data model
	set        bool  // Parameters is there
	onFailure  text
}

func (in *statementInput) member(d *decoder, name string) bool {
	switch name {
	case "Statement":
		in.statement = d.text()
	case "Parameters":
		in.set = d.list(func() {
			v, err := d.value()
			if err != nil && in.badValue == nil {
				in.badValue = err
			}
			in.parameters = append(in.parameters, v)
		})
	case "ReturnValuesOnConditionCheckFailure":
		in.onFailure = d.text()
	default:
		return false
	}
	return true
}

// maxStatement is the longest statement in characters.
const maxStatement = 8192

func (in *statementInput) constraints(v *violations, path string) {
	if v.required(path+"statement", in.statement.set) {
		v.length(path+"statement", in.statement, 1, maxStatement)
	}
	if in.set {
		v.count(path+"parameters", "'[]'", len(in.parameters), 1, -1)
	}
	v.oneOf(path+"returnValuesOnConditionCheckFailure", in.onFailure, enumOnCheckFailure...)
}

// statement is a statement on its way: bound, and with its table.
type statement struct {
	*partiql.Bound
	call  *call
	table Table
	index *catalog.Index
}

// bind reads the statement and puts its parameters in. The table is not looked for yet.
func (in *statementInput) bind(c *call) (*statement, error) {
	if in.badValue != nil {
		return nil, in.badValue
	}
	s, err := partiql.Parse(in.statement.s)
	if err != nil {
		return nil, statementError(err)
	}
	b, err := s.Bind(in.parameters)
	if err != nil {
		return nil, statementError(err)
	}
	return &statement{Bound: b, call: c}, nil
}

// statementError makes package partiql's errors those of an expression.
func statementError(err error) error {
	var p *partiql.Error
	if errors.As(err, &p) {
		return errValidation(p.Message)
	}
	return err
}

// resolve finds the table and index that the statement names.
func (s *statement) resolve() (err error) {
	if s.table, err = s.call.table(text{s.Table, true}); err != nil || s.Index == "" {
		return err
	}
	if s.index = s.table.Descriptor().Index(s.Index); s.index == nil {
		return errValidation("The table does not have the specified index: " + s.Index)
	}
	return nil
}

// writes reports whether the statement changes anything, or stands among those that do.
func (s *statement) writes() bool { return s.Kind != partiql.Select }

func (s *statement) keys() partiql.Keys { return keysOf(s.table.Schema()) }

func keysOf(k item.KeySchema) partiql.Keys {
	var out partiql.Keys
	for _, a := range k.Hash {
		out.Hash = append(out.Hash, a.Name)
	}
	for _, a := range k.Range {
		out.Range = append(out.Range, a.Name)
	}
	return out
}

// condition binds an expression that a statement was translated to; nil for none.
func (s *statement) condition(kind expr.Kind, e partiql.Expression) (*expr.Condition, error) {
	if e.Text == "" {
		return nil, nil
	}
	p := expr.NewParams(e.Names, e.Values)
	if len(e.Text) <= expr.MaxText {
		return s.call.condition(kind, text{e.Text, true}, p)
	}
	ast, err := expr.LongCondition(kind, e.Text) // not to be kept: it is a tree of many kilobytes
	if err != nil {
		return nil, err
	}
	return ast.Bind(p)
}

// projection is what a SELECT shows; nil for everything.
func (s *statement) projection() (*expr.Projection, error) {
	e := s.Columns()
	if e.Text == "" {
		return nil, nil
	}
	p := expr.NewParams(e.Names, e.Values)
	if len(e.Text) <= expr.MaxText {
		return s.call.projection(text{e.Text, true}, p)
	}
	ast, err := expr.LongProjection(e.Text)
	if err != nil {
		return nil, err
	}
	return ast.Bind(p)
}

// target is the item that a statement names by its whole key, and what else must hold of it.
func (s *statement) target() (item.Key, partiql.Expression, error) {
	key, cond, err := s.Target(s.keys())
	if err != nil {
		return item.Key{}, cond, statementError(err)
	}
	k, err := s.table.Schema().FromKeyArg(key)
	return k, cond, err
}

// checkTarget refuses a statement that names no item, without a look at whether the values can be keys.
func (s *statement) checkTarget() error {
	if s.Kind == partiql.Insert {
		return nil
	}
	_, _, err := s.Target(s.keys())
	return statementError(err)
}

// write is the write that an INSERT, UPDATE, DELETE or EXISTS is.
//
//	INSERT  Put if there is no such item
//	UPDATE  Update if there is such an item, and the condition holds
//	DELETE  Delete if there is no such item, or the condition holds
//	EXISTS  Check that the condition holds, of no item too: what the guide says it is, a ConditionCheck
func (s *statement) write() (w table.Write, err error) {
	exists := partiql.Expression{Text: "attribute_exists(#key)", Names: map[string]string{"#key": s.table.Schema().Hash[0].Name}}
	missing := partiql.Expression{Text: "attribute_not_exists(#key)", Names: exists.Names}
	if s.Kind == partiql.Insert {
		return s.insert(missing)
	}
	var cond partiql.Expression
	if w.Key, cond, err = s.target(); err != nil {
		return w, err
	}
	switch s.Kind {
	case partiql.Update:
		w.Op, cond = table.Update, both(exists, " AND ", cond)
		if w.Update, err = s.update(); err != nil {
			return w, err
		}
	case partiql.Delete:
		if w.Op = table.Delete; cond.Text != "" {
			cond = both(missing, " OR ", cond)
		}
	case partiql.Exists:
		w.Op = table.Check
	default:
		return w, errors.New("api: a SELECT is no write")
	}
	if w.Condition, err = s.condition(expr.ConditionExpression, cond); err != nil {
		return w, err
	}
	return w, checkConditionKeys(w.Condition, s.table.Descriptor())
}

func (s *statement) insert(missing partiql.Expression) (w table.Write, err error) {
	w = table.Write{Op: table.Put, Item: s.Item}
	if err := sizeLimit(s.Item); err != nil {
		return w, err
	}
	for _, v := range s.Item.Attrs() { // literals nest as deeply as a statement may
		if v.Depth() > item.MaxDepth {
			return w, errValidation(item.TooDeep)
		}
	}
	if w.Key, err = s.table.Schema().FromItem(s.Item); err != nil {
		return w, err
	}
	w.Condition, err = s.condition(expr.ConditionExpression, missing)
	return w, err
}

func (s *statement) update() (*expr.Update, error) {
	e, err := s.Updates()
	if err != nil {
		return nil, statementError(err)
	}
	u, err := s.bindUpdate(e)
	if err != nil {
		return nil, err
	}
	return u, checkUpdateKeys(u, s.table.Descriptor())
}

func (s *statement) bindUpdate(e partiql.Expression) (*expr.Update, error) {
	p := expr.NewParams(e.Names, e.Values)
	if len(e.Text) <= expr.MaxText {
		return s.call.update(text{e.Text, true}, p)
	}
	ast, err := expr.LongUpdate(e.Text)
	if err != nil {
		return nil, err
	}
	return ast.Bind(p)
}

// both joins a condition on the key to a statement's own, which may be none.
func both(key partiql.Expression, word string, cond partiql.Expression) partiql.Expression {
	if cond.Text == "" {
		return key
	}
	out := partiql.Expression{Text: key.Text + word + "(" + cond.Text + ")", Names: map[string]string{}, Values: cond.Values}
	for _, names := range []map[string]string{key.Names, cond.Names} {
		for k, v := range names {
			out.Names[k] = v
		}
	}
	return out
}

// errDuplicate is what an INSERT of an item that is there fails with.
func errDuplicate() *apiError {
	return clientError("DuplicateItemException", "Duplicate primary key exists in table")
}

// failed turns a false condition into the statement's error, with the item if it was asked for.
func (s *statement) failed(err error, onFailure text) error {
	var cf *table.ConditionFailed
	if !errors.As(err, &cf) {
		return err
	}
	if s.Kind == partiql.Insert {
		return errDuplicate()
	}
	in := writeInput{onFailure: onFailure}
	return in.failed(err)
}

// returned picks what RETURNING asks for.
func (s *statement) returned(res table.WriteResult) item.Item {
	if s.Kind == partiql.Delete && s.Returning == partiql.AllOld {
		return res.Old
	}
	in := updateItemInput{}
	in.returnValues = text{string(s.Returning), true}
	return in.attributes(res)
}

// countStatements checks how many statements there are.
func countStatements(v *violations, path string, n, most int) {
	shown := "'[]'"
	if n > 0 {
		shown = "'[" + strconv.Itoa(n) + " statements]'"
	}
	v.count(path, shown, n, 1, most)
}

// statementPath names a statement's members in violations.
func statementPath(list string, i int) string { return list + "." + strconv.Itoa(i+1) + ".member." }
