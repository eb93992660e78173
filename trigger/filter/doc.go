// Package filter decides which records a trigger's function sees, by the event patterns that Lambda documents for DynamoDB
// streams: EventBridge's language over the record as it is delivered.
//
//	{"eventName": ["INSERT"], "dynamodb": {"NewImage": {"state": {"S": ["paid", {"prefix": "part"}]}}}}
//
// All fields of a pattern must match, and of a field's list one entry: a text, number, true, false or null that is equal, or
// one of
//
//	{"prefix": "a"}  {"suffix": "a"}  {"equals-ignore-case": "a"}  {"wildcard": "a*b"}     texts
//	{"prefix": {"equals-ignore-case": "a"}}, the same of suffix
//	{"anything-but": "a" | 1 | ["a", "b"] | {"prefix": …} | {"suffix": …} | {"wildcard": …} | {"equals-ignore-case": …}}
//	{"numeric": ["=", 1]}  {"numeric": [">", 0, "<=", 5]}                                  numbers
//	{"cidr": "10.0.0.0/8"}                                                                addresses
//	{"exists": true}  {"exists": false}                                                   leaves
//
// "$or" holds a list of patterns of which one must match besides the fields beside it. Where the record has a list, one of its
// elements must match. DynamoDB's numbers are texts ({"N": "5"}), so numeric never matches them, as on Lambda.
//
// The package is pure. Parse refuses what is no pattern; Match cannot fail.
package filter
