package api

func describeEndpoints(c *call) error {
	if err := c.read(nothing{}); err != nil {
		return err
	}
	w := &c.out
	w.openObject()
	w.openListMember("Endpoints")
	w.openObject()
	w.stringMember("Address", "dynamodb."+c.server.region+".amazonaws.com")
	w.integerMember("CachePeriodInMinutes", 1440)
	w.closeObject()
	w.closeList()
	w.closeObject()
	return nil
}
