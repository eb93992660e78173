package region

import (
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/region/catalog"
)

func (r *Region) buildIndex(e *catalog.Entry, ix catalog.Index) error {
	if err := r.engine.BuildIndex(r.ctx, e.ID, ix.ID); err != nil {
		return fmt.Errorf("build index %s of %s: %w", ix.Name, e.Name, err)
	}
	_, err := r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
		if r.catalog.ByID(e.ID).HasIndex(ix.ID) { // it may have been dropped meanwhile
			l.Built = append(l.Built, ix.ID)
		}
		return nil
	})
	if err == nil {
		r.logger.Info("index built", "table", e.Name, "index", ix.Name)
	}
	return err
}

// removeIndex removes the entries of an index that the table no longer has.
func (r *Region) removeIndex(e *catalog.Entry, id uint32) error {
	if err := r.engine.RemoveIndex(r.ctx, e.ID, id); err != nil {
		return err
	}
	_, err := r.catalog.SetLocal(e.ID, func(l *catalog.Local) error {
		l.Dropping = slices.DeleteFunc(l.Dropping, func(d uint32) bool { return d == id })
		return nil
	})
	return err
}
