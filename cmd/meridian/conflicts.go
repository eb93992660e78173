package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/internal/admin"
)

// conflictOptions are the flags of conflicts' subcommands; each has some of them.
type conflictOptions struct {
	admin, table, key, write string
	since, until             string
	limit                    int
	poll                     time.Duration
	json                     bool
}

func newConflicts() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "conflicts",
		Short: "List writes that lost to concurrent ones, and restore them",
		Long: `Two regions can write one item without knowing of each other. One of the writes loses; its full image is kept in the
conflict feed, which is the same in every region. docs/conflicts.md says what is listed, and what is not.`,
		Example: `  meridian conflicts list --table music --since 1h
  meridian conflicts tail --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConflictsList(), newConflictsShow(), newConflictsTail(), newConflictsRestore())
	return cmd
}

func (o *conflictOptions) flags(cmd *cobra.Command) {
	o.admin = defaultAdmin
	f := cmd.Flags()
	f.StringVar(&o.admin, "admin", o.admin, "admin address of any region that has the table")
	f.StringVar(&o.table, "table", "", "name of the table")
	f.StringVar(&o.key, "key", "", `item key in DynamoDB JSON, like '{"pk":{"S":"x"}}'; needs --table`)
	f.BoolVar(&o.json, "json", false, "print JSON")
}

func (o *conflictOptions) timeFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.since, "since", "", "only writes since a time (2026-01-02T15:04:05Z), or since as long ago (90m)")
	cmd.Flags().StringVar(&o.until, "until", "", "only writes before a time, likewise")
}

func newConflictsList() *cobra.Command {
	var o conflictOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List writes that lost",
		Long: `Lists writes that lost, by table, item and time: when, in which region, which item, what of it, to whom, and the write's
stamp, by which show and restore know it.

Exit code: 0 also when there are none, 1 when the region cannot be asked, 2 when asked wrongly.`,
		Example: `  meridian conflicts list
  meridian conflicts list --table music --key '{"artist":{"S":"Queen"}}'
  meridian conflicts list --since 24h --json | jq .lost.item`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return listConflicts(cmd, &o) },
	}
	o.flags(cmd)
	o.timeFlags(cmd)
	cmd.Flags().IntVar(&o.limit, "limit", 0, "stop after so many; 0: all")
	return cmd
}

func newConflictsShow() *cobra.Command {
	var o conflictOptions
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show one write that lost, with both images",
		Long: `Shows one conflict: both writes with their items, what the loser had replaced, and why it lost.

Exit code: 0 when it is there, 1 when it is not or the region cannot be asked, 2 when asked wrongly.`,
		Example: `  meridian conflicts show --table music --key '{"artist":{"S":"Queen"}}' --write 1764000000000.3/us-east-1@00000000000000a1`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return showConflict(cmd, &o) },
	}
	o.flags(cmd)
	o.writeFlag(cmd)
	return cmd
}

func (o *conflictOptions) writeFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.write, "write", "", "stamp of the write that lost, as list prints it")
}

func newConflictsTail() *cobra.Command {
	var o conflictOptions
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Follow the feed",
		Long: `Prints conflicts as the region hears of them, from now on or from --since on. A write that lost in a region which was cut
off is older than the moment it is heard of: tail looks an hour back for such. Ends with Ctrl-C.`,
		Example: `  meridian conflicts tail --table music
  meridian conflicts tail --since 10m --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return tailConflicts(cmd, &o) },
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.since, "since", "", "print first what was noted since a time, or since as long ago (10m)")
	cmd.Flags().DurationVar(&o.poll, "poll", time.Second, "how long to rest between looks")
	return cmd
}

func newConflictsRestore() *cobra.Command {
	var o conflictOptions
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Write back what a write that lost had written",
		Long: `Writes the loser back as a new write of the region that is asked: all of it if it lost as a whole, else the attributes that
lost. It does so only if the winner is unchanged.

Exit code: 0 when it is restored, 1 when the winner has changed, the write is not in the feed or the region cannot be asked, 2
when asked wrongly.`,
		Example: `  meridian conflicts restore --table music --key '{"artist":{"S":"Queen"}}' --write 1764000000000.3/us-east-1@00000000000000a1`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return restoreConflict(cmd, &o) },
	}
	o.flags(cmd)
	o.writeFlag(cmd)
	return cmd
}

// query turns the flags into what the page is asked.
func (o *conflictOptions) query(now time.Time) (url.Values, error) {
	q := url.Values{}
	if o.key != "" && o.table == "" {
		return nil, usagef("--key needs --table")
	}
	if o.key != "" && !json.Valid([]byte(o.key)) {
		return nil, usagef("--key %q is no JSON", o.key)
	}
	if o.write != "" {
		if _, err := crdt.ParseStamp(o.write); err != nil {
			return nil, usagef("--write: %w", err)
		}
	}
	if o.limit < 0 {
		return nil, usagef("--limit takes no negative number")
	}
	for name, text := range map[string]string{"since": o.since, "until": o.until} {
		if text == "" {
			continue
		}
		t, err := parseMoment(text, now)
		if err != nil {
			return nil, usagef("--%s %q is neither a time like 2026-01-02T15:04:05Z nor a while like 90m", name, text)
		}
		q.Set(name, t.Format(time.RFC3339Nano))
	}
	for name, text := range map[string]string{"table": o.table, "key": o.key, "write": o.write} {
		if text != "" {
			q.Set(name, text)
		}
	}
	return q, nil
}

// parseMoment reads a time, or a while before now.
func parseMoment(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Parse(time.RFC3339, text)
}

