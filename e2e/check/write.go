package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"
)

type writeOptions struct {
	regions endpoints
	table   string
	acks    string
	rate    int
	length  time.Duration
	maxGap  time.Duration
}

// Every hotEvery-th write goes to one of hotKeys keys that all regions fight for. They are in no file of acknowledged
// writes, as any of them may be overwritten; they must still be equal everywhere in the end.
const (
	hotEvery = 10
	hotKeys  = 50
	writers  = 8 // of each region
)

func newWrite() *cobra.Command {
	o := writeOptions{regions: defaultEndpoints(), table: "load", acks: "acks.jsonl", rate: 100, length: time.Minute}
	cmd := &cobra.Command{
		Use:   "write",
		Short: "Write in all regions until interrupted, and note every acknowledged write",
		Long: `Writes new items in all regions at a steady rate, and some that all regions fight for. The new ones that are acknowledged
go to a file, for "check equal --acks". A write that fails is tried no second time.`,
		Example: "  check write --table load --rate 100 --acks acks.jsonl --for 30s",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	o.regions.flag(f)
	f.StringVar(&o.table, "table", o.table, "table, which must be there (check table)")
	f.StringVar(&o.acks, "acks", o.acks, "file for the acknowledged writes; overwritten")
	f.IntVar(&o.rate, "rate", o.rate, "writes a second in each region")
	f.DurationVar(&o.length, "for", o.length, "how long, unless interrupted")
	f.DurationVar(&o.maxGap, "max-gap", o.maxGap, "fail if a region acknowledges nothing for so long; 0 for any length")
	return cmd
}

func (o writeOptions) run(ctx context.Context) error {
	regions, err := o.regions.open(1, 5*time.Second)
	if err != nil {
		return err
	}
	file, err := os.Create(o.acks)
	if err != nil {
		return err
	}
	book := &ackBook{file: file}
	ctx, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	tallies := make([]*tally, len(regions))
	var writing sync.WaitGroup
	for i, r := range regions {
		tallies[i] = &tally{region: r.name, last: time.Now()}
		writing.Go(func() { o.writeIn(ctx, r, book, tallies[i]) })
	}
	writing.Wait()
	if err := errors.Join(book.err, file.Close()); err != nil {
		return err
	}
	return o.report(tallies)
}

func (o writeOptions) report(tallies []*tally) error {
	var all []error
	fmt.Printf("%-16s %12s %8s %12s  %s\n", "REGION", "ACKNOWLEDGED", "FAILED", "LONGEST GAP", "LAST FAILURE")
	for _, t := range tallies {
		t.close()
		fmt.Printf("%-16s %12d %8d %12s  %s\n", t.region, t.acked, t.failed, t.gap.Round(time.Millisecond), t.failure)
		if t.acked == 0 {
			all = append(all, fmt.Errorf("%s acknowledged no write", t.region))
		}
		if o.maxGap > 0 && t.gap > o.maxGap {
			all = append(all, fmt.Errorf("%s acknowledged nothing for %s", t.region, t.gap))
		}
	}
	return errors.Join(all...)
}

// writeIn writes in one region at the rate, whatever the answers, until ctx ends. Writes under way then are finished.
func (o writeOptions) writeIn(ctx context.Context, r region, book *ackBook, t *tally) {
	numbers := make(chan int) // no queue: when all writers wait for answers, ticks are left out
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for n := range numbers {
				o.writeOne(context.WithoutCancel(ctx), r, n, book, t)
			}
		})
	}
	tick := time.NewTicker(time.Second / time.Duration(max(1, o.rate)))
	for n := 0; ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-tick.C:
			select {
			case numbers <- n:
				n++
			default:
			}
		}
	}
	tick.Stop()
	close(numbers)
	writing.Wait()
}

func (o writeOptions) writeOne(ctx context.Context, r region, n int, book *ackBook, t *tally) {
	hot := n%hotEvery == 0
	key := fmt.Sprintf("%s-%08d", r.name, n)
	if hot {
		key = fmt.Sprintf("hot-%02d", n/hotEvery%hotKeys)
	}
	it := attributes{
		keyName:   &types.AttributeValueMemberS{Value: key},
		"region":  &types.AttributeValueMemberS{Value: r.name},
		"number":  &types.AttributeValueMemberN{Value: strconv.Itoa(n)},
		"payload": &types.AttributeValueMemberB{Value: payload(n)},
	}
	_, err := r.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(o.table), Item: it})
	t.note(err)
	if err == nil && !hot {
		book.add(r.name, it)
	}
}

// payload is a few hundred bytes that differ from item to item.
func payload(n int) []byte {
	b := make([]byte, 200+n%100)
	for i := range b {
		b[i] = byte(n + i*7)
	}
	return b
}

// ackBook is the file of acknowledged writes. Each line is written at once, so that others can count them meanwhile.
type ackBook struct {
	mu   sync.Mutex
	file *os.File
	err  error // the first one
}

func (b *ackBook) add(region string, it attributes) {
	key, _ := it.pick([]string{keyName})
	line, err := json.Marshal(ack{Region: region, Key: key, Item: it.canonical()})
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		_, err = b.file.Write(append(line, '\n'))
	}
	if b.err == nil {
		b.err = err
	}
}

// tally counts one region's answers.
type tally struct {
	region string

	mu            sync.Mutex
	acked, failed int
	last          time.Time // of an acknowledgement, or the start
	gap           time.Duration
	failure       string
}

func (t *tally) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failed++
		t.failure = err.Error()
		return
	}
	t.acked++
	now := time.Now()
	t.gap = max(t.gap, now.Sub(t.last))
	t.last = now
}

// close counts the time after the last acknowledgement as a gap too.
func (t *tally) close() { t.gap = max(t.gap, time.Since(t.last)) }
