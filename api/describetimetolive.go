package api

type describeTimeToLiveInput struct{ tableInput }

func (in *describeTimeToLiveInput) constraints(v *violations) { v.tableName("tableName", in.name) }

func describeTimeToLive(c *call) error {
	var in describeTimeToLiveInput
	if err := c.read(&in); err != nil {
		return err
	}
	view, err := c.described(in.name)
	if err != nil {
		return err
	}
	w := &c.out
	w.openObject()
	w.openObjectMember("TimeToLiveDescription")
	settled := view.Local.Expiry == view.TTL.ChangedAt
	switch {
	case view.TTL.Enabled && settled:
		w.stringMember("TimeToLiveStatus", "ENABLED")
	case view.TTL.Enabled:
		w.stringMember("TimeToLiveStatus", "ENABLING")
	case settled:
		w.stringMember("TimeToLiveStatus", "DISABLED")
	default:
		w.stringMember("TimeToLiveStatus", "DISABLING")
	}
	if view.TTL.Enabled {
		w.stringMember("AttributeName", view.TTL.Attribute)
	}
	w.closeObject()
	w.closeObject()
	return nil
}
