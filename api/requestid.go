package api

import "math/rand/v2"

// requestIDLength and the alphabet are those of the service's own ids (DYNAMODB.md 1.2).
const (
	requestIDLength   = 52
	requestIDAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// appendRequestID makes an id to find a request by in logs. It is no secret, so the fast generator will do.
func appendRequestID(dst []byte) []byte {
	for range requestIDLength {
		dst = append(dst, requestIDAlphabet[rand.IntN(len(requestIDAlphabet))])
	}
	return dst
}
