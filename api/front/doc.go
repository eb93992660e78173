// Package front serves HTTP/1.1 as SDKs speak it, and leaves everything else to net/http.
//
// A DynamoDB client sends one shape of request: POST / HTTP/1.1, a Host, a Content-Length, plain header lines. net/http takes
// twice the processor time for it that reading and writing the bytes does (docs/decisions/0008). So a connection begins
// here. As long as its requests have that shape, to the byte, they are read into one buffer, handed to the Handler whole, and
// answered by one write. The first that has not, whatever it is (another method, a chunked body, Expect, a header
// line that looks odd), goes to an http.Server with everything that was read of it, and the connection with it, for good.
//
// # Promises
//
// What is taken here is what net/http would have read from the same bytes: the fuzz test holds the two against each other. What
// is not taken is answered by net/http itself; so nothing here decides what is malformed.
//
// Requests of one connection are answered in order, pipelined ones too. At most maxHead + maxBody bytes are held for a
// connection, and they are asked of the system as they arrive, not as they are announced.
//
// # Differences from net/http
//
// The context of a call ends with the server, not with the client: nobody reads the connection while a call runs, so nobody
// sees the client go. Calls that wait are bounded by what they wait for. Timeouts are kept by a clock that ticks (tick), so they
// may come that much late.
package front
