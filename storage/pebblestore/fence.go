package pebblestore

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fence is the file system that Pebble sees. It passes everything through until the store fails; see doc.go for why. Then:
//
//	WAL files       writes and syncs do nothing and succeed
//	other files     writes, syncs, creation, renaming, removal fail
//	reads           fail too: no caller is shown anything any more
//
// Removal is part of it: a flush whose folder was not synced must not lead to the removal of the WAL it came from.
//
// Only files and folders of the store itself can fail it. A checkpoint's folder may be on another disk.
type fence struct {
	vfs.FS
	dir     string // the store's, cleaned
	health  *health
	space   *space
	opened  atomic.Bool   // before that nothing waits: an error ends Open
	closing chan struct{} // closed when Close begins
	close   sync.Once
	replays string // the WAL that Open is reading, for its error
}

// errFenced is what Pebble's work meets after the failure.
var errFenced = errors.New("the store has failed, nothing is written any more")

// breath is how long background work waits before Pebble, which repeats what failed at once and for ever, may try again.
const breath = 100 * time.Millisecond

func newFence(f vfs.FS, dir string, h *health, s *space) *fence {
	return &fence{FS: f, dir: f.PathDir(f.PathJoin(dir, "x")), health: h, space: s, closing: make(chan struct{})}
}

// isWAL reports whether a file is part of this store's write-ahead log.
func (f *fence) isWAL(name string) bool {
	return strings.HasSuffix(name, ".log") && f.PathDir(name) == f.dir
}

// pass lets a change of the disk through, or not.
func (f *fence) pass() error {
	if f.health.failed() {
		return errFenced
	}
	return nil
}

// pause takes a breath, unless Close has begun.
func (f *fence) pause() {
	if !f.opened.Load() {
		return
	}
	t := time.NewTimer(breath)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.closing:
	}
}

func (f *fence) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.newFile(name, func() (vfs.File, error) { return f.FS.Create(name, c) })
}

func (f *fence) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.newFile(name, func() (vfs.File, error) { return f.FS.ReuseForWrite(old, name, c) })
}

func (f *fence) newFile(name string, create func() (vfs.File, error)) (vfs.File, error) {
	if f.isWAL(name) {
		return f.newWAL(name, create), nil
	}
	if f.health.failed() || f.space.missing(time.Now()) { // flushes and compactions begin here, and hold no lock of Pebble's
		f.pause()
	}
	if err := f.pass(); err != nil {
		return nil, err
	}
	file, err := create()
	if err != nil {
		return nil, err
	}
	return &fencedFile{file, f}, nil
}

// newWAL always gives a file; behind the closed fence, one that leads nowhere.
func (f *fence) newWAL(name string, create func() (vfs.File, error)) vfs.File {
	if !f.health.failed() {
		file, err := create()
		if err == nil {
			return &strictFile{file, f, name}
		}
		_ = f.health.fail("create "+name, err) // every caller finds it there
	}
	return &strictFile{vfs.NewMemFile(nil), f, name}
}

func (f *fence) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	if f.isWAL(name) && !f.opened.Load() {
		f.replays = name
	}
	file, err := f.FS.Open(name, o...)
	if err != nil {
		return nil, err
	}
	return &fencedFile{file, f}, nil
}

func (f *fence) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	if err := f.pass(); err != nil {
		return nil, err
	}
	file, err := f.FS.OpenReadWrite(name, c, o...)
	if err != nil {
		return nil, err
	}
	return &fencedFile{file, f}, nil
}

func (f *fence) OpenDir(name string) (vfs.File, error) {
	d, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	if f.PathDir(f.PathJoin(name, "x")) != f.dir {
		return &fencedFile{d, f}, nil
	}
	return &strictFile{d, f, name}, nil
}

func (f *fence) Link(old, name string) error {
	if err := f.pass(); err != nil {
		return err
	}
	return f.FS.Link(old, name)
}

func (f *fence) Rename(old, name string) error {
	if err := f.pass(); err != nil {
		return err
	}
	return f.FS.Rename(old, name)
}

func (f *fence) Remove(name string) error {
	if err := f.pass(); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f *fence) RemoveAll(name string) error {
	if err := f.pass(); err != nil {
		return err
	}
	return f.FS.RemoveAll(name)
}

func (f *fence) Unwrap() vfs.FS { return f.FS }

// fencedFile is a file whose errors Pebble can live with.
type fencedFile struct {
	vfs.File
	fence *fence
}

func (f *fencedFile) ReadAt(p []byte, at int64) (int, error) {
	if f.fence.health.failed() { // compactions that failed begin here again
		f.fence.pause()
		return 0, errFenced
	}
	return f.File.ReadAt(p, at)
}

func (f *fencedFile) Write(p []byte) (int, error) {
	if err := f.fence.pass(); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *fencedFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.fence.pass(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, at)
}

func (f *fencedFile) Sync() error {
	if err := f.fence.pass(); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *fencedFile) SyncData() error {
	if err := f.fence.pass(); err != nil {
		return err
	}
	return f.File.SyncData()
}

func (f *fencedFile) SyncTo(n int64) (bool, error) {
	if err := f.fence.pass(); err != nil {
		return false, err
	}
	return f.File.SyncTo(n)
}

// strictFile is a WAL or the store's folder: its first error is the end of the store, and Pebble does not see it.
type strictFile struct {
	vfs.File
	fence *fence
	name  string
}

// strictly does op unless the store has failed, and fails the store if op does.
func (f *strictFile) strictly(what string, op func() error) {
	if f.fence.health.failed() {
		return
	}
	if err := op(); err != nil {
		_ = f.fence.health.fail(what+" "+f.name, err) // every caller finds it there
	}
}

func (f *strictFile) Write(p []byte) (int, error) {
	f.strictly("write", func() error { _, err := f.File.Write(p); return err })
	return len(p), nil
}

func (f *strictFile) Sync() error {
	f.strictly("sync", f.File.Sync)
	return nil
}

func (f *strictFile) SyncData() error {
	f.strictly("sync", f.File.SyncData)
	return nil
}

func (f *strictFile) SyncTo(n int64) (full bool, _ error) {
	f.strictly("sync", func() (err error) { full, err = f.File.SyncTo(n); return err })
	return full, nil
}

func (f *strictFile) Close() error {
	err := f.File.Close()
	f.strictly("close", func() error { return err })
	return nil
}
