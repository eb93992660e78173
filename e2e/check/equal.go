package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

type equalOptions struct {
	regions endpoints
	table   string
	iso     string   // folder of iso-codes that the table must equal; empty: the first region's table is the measure
	acks    []string // files of acknowledged writes that must be there
	within  time.Duration
}

func newEqual() *cobra.Command {
	o := equalOptions{regions: defaultEndpoints(), table: "iso-codes", within: time.Minute}
	cmd := &cobra.Command{
		Use:   "equal",
		Short: "Read a table in all regions and compare every item",
		Example: `  check equal --table iso-codes --iso /usr/share/iso-codes/json
  check equal --table load --acks acks.jsonl --within 30s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	o.regions.flag(f)
	f.StringVar(&o.table, "table", o.table, "table")
	f.StringVar(&o.iso, "iso", o.iso, "folder of iso-codes that the table must equal")
	f.StringSliceVar(&o.acks, "acks", o.acks, "files of acknowledged writes (check write) that the table must hold")
	f.DurationVar(&o.within, "within", o.within, "how long the regions may take to become equal")
	return cmd
}

func (o equalOptions) run(ctx context.Context) error {
	regions, err := o.regions.open(3, 30*time.Second)
	if err != nil {
		return err
	}
	var want, acked contents
	if o.iso != "" {
		if want, err = isoCodes(o.iso); err != nil {
			return err
		}
	}
	if acked, err = readAcks(o.acks); err != nil {
		return err
	}
	began := time.Now()
	var last []contents
	err = until(ctx, o.within, 200*time.Millisecond, func(ctx context.Context) error {
		if last, err = scanAll(ctx, regions, o.table); err != nil {
			return err
		}
		measure := want
		if measure == nil {
			measure = last[0]
		}
		return compareAll(regions, last, measure)
	})
	if err != nil {
		return err
	}
	for i, r := range regions {
		if err := holds(last[i], acked); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	o.report(regions, last, len(acked), time.Since(began))
	return nil
}

func (o equalOptions) report(regions []region, found []contents, acked int, took time.Duration) {
	against := "each other"
	if o.iso != "" {
		against = "the files in " + o.iso
	}
	fmt.Printf("%-16s %8s\n", "REGION", "ITEMS")
	for i, r := range regions {
		fmt.Printf("%-16s %8d\n", r.name, len(found[i]))
	}
	fmt.Printf("equal, item for item, compared with %s (%s)\n", against, took.Round(time.Millisecond))
	if acked > 0 {
		fmt.Printf("all %d acknowledged writes are in every region\n", acked)
	}
}

func scanAll(ctx context.Context, regions []region, table string) ([]contents, error) {
	found := make([]contents, len(regions))
	scanning, ctx := errgroup.WithContext(ctx)
	for i, r := range regions {
		scanning.Go(func() (err error) {
			found[i], err = r.scan(ctx, table)
			return err
		})
	}
	return found, scanning.Wait()
}

func compareAll(regions []region, found []contents, want contents) error {
	var all []error
	for i, r := range regions {
		if diff := compare(found[i], want); diff != "" {
			all = append(all, fmt.Errorf("%s: %s", r.name, diff))
		}
	}
	return errors.Join(all...)
}

// compare says how contents differ from what is wanted, with a few examples; "" if they do not.
func compare(got, want contents) string {
	const examples = 3
	var missing, extra, different []string
	for key, item := range want {
		switch have, ok := got[key]; {
		case !ok:
			missing = append(missing, key)
		case have != item:
			different = append(different, have+" is not "+item)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			extra = append(extra, key)
		}
	}
	var parts []string
	for _, p := range []struct {
		what string
		list []string
	}{{"missing", missing}, {"too many", extra}, {"different", different}} {
		if len(p.list) > 0 {
			slices.Sort(p.list)
			parts = append(parts, fmt.Sprintf("%d %s, like %s", len(p.list), p.what,
				strings.Join(p.list[:min(examples, len(p.list))], "; ")))
		}
	}
	return strings.Join(parts, "; ")
}

// holds checks that every acknowledged item is there as it was written.
func holds(got, acked contents) error {
	for _, key := range slices.Sorted(maps.Keys(acked)) {
		switch have, ok := got[key]; {
		case !ok:
			return fmt.Errorf("the acknowledged write of %s is lost", key)
		case have != acked[key]:
			return fmt.Errorf("the acknowledged write of %s is now %s", acked[key], have)
		}
	}
	return nil
}

// ack is a line of a file of acknowledged writes.
type ack struct{ Region, Key, Item string }

func readAcks(files []string) (contents, error) {
	all := contents{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var a ack
			if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
				return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
			}
			all[a.Key] = a.Item
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}
