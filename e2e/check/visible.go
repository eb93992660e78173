package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"
)

type visibleOptions struct {
	regions     endpoints
	table, from string
	rate        int
	sampleEvery int
	workers     int
	warmUp      time.Duration
	length      time.Duration
	maxRatio    float64
	distances   string
	trips       roundTrips // read from distances
}

func newVisible() *cobra.Command {
	o := visibleOptions{
		regions: defaultEndpoints(), table: "visible", rate: 1000, sampleEvery: 20, workers: 64,
		warmUp: 2 * time.Second, length: 10 * time.Second,
	}
	cmd := &cobra.Command{
		Use:   "visible",
		Short: "Measure how long after its acknowledgement in one region a write is visible in another",
		Long: `Writes new items in one region at a steady rate. Of every --sample-every writes one is watched: as soon as it is
acknowledged, another region is asked for it (GetItem) again and again until it is there. The time printed is that from the
acknowledgement to the first answer that holds the item, so it includes one read.

With --distances, a table of round trips such as the regions simulate (meridian dev --wan aws), every region writes in its
turn, and each pair is judged: at the median a write is to be visible within half a round trip and 20 ms, at the 99th percentile
within half a round trip and 50 ms.`,
		Example: `  check visible --rate 1000 --for 10s --max-ratio 10
  check visible --rate 1000 --distances internal/wan/aws.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	o.regions.flag(f)
	f.StringVar(&o.table, "table", o.table, "table; made if it is not there")
	f.StringVar(&o.from, "from", o.from, "region to write in (default the first)")
	f.IntVar(&o.rate, "rate", o.rate, "writes a second")
	f.IntVar(&o.sampleEvery, "sample-every", o.sampleEvery, "watch one write of so many")
	f.IntVar(&o.workers, "workers", o.workers, "requests under way at most")
	f.DurationVar(&o.warmUp, "warm-up", o.warmUp, "how long to write before samples count")
	f.DurationVar(&o.length, "for", o.length, "how long samples count")
	f.StringVar(&o.distances, "distances", o.distances, "file with the round trips between regions: measure and judge each pair")
	f.Float64Var(&o.maxRatio, "max-ratio", o.maxRatio,
		"fail if the median takes more than so many times the median acknowledgement; 0 for any")
	return cmd
}

// notVisible is when a watched write counts as not arriving.
const notVisible = 30 * time.Second

func (o visibleOptions) run(ctx context.Context) error {
	if o.rate <= 0 || o.sampleEvery <= 0 || o.workers <= 0 {
		return errors.New("--rate, --sample-every and --workers are at least 1")
	}
	regions, err := o.regions.open(3, 10*time.Second)
	if err != nil {
		return err
	}
	if o.distances != "" {
		return o.pairs(ctx, regions)
	}
	from, err := named(regions, o.from)
	if err != nil {
		return err
	}
	m, err := o.measure(ctx, regions, from)
	if err != nil {
		return err
	}
	return m.report()
}

// measure writes in one region and watches in the others.
func (o visibleOptions) measure(ctx context.Context, regions []region, from region) (*measurement, error) {
	to := slices.DeleteFunc(slices.Clone(regions), func(r region) bool { return r.name == from.name })
	if len(to) == 0 {
		return nil, errors.New("there is no other region to look in")
	}
	if err := makeTable(ctx, regions, o.table, time.Minute); err != nil {
		return nil, err
	}
	m := &measurement{
		options: o, from: from, to: to, id: strconv.FormatInt(time.Now().UnixNano(), 36), seen: map[string][]time.Duration{},
	}
	m.run(ctx)
	return m, nil
}

// measurement is one run of visible.
type measurement struct {
	options visibleOptions
	from    region
	to      []region
	id      string // in all keys, so that runs on one table do not meet

	mu      sync.Mutex
	late    int                        // writes not begun in time, all workers being busy
	acked   []time.Duration            // of counted writes, until the acknowledgement
	seen    map[string][]time.Duration // of watched ones, from it until they were visible, by region
	failed  int
	failure error // the last
}

// job is one write. That of the warm-up is not counted.
type job struct {
	number  int
	counted bool
}

func (m *measurement) run(ctx context.Context) {
	o := m.options
	jobs := make(chan job)
	var working sync.WaitGroup
	for range o.workers {
		working.Go(func() {
			for j := range jobs {
				m.write(ctx, j)
			}
		})
	}
	began := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := 0; ; {
		elapsed := time.Since(began)
		if elapsed > o.warmUp+o.length || ctx.Err() != nil {
			break
		}
		for due := int(elapsed.Seconds() * float64(o.rate)); n < due; n++ {
			select {
			case jobs <- job{n, elapsed > o.warmUp}:
			default:
				m.mu.Lock()
				m.late++
				m.mu.Unlock()
			}
		}
		<-tick.C
	}
	close(jobs)
	working.Wait()
}

func (m *measurement) write(ctx context.Context, j job) {
	key := attributes{keyName: &types.AttributeValueMemberS{Value: fmt.Sprintf("%s-%08d", m.id, j.number)}}
	it := attributes{keyName: key[keyName], "payload": &types.AttributeValueMemberB{Value: payload(j.number)}}
	asked := time.Now()
	_, err := m.from.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(m.options.table), Item: it})
	acked := time.Now()
	if err != nil {
		m.fail(fmt.Errorf("%s: write: %w", m.from.name, err))
		return
	}
	if !j.counted {
		return
	}
	m.mu.Lock()
	m.acked = append(m.acked, acked.Sub(asked))
	m.mu.Unlock()
	if j.number%m.options.sampleEvery != 0 {
		return
	}
	to := m.to[j.number/m.options.sampleEvery%len(m.to)]
	if err := m.watch(ctx, to, key); err != nil {
		m.fail(fmt.Errorf("%s: %w", to.name, err))
		return
	}
	took := time.Since(acked)
	m.mu.Lock()
	m.seen[to.name] = append(m.seen[to.name], took)
	m.mu.Unlock()
}

// watch returns when a region answers with the item.
func (m *measurement) watch(ctx context.Context, r region, key attributes) error {
	ctx, cancel := context.WithTimeout(ctx, notVisible)
	defer cancel()
	// To ask all the time while nothing can be there yet would load the machine that is measured, and so would all who wait
	// for one lost packet. What is seen is at most a pause late.
	oneWay := m.options.trips.between(m.from.name, r.name) / 2
	time.Sleep(oneWay - 10*time.Millisecond)
	for {
		out, err := r.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(m.options.table), Key: key})
		if err != nil {
			return fmt.Errorf("read of %s: %w", key.canonical(), err)
		}
		if out.Item != nil {
			return nil
		}
		time.Sleep(oneWay / 25)
	}
}

func (m *measurement) fail(err error) {
	m.mu.Lock()
	m.failed++
	m.failure = err
	m.mu.Unlock()
}

func (m *measurement) report() error {
	o := m.options
	fmt.Printf("%d writes in %s, %.0f a second (%d wanted); %d too late to begin, %d failed\n",
		len(m.acked), m.from.name, float64(len(m.acked))/o.length.Seconds(), o.rate, m.late, m.failed)
	fmt.Printf("%-42s %8s %9s %9s %9s %9s\n", "TIME", "SAMPLES", "P50", "P90", "P99", "MAX")
	printTimes("acknowledged by "+m.from.name, m.acked)
	var all []time.Duration
	for _, r := range m.to {
		printTimes("from there to visible in "+r.name, m.seen[r.name])
		all = append(all, m.seen[r.name]...)
	}
	switch p50, limit := percentile(all, 50), o.maxRatio*float64(percentile(m.acked, 50)); {
	case m.failure != nil:
		return fmt.Errorf("%d requests failed, the last: %w", m.failed, m.failure)
	case len(all) == 0:
		return errors.New("no sample")
	case o.maxRatio > 0 && float64(p50) > limit:
		return fmt.Errorf("the median of all is %s, more than %g times that of an acknowledgement", p50, o.maxRatio)
	case len(m.acked) < int(0.95*float64(o.rate)*o.length.Seconds()):
		fmt.Println("The machine was too busy for that rate: these times are not those of that rate.")
	}
	return nil
}

func printTimes(what string, times []time.Duration) {
	row := fmt.Sprintf("%-42s %8d", what, len(times))
	for _, p := range []int{50, 90, 99, 100} {
		row += fmt.Sprintf(" %6.2f ms", float64(percentile(times, p).Microseconds())/1000)
	}
	fmt.Println(strings.TrimRight(row, " "))
}

// percentile is the smallest time that p in 100 do not exceed; 0 of none.
func percentile(times []time.Duration, p int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}
