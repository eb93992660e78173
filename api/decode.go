package api

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/meridiandb/meridian/item"
)

// input is one operation's request. member reads the value of a member of the request's object and reports whether it
// knows the name; constraints lists what the framework checks, in the model's order.
type input interface {
	member(d *decoder, name string) bool
	constraints(v *violations)
}

// read decodes the request and checks what needs no table.
func (c *call) read(in input) error {
	d := c.decoder
	d.reset(c.body)
	if k := d.peek(); k != '{' {
		d.fail(&item.SerializationError{}) // a request is an object, and null is none
	}
	d.structure("", func(name string) bool { return in.member(d, name) })
	if err := d.finish(c.body); err != nil {
		return err
	}
	if d.refused != "" { // first: no rule of the service's can tell more of such a request
		return errValidation("The parameter " + d.refused + " is not supported by Meridian yet")
	}
	in.constraints(&c.violations)
	return c.violations.err()
}

// allowDuplicates is the decoder's only option; of two members of one name the later counts.
var allowDuplicates = jsontext.AllowDuplicateNames(true)

func validJSON(b []byte) bool { return jsontext.Value(b).IsValid(allowDuplicates) }

// decoder reads a request's JSON from front to back. Its first error stays: after it, every method returns nothing at
// once, so callers need not look until the end. Wrong types are told in the service's words (DYNAMODB.md 3.1). JSON null is
// an absent value everywhere. Depth is bounded by jsontext (10,000), below what a stack minds.
type decoder struct {
	json    *jsontext.Decoder
	err     error
	refused string // first parameter that DynamoDB has and we do not

	source bytes.Buffer      // what json reads, without a copy
	names  map[string]string // names of members seen before, to themselves: most are the model's, and need no new string
}

// Bounds of the names that a decoder keeps: a client's inventions must not fill the memory.
const (
	maxNames    = 256
	maxNameKept = 64 // bytes
)

func newDecoder(body []byte) *decoder {
	d := &decoder{json: new(jsontext.Decoder)}
	d.reset(body)
	return d
}

// reset begins to read another body.
func (d *decoder) reset(body []byte) {
	d.err, d.refused = nil, ""
	d.source = *bytes.NewBuffer(body)
	d.json.Reset(&d.source, allowDuplicates)
}

// finish returns the first error. JSON that is broken anywhere is reported before a wrong type.
func (d *decoder) finish(body []byte) error {
	if d.err == nil {
		if _, err := d.json.ReadToken(); err != io.EOF {
			return errBadJSON() // something follows the object
		}
		return nil
	}
	if !validJSON(body) {
		return errBadJSON()
	}
	return d.err
}

func (d *decoder) fail(err error) {
	if err != nil && d.err == nil {
		d.err = err
	}
}

// syntax notes that JSON cannot be read.
func (d *decoder) syntax(err error) {
	if err != nil {
		d.fail(&item.SerializationError{})
	}
}

func (d *decoder) wrong(message string) { d.fail(&item.SerializationError{Message: message}) }

func (d *decoder) skip() {
	if d.err == nil {
		d.syntax(d.json.SkipValue())
	}
}

func (d *decoder) token() {
	_, err := d.json.ReadToken()
	d.syntax(err)
}

// peek is the kind of the next value; 0 after an error.
func (d *decoder) peek() jsontext.Kind {
	if d.err != nil {
		return 0
	}
	k := d.json.PeekKind()
	if k == 0 || k == ']' || k == '}' {
		d.token()
		d.fail(&item.SerializationError{})
		return 0
	}
	return k
}

// open enters an object or list; ok is false for null and after an error.
func (d *decoder) open(want jsontext.Kind, class string) (ok bool) {
	switch k := d.peek(); k {
	case 0:
	case want:
		d.token()
		return d.err == nil
	case 'n':
		d.token()
	case '{':
		d.wrong("Start of structure or map found where not expected")
	case '[':
		d.wrong("Unrecognized collection type " + class)
	default:
		d.wrong("Unexpected field type")
	}
	return false
}

// more reports whether another element follows in what open entered; it leaves the container when not.
func (d *decoder) more(end jsontext.Kind) bool {
	if d.err != nil {
		return false
	}
	if d.json.PeekKind() == end {
		d.token()
		return false
	}
	return true
}

// structure reads an object of known members; unknown ones are passed over. It reports whether there was one.
func (d *decoder) structure(class string, member func(name string) bool) bool {
	if !d.open('{', modelClass+class) {
		return false
	}
	for d.more('}') {
		name := d.memberName()
		if d.err == nil && !member(name) {
			d.skip()
		}
	}
	return true
}

