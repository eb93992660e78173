package api

type describeTimeToLiveInput struct{ tableInput }

func (in *describeTimeToLiveInput) constraints(v *violations) { v.tableName("tableName", in.name) }

func describeTimeToLive(c *call) error {
	var in describeTimeToLiveInput
	if err := c.read(&in); err != nil {
		return err
	}
	name, err := c.tableNamed(in.name)
	if err != nil {
		return err
	}
	view, err := c.server.backend.DescribeTable(name)
	if err != nil {
		return err
	}
	w := &c.out
	w.openObject()
	w.openObjectMember("TimeToLiveDescription")
	if view.TTL.Enabled {
		w.stringMember("TimeToLiveStatus", "ENABLED")
		w.stringMember("AttributeName", view.TTL.Attribute)
	} else {
		w.stringMember("TimeToLiveStatus", "DISABLED")
	}
	w.closeObject()
	w.closeObject()
	return nil
}
