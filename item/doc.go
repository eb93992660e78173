// Package item is DynamoDB's data model as bytes: attribute values, items, numbers and keys. It is pure.
//
// # One form
//
// A Value is a view of its stored encoding, and the encoding is canonical: maps are sorted by name, sets by member, numbers
// have one form. So two values are equal exactly when their bytes are; an item can be compared, measured, projected and
// written out as JSON without building anything; and what a client sent is turned into what the disk holds in one pass
// (ReadItem). Values are immutable and may be shared between goroutines; whoever hands bytes in gives them away.
//
// # Errors
//
// What a client sent is judged in two ways. A *SerializationError is JSON of the wrong shape and ends the request; a
// *ValidationError is a well-formed value that breaks a rule of the data model. Reading goes on to the end of a value after
// the latter, because DynamoDB reports the former first wherever it stands. Texts are DynamoDB's (DYNAMODB.md section 3).
package item
