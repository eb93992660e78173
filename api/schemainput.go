package api

import (
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
)

// Enumerations of table operations, in the service's order.
var (
	enumKeyType    = []string{"HASH", "RANGE"}
	enumAttribute  = []string{"B", "N", "S"}
	enumBilling    = []string{"PROVISIONED", "PAY_PER_REQUEST"}
	enumProjection = []string{"ALL", "INCLUDE", "KEYS_ONLY"}
	enumClass      = []string{"STANDARD", "STANDARD_INFREQUENT_ACCESS"}
	enumStreamView = []string{"OLD_IMAGE", "KEYS_ONLY", "NEW_AND_OLD_IMAGES", "NEW_IMAGE"}
	enumSSE        = []string{"AES256", "KMS"}

	enumSettingsMode = []string{"ENABLED", "DISABLED", "ENABLED_WITH_OVERRIDES"}
)

// keyElement is a KeySchemaElement.
type keyElement struct{ name, kind text }

func (d *decoder) keySchema() (keys []keyElement, set bool) {
	set = d.list(func() {
		var k keyElement
		d.structure("KeySchemaElement", func(name string) bool {
			switch name {
			case "AttributeName":
				k.name = d.text()
			case "KeyType":
				k.kind = d.text()
			default:
				return false
			}
			return true
		})
		keys = append(keys, k)
	})
	return keys, set
}

func checkKeySchema(v *violations, path string, keys []keyElement, set bool, most int) {
	if !v.required(path, set) {
		return
	}
	v.count(path, dumpKeys(keys), len(keys), 1, most)
	for i, k := range keys {
		at := path + "." + strconv.Itoa(i+1) + ".member."
		if v.required(at+"attributeName", k.name.set) {
			v.length(at+"attributeName", k.name, 1, 255)
		}
		if v.required(at+"keyType", k.kind.set) {
			v.oneOf(at+"keyType", k.kind, enumKeyType...)
		}
	}
}

// dumpKeys prints a key schema the way the service's language does.
func dumpKeys(keys []keyElement) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = "KeySchemaElement(attributeName=" + orNull(k.name) + ", keyType=" + orNull(k.kind) + ")"
	}
	return "'[" + strings.Join(parts, ", ") + "]'"
}

func orNull(t text) string {
	if !t.set {
		return "null"
	}
	return t.s
}

// definition is an AttributeDefinition.
type definition struct{ name, kind text }

func (d *decoder) definitions() (defs []definition, set bool) {
	set = d.list(func() {
		var a definition
		d.structure("AttributeDefinition", func(name string) bool {
			switch name {
			case "AttributeName":
				a.name = d.text()
			case "AttributeType":
				a.kind = d.text()
			default:
				return false
			}
			return true
		})
		defs = append(defs, a)
	})
	return defs, set
}

func checkDefinitions(v *violations, defs []definition) {
	for i, a := range defs {
		at := "attributeDefinitions." + strconv.Itoa(i+1) + ".member."
		if v.required(at+"attributeType", a.kind.set) {
			v.oneOf(at+"attributeType", a.kind, enumAttribute...)
		}
		if v.required(at+"attributeName", a.name.set) {
			v.length(at+"attributeName", a.name, 1, 255)
		}
	}
}

// throughputInput is a ProvisionedThroughput.
type throughputInput struct {
	read, write number
	set         bool
}

func (d *decoder) throughput() (t throughputInput) {
	t.set = d.structure("ProvisionedThroughput", func(name string) bool {
		switch name {
		case "ReadCapacityUnits":
			t.read = d.number("Long")
		case "WriteCapacityUnits":
			t.write = d.number("Long")
		default:
			return false
		}
		return true
	})
	return t
}

func (t throughputInput) constraints(v *violations, path string) {
	if !t.set {
		return
	}
	if v.required(path+".writeCapacityUnits", t.write.set) {
		v.between(path+".writeCapacityUnits", t.write, 1, 1<<63-1)
	}
	if v.required(path+".readCapacityUnits", t.read.set) {
		v.between(path+".readCapacityUnits", t.read, 1, 1<<63-1)
	}
}

// maxUnits is the most that the service takes for one table, far above what it then allows.
const maxUnits = 1_000_000_000_000

// bounds checks what the framework does not. index names a secondary index, "" is the table.
func (t throughputInput) bounds(index string) error {
	for _, u := range []struct {
		n    int64
		name string
	}{{t.read.n, "ReadCapacityUnits"}, {t.write.n, "WriteCapacityUnits"}} {
		if u.n > maxUnits {
			message := "Given value " + strconv.FormatInt(u.n, 10) + " for " + u.name + " is out of bounds"
			if index != "" {
				message += " for index " + index
			}
			return errValidation(message)
		}
	}
	return nil
}

func (t throughputInput) value() catalog.Throughput {
	return catalog.Throughput{Read: t.read.n, Write: t.write.n}
}

// onDemandInput is an OnDemandThroughput; -1 takes a cap away.
type onDemandInput struct {
	read, write number
	set         bool
}

func (d *decoder) onDemand() (t onDemandInput) {
	t.set = d.structure("OnDemandThroughput", func(name string) bool {
		switch name {
		case "MaxReadRequestUnits":
			t.read = d.number("Long")
		case "MaxWriteRequestUnits":
			t.write = d.number("Long")
		default:
			return false
		}
		return true
	})
	return t
}

// first names the first cap that is given, "" if none is.
func (t onDemandInput) first() string {
	switch {
	case t.read.set:
		return "MaxReadRequestUnits"
	case t.write.set:
		return "MaxWriteRequestUnits"
	}
	return ""
}

// echo shows caps that were just taken away, which are not shown later.
func (t onDemandInput) echo(o *catalog.OnDemand) {
	if t.read.n == -1 {
		o.MaxRead = -1
	}
	if t.write.n == -1 {
		o.MaxWrite = -1
	}
}

// apply puts the caps over those that were there. creating refuses to take away what is not there yet. of is "table", or
// "index : " and a name.
func (t onDemandInput) apply(old catalog.OnDemand, of string, creating bool) (catalog.OnDemand, error) {
	for _, u := range []struct {
		n    number
		name string
		into *int64
	}{{t.read, "MaxReadRequestUnits", &old.MaxRead}, {t.write, "MaxWriteRequestUnits", &old.MaxWrite}} {
		switch {
		case !u.n.set:
		case u.n.n == -1 && !creating:
			*u.into = 0
		case u.n.n < 1:
			return old, errInvalid("Requested " + u.name + " for OnDemandThroughput for " + of + " is outside of valid range")
		default:
			*u.into = u.n.n
		}
	}
	return old, nil
}

// kinds maps defined attributes to their types.
func kinds(defs []definition) map[string]item.Kind {
	m := make(map[string]item.Kind, len(defs))
	for _, a := range defs {
		m[a.name.s], _ = item.ParseKind(a.kind.s) // constraints have checked it
	}
	return m
}

// schema turns checked elements into a key schema. Attributes that no definition names get no kind.
func schema(keys []keyElement, defined map[string]item.Kind) (s item.KeySchema) {
	for _, k := range keys {
		a := item.KeyAttr{Name: k.name.s, Kind: defined[k.name.s]}
		if k.kind.s == "HASH" {
			s.Hash = append(s.Hash, a)
		} else {
			s.Range = append(s.Range, a)
		}
	}
	return s
}
