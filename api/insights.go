package api

// Contributor Insights and Kinesis destinations are not built, so they are off everywhere (DYNAMODB.md 9.7 and 9.10).

func describeContributorInsights(c *call) error {
	var name, index text
	in := plainInput{
		map[string]func(*decoder){"TableName": toText(&name), "IndexName": toText(&index)},
		func(v *violations) {
			v.tableName("tableName", name)
			v.indexName("indexName", index)
		},
	}
	if err := c.read(in); err != nil {
		return err
	}
	view, err := c.described(name)
	if err != nil {
		return err
	}
	if index.set && view.Index(index.s) == nil {
		return clientError("ResourceNotFoundException", "Requested resource not found: Index: "+index.s+" not found")
	}
	w := &c.out
	w.openObject()
	w.stringMember("TableName", view.Name)
	if index.set {
		w.stringMember("IndexName", index.s)
	}
	w.stringMember("ContributorInsightsStatus", "DISABLED")
	w.closeObject()
	return nil
}

func listContributorInsights(c *call) error {
	var name text
	var limit number
	in := plainInput{
		map[string]func(*decoder){"TableName": toText(&name), "MaxResults": toNumber(&limit), "NextToken": nowhereText},
		func(v *violations) {
			if name.set {
				v.tableName("tableName", name)
			}
			v.between("maxResults", limit, 0, 100)
		},
	}
	if err := c.read(in); err != nil {
		return err
	}
	if name.set {
		if _, err := c.described(name); err != nil {
			return err
		}
	}
	return c.emptyList("ContributorInsightsSummaries")
}

func describeKinesisStreamingDestination(c *call) error {
	var name text
	in := plainInput{
		map[string]func(*decoder){"TableName": toText(&name)},
		func(v *violations) { v.tableName("tableName", name) },
	}
	if err := c.read(in); err != nil {
		return err
	}
	view, err := c.described(name)
	if err != nil {
		return err
	}
	w := &c.out
	w.openObject()
	w.stringMember("TableName", view.Name)
	w.openListMember("KinesisDataStreamDestinations")
	w.closeList()
	w.closeObject()
	return nil
}
