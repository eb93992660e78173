package api

import "strings"

// Backups, exports and imports are not built, so there are none (DYNAMODB.md 9.3 to 9.6).

func listBackups(c *call) error {
	var name, kind, after text
	var limit number
	in := plainInput{
		map[string]func(*decoder){
			"TableName": toText(&name), "BackupType": toText(&kind), "ExclusiveStartBackupArn": toText(&after), "Limit": toNumber(&limit),
			"TimeRangeLowerBound": nowhereMoment, "TimeRangeUpperBound": nowhereMoment,
		},
		func(v *violations) {
			v.length("tableName", name, 1, 1024)
			v.between("limit", limit, 1, 100)
			v.length("exclusiveStartBackupArn", after, 37, 1024)
			v.oneOf("backupType", kind, "USER", "SYSTEM", "AWS_BACKUP", "ALL")
		},
	}
	if err := c.read(in); err != nil {
		return err
	}
	return c.emptyList("BackupSummaries")
}

func describeBackup(c *call) error { return c.missing("BackupArn", "backupArn", "Backup") }
func deleteBackup(c *call) error   { return c.missing("BackupArn", "backupArn", "Backup") }
func describeExport(c *call) error { return c.missing("ExportArn", "exportArn", "Export") }
func describeImport(c *call) error { return c.missing("ImportArn", "importArn", "Import") }

// missing answers a question for something that does not exist.
func (c *call) missing(member, path, what string) error {
	var arn text
	in := plainInput{
		map[string]func(*decoder){member: toText(&arn)},
		func(v *violations) { v.required(path, arn.set) },
	}
	if err := c.read(in); err != nil {
		return err
	}
	parts := strings.SplitN(arn.s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "dynamodb" || !strings.HasPrefix(parts[5], "table/") ||
		!strings.Contains(parts[5], "/"+strings.ToLower(what)+"/") {
		return errValidation("Invalid " + what + " ARN")
	}
	return clientError(what+"NotFoundException", what+" not found: "+arn.s)
}

func listExports(c *call) error {
	return c.listTransfers("MaxResults", "maxResults", "ExportSummaries")
}
func listImports(c *call) error { return c.listTransfers("PageSize", "pageSize", "ImportSummaryList") }

func (c *call) listTransfers(size, path, list string) error {
	var n number
	in := plainInput{
		map[string]func(*decoder){"TableArn": nowhereText, "NextToken": nowhereText, size: toNumber(&n)},
		func(v *violations) { v.between(path, n, 1, 25) },
	}
	if err := c.read(in); err != nil {
		return err
	}
	return c.emptyList(list)
}

func listBulkOperations(c *call) error {
	var n number
	in := plainInput{
		map[string]func(*decoder){"NextToken": nowhereText, "MaxResults": toNumber(&n)},
		func(v *violations) { v.between("maxResults", n, 1, 100) },
	}
	if err := c.read(in); err != nil {
		return err
	}
	return c.emptyList("BulkOperationsSummaryList")
}
