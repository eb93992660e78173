package api

import (
	"strings"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
)

// Point-in-time recovery is not built. That it is off is the truth about every table, and what tools ask that manage tables
// (DYNAMODB.md 9.4).

func describeContinuousBackups(c *call) error {
	var name text
	in := plainInput{
		map[string]func(*decoder){"TableName": toText(&name)},
		func(v *violations) { v.tableName("tableName", name) },
	}
	if err := c.read(in); err != nil {
		return err
	}
	return c.describeBackups(name)
}

func updateContinuousBackups(c *call) error {
	var name text
	var enabled flag
	var days number
	set := false
	in := plainInput{
		map[string]func(*decoder){
			"TableName": toText(&name),
			"PointInTimeRecoverySpecification": func(d *decoder) {
				set = d.structure("PointInTimeRecoverySpecification", func(name string) bool {
					switch name {
					case "PointInTimeRecoveryEnabled":
						enabled = d.flag()
					case "RecoveryPeriodInDays":
						days = d.number("Integer")
					default:
						return false
					}
					return true
				})
			},
		},
		func(v *violations) {
			v.tableName("tableName", name)
			if v.required("pointInTimeRecoverySpecification", set) {
				v.required("pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled", enabled.set)
				v.between("pointInTimeRecoverySpecification.recoveryPeriodInDays", days, 1, 35)
			}
		},
	}
	if err := c.read(in); err != nil {
		return err
	}
	if !enabled.v && days.set {
		return errValidation("Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.")
	}
	if enabled.v {
		return errValidation("The parameter PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled does not support the value true in Meridian yet")
	}
	return c.describeBackups(name)
}

func (c *call) describeBackups(name text) error {
	if _, err := c.backedUpTable(name); err != nil {
		return err
	}
	w := &c.out
	w.openObject()
	w.openObjectMember("ContinuousBackupsDescription")
	w.stringMember("ContinuousBackupsStatus", "ENABLED")
	w.openObjectMember("PointInTimeRecoveryDescription")
	w.stringMember("PointInTimeRecoveryStatus", "DISABLED")
	w.closeObject()
	w.closeObject()
	w.closeObject()
	return nil
}

// backedUpTable finds a table for the operations on backups, which have an error of their own for a missing one.
func (c *call) backedUpTable(t text) (catalog.View, error) {
	view, err := c.described(t)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		name := t.s[strings.LastIndexByte(t.s, '/')+1:] // of an ARN too
		err = clientError("TableNotFoundException", "Table not found: "+name)
	}
	return view, err
}
