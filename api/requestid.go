package api

import "math/rand/v2"

// requestIDLength and the alphabet are those of the service's own ids (DYNAMODB.md 1.2).
const (
	requestIDLength   = 52
	requestIDAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// newRequestID makes an id to find a request by in logs. It is no secret, so the fast generator will do.
func newRequestID() string {
	var id [requestIDLength]byte
	for i := range id {
		id[i] = requestIDAlphabet[rand.IntN(len(requestIDAlphabet))]
	}
	return string(id[:])
}
