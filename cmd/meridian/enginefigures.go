package main

import (
	"strconv"

	"github.com/meridiandb/meridian/internal/admin"
	"github.com/meridiandb/meridian/storage/pebblestore"
)

// engineFigures chooses, of the hundreds of figures that Pebble keeps, those that explain a slow or a growing region.
func engineFigures(store *pebblestore.Store) []admin.Figure {
	m, rows := store.Metrics(), store.RowFigures()
	gauge := func(name, help string, v float64, labels ...string) admin.Figure {
		return admin.Figure{Name: "pebble_" + name, Help: help, Value: v, Labels: labels}
	}
	counter := func(name, help string, v float64) admin.Figure {
		return admin.Figure{Name: "pebble_" + name, Help: help, Value: v, Counter: true}
	}
	figures := []admin.Figure{
		gauge("block_cache_bytes", "Block cache in use.", float64(m.BlockCache.Size)),
		counter("block_cache_hits_total", "Blocks found in the cache.", float64(m.BlockCache.Hits)),
		counter("block_cache_misses_total", "Blocks read from disk.", float64(m.BlockCache.Misses)),
		gauge("row_cache_bytes", "Cache of single values, full or not.", float64(rows.Bytes)),
		gauge("row_cache_rows", "Values in it.", float64(rows.Rows)),
		counter("row_cache_hits_total", "Reads of one item that it answered.", float64(rows.Hits)),
		counter("row_cache_misses_total", "Reads of one item that it did not.", float64(rows.Misses)),
		gauge("memtable_bytes", "Memory tables.", float64(m.MemTable.Size)),
		gauge("memtables", "Number of memory tables; more than two say that flushing falls behind.", float64(m.MemTable.Count)),
		gauge("wal_bytes", "Live data in the write-ahead log.", float64(m.WAL.Size)),
		gauge("wal_files", "Files of the write-ahead log.", float64(m.WAL.Files)),
		counter("wal_written_bytes_total", "Written to the write-ahead log.", float64(m.WAL.BytesWritten)),
		counter("flushes_total", "Memory tables flushed.", float64(m.Flush.Count)),
		counter("compactions_total", "Compactions finished.", float64(m.Compact.Count)),
		counter("compactions_failed_total", "Compactions that failed.", float64(m.Compact.FailedCount)),
		gauge("compactions_running", "Compactions under way.", float64(m.Compact.NumInProgress)),
		gauge("compaction_debt_bytes", "Estimate of what is to be compacted until the tree is in shape.", float64(m.Compact.EstimatedDebt)),
		gauge("read_amplification", "Sorted runs that a read may have to look into.", float64(m.ReadAmp())),
		gauge("obsolete_table_bytes", "Tables waiting to be deleted.", float64(m.Table.ObsoleteSize)),
		gauge("zombie_table_bytes", "Tables kept for open iterators only.", float64(m.Table.ZombieSize)),
		gauge("tombstones", "Deletes not compacted away yet.", float64(m.Keys.TombstoneCount)),
		gauge("open_iterators", "Iterators open on tables.", float64(m.TableIters)),
		gauge("open_snapshots", "Snapshots open.", float64(m.Snapshots.Count)),
	}
	var compacted, flushed uint64
	for i := range m.Levels {
		l := &m.Levels[i]
		level := strconv.Itoa(i)
		compacted += l.TableBytesCompacted
		flushed += l.TableBytesFlushed
		figures = append(figures,
			gauge("level_files", "Tables of a level.", float64(l.TablesCount), "level", level),
			gauge("level_bytes", "Size of a level.", float64(l.TablesSize), "level", level),
			gauge("level_score", "Above 1: due for compaction.", l.Score, "level", level))
	}
	return append(figures,
		counter("compacted_bytes_total", "Written by compactions.", float64(compacted)),
		counter("flushed_bytes_total", "Written by flushes.", float64(flushed)))
}