// ask is whom to ask, and what.
func (o *conflictOptions) ask() (base string, q url.Values, err error) {
	if base, err = parseAdmin(o.admin); err != nil {
		return "", nil, err
	}
	q, err = o.query(time.Now())
	return base, q, err
}

// named is ask for the one conflict that is named.
func (o *conflictOptions) named() (base string, q url.Values, err error) {
	if o.table == "" || o.key == "" || o.write == "" {
		return "", nil, usagef("--table, --key and --write name the conflict: see meridian conflicts list")
	}
	return o.ask()
}

// eachConflict calls fn with the conflicts of all pages, until it says stop.
func eachConflict(ctx context.Context, base string, q url.Values, fn func(*admin.Conflict) (stop bool, err error)) (feeds map[string]admin.ConflictFeed, err error) {
	client := newAdminClient(time.Minute)
	for {
		body, err := client.get(ctx, base, "/admin/conflicts?"+q.Encode())
		if err != nil {
			return nil, err
		}
		var page admin.ConflictPage
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, fmt.Errorf("%s is no Meridian admin address: %w", base, err)
		}
		for i := range page.Conflicts {
			if stop, err := fn(&page.Conflicts[i]); stop || err != nil {
				return page.Feeds, err
			}
		}
		if page.Next == "" {
			return page.Feeds, nil
		}
		q.Set("from", page.Next)
	}
}

func listConflicts(cmd *cobra.Command, o *conflictOptions) error {
	base, q, err := o.ask()
	if err != nil {
		return err
	}
	p := newConflictPrinter(cmd.OutOrStdout(), o.json)
	feeds, err := eachConflict(cmd.Context(), base, q, func(c *admin.Conflict) (bool, error) {
		err := p.print(c)
		return o.limit > 0 && p.n == o.limit, err
	})
	if err != nil {
		return err
	}
	for name, f := range feeds {
		fmt.Fprintf(cmd.ErrOrStderr(), "meridian: table %s: %d conflicts of writes up to %s have been dropped from this region's feed\n",
			name, f.Dropped, f.Floor.Format(time.RFC3339))
	}
	return p.end()
}

func showConflict(cmd *cobra.Command, o *conflictOptions) error {
	base, q, err := o.named()
	if err != nil {
		return err
	}
	var found *admin.Conflict
	if _, err := eachConflict(cmd.Context(), base, q, func(c *admin.Conflict) (bool, error) { found = c; return true, nil }); err != nil {
		return err
	}
	if found == nil {
		return fmt.Errorf("the conflict feed has no write %s of this item", o.write)
	}
	if o.json {
		return newConflictPrinter(cmd.OutOrStdout(), true).print(found)
	}
	return writeConflict(cmd.OutOrStdout(), found)
}

// lookBack is how old a write may be that tail has not heard of before.
const lookBack = time.Hour

func tailConflicts(cmd *cobra.Command, o *conflictOptions) error {
	if o.poll <= 0 {
		return usagef("--poll must be more than nothing")
	}
	base, err := parseAdmin(o.admin)
	if err != nil {
		return err
	}
	now := time.Now()
	from := now
	if o.since != "" {
		if from, err = parseMoment(o.since, now); err != nil {
			return usagef("--since %q is neither a time like 2026-01-02T15:04:05Z nor a while like 90m", o.since)
		}
		o.since = ""
	}
	p := newConflictPrinter(cmd.OutOrStdout(), o.json)
	seen := map[string]time.Time{} // conflicts that were printed, or are older than what was asked for
	tick := time.NewTicker(o.poll)
	defer tick.Stop()
	for first := true; ; first = false {
		oldest := time.Now().Add(-lookBack)
		if first && from.Before(oldest) {
			oldest = from
		}
		err := o.look(cmd.Context(), base, oldest, func(c *admin.Conflict) error {
			id := c.Table + string(c.Key) + c.Lost.Write.String()
			if _, ok := seen[id]; ok {
				return nil
			}
			if seen[id] = c.Lost.Time; first && c.Noted.Before(from) {
				return nil
			}
			return p.print(c)
		})
		for id, at := range seen {
			if at.Before(oldest) {
				delete(seen, id)
			}
		}
		if cmd.Context().Err() != nil {
			return nil
		}
		if err != nil && first {
			return err
		}
		if err != nil { // it may be back soon
			fmt.Fprintln(cmd.ErrOrStderr(), "meridian: "+oneLine(err))
		}
		if err := p.end(); err != nil {
			return err
		}
		select {
		case <-cmd.Context().Done():
			return nil
		case <-tick.C:
		}
	}
}

// look calls fn with the conflicts of writes since a time.
func (o *conflictOptions) look(ctx context.Context, base string, since time.Time, fn func(*admin.Conflict) error) error {
	q, err := o.query(time.Now())
	if err != nil {
		return err
	}
	q.Set("since", since.UTC().Format(time.RFC3339Nano))
	_, err = eachConflict(ctx, base, q, func(c *admin.Conflict) (bool, error) { return false, fn(c) })
	return err
}

func restoreConflict(cmd *cobra.Command, o *conflictOptions) error {
	base, q, err := o.named()
	if err != nil {
		return err
	}
	body, err := newAdminClient(adminTimeout).change(cmd.Context(), http.MethodPost, base, "/admin/conflicts/restore?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	var answer struct {
		Item json.RawMessage `json:"item"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("%s is no Meridian admin address: %w", base, err)
	}
	if o.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(answer)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "restored; the item is now %s\n", compactJSON(answer.Item))
	return err
}
