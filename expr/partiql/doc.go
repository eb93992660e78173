// Package partiql is DynamoDB's dialect of PartiQL: SELECT, INSERT, UPDATE and DELETE of items, and EXISTS (DYNAMODB.md
// section 12). It is pure, and only translates: what a statement does is said in the terms of package expr (texts of
// expressions with their substitutions), so that a statement and an expression can never differ in meaning, and every rule
// of expressions holds for statements too.
//
// Parse reads a text once; a Statement is immutable and may be kept and shared. Bind puts one request's parameters in.
// What the words of a WHERE clause mean for a table with given keys (a Query of some partitions, or a Scan) is said by
// Bound.Select and Bound.Target.
//
// Errors are *Error and carry the text of a ValidationException.
package partiql
