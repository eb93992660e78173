package api

import (
	"strings"
	"testing"
)

// What infrastructure tools ask around every change of a table: the truth is that what is not built is off, or not there.
// DYNAMODB.md 5.1 (which error a missing table is), 9.3 to 9.8, 10.3 and 10.9.
func TestAbsentFeatures(t *testing.T) {
	c := newMemoryClient(t)
	c.table("tab", true)
	const arn = "arn:aws:dynamodb:us-east-1:000000000000:table/tab"
	tab := `{"TableName":"tab"}`
	off := `{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"DISABLED"}}}`
	c.replies([]reply{
		{"9.4", "DescribeContinuousBackups", tab, off},
		{"9.4", "DescribeContinuousBackups", `{"TableName":"` + arn + `"}`, off},
		{"9.4", "UpdateContinuousBackups", `{"TableName":"tab","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":false}}`, off},
		{"9.7", "DescribeContributorInsights", tab, `{"TableName":"tab","ContributorInsightsStatus":"DISABLED"}`},
		{"9.7", "ListContributorInsights", `{}`, `{"ContributorInsightsSummaries":[]}`},
		{"9.7", "ListContributorInsights", tab, `{"ContributorInsightsSummaries":[]}`},
		{"9.10", "DescribeKinesisStreamingDestination", tab, `{"TableName":"tab","KinesisDataStreamDestinations":[]}`},
		{"9.3", "ListBackups", `{}`, `{"BackupSummaries":[]}`},
		{"9.3", "ListBackups", `{"TableName":"tab","Limit":5,"BackupType":"ALL","TimeRangeLowerBound":1.5}`, `{"BackupSummaries":[]}`},
		{"9.5", "ListExports", `{"TableArn":"` + arn + `"}`, `{"ExportSummaries":[]}`},
		{"9.6", "ListImports", `{}`, `{"ImportSummaryList":[]}`},
		{"9.6", "ListBulkOperations", `{}`, `{"BulkOperationsSummaryList":[]}`},
		{"9.8", "DeleteResourcePolicy", `{"ResourceArn":"` + arn + `"}`, `{}`},
		{"10.9", "ListGlobalTables", `{}`, `{"GlobalTables":[]}`},
		{"10.9", "ListGlobalTables", `{"RegionName":"us-east-1","Limit":10}`, `{"GlobalTables":[]}`},
	})
	none := strings.ReplaceAll(arn, "table/tab", "table/none")
	backup := arn + "/backup/01489602797149-73d8d5bc"
	const noTable, noGlobal = "TableNotFoundException", "GlobalTableNotFoundException"
	const old = "DynamoDB global tables version 2017.11.29 is not supported. We recommend using DynamoDB global tables version 2019.11.21, instead of version 2017.11.29 (Legacy)."
	c.refuses([]refusal{
		{"5.1", "DescribeContinuousBackups", `{"TableName":"none"}`, noTable, "Table not found: none"},
		{"5.1", "DescribeContinuousBackups", `{"TableName":"` + none + `"}`, noTable, "Table not found: none"},
		{"5.1", "UpdateContinuousBackups", `{"TableName":"none","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":false}}`, noTable, "Table not found: none"},
		{"5.1", "DescribeContributorInsights", `{"TableName":"none"}`, notFound, "Requested resource not found: Table: none not found"},
		{"5.1", "DescribeKinesisStreamingDestination", `{"TableName":"none"}`, notFound, "Requested resource not found: Table: none not found"},
		{"5.1", "GetResourcePolicy", `{"ResourceArn":"` + none + `"}`, notFound, "Requested resource not found: Table: none not found"},
		{"9.4", "UpdateContinuousBackups", `{"TableName":"tab","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}`, validation,
			"The parameter PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled does not support the value true in Meridian yet"},
		{"4.10", "UpdateContinuousBackups", `{"TableName":"tab"}`, validation, violation(null("pointInTimeRecoverySpecification"))},
		{"4.10", "UpdateContinuousBackups", `{"TableName":"tab","PointInTimeRecoverySpecification":{}}`, validation,
			violation(null("pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled"))},
		{"9.4", "UpdateContinuousBackups", `{"TableName":"tab","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true,"RecoveryPeriodInDays":36}}`, validation,
			violation("Value '36' at 'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to satisfy constraint: Member must have value less than or equal to 35")},
		{"9.4", "UpdateContinuousBackups", `{"TableName":"tab","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":false,"RecoveryPeriodInDays":7}}`, validation,
			"Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery."},
		{"9.3", "DescribeBackup", `{"BackupArn":""}`, validation, "Invalid Backup ARN"},
		{"9.3", "DeleteBackup", `{"BackupArn":"` + arn + `"}`, validation, "Invalid Backup ARN"},
		{"9.5", "DescribeExport", `{"ExportArn":"` + backup + `"}`, validation, "Invalid Export ARN"},
		{"9.6", "DescribeImport", `{"ImportArn":"x"}`, validation, "Invalid Import ARN"},
		{"10.9", "DescribeGlobalTable", `{"GlobalTableName":""}`, validation, "TableName must be at least 3 characters long and at most 255 characters long"},
		{"10.9", "DescribeGlobalTableSettings", `{"GlobalTableName":"ab"}`, validation, "TableName must be at least 3 characters long and at most 255 characters long"},
		{"10.9", "UpdateGlobalTable", `{"GlobalTableName":"tab","ReplicaUpdates":[{}]}`, validation, "One or more parameter values were invalid"},
		{"9.8", "GetResourcePolicy", `{"ResourceArn":"` + arn + `"}`, "PolicyNotFoundException", "Resource-based policy not found for the provided ResourceArn: " + arn},
		{"9.8", "DeleteResourcePolicy", `{"ResourceArn":"` + arn + `","ExpectedRevisionId":"1"}`, "PolicyNotFoundException",
			"Resource-based policy not found for the provided ResourceArn: " + arn},
		{"9.3", "DescribeBackup", `{"BackupArn":"` + backup + `"}`, "BackupNotFoundException", "Backup not found: " + backup},
		{"9.3", "DeleteBackup", `{"BackupArn":"` + backup + `"}`, "BackupNotFoundException", "Backup not found: " + backup},
		{"9.5", "DescribeExport", `{"ExportArn":"` + arn + `/export/1"}`, "ExportNotFoundException", "Export not found: " + arn + "/export/1"},
		{"9.6", "DescribeImport", `{"ImportArn":"` + arn + `/import/1"}`, "ImportNotFoundException", "Import not found: " + arn + "/import/1"},
		{"10.3", "DescribeTableReplicaAutoScaling", tab, notFound, "Global table with name: 'tab' does not exist."},
		{"10.3", "DescribeTableReplicaAutoScaling", `{"TableName":"none"}`, notFound, "Global table with name: 'none' does not exist."},
		{"10.9", "CreateGlobalTable", `{"GlobalTableName":"tab","ReplicationGroup":[{"RegionName":"us-east-1"}]}`, validation, invalidParam + old},
		{"10.9", "UpdateGlobalTable", `{"GlobalTableName":"tab","ReplicaUpdates":[{"Create":{"RegionName":"us-east-1"}}]}`, validation, invalidParam + old},
		{"10.9", "UpdateGlobalTable", `{"GlobalTableName":"tab","ReplicaUpdates":[{"Delete":{"RegionName":"us-east-1"}}]}`, noGlobal,
			"Global table not found: Global table with name: 'tab' does not exist."},
		{"10.9", "UpdateGlobalTable", `{"GlobalTableName":"tab","ReplicaUpdates":[]}`, validation, "One or more parameter values were invalid"},
		{"10.9", "DescribeGlobalTable", `{"GlobalTableName":"tab"}`, noGlobal, "Global table not found: Global table with name: 'tab' does not exist."},
		{"10.9", "DescribeGlobalTableSettings", `{"GlobalTableName":"tab"}`, noGlobal, "Global table with name: 'tab' does not exist."},
		{"10.9", "UpdateGlobalTableSettings", `{"GlobalTableName":"tab","GlobalTableBillingMode":"PROVISIONED"}`, noGlobal, "Global table with name: 'tab' does not exist."},
	})
}
