// Package api is the DynamoDB endpoint of one region: it speaks the service's JSON protocol over a Backend, as the Handler of
// package front, which reads what SDKs send, or as an http.Handler.
//
// # From bytes to answer
//
//	front         what SDKs send: head and body, whole; everything else is net/http's
//	http.go       method, path, content type, CORS, limits
//	body.go       the body, decompressed and bounded, where net/http brings it
//	operations.go X-Amz-Target to an operation
//	decode.go     JSON to an input struct, by hand: each input says what a member's name means
//	constraint.go the framework's checks of single members, which come before all others and are reported together
//	<op>.go       one operation: its input, the order of its checks, the call of the region, its answer
//	errors.go     every failure to a DynamoDB error, in one place
//	reply.go      headers, checksum, compression
//
// # Order of checks
//
// A client can tell in which order the service looks at a request, and tests do. It is: JSON shape, target, presence of
// credentials (only with RequireAuthorization), JSON types, constraints of single members, rules between parameters,
// values, expressions, the table's existence, the table's schema, the stored item. A check that needs the table never
// comes before one that does not.
//
// # Promises
//
// A Server is safe for concurrent use. Between requests it holds a cache of parsed expressions and memory to use again, and
// no state; tokens of transactions that have happened are the region's to remember. Nothing is
// told to a client before the region says that it is durable. A parameter that is not built is refused by its name, never
// passed over; a member that DynamoDB does not know is passed over, as DynamoDB does. A panic ends its request only.
//
// # Testing against it
//
// New takes a Backend, so a test can put any failure behind the real protocol; see fake_test.go.
package api
