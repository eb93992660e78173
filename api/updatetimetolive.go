package api

import "github.com/meridiandb/meridian/region/catalog"

type updateTimeToLiveInput struct {
	name      text
	enabled   flag
	attribute text
	set       bool
}

func (in *updateTimeToLiveInput) member(d *decoder, name string) bool {
	switch name {
	case "TableName":
		in.name = d.text()
	case "TimeToLiveSpecification":
		in.set = d.structure("TimeToLiveSpecification", func(name string) bool {
			switch name {
			case "Enabled":
				in.enabled = d.flag()
			case "AttributeName":
				in.attribute = d.text()
			default:
				return false
			}
			return true
		})
	default:
		return false
	}
	return true
}

func (in *updateTimeToLiveInput) constraints(v *violations) {
	v.tableName("tableName", in.name)
	if !v.required("timeToLiveSpecification", in.set) {
		return
	}
	if v.required("timeToLiveSpecification.attributeName", in.attribute.set) {
		v.length("timeToLiveSpecification.attributeName", in.attribute, 1, 255)
	}
	v.required("timeToLiveSpecification.enabled", in.enabled.set)
}

func updateTimeToLive(c *call) error {
	var in updateTimeToLiveInput
	if err := c.read(&in); err != nil {
		return err
	}
	name, err := c.tableNamed(in.name)
	if err != nil {
		return err
	}
	spec := catalog.TTLSpec{Enabled: in.enabled.v, Attribute: in.attribute.s}
	if _, err := c.backend.UpdateTable(c.ctx, name, catalog.Change{TTL: &spec}); err != nil {
		return err
	}
	w := &c.out
	w.openObject()
	w.openObjectMember("TimeToLiveSpecification")
	w.boolMember("Enabled", spec.Enabled)
	w.stringMember("AttributeName", spec.Attribute)
	w.closeObject()
	w.closeObject()
	return nil
}
