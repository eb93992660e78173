//go:build !race

package repltest

const raceDetector = false
