//go:build !unix

package drill

import (
	"errors"
	"os"
)

var errNoSignals = errors.New("this operating system has no signal that stops a process")

func stopProcess(*os.Process) error     { return errNoSignals }
func continueProcess(*os.Process) error { return errNoSignals }
