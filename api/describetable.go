package api

import "github.com/meridiandb/meridian/region/catalog"

// tableInput is the input of operations that name a table and nothing else.
type tableInput struct{ name text }

func (in *tableInput) member(d *decoder, name string) bool {
	if name == "TableName" {
		in.name = d.text()
		return true
	}
	return false
}

func (in *tableInput) constraints(v *violations) { v.controlTableName(in.name, 1) }

func describeTable(c *call) error {
	var in tableInput
	if err := c.read(&in); err != nil {
		return err
	}
	view, err := c.described(in.name)
	if err != nil {
		return err
	}
	c.out.openObject()
	c.out.key("Table")
	c.server.describe(&c.out, &view)
	c.out.closeObject()
	return nil
}

// described finds the table that a TableName means, for operations on tables.
func (c *call) described(t text) (catalog.View, error) {
	name, err := c.tableNamed(t)
	if err != nil {
		return catalog.View{}, err
	}
	return c.backend.DescribeTable(name)
}
