//go:build unix

package main

import "syscall"

// openFiles is how many files this process may have open. Go raises the limit as far as it may by itself.
func openFiles() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil || l.Cur > 1<<30 {
		return 1 << 30
	}
	return int(l.Cur)
}
