package bench

import (
	"math"
	"math/rand/v2"
	"strconv"
)

// chooser picks item numbers below n.
type chooser interface{ next(r *rand.Rand) int }

type uniform int

func (n uniform) next(r *rand.Rand) int { return r.IntN(int(n)) }

// zipfian picks number i with a probability like 1/(i+1)^theta (Gray et al., "Quickly generating billion-record synthetic
// databases", 1994), and scrambles the numbers so that popular ones are not neighbours.
type zipfian struct {
	n                int
	alpha, zeta, eta float64
	second           float64 // 1 + 2^-theta
}

const zipfTheta = 0.99

func newZipfian(n int) zipfian {
	zeta := 0.0
	for i := 1; i <= n; i++ {
		zeta += 1 / math.Pow(float64(i), zipfTheta)
	}
	zeta2 := 1 + math.Pow(0.5, zipfTheta)
	return zipfian{
		n: n, alpha: 1 / (1 - zipfTheta), zeta: zeta, second: zeta2,
		eta: (1 - math.Pow(2/float64(n), 1-zipfTheta)) / (1 - zeta2/zeta),
	}
}

func (z zipfian) next(r *rand.Rand) int {
	u := r.Float64()
	rank := 0
	switch uz := u * z.zeta; {
	case uz < 1:
	case uz < z.second:
		rank = 1
	default:
		rank = int(float64(z.n) * math.Pow(z.eta*u-z.eta+1, z.alpha))
	}
	return scramble(min(rank, z.n-1), z.n)
}

// scramble spreads ranks over the numbers (the finaliser of splitmix64). Two ranks may share a number, as in YCSB.
func scramble(rank, n int) int {
	x := uint64(rank) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return int((x ^ x>>31) % uint64(n))
}

func (c *Config) chooser() chooser {
	if c.Zipfian {
		return newZipfian(c.Items)
	}
	return uniform(c.Items)
}

// appendKey writes the pk of item number i.
func appendKey(dst []byte, i int) []byte {
	dst = append(dst, "user"...)
	digits := strconv.Itoa(i)
	for range 12 - len(digits) {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789"

func appendRandom(dst []byte, r *rand.Rand, n int) []byte {
	var x uint64
	for i := range n {
		if i%8 == 0 {
			x = r.Uint64()
		}
		dst = append(dst, letters[x&0xff%uint64(len(letters))])
		x >>= 8
	}
	return dst
}
