package api

import "math/rand/v2"

// requestIDLength and the alphabet are those of the service's own ids (DYNAMODB.md 1.2).
const (
	requestIDLength   = 52
	requestIDAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// appendRequestID makes an id to find a request by in logs. It is no secret, so the fast generator will do, and twelve letters
// are taken from each of its numbers: 36^12 goes nearly four times into 2^64, and nobody minds that some letters are a little
// more frequent.
func appendRequestID(dst []byte) []byte {
	const perNumber = 12
	for left := requestIDLength; left > 0; left -= perNumber {
		n := rand.Uint64()
		for range min(left, perNumber) {
			dst = append(dst, requestIDAlphabet[n%uint64(len(requestIDAlphabet))])
			n /= uint64(len(requestIDAlphabet))
		}
	}
	return dst
}
