package partiql

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
)

func num(i int64) item.Value { return item.NumVal(item.NumFromInt(i)) }

// show prints an expression with its substitutions in place.
func show(e Expression) string {
	var pairs []string
	for _, k := range slices.Backward(slices.Sorted(maps.Keys(e.Names))) { // #n10 before #n1
		pairs = append(pairs, k, e.Names[k])
	}
	for _, k := range slices.Backward(slices.Sorted(maps.Keys(e.Values))) {
		pairs = append(pairs, k, string(e.Values[k].AppendJSON(nil)))
	}
	return strings.NewReplacer(pairs...).Replace(e.Text)
}

func mustBind(t *testing.T, text string, params ...item.Value) *Bound {
	t.Helper()
	s, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	b, err := s.Bind(params)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return b
}

var keys = Keys{Hash: []string{"pk"}, Range: []string{"sk"}}

// ORDER BY sorts partitions by the hash key, whatever the order in which they are named.
func TestOrder(t *testing.T) {
	for _, c := range []struct{ rest, partitions string }{
		{`pk IN [2, 10, 1]`, "2 10 1"},
		{`pk IN [2, 10, 1] ORDER BY pk`, "1 2 10"},
		{`pk IN [2, 10, 1] ORDER BY pk DESC`, "10 2 1"},
		{`pk = 1 OR pk = 2 ORDER BY sk DESC, pk DESC`, "2 1"},
		{`pk IN ['x'] ORDER BY pk ASC`, ""},
	} {
		p, err := mustBind(t, "SELECT * FROM T WHERE "+c.rest).Select(keys)
		if err != nil {
			t.Fatal(c.rest, err)
		}
		var got []string
		for _, e := range p.Partitions {
			if v := e.Values[":v0"]; v.Kind() == item.Number {
				got = append(got, v.Num().String())
			}
		}
		if s := strings.Join(got, " "); s != c.partitions {
			t.Errorf("%s: %s, not %s", c.rest, s, c.partitions)
		}
	}
	for rest, want := range map[string]string{
		` ORDER BY pk`:                        "Must have WHERE clause in the statement when using ORDER BY clause.",
		` WHERE x = 1 ORDER BY pk`:            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
		` WHERE pk = 1 ORDER BY x`:            "Variable reference x in ORDER BY clause must be part of the primary key",
		` WHERE pk = 1 AND pk = 2 ORDER BY x`: "Must have at least one",
	} {
		if _, err := mustBind(t, "SELECT * FROM T"+rest).Select(keys); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", rest, err)
		}
	}
}

// A column is shown under the last name of its path.
func TestRow(t *testing.T) {
	it := mustBind(t, `INSERT INTO T VALUE {'a': {'b': [1, {'c': 2}]}, 'd': 3}`).Item
	for columns, want := range map[string]string{
		`*`: `{"a":{"M":{"b":{"L":[{"N":"1"},{"M":{"c":{"N":"2"}}}]}}},"d":{"N":"3"}}`, `d`: `{"d":{"N":"3"}}`,
		`a.b[0], d`: `{"b[0]":{"N":"1"},"d":{"N":"3"}}`, `a.b[1].c`: `{"c":{"N":"2"}}`, `a['b'][1]`: `{"b[1]":{"M":{"c":{"N":"2"}}}}`,
		`a.b[7], d.x, e`: `{}`, `d, a.b[1].c, d`: `{"c":{"N":"2"},"d":{"N":"3"}}`,
	} {
		if got := string(mustBind(t, "SELECT "+columns+" FROM T").Row(it).AppendJSON(nil)); got != want {
			t.Errorf("%s: %s, not %s", columns, got, want)
		}
	}
	if !mustBind(t, "SELECT a FROM T").Row(item.Item{}).IsZero() {
		t.Error("a row of no item")
	}
}

