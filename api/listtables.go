package api

type listTablesInput struct {
	after text
	limit number
}

func (in *listTablesInput) member(d *decoder, name string) bool {
	switch name {
	case "ExclusiveStartTableName":
		in.after = d.text()
	case "Limit":
		in.limit = d.number("Integer")
	default:
		return false
	}
	return true
}

func (in *listTablesInput) constraints(v *violations) {
	v.indexName("exclusiveStartTableName", in.after) // names of tables and indexes have one rule
	v.between("limit", in.limit, 1, maxListed)
}

// maxListed is the most names in one answer.
const maxListed = 100

func listTables(c *call) error {
	in := listTablesInput{}
	if err := c.read(&in); err != nil {
		return err
	}
	limit := maxListed
	if in.limit.set {
		limit = int(in.limit.n)
	}
	names, last, err := c.backend.ListTables(in.after.s, limit)
	if err != nil {
		return err
	}
	w := &c.out
	w.openObject()
	w.openListMember("TableNames")
	for _, n := range names {
		w.str(n)
	}
	w.closeList()
	if last != "" {
		w.stringMember("LastEvaluatedTableName", last)
	}
	w.closeObject()
	return nil
}
