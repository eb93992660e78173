// Package e2e is the end-to-end proof: real regions, real sockets, clients that other people wrote.
//
//	dev.sh       three regions of "meridian dev": real data in by boto3, out by the AWS SDK for Go; the README's own lines;
//	             how fast a change becomes visible elsewhere; a clean Ctrl-C
//	compose.sh   three containers: the same data, and a region cut off from the others under load
//	loadiso.py   puts Debian's iso-codes into a table, by boto3
//	check/       what looks at the outcome, by the AWS SDK for Go; check --help lists it
//	readme.py    runs the README's code as it stands
//	triggers.sh  the same of docs/triggers.md; run by dev.sh
//
// Nothing here waits for luck: every wait has a condition and a deadline. The scripts need bash, Debian's iso-codes,
// python3-boto3 and awscli, and the second a Docker engine; .ci/run brings them all. `go test ./...` needs none of that.
package e2e
