package route

import "strings"

// kind is what may be done with a request that failed.
type kind int

const (
	// local requests make sense at one region only: a stream's iterators belong to it.
	local kind = iota
	// write changes something, or may: once its fate is unknown, doing it elsewhere could do it twice.
	write
	// read changes nothing.
	read
)

// operationOf is the name in an X-Amz-Target header, and its kind. What is not known to be a read counts as a write;
// PartiQL can be either, and is not parsed here.
func operationOf(target string) (string, kind) {
	service, name, _ := strings.Cut(target, ".")
	if strings.HasPrefix(service, "DynamoDBStreams") {
		return name, local
	}
	switch name {
	case "GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems":
		return name, read
	}
	if strings.HasPrefix(name, "Describe") || strings.HasPrefix(name, "List") {
		return name, read
	}
	return name, write
}
