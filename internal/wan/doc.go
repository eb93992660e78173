// Package wan makes the links between regions as slow as real ones, and breaks them on demand. It works on the connections
// of one region's links, in its dialer and its listener: it needs no privileges and knows no kernel.
//
// A Network belongs to one region and shapes what that region sends; the other side of a link does the same, and together
// they make a round trip. Both sides of every link must have one: connections begin with the names of the two regions,
// which is how each knows whom it is talking to.
//
//	dialer    "MWAN1 <own name>\n"      and waits for the answer
//	listener  "MWAN1 <own name>\n"
//
// What a Profile gives a link: half its round-trip time as delay, jitter, loss, bandwidth. Order is kept, as TCP keeps it:
// a lost packet is sent again a round trip later and holds up what is behind it. What a Fault adds can change at any time.
// Gossip between regions is not shaped.
//
// A Clock is the other thing that rehearsals make wrong: the time that a region believes.
//
// To test with it, give a Network a Random of your own and wrap the ends of a net.Pipe in a synctest bubble.
package wan
