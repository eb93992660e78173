package pebblestore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/storage"
)

// FormatVersion is the version of all layouts in a store: of keys and values everywhere in Meridian. It is raised when an
// older program could not read what a newer one wrote.
//
// The file MERIDIAN, in full:
//
//	offset  size  field
//	0       9     "meridian "
//	9       …     version, decimal, then a line feed, without which it may be half a number
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
	n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(string(b), formatMagic), "\n"), 10, 32)
	switch {
	case err != nil || n == 0 || string(b) != formatText(n):
		return fmt.Errorf("file %s says %q, which is no format of Meridian", path, b)
	case n > FormatVersion:
		return fmt.Errorf("the folder has format %d, this program knows formats up to %d: use a newer program", n, FormatVersion)
	}
	return checkManifest(f, dir)
}

// checkManifest refuses a store whose data is there without the list of it: Pebble would begin a new, empty one beside it.
func checkManifest(f vfs.FS, dir string) error {
	names, err := f.List(dir)
	if err != nil {
		return err
	}
	data := ""
	for _, n := range names {
		switch {
		case strings.HasPrefix(n, "marker.manifest."):
			return nil
		case strings.HasSuffix(n, ".sst"), strings.HasSuffix(n, ".log"):
			data = n
		}
	}
	if data != "" {
		return storage.Corruptf("folder "+dir, "it holds %s but no marker.manifest file", data)
	}
	return nil
}

func formatText(version uint64) string { return fmt.Sprintf("%s%d\n", formatMagic, version) }

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
		if strings.HasSuffix(n, ".sst") || strings.HasPrefix(n, "MANIFEST") || n == "CURRENT" {
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
	_, err = io.WriteString(file, formatText(FormatVersion))
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