// mapping reads an object whose names are the client's.
func (d *decoder) mapping(class string, member func(name string)) bool {
	if !d.open('{', "java.util.Map<java.lang.String, "+class+">") {
		return false
	}
	for d.more('}') {
		if name := d.name(); d.err == nil {
			member(name)
		}
	}
	return true
}

// list reads a list's elements; nulls are passed over.
func (d *decoder) list(elem func()) bool {
	if !d.open('[', "") {
		return false
	}
	for d.more(']') {
		if d.peek() == 'n' {
			d.token()
			continue
		}
		if d.err == nil {
			elem()
		}
	}
	return true
}

// memberName is name for the names of members.
func (d *decoder) memberName() string {
	raw, err := d.json.ReadValue()
	if err != nil {
		d.syntax(err)
		return ""
	}
	if len(raw) > maxNameKept || bytes.IndexByte(raw, '\\') >= 0 {
		b, err := jsontext.AppendUnquote(nil, raw)
		d.syntax(err)
		return string(b)
	}
	b := raw[1 : len(raw)-1]
	if known, ok := d.names[string(b)]; ok {
		return known
	}
	name := string(b)
	if d.names == nil {
		d.names = make(map[string]string, 16)
	}
	if len(d.names) < maxNames {
		d.names[name] = name
	}
	return name
}

// name reads an object's next name.
func (d *decoder) name() string {
	t, err := d.json.ReadToken()
	if err != nil {
		d.syntax(err)
		return ""
	}
	return t.String()
}

// Java classes that the service's messages name.
const (
	modelClass      = "class com.amazonaws.dynamodb.v20120810."
	stringClass     = "java.lang.String"
	valueClass      = "com.amazonaws.dynamodb.v20120810.AttributeValue"
	keysClass       = "com.amazonaws.dynamodb.v20120810.KeysAndAttributes"
	requestsClass   = "java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>"
	expectedClass   = "com.amazonaws.dynamodb.v20120810.ExpectedAttributeValue"
	conditionClass  = "com.amazonaws.dynamodb.v20120810.Condition"
	attrUpdateClass = "com.amazonaws.dynamodb.v20120810.AttributeValueUpdate"
)

// text is a string member; set is false when it was absent.
type text struct {
	s   string
	set bool
}

func (d *decoder) text() text {
	switch k := d.peek(); k {
	case 0:
	case '"':
		t, err := d.json.ReadToken()
		if err != nil {
			d.syntax(err)
			return text{}
		}
		return text{t.String(), true}
	case 'n':
		d.token()
	default:
		d.wrongScalar(k, "String")
	}
	return text{}
}

// wrongScalar names a value that cannot become a wanted Java type.
func (d *decoder) wrongScalar(k jsontext.Kind, want string) {
	if k == '0' {
		if raw, err := d.json.ReadValue(); err == nil {
			d.fail(item.WrongNumber(raw, want))
			return
		}
	}
	d.fail(item.WrongScalar(k, want))
}

// flag is a boolean member.
type flag struct{ v, set bool }

func (d *decoder) flag() flag {
	switch k := d.peek(); k {
	case 0:
	case 't', 'f':
		d.token()
		return flag{k == 't', true}
	case 'n':
		d.token()
	case '"':
		s := d.text().s
		switch strings.ToLower(s) {
		case "true", "1", "yes":
			return flag{true, true}
		case "false", "0", "no":
			return flag{false, true}
		}
		d.fail(item.NotBoolean(s))
	default:
		d.wrongScalar(k, "Boolean")
	}
	return flag{}
}

// number is an integer member.
type number struct {
	n   int64
	set bool
}

// number reads an integer; want is the Java type that messages name. A fraction is cut off, as Java does.
func (d *decoder) number(want string) number {
	switch k := d.peek(); k {
	case 0:
	case '0':
		raw, err := d.json.ReadValue()
		if err != nil {
			d.syntax(err)
			return number{}
		}
		n, err := strconv.ParseInt(string(raw), 10, 64)
		if err == nil {
			return number{n, true}
		}
		f, err := strconv.ParseFloat(string(raw), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			d.syntax(err)
			return number{}
		}
		return number{int64(max(math.MinInt64, min(math.MaxInt64-1023, f))), true}
	case 'n':
		d.token()
	default:
		d.wrongScalar(k, want)
	}
	return number{}
}

// texts reads a list of strings.
func (d *decoder) texts() (list []string, set bool) {
	set = d.list(func() {
		if t := d.text(); t.set {
			list = append(list, t.s)
		}
	})
	return list, set
}

// refuse notes a parameter that is not built and passes over its value; null is no use of it.
func (d *decoder) refuse(name string) bool {
	if d.peek() != 'n' && d.refused == "" {
		d.refused = name
	}
	d.skip()
	return true
}
