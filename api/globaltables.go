package api

// Global tables of version 2017.11.29. The service has stopped admitting them, and answers as if there were none; so there
// are none here (DYNAMODB.md 10.9). Those of today are made by UpdateTable.

func createGlobalTable(c *call) error {
	var name text
	set := false
	in := plainInput{
		map[string]func(*decoder){
			"GlobalTableName": toText(&name), "ReplicationGroup": func(d *decoder) { set = d.list(d.skip) },
		},
		func(v *violations) {
			globalTableName(v, name)
			v.required("replicationGroup", set)
		},
	}
	if err := c.read(in); err != nil {
		return err
	}
	return errOldGlobalTable()
}

func globalTableName(v *violations, name text) {
	if v.required("globalTableName", name.set) {
		v.indexName("globalTableName", name)
	}
}

func errOldGlobalTable() error {
	return errInvalid("DynamoDB global tables version 2017.11.29 is not supported. We recommend using DynamoDB global tables version " +
		"2019.11.21, instead of version 2017.11.29 (Legacy).")
}

func errNoGlobalTable(name string) error {
	return clientError("GlobalTableNotFoundException", "Global table not found: Global table with name: '"+name+"' does not exist.")
}

func updateGlobalTable(c *call) error {
	var name text
	set, creates, empty, updates := false, false, false, 0
	in := plainInput{
		map[string]func(*decoder){
			"GlobalTableName": toText(&name),
			"ReplicaUpdates": func(d *decoder) {
				set = d.list(func() {
					updates++
					actions := 0
					d.structure("ReplicaUpdate", func(name string) bool {
						creates = creates || name == "Create"
						if name == "Create" || name == "Delete" {
							actions++
						}
						return false
					})
					empty = empty || actions == 0
				})
			},
		},
		func(v *violations) {
			globalTableName(v, name)
			v.required("replicaUpdates", set)
		},
	}
	if err := c.read(in); err != nil {
		return err
	}
	switch {
	case updates == 0 || empty:
		return errValidation("One or more parameter values were invalid")
	case creates:
		return errOldGlobalTable()
	}
	return errNoGlobalTable(name.s)
}

func describeGlobalTable(c *call) error {
	name, err := c.globalTable(nil)
	if err != nil {
		return err
	}
	return errNoGlobalTable(name)
}

func describeGlobalTableSettings(c *call) error {
	name, err := c.globalTable(nil)
	if err != nil {
		return err
	}
	return errNoGlobalSettings(name)
}

func updateGlobalTableSettings(c *call) error {
	name, err := c.globalTable(map[string]func(*decoder){
		"GlobalTableBillingMode":                                       nowhereText,
		"GlobalTableGlobalSecondaryIndexSettingsUpdate":                passedList,
		"GlobalTableProvisionedWriteCapacityAutoScalingSettingsUpdate": passedStructure,
		"GlobalTableProvisionedWriteCapacityUnits":                     func(d *decoder) { d.number("Long") },
		"ReplicaSettingsUpdate":                                        passedList,
	})
	if err != nil {
		return err
	}
	return errNoGlobalSettings(name)
}

func errNoGlobalSettings(name string) error {
	return clientError("GlobalTableNotFoundException", "Global table with name: '"+name+"' does not exist.")
}

// globalTable reads a request that names a global table, and perhaps more.
func (c *call) globalTable(more map[string]func(*decoder)) (string, error) {
	var name text
	if more == nil {
		more = map[string]func(*decoder){}
	}
	more["GlobalTableName"] = toText(&name)
	err := c.read(plainInput{more, func(v *violations) {
		if v.required("globalTableName", name.set) {
			if name.s != "" {
				v.pattern("globalTableName", name)
			}
		}
	}})
	if err == nil && (len(name.s) < 3 || len(name.s) > 255) {
		err = errValidation("TableName must be at least 3 characters long and at most 255 characters long")
	}
	return name.s, err
}

func listGlobalTables(c *call) error {
	var after text
	var limit number
	in := plainInput{
		map[string]func(*decoder){"ExclusiveStartGlobalTableName": toText(&after), "Limit": toNumber(&limit), "RegionName": nowhereText},
		func(v *violations) {
			v.indexName("exclusiveStartGlobalTableName", after)
			v.between("limit", limit, 1, maxListed)
		},
	}
	if err := c.read(in); err != nil {
		return err
	}
	return c.emptyList("GlobalTables")
}
