package api

import (
	"github.com/meridiandb/meridian/expr"
	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/region/catalog"
)

// What only a table's keys can tell of an expression (DYNAMODB.md 4.5 and 4.8).

const notScalar = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "

// checkInside refuses document paths into key attributes; inside lists the attributes that an expression looks into.
func checkInside(inside []string, d *catalog.Descriptor) error {
	for _, name := range inside {
		if d.Schema.Has(name) {
			return errValidation(notScalar + "Key: " + name)
		}
		for i := range d.Indexes {
			if d.Indexes[i].Schema.Has(name) {
				return errValidation(notScalar + "IndexKey: " + name)
			}
		}
	}
	return nil
}

func checkConditionKeys(c *expr.Condition, d *catalog.Descriptor) error {
	if c == nil {
		return nil
	}
	return checkInside(c.Inside(), d)
}

func checkProjectionKeys(p *expr.Projection, d *catalog.Descriptor) error {
	if p == nil {
		return nil
	}
	return checkInside(p.Inside(), d)
}

// checkUpdateKeys refuses an update of the table's key, of an index's key to a literal of another type, and document paths
// into either. A computed value of another type is only found when it is computed.
func checkUpdateKeys(u *expr.Update, d *catalog.Descriptor) error {
	if u == nil {
		return nil
	}
	if err := u.CheckKeys(d.Schema); err != nil {
		return err
	}
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		for _, part := range [][]item.KeyAttr{ix.Schema.Hash, ix.Schema.Range} {
			for _, a := range part {
				if v, ok := u.Literal(a.Name); ok && v.Kind() != a.Kind {
					return errInvalid("Type mismatch for Index Key " + a.Name + " Expected: " + a.Kind.String() + " Actual: " +
						v.Kind().String() + " IndexName: " + ix.Name)
				}
			}
		}
	}
	return checkInside(u.Inside(), d)
}
