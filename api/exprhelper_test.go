package api

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/expr"
)

// placeholders are values of every type, by the names that rows use for them.
var placeholders = map[string]string{
	":n": `{"N":"1"}`, ":n2": `{"N":"2"}`, ":s": `{"S":"a"}`, ":s2": `{"S":"b"}`, ":b": `{"B":"AA=="}`, ":b2": `{"B":"AQ=="}`,
	":bool": `{"BOOL":true}`, ":null": `{"NULL":true}`, ":ss": `{"SS":["a"]}`, ":ns": `{"NS":["1"]}`, ":bs": `{"BS":["AA=="]}`,
	":l": `{"L":[{"N":"9"}]}`, ":m": `{"M":{}}`, ":empty": `{"S":""}`,
	":S": `{"S":"S"}`, ":N": `{"S":"N"}`, ":SS": `{"S":"SS"}`, // names of types
}

// ofKind are the placeholders of one value of each type, in the order of the types' names.
var ofKind = map[string]string{
	"S": ":s", "N": ":n", "B": ":b", "BOOL": ":bool", "NULL": ":null", "SS": ":ss", "NS": ":ns", "BS": ":bs", "L": ":l", "M": ":m",
}

var placeholder = regexp.MustCompile(`:[A-Za-z0-9_]+`)

// withValues gives a request the values that its expressions name: unused ones would be refused.
func withValues(body string, texts ...string) string {
	var members []string
	for _, p := range placeholder.FindAllString(strings.Join(texts, " "), -1) {
		if m := `"` + p + `":` + placeholders[p]; placeholders[p] != "" && !slices.Contains(members, m) {
			members = append(members, m)
		}
	}
	if len(members) > 0 {
		body += `,"ExpressionAttributeValues":{` + strings.Join(members, ",") + `}`
	}
	return body + `}`
}

// expressed makes a request of one expression of a kind, on table tab and the item whose key is pk = a.
func expressed(kind expr.Kind, text string) (op, body string) {
	const tab = `{"TableName":"tab"`
	const key = tab + `,"Key":{"pk":{"S":"a"}}`
	member := `,"` + string(kind) + `":"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
	switch kind {
	case expr.ConditionExpression: // on an item that is not there
		return "DeleteItem", withValues(tab+`,"Key":{"pk":{"S":"none"}}`+member, text)
	case expr.UpdateExpression:
		return "UpdateItem", withValues(key+member, text)
	case expr.ProjectionExpression:
		return "GetItem", key + member + `}`
	case expr.FilterExpression:
		return "Scan", withValues(tab+member, text)
	}
	return "Query", withValues(tab+member, text)
}

// told is an expression and what is said of it; "" is nothing: it may be evaluated.
type told struct {
	section string
	text    string
	want    string // without "Invalid <kind>: "
}

// tells sends expressions of one kind. A want that begins with ! stands without the kind before it.
func (c *client) tells(kind expr.Kind, rows []told) {
	c.t.Helper()
	for _, r := range rows {
		op, body := expressed(kind, r.text)
		if r.want == "" {
			if a := c.call(op, body); a.status != http.StatusOK && !strings.Contains(a.body, checkFailed) {
				c.t.Errorf("%s: %s %s is refused: %s", r.section, kind, r.text, a.body)
			}
			continue
		}
		message, bare := strings.CutPrefix(r.want, "!")
		if !bare {
			message = "Invalid " + string(kind) + ": " + message
		}
		c.refuses([]refusal{{r.section, op, body, validation, message}})
	}
}

// wants makes rows of one want.
func wants(section, want string, texts ...string) (rows []told) {
	for _, t := range texts {
		rows = append(rows, told{section, t, want})
	}
	return rows
}
