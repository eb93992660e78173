package main

import "testing"

func TestByteSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "17": 17, "17B": 17, "64MiB": 64 << 20, "64 MiB": 64 << 20, "1gib": 1 << 30, "2KB": 2000, "1TB": 1e12,
		"8388607TiB": 8388607 << 40,
	} {
		var b byteSize
		if err := b.Set(text); err != nil || int64(b) != want {
			t.Errorf("%q: %d %v, want %d", text, int64(b), err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5GiB", "1XB", "8388608TiB", "99999999999999999999", "1 2"} {
		var b byteSize
		if b.Set(text) == nil {
			t.Errorf("%q was taken for %d bytes", text, int64(b))
		}
	}
}

func TestHumanBytes(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.50 KiB", 12902400: "12.3 MiB", 256 << 20: "256 MiB",
		1<<20 - 1: "1.00 MiB", 345 << 30: "345 GiB", 1<<64 - 1: "16 EiB",
	} {
		if got := humanBytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestHumanSeconds(t *testing.T) {
	for s, want := range map[float64]string{
		-1: "0s", 0.4: "0s", 59.9: "59s", 192: "3m12s", 18000: "5h0m", 18420: "5h7m", 86400*12 + 4*3600 + 5: "12d4h",
	} {
		if got := humanSeconds(s); got != want {
			t.Errorf("%v: %q, want %q", s, got, want)
		}
	}
}
