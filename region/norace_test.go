//go:build !race

package region

// histories is how many random histories are run by default.
const histories = 2
