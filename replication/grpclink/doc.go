// Package grpclink carries replication between regions by gRPC. It implements package transport's contract and decides
// nothing: what may be sent, and when a peer is given up, is replication/link's and replication's affair.
//
// # Connections
//
// Dial makes one TCP connection and never another: when to try again is decided by who dialed. Over one connection run
// a link, the catalog, commands and copies of tables, side by side, each with its own flow control, so that a receiver that
// does not read holds up nobody but itself.
//
// # Sizes
//
// Windows are fixed and large (window) instead of gRPC's estimate, so that a link over 200 ms fills from its first second;
// what may really wait on either side is bounded by link.Open.Window. The kernel's own limits count too: on Linux,
// net.ipv4.tcp_wmem and tcp_rmem bound a connection to about 20 MB/s over 200 ms unless they are raised.
//
// A message is at most maxMessage: a transaction and its old images fit many times over.
//
// Commits and copies of more than compressFrom bytes, which is what a receiver gets that is behind, travel compressed
// (zstd, fastest level) if that makes them smaller; a single small commit never waits for a compressor.
//
// # TLS
//
// With Options.TLS both sides show certificates of the same authority, and nobody else gets past the handshake. Without, use
// a network that only regions can reach.
package grpclink
