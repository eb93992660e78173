// Package tail follows a table's changes through the DynamoDB Streams API of any endpoint, and writes them for people or as
// JSON lines. It is what "meridian tail" runs.
//
// A Follower reads every shard of the table's newest stream, a parent to its end before its children, so that each item's
// changes come in order; changes of different items come as they are found. It goes on over shards that close, iterators
// that expire, and a stream that is turned off and on again. Nothing is passed over in silence: changes that were trimmed
// before they could be read are reported as a Gap.
//
// A Follower runs in the caller's goroutine and keeps one position for each open shard.
package tail
