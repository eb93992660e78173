package main

import (
	"context"
	"fmt"

	"github.com/meridiandb/meridian/bench"
)

const (
	fewItems   = 10_000
	scaleBytes = 200
	tableItems = 100_000 // dealt out over one table or many
)

// scaling holds rates with much in the store against rates with little. Flat is a ratio of 0.90 at least.
func (s *suite) scaling(ctx context.Context) error {
	few := func(c *bench.Config) {
		c.Table, c.Items, c.ItemSize, c.Attributes = "limits-few", fewItems, scaleBytes, 4
	}
	if s.scale > 0 {
		many := func(c *bench.Config) { few(c); c.Table, c.Items = "limits-many", s.scale }
		if err := s.flat(ctx, fmt.Sprintf("%d items of 200 B", s.scale), fmt.Sprint(fewItems), few, many); err != nil {
			return err
		}
	}
	if s.tables > 0 {
		one := func(c *bench.Config) { few(c); c.Table, c.Items = "limits-one", tableItems }
		many := func(c *bench.Config) { one(c); c.Table, c.Tables = "limits-tables", s.tables }
		return s.flat(ctx, fmt.Sprintf("%d tables", s.tables), "1", one, many)
	}
	return nil
}

func (s *suite) flat(ctx context.Context, what, against string, little, much func(*bench.Config)) error {
	paths := map[string]string{"get": "GetItem, " + what, "put": "PutItem, " + what}
	if !s.wants(paths["get"]) && !s.wants(paths["put"]) {
		return nil
	}
	say("loading %s", what)
	for _, change := range []func(*bench.Config){little, much} {
		c := s.config(s.endpoint, "put")
		change(&c)
		if err := bench.Load(ctx, c, nil); err != nil {
			return err
		}
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	for _, workload := range []string{"get", "put"} {
		row := Row{Path: paths[workload], Against: against, Unit: perSecond, Target: 0.90}
		if !s.wants(row.Path) {
			continue
		}
		row, err := inTurn(func(share func(*bench.Config)) (Row, error) {
			a, err := s.ours(ctx, workload, func(c *bench.Config) { share(c); much(c) })
			if err != nil {
				return row, err
			}
			b, err := s.ours(ctx, workload, func(c *bench.Config) { share(c); little(c) })
			row.Ours, row.Limit, row.OursCPU, row.LimitCPU = a.PerSecond, b.PerSecond, a.cpu, b.cpu
			return row, err
		})
		if err != nil {
			return err
		}
		s.add(row)
	}
	return nil
}
