package api

import (
	"maps"
	"slices"
	"strconv"

	"github.com/meridiandb/meridian/region/catalog"
)

// The setting of Contributor Insights is kept and shown; nobody counts keys here. There are no Kinesis destinations
// (DYNAMODB.md 9.7 and 9.10).

// insightsTarget is what operations on Contributor Insights name: a table, or a global index of it.
type insightsTarget struct{ table, index text }

func (t *insightsTarget) check() error {
	if t.index.set && (len(t.index.s) < 3 || len(t.index.s) > 255) {
		return errValidation("IndexName must be at least 3 characters long and at most 255 characters long")
	}
	return nil
}

// find describes the table, of which the index must be a global one.
func (t *insightsTarget) find(c *call) (catalog.View, error) {
	view, err := c.described(t.table)
	if err != nil {
		return view, err
	}
	if ix := view.Index(t.index.s); t.index.set && (ix == nil || !ix.Global) {
		return view, clientError("ResourceNotFoundException", "Requested resource not found: Index: "+t.index.s+" not found for table: "+view.Name)
	}
	return view, nil
}

func (t *insightsTarget) write(w *writer, view *catalog.View, status string) {
	w.stringMember("TableName", view.Name)
	if t.index.set {
		w.stringMember("IndexName", t.index.s)
	}
	w.stringMember("ContributorInsightsStatus", status)
}

func describeContributorInsights(c *call) error {
	var t insightsTarget
	in := plainInput{
		map[string]func(*decoder){"TableName": toText(&t.table), "IndexName": toText(&t.index)},
		func(v *violations) { v.tableName("tableName", t.table) },
	}
	if err := c.read(in); err != nil {
		return err
	}
	if err := t.check(); err != nil {
		return err
	}
	view, err := t.find(c)
	if err != nil {
		return err
	}
	kept := view.Local.Insights[t.index.s]
	w := &c.out
	w.openObject()
	t.write(w, &view, insightsStatus(kept.Enabled))
	if kept.Enabled {
		w.openListMember("ContributorInsightsRuleList")
		for _, rule := range insightsRules(&view, t.index.s, kept) {
			w.str(rule)
		}
		w.closeList()
	}
	if kept.ChangedAt > 0 {
		w.timeMember("LastUpdateDateTime", kept.ChangedAt)
		w.stringMember("ContributorInsightsMode", kept.Mode)
	}
	w.closeObject()
	return nil
}

func insightsStatus(on bool) string {
	if on {
		return "ENABLED"
	}
	return "DISABLED"
}

// insightsRules names the rules that the service would have made for partition keys and sort keys, consumed and throttled.
func insightsRules(v *catalog.View, index string, kept catalog.Insights) (rules []string) {
	schema, of := v.Schema, v.Name
	if ix := v.Index(index); ix != nil {
		schema, of = ix.Schema, v.Name+"-"+ix.Name
	}
	for _, kind := range []string{"PKC", "PKT", "SKC", "SKT"} {
		if kind[2] == 'C' && kept.Mode != insightsAll || kind[0] == 'S' && len(schema.Range) == 0 {
			continue
		}
		rules = append(rules, "DynamoDBContributorInsights-"+kind+"-"+of+"-"+strconv.FormatInt(kept.ChangedAt, 10))
	}
	return rules
}

const insightsAll = "ACCESSED_AND_THROTTLED_KEYS"

// updateContributorInsights keeps the setting. A setting that changes is answered as changing, one that does not as it is.
func updateContributorInsights(c *call) error {
	var t insightsTarget
	var action, mode text
	in := plainInput{
		map[string]func(*decoder){
			"TableName": toText(&t.table), "IndexName": toText(&t.index), "ContributorInsightsAction": toText(&action), "ContributorInsightsMode": toText(&mode),
		},
		func(v *violations) {
			v.tableName("tableName", t.table)
			if v.required("contributorInsightsAction", action.set) {
				v.oneOf("contributorInsightsAction", action, "ENABLE", "DISABLE")
			}
			v.oneOf("contributorInsightsMode", mode, "THROTTLED_KEYS", insightsAll)
		},
	}
	if err := c.read(in); err != nil {
		return err
	}
	if err := t.check(); err != nil {
		return err
	}
	view, err := t.find(c)
	if err != nil {
		return err
	}
	kept := view.Local.Insights[t.index.s]
	next := catalog.Insights{Enabled: action.s == "ENABLE", Mode: kept.Mode, ChangedAt: view.Now}
	if next.Enabled {
		if next.Mode = insightsAll; mode.set {
			next.Mode = mode.s
		}
	}
	status := insightsStatus(next.Enabled)
	if kept.Enabled != next.Enabled || kept.Mode != next.Mode {
		if _, err := c.backend.ChangeLocal(view.Name, func(l *catalog.Local) error {
			l.SetInsights(t.index.s, next)
			return nil
		}); err != nil {
			return err
		}
		status = map[bool]string{true: "ENABLING", false: "DISABLING"}[next.Enabled]
	}
	w := &c.out
	w.openObject()
	t.write(w, &view, status)
	if next.Mode != "" {
		w.stringMember("ContributorInsightsMode", next.Mode)
	}
	w.closeObject()
	return nil
}

// listContributorInsights lists what is on: of one table, or of all, a few tables on a page. The token is the last table.
func listContributorInsights(c *call) error {
	var name, next text
	var limit number
	in := plainInput{
		map[string]func(*decoder){"TableName": toText(&name), "MaxResults": toNumber(&limit), "NextToken": toText(&next)},
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
	var names []string
	last := ""
	if name.set {
		view, err := c.described(name)
		if err != nil {
			return err
		}
		names = []string{view.Name}
	} else {
		most := maxListed
		if limit.n > 0 {
			most = int(limit.n)
		}
		var err error
		if names, last, err = c.backend.ListTables(next.s, most); err != nil {
			return err
		}
	}
	w := &c.out
	w.openObject()
	w.openListMember("ContributorInsightsSummaries")
	for _, n := range names {
		if view, err := c.backend.DescribeTable(n); err == nil { // deleted meanwhile
			listInsights(w, &view)
		}
	}
	w.closeList()
	if last != "" {
		w.stringMember("NextToken", last)
	}
	w.closeObject()
	return nil
}

// listInsights lists the table first, then its indexes.
func listInsights(w *writer, v *catalog.View) {
	for _, index := range slices.Sorted(maps.Keys(v.Local.Insights)) {
		kept := v.Local.Insights[index]
		if !kept.Enabled || index != "" && v.Index(index) == nil {
			continue
		}
		w.openObject()
		w.stringMember("TableName", v.Name)
		if index != "" {
			w.stringMember("IndexName", index)
		}
		w.stringMember("ContributorInsightsStatus", "ENABLED")
		w.stringMember("ContributorInsightsMode", kept.Mode)
		w.closeObject()
	}
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
