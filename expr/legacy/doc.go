// Package legacy turns the parameters that expressions replaced into the same bound conditions, updates, key conditions and
// projections: Expected, AttributeUpdates, KeyConditions, QueryFilter, ScanFilter, AttributesToGet and ConditionalOperator
// (DYNAMODB.md 4.9). It is pure.
//
// The caller has read the JSON: operators and actions are known ones, values obey the data model, names in one parameter
// differ. Entries are judged in the order in which they are given, and the first fault is told. All errors are *expr.Error.
package legacy
