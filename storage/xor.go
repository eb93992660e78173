package storage

import "crypto/subtle"

// MergeName is the name of the merge that every engine implements; it stands in the engine's files.
const MergeName = "meridian.xor.v1"

// XOR merges an operand into a value, which it may overwrite, and returns the result. The shorter counts as followed by
// zeros. It is commutative and associative.
func XOR(value, operand []byte) []byte {
	if n := len(operand) - len(value); n > 0 {
		value = append(value, make([]byte, n)...)
	}
	subtle.XORBytes(value, value[:len(operand)], operand)
	return value
}
