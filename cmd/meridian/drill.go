package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/meridiandb/meridian/drill"
)

func newDrill() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drill",
		Short: "Rehearse failures: break regions under load, and judge what clients saw",
		Long: `Starts regions of its own, lets clients read and write in them through the router, breaks something as a scenario says, and
judges the history of all calls: how long clients were out, what was lost, whether sessions were lied to, when all regions were
equal again. "meridian drill list" explains the scenarios; docs/drills.md says how to write one.`,
		Example: `  meridian drill list
  meridian drill run region-outage --html report.html
  meridian drill show region-outage > my.yaml && meridian drill run my.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDrillRun(), newDrillList(), newDrillShow())
	return cmd
}

// drillOptions are the flags of drill run.
type drillOptions struct {
	target                string
	regions               []string
	all, short, json      bool
	repeat, parallel      int
	seed                  uint64
	html, history, folder string
	dockerSocket          string
	quiet                 bool
	ports                 drill.Ports
}

func newDrillRun() *cobra.Command {
	o := drillOptions{target: "serve", regions: []string{"us-east-1", "eu-west-1", "ap-northeast-1"}, repeat: 1, parallel: 1}
	cmd := &cobra.Command{
		Use:   "run SCENARIO...",
		Short: "Run drills: named ones, or files that end with .yaml",
		Long: `Runs drills one after the other and says what they found. On which regions:

  serve    processes of this binary, started for the drill and really killed and stopped (default)
  dev      regions in this process, as meridian dev has them: quicker, a kill is imitated
  compose  the containers of docker-compose.yml, which must be up; broken through the Docker engine

Exit code: 0 when all passed, 1 when a limit was broken or a drill could not be carried through, 2 when asked wrongly.`,
		Example: `  meridian drill run region-outage --html report.html
  meridian drill run --all --short --target dev
  meridian drill run region-outage --repeat 50
  meridian drill run my.yaml --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.target, "target", o.target, "serve, dev or compose")
	f.StringSliceVar(&o.regions, "regions", o.regions, "names of the regions of serve and dev, in order: first, second, third")
	f.BoolVar(&o.all, "all", false, "all named drills")
	f.BoolVar(&o.short, "short", false, "a third of the time")
	f.IntVar(&o.repeat, "repeat", o.repeat, "run each drill so often, and judge them together")
	f.IntVar(&o.parallel, "parallel", o.parallel, "drills at the same time, each on regions of its own; they disturb each other if the machine is small")
	f.Uint64Var(&o.seed, "seed", 0, "decides what clients do (default by chance)")
	f.BoolVar(&o.json, "json", false, "print reports as JSON, one for each drill")
	f.StringVar(&o.html, "html", "", "write the report as one HTML page; of several drills into a folder of this name")
	f.StringVar(&o.history, "history", "", "write every call as a line of JSON to this file")
	f.StringVar(&o.folder, "data", "", "where regions keep data and logs (default a temporary folder, removed unless the drill fails)")
	f.StringVar(&o.dockerSocket, "docker", "", "the Docker engine's socket (default $DOCKER_HOST, or /var/run/docker.sock)")
	f.BoolVar(&o.quiet, "quiet", false, "do not tell what happens meanwhile")
	return cmd
}

func (o *drillOptions) run(cmd *cobra.Command, args []string) error {
	scenarios, err := o.scenarios(args)
	if err != nil {
		return err
	}
	if o.target != "serve" && o.target != "dev" && o.target != "compose" {
		return usagef("--target %q is none of serve, dev, compose", o.target)
	}
	if err := o.checkRegions(scenarios); err != nil {
		return err
	}
	if o.repeat < 1 {
		return usagef("--repeat is at least 1")
	}
	if o.history != "" && len(scenarios)*o.repeat > 1 {
		return usagef("--history is for one drill")
	}
	if o.parallel < 1 || o.parallel > 1 && o.target == "compose" {
		return usagef("--parallel is at least 1, and 1 for compose: its drills share the containers")
	}
	failed, err := o.drills(cmd, scenarios)
	if err != nil {
		return err
	}
	if len(scenarios) > 1 && !o.json {
		fmt.Fprintf(cmd.OutOrStdout(), "%d of %d drills passed\n", len(scenarios)-len(failed), len(scenarios))
	}
	if len(failed) > 0 {
		if len(scenarios) > 1 {
			fmt.Fprintln(cmd.ErrOrStderr(), "failed: "+strings.Join(failed, " "))
		}
		return errUnhealthy
	}
	return nil
}

// checkRegions makes sure that all scenarios can be played in the regions, before any is started.
func (o *drillOptions) checkRegions(scenarios []drill.Scenario) error {
	if err := checkRegions(o.regions); err != nil || o.target == "compose" {
		return err
	}
	for _, s := range scenarios {
		if _, err := profileFor(s.WAN, o.regions...); err != nil {
			return fmt.Errorf("drill %s: %w", s.Name, err)
		}
	}
	return nil
}