// What SELECT does with keys (DYNAMODB.md section 12).
func TestSelectPlans(t *testing.T) {
	for _, c := range []struct{ where, partitions, filter string }{
		{`pk = 'a'`, `pk = {"S":"a"}`, ``},
		{`"pk" = 'it''s' AND sk > 5`, `pk = {"S":"it's"} AND sk > {"N":"5"}`, ``},
		{`sk BETWEEN 1 AND 2 AND pk = ?`, `pk = {"S":"p"} AND sk BETWEEN {"N":"1"} AND {"N":"2"}`, ``},
		{`pk = 'a' AND begins_with(sk, 'x') AND size(c) < 3`, `pk = {"S":"a"} AND begins_with(sk, {"S":"x"})`, `size(c) < {"N":"3"}`},
		{`pk IN ['a', 'b']`, `pk = {"S":"a"} | pk = {"S":"b"}`, ``},
		{`pk IN ('a', 'a') AND sk = -1.50`, `pk = {"S":"a"} AND sk = {"N":"-1.5"}`, ``},
		{`pk = 'a' OR pk = 'b'`, `pk = {"S":"a"} | pk = {"S":"b"}`, ``},
		{`(pk = 'a' OR pk = 'b') AND x.y[2]['z.w'] IS MISSING`, `pk = {"S":"a"} | pk = {"S":"b"}`, `attribute_not_exists(x.y[2].z.w)`},
		{`'a' = pk AND 5 < sk AND 1 = n`, `pk = {"S":"a"} AND sk > {"N":"5"}`, `n = {"N":"1"}`},
		{`pk = 'a' AND sk IN [1, 2]`, `pk = {"S":"a"}`, `sk IN ({"N":"1"}, {"N":"2"})`},
		{`pk = 'a' AND sk <> 1`, `pk = {"S":"a"}`, `sk <> {"N":"1"}`},
		// scans
		{`pk > 'a'`, ``, `pk > {"S":"a"}`},
		{`pk = 'a' AND pk = 'b'`, ``, `pk = {"S":"a"} AND pk = {"S":"b"}`},
		{`pk = 'a' AND sk > 1 AND sk < 5`, ``, `pk = {"S":"a"} AND sk > {"N":"1"} AND sk < {"N":"5"}`},
		{`pk = 'a' OR x = 1`, ``, `pk = {"S":"a"} OR x = {"N":"1"}`},
		{`pk = 'a' OR pk > 'b'`, ``, `pk = {"S":"a"} OR pk > {"S":"b"}`},
		{`NOT pk = 'a'`, ``, `NOT pk = {"S":"a"}`},
		{`x != 1 AND (y = 2 OR NOT (a = 1 AND b = 2)) AND c IS NOT NULL`, ``,
			`x <> {"N":"1"} AND (y = {"N":"2"} OR NOT (a = {"N":"1"} AND b = {"N":"2"})) AND NOT attribute_type(c, {"S":"NULL"})`},
		{`a NOT IN (1) AND b not between 1 and 2`, ``, `NOT a IN ({"N":"1"}) AND NOT b BETWEEN {"N":"1"} AND {"N":"2"}`},
		{`x = <<1, 2>> AND y = [1, 'a', {'k': true, 'n': null}] AND contains(z, 'q')`, ``,
			`x = {"NS":["1","2"]} AND y = {"L":[{"N":"1"},{"S":"a"},{"M":{"k":{"BOOL":true},"n":{"NULL":true}}}]} AND contains(z, {"S":"q"})`},
	} {
		var params []item.Value
		if strings.Contains(c.where, "?") {
			params = append(params, item.Str("p"))
		}
		p, err := mustBind(t, "SELECT * FROM T WHERE "+c.where, params...).Select(keys)
		if err != nil {
			t.Errorf("%s: %v", c.where, err)
			continue
		}
		var partitions []string
		for _, e := range p.Partitions {
			partitions = append(partitions, show(e))
			if _, err := expr.ParseKeyCondition(e.Text); err != nil {
				t.Errorf("%s: %v", e.Text, err)
			}
		}
		if got := strings.Join(partitions, " | "); got != c.partitions {
			t.Errorf("%s\n  queries %s\n  not     %s", c.where, got, c.partitions)
		}
		if got := show(p.Filter); got != c.filter {
			t.Errorf("%s\n  filters %s\n  not     %s", c.where, got, c.filter)
		}
		if p.Filter.Text != "" {
			if _, err := expr.ParseCondition(expr.FilterExpression, p.Filter.Text); err != nil {
				t.Errorf("%s: %v", p.Filter.Text, err)
			}
		}
	}
}

