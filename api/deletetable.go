package api

func deleteTable(c *call) error {
	var in tableInput
	if err := c.read(&in); err != nil {
		return err
	}
	name, err := c.tableNamed(in.name)
	if err != nil {
		return err
	}
	view, err := c.backend.DeleteTable(c.ctx, name)
	if err != nil {
		return err
	}
	c.out.openObject()
	c.out.key("TableDescription")
	c.server.describe(&c.out, &view)
	c.out.closeObject()
	return nil
}
