package pebblestore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// FormatVersion is the version of all layouts in a store: of keys and values everywhere in Meridian. It is raised when an
// older program could not read what a newer one wrote.
//
// The file MERIDIAN, in full:
//
//	offset  size  field
//	0       9     "meridian "
//	9       …     version, decimal, then a line feed
const FormatVersion = 1

const (
	formatFile  = "MERIDIAN"
	formatMagic = "meridian "
)

// checkFormat marks a new folder and refuses one that is not ours or too new for us. It runs before anything else is
// written: a crash in between leaves a folder that is still new.
func checkFormat(f vfs.FS, dir string) error {
	path := f.PathJoin(dir, formatFile)
	b, err := readFile(f, path)
	if errors.Is(err, fs.ErrNotExist) {
		return markNew(f, dir, path)
	}
	if err != nil {
		return err
	}
	digits, ok := strings.CutPrefix(strings.TrimSuffix(string(b), "\n"), formatMagic)
	n, err := strconv.Atoi(digits)
	switch {
	case !ok || err != nil || n < 1:
		return fmt.Errorf("file %s says %q, which is no format of Meridian", path, b)
	case n > FormatVersion:
		return fmt.Errorf("the folder has format %d, this program knows formats up to %d: use a newer program", n, FormatVersion)
	}
	return nil
}

func readFile(f vfs.FS, path string) ([]byte, error) {
	file, err := f.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(file, 64))
	return b, errors.Join(err, file.Close())
}

func markNew(f vfs.FS, dir, path string) error {
	names, err := f.List(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if n != path+".tmp" && (strings.HasSuffix(n, ".sst") || strings.HasPrefix(n, "MANIFEST") || n == "CURRENT") {
			return fmt.Errorf("the folder holds a database that is not Meridian's (%s, and no file %s)", n, formatFile)
		}
	}
	return writeFormat(f, dir)
}

// writeFormat makes the file appear whole or not at all.
func writeFormat(f vfs.FS, dir string) error {
	path := f.PathJoin(dir, formatFile)
	file, err := f.Create(path+".tmp", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s%d\n", formatMagic, FormatVersion)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := f.Rename(path+".tmp", path); err != nil {
		return err
	}
	return syncDir(f, dir)
}

func syncDir(f vfs.FS, dir string) error {
	d, err := f.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
