package main

import (
	"errors"
	"os"
)

// checkFolder makes a data folder if there is none, and finds out early and in plain words whether it can be used. Whose
// data is in it and who holds it, the storage engine says when it opens it.
func checkFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		if errors.Is(err, os.ErrExist) || isFile(path) {
			return usagef("data folder %s is not a folder", path)
		}
		return usagef("cannot make data folder %s: %w", path, rootCause(err))
	}
	f, err := os.CreateTemp(path, ".writable-*")
	if err != nil {
		return usagef("cannot write in data folder %s: %w", path, rootCause(err))
	}
	_ = f.Close() // nothing was written to it
	if err := os.Remove(f.Name()); err != nil {
		return usagef("cannot write in data folder %s: %w", path, rootCause(err))
	}
	return nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
