//go:build race

package region

// histories is how many random histories are run by default: under the race detector each takes a minute or two.
const histories = 1