// drills runs some scenarios side by side, and prints what each found when it has ended. It returns the names of those that
// failed; one that could not be carried through has failed, too, and keeps no other from its turn.
func (o *drillOptions) drills(cmd *cobra.Command, scenarios []drill.Scenario) (failed []string, err error) {
	running, ctx := errgroup.WithContext(cmd.Context())
	running.SetLimit(o.parallel)
	var printing sync.Mutex
	for _, s := range scenarios {
		running.Go(func() error {
			series, err := o.series(ctx, cmd, s)
			printing.Lock()
			defer printing.Unlock()
			switch {
			case ctx.Err() != nil || err != nil && exitCode(err) == exitUsage:
				return errors.Join(err, ctx.Err())
			case err != nil:
				fmt.Fprintf(cmd.ErrOrStderr(), "meridian: drill %s: %s\n", s.Name, oneLine(err))
				failed = append(failed, s.Name)
				return nil
			case !series.Passed():
				failed = append(failed, s.Name)
			}
			return o.print(cmd.OutOrStdout(), series, len(scenarios) > 1)
		})
	}
	err = running.Wait() // before failed is read
	return failed, err
}

// scenarios finds what is to be run. A file's mistakes are those of whoever asks.
func (o *drillOptions) scenarios(args []string) (list []drill.Scenario, err error) {
	switch {
	case o.all && len(args) > 0:
		return nil, usagef("--all means all named drills: name none")
	case o.all:
		list, err = drill.All()
	case len(args) == 0:
		return nil, usagef("name a drill, or a file; meridian drill list explains them")
	}
	if err != nil {
		return nil, err
	}
	for _, a := range args {
		s, err := readScenario(a)
		if err != nil {
			return nil, usagef("%w", err)
		}
		list = append(list, s)
	}
	if o.short {
		for i := range list {
			list[i] = list[i].Short()
		}
	}
	return list, nil
}

func readScenario(name string) (drill.Scenario, error) {
	if !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".yml") {
		return drill.Named(name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return drill.Scenario{}, err
	}
	return drill.Parse(name, text)
}

// series runs one scenario as often as asked.
func (o *drillOptions) series(ctx context.Context, cmd *cobra.Command, s drill.Scenario) (*drill.Series, error) {
	series := drill.NewSeries(s)
	for i := range o.repeat {
		r, err := o.once(ctx, cmd, s)
		if err != nil {
			return nil, err
		}
		series.Add(r)
		if o.repeat > 1 {
			fmt.Fprintf(cmd.ErrOrStderr(), "%3d of %d: %s\n", i+1, o.repeat, r.Line())
		}
	}
	return series, nil
}

// print says what came of a series, and writes the files that were asked for.
func (o *drillOptions) print(out io.Writer, series *drill.Series, several bool) error {
	if err := o.write(series.Worst(), several); err != nil {
		return err
	}
	switch {
	case o.json && o.repeat > 1:
		return writeIndented(out, series.Summary())
	case o.json:
		return writeIndented(out, series.Worst())
	case o.repeat > 1:
		return series.WriteText(out)
	}
	return series.Worst().WriteText(out)
}

func writeIndented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// once runs a scenario on regions of its own.
func (o *drillOptions) once(ctx context.Context, cmd *cobra.Command, s drill.Scenario) (r *drill.Report, err error) {
	folder, remove, err := o.dataFolder()
	if err != nil {
		return nil, err
	}
	target, err := o.newTarget(folder)
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	defer func() {
		if err == nil && r.Passed {
			err = remove()
		} else {
			fmt.Fprintf(cmd.ErrOrStderr(), "data and logs of the regions: %s\n", folder)
		}
	}()
	began := time.Now()
	progress := func(what string) {
		if !o.quiet && o.repeat == 1 {
			fmt.Fprintf(cmd.ErrOrStderr(), "%6.1fs  %s: %s\n", time.Since(began).Seconds(), s.Name, what)
		}
	}
	return drill.Run(ctx, drill.Options{Scenario: s, Target: target, Seed: o.seed, Progress: progress})
}

func (o *drillOptions) dataFolder() (folder string, remove func() error, err error) {
	if o.folder != "" {
		if err := os.MkdirAll(o.folder, 0o755); err != nil {
			return "", nil, usagef("--data: %w", err)
		}
		folder, err = os.MkdirTemp(o.folder, "drill-*")
		return folder, func() error { return nil }, err
	}
	folder, err = os.MkdirTemp("", "meridian-drill-*")
	return folder, func() error { return os.RemoveAll(folder) }, err
}

func (o *drillOptions) newTarget(folder string) (drill.Target, error) {
	switch o.target {
	case "serve":
		binary, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return &drill.Processes{Binary: binary, Regions: o.regions, Folder: folder, Ports: &o.ports}, nil
	case "dev":
		log, err := os.Create(filepath.Join(folder, "log"))
		if err != nil {
			return nil, err
		}
		return &devFleet{names: o.regions, folder: folder, ports: &o.ports, logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})), log: log}, nil
	case "compose":
		return drill.NewDocker(o.dockerSocket, o.regions)
	}
	return nil, fmt.Errorf("there is no target %q", o.target)
}

// write writes page and history, where asked for.
func (o *drillOptions) write(r *drill.Report, several bool) error {
	if o.html != "" {
		file := o.html
		if several {
			if err := os.MkdirAll(o.html, 0o755); err != nil {
				return usagef("--html: %w", err)
			}
			file = filepath.Join(o.html, r.Scenario+".html")
		}
		if err := writeFile(file, r.WriteHTML); err != nil {
			return err
		}
	}
	if o.history == "" {
		return nil
	}
	return writeFile(o.history, func(w io.Writer) error { return drill.WriteHistory(w, r.History()) })
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return usagef("%w", err)
	}
	return errors.Join(write(f), f.Close())
}

var _ drill.Target = (*devFleet)(nil)