func TestSelectShape(t *testing.T) {
	b := mustBind(t, `select a, b.c[1] , "select" from "My-Table"."My.Index" where pk = 1 order by pk desc, sk desc; -- all`)
	if b.Kind != Select || b.Table != "My-Table" || b.Index != "My.Index" || show(b.Columns()) != "a, b, select" {
		t.Errorf("%+v %s", b.Statement, show(b.Columns()))
	}
	p, err := b.Select(keys)
	if err != nil || !p.Backward || len(p.Partitions) != 1 {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := mustBind(t, `SELECT * FROM T`).Select(keys); err != nil || len(p.Partitions) != 0 || p.Filter.Text != "" {
		t.Errorf("%+v %v", p, err)
	}
	for _, text := range []string{`SELECT * FROM T ORDER BY sk`, `SELECT * FROM T WHERE pk = 1 ORDER BY other`} {
		if _, err := mustBind(t, text).Select(keys); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// An index of several key attributes: all HASH ones choose partitions, RANGE ones follow in order.
func TestSelectManyKeys(t *testing.T) {
	k := Keys{Hash: []string{"a", "b"}, Range: []string{"c", "d"}}
	for where, want := range map[string]string{
		`a = 1 AND b IN [2, 3] AND c = 4 AND d > 5`: `a = {"N":"1"} AND b = {"N":"2"} AND c = {"N":"4"} AND d > {"N":"5"} | a = {"N":"1"} AND b = {"N":"3"} AND c = {"N":"4"} AND d > {"N":"5"} / `,
		`a = 1 AND b = 2 AND d = 5`:                 `a = {"N":"1"} AND b = {"N":"2"} / d = {"N":"5"}`,
		`a = 1 AND b = 2 AND c > 4 AND d = 5`:       `a = {"N":"1"} AND b = {"N":"2"} AND c > {"N":"4"} / d = {"N":"5"}`,
		`a = 1`:                                     ` / a = {"N":"1"}`,
	} {
		p, err := mustBind(t, `SELECT * FROM T.I WHERE `+where).Select(k)
		if err != nil {
			t.Fatal(err)
		}
		var partitions []string
		for _, e := range p.Partitions {
			partitions = append(partitions, show(e))
		}
		if got := strings.Join(partitions, " | ") + " / " + show(p.Filter); got != want {
			t.Errorf("%s\n  is  %s\n  not %s", where, got, want)
		}
	}
}

func TestUpdates(t *testing.T) {
	for text, want := range map[string]string{
		`UPDATE T SET a = 1 SET b.c[0] = 'x' WHERE pk = 1 AND sk = 2`:                        `SET a = {"N":"1"}, b.c[0] = {"S":"x"}`,
		`UPDATE T SET a = a + 1, b = list_append(b, [1]) REMOVE c, d[1] WHERE pk = 1`:        `SET a = a + {"N":"1"}, b = list_append(b, {"L":[{"N":"1"}]}) REMOVE c, d[1]`,
		`UPDATE T SET s = set_add(s, <<'x'>>) SET u = set_delete(u, <<1>>) WHERE pk = 1`:     `ADD s {"SS":["x"]} DELETE u {"NS":["1"]}`,
		`UPDATE T REMOVE a SET n = if_not_exists(n, 0) - 2 WHERE pk = 1 RETURNING ALL OLD *`: `SET n = if_not_exists(n, {"N":"0"}) - {"N":"2"} REMOVE a`,
	} {
		e, err := mustBind(t, text).Updates()
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := show(e); got != want {
			t.Errorf("%s\n  is  %s\n  not %s", text, got, want)
		}
		if _, err := expr.ParseUpdate(e.Text); err != nil {
			t.Errorf("%s: %v", e.Text, err)
		}
	}
	for form, want := range map[string]Returning{
		"": "", "RETURNING ALL OLD *": AllOld, "returning modified old *": ModifiedOld, "RETURNING ALL NEW *": AllNew, "RETURNING MODIFIED NEW *": ModifiedNew,
	} {
		if b := mustBind(t, `UPDATE T SET a = 1 WHERE pk = 1 `+form); b.Returning != want {
			t.Errorf("%s: %s", form, b.Returning)
		}
	}
}

func TestTargets(t *testing.T) {
	for text, want := range map[string]string{
		`DELETE FROM T WHERE pk = 'a' AND sk = 1`:                              `{"pk":{"S":"a"},"sk":{"N":"1"}} / `,
		`DELETE FROM T WHERE sk = 1 AND (a = 1 OR b = 2) AND pk = 'a'`:         `{"pk":{"S":"a"},"sk":{"N":"1"}} / a = {"N":"1"} OR b = {"N":"2"}`,
		`UPDATE T SET x = 1 WHERE pk = 'a' AND sk = 1 AND x < 1 AND y IS NULL`: `{"pk":{"S":"a"},"sk":{"N":"1"}} / x < {"N":"1"} AND attribute_type(y, {"S":"NULL"})`,
		`EXISTS(SELECT * FROM T WHERE pk = 'a' AND sk = 1 AND x = 1)`:          `{"pk":{"S":"a"},"sk":{"N":"1"}} / x = {"N":"1"}`,
		`EXISTS(SELECT * FROM T WHERE pk = 'a' AND sk = 1)`:                    `EXISTS takes`,
		`DELETE FROM T WHERE pk = 'a'`:                                         `Where clause does not contain a mandatory equality on all key attributes`,
		`DELETE FROM T WHERE pk = 'a' OR sk = 1`:                               `Where clause does not contain a mandatory equality on all key attributes`,
		`DELETE FROM T`:                                                        `Where clause does not contain a mandatory equality on all key attributes`,
		`DELETE FROM T WHERE pk IN ['a', 'b'] AND sk = 1`:                      `Where clause does not contain a mandatory equality on all key attributes`,
	} {
		key, cond, err := mustBind(t, text).Target(keys)
		got := string(key.AppendJSON(nil)) + " / " + show(cond)
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%s\n  is  %s\n  not %s", text, got, want)
		}
	}
}

func TestInsert(t *testing.T) {
	b := mustBind(t, `INSERT INTO "T" VALUE {'pk': 'a', 'n': ?, 'gone': MISSING, 'l': [?, MISSING, <<'x'>>], "q": {'é': 1e2}}`, num(7), num(8))
	if got, want := string(b.Item.AppendJSON(nil)), `{"l":{"L":[{"N":"8"},{"SS":["x"]}]},"n":{"N":"7"},"pk":{"S":"a"},"q":{"M":{"é":{"N":"100"}}}}`; got != want {
		t.Errorf("%s\n%s", got, want)
	}
}

func TestMalformed(t *testing.T) {
	for _, text := range []string{
		``, ` `, `;`, `SELEC * FROM T`, `SELECT FROM T`, `SELECT * T`, `SELECT * FROM`, `SELECT * FROM T WHERE`, `SELECT * FROM T WHERE a`,
		`SELECT * FROM T WHERE a = `, `SELECT * FROM T; SELECT * FROM T`, `SELECT * FROM select`, `SELECT * FROM T WHERE a = 'x`, `SELECT * FROM T /* x`,
		`SELECT * FROM T WHERE a IN ()`, `SELECT * FROM T WHERE f(a) = 1`, `SELECT * FROM T WHERE size(a, b) = 1`, `SELECT * FROM T WHERE a[x] = 1`,
		`INSERT INTO T VALUE`, `INSERT INTO T VALUE [1]`, `INSERT INTO T VALUE {a: 1}`, `INSERT INTO T.I VALUE {'a': 1}`, `UPDATE T WHERE a = 1`,
		`UPDATE T SET a WHERE b = 1`, `UPDATE T SET a = 1 WHERE b = 1 RETURNING SOME OLD *`, `DELETE FROM T WHERE a = 1 RETURNING ALL NEW *`,
		`DELETE T WHERE a = 1`, `EXISTS(DELETE FROM T)`, `EXISTS(SELECT a FROM T WHERE a = 1)`, "SELECT * FROM T WHERE a = \x00",
		`SELECT * FROM T WHERE ` + strings.Repeat("(", 200) + `a = 1` + strings.Repeat(")", 200),
		`SELECT * FROM T WHERE a = ` + strings.Repeat("[", 200) + strings.Repeat("]", 200), `SELECT * FROM T WHERE ` + strings.Repeat("NOT ", 200) + `a = 1`,
		`SELECT * FROM T WHERE a = '` + strings.Repeat("x", 8192) + `'`,
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%.80s: no error", text)
		} else if !strings.HasPrefix(err.Error(), "Statement wasn't well formed, can't be processed: ") {
			t.Errorf("%.80s: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		`CREATE TABLE T`: "Expected data manipulation", `lorem ipsum`: "Expected data manipulation", `INSERT INTO T (key) VALUES (?)`: "",
		`INSERT INTO T VALUES {'a': 1}`: "Unexpected keyword", `SELECT * FROM T WHERE order = 1`: "order is a reserved word",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Parse(`SELECT * FROM Movies WHERE title = ? AND year = ?`); err != nil { // the service's own example
		t.Error(err)
	}
	for text, params := range map[string][]item.Value{
		`SELECT * FROM T WHERE a = ?`: nil, `SELECT * FROM T`: {num(1)},
	} {
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Bind(params); err == nil || err.Error() != "Number of parameters in request and statement don't match." {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Whatever the text, there is an answer, and what comes out is what package expr can read or refuse.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`SELECT a.b[1], "c" FROM "T"."I" WHERE pk IN [?, 'x'] AND NOT (a < 1 OR size(b) >= 2) ORDER BY sk DESC;`,
		`INSERT INTO T VALUE {'a': <<1, 2>>, 'b': [TRUE, NULL, MISSING]}`, `UPDATE T SET a = a + 1 REMOVE b WHERE pk = 1 RETURNING ALL OLD *`,
		`DELETE FROM T WHERE pk = 1 -- x`, `SELECT * FROM T WHERE pk IN [1, MISSING] AND sk = MISSING`, `EXISTS(SELECT * FROM T WHERE pk = 1 AND a IS NOT MISSING)`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		params := make([]item.Value, s.Params)
		for i := range params {
			params[i] = num(int64(i))
		}
		b, err := s.Bind(params)
		if err != nil {
			return
		}
		texts := []string{}
		var told *Error
		if _, err := b.Select(keys); err != nil && !errors.As(err, &told) {
			t.Errorf("%q: %v is no Error", text, err)
		}
		if _, _, err := b.Target(keys); err != nil && !errors.As(err, &told) {
			t.Errorf("%q: %v is no Error", text, err)
		}
		if p, err := b.Select(keys); err == nil {
			texts = append(texts, p.Filter.Text)
			for _, e := range p.Partitions {
				texts = append(texts, e.Text)
			}
		}
		if _, e, err := b.Target(keys); err == nil {
			texts = append(texts, e.Text)
		}
		for _, e := range texts {
			_, _ = expr.ParseCondition(expr.FilterExpression, e) // must not panic
		}
		if e, err := b.Updates(); err == nil && s.Kind == Update {
			_, _ = expr.ParseUpdate(e.Text)
		}
		_ = fmt.Sprint(b.Columns().Text)
	})
}
