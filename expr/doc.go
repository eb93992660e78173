// Package expr is DynamoDB's expression language: conditions and filters, key conditions, projections and updates. It is
// pure.
//
// # Two steps
//
// Parse turns a text into a tree and finds what is wrong with the text alone; the tree does not depend on a request's
// names and values and may be kept and shared (package exprcache). Bind puts in one request's substitutions (Params) and
// finds what is wrong with them. What comes out is evaluated on items as often as needed, by any number of goroutines. What
// only a table's keys can tell is asked of it: KeyCondition.Resolve, Update.CheckKeys, and Inside and Literal for the rest.
//
// Package legacy says the parameters that expressions replaced in the same bound form, and package partiql turns statements
// into expressions.
//
// All errors are *Error and carry DynamoDB's own words, in the service's order of precedence (DYNAMODB.md section 4).
package expr
