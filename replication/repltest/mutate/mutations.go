package main

// mutation is one way to break the code.
type mutation struct {
	name  string // and what is broken stands beside it
	seeds int    // within so many it is found
	edits []edit
}

// edit replaces a piece of a file that stands there exactly once.
type edit struct{ file, old, new string }

var mutations = []mutation{
	{"unremembered", 24, []edit{{ // deletes are not remembered, though the table has replicas
		"region/table/commit.go", "if a.new.IsZero() && !d.Shared() {", "if a.new.IsZero() {",
	}}},
	{"stamps", 24, []edit{{ // versions are compared by stamps instead of contexts
		"conflict/merge.go", "case r.ctx.SubsetOf(l.ctx):", "case !l.newest().Less(r.newest()):",
	}}},
	{"nocursor", 48, []edit{{ // the cursor moves in memory only
		"region/sink.go", "errors.Join(setCursor(w, peer, max(have, upTo)), in", "errors.Join(in",
	}}},
	{"cursorfirst", 96, []edit{{ // the cursor moves before what it stands for is applied
		"region/sink.go", "\t\tif err := r.engine.Apply(ctx, b); err != nil {",
		"\t\tif err := write(r.store, b.Seal); err != nil {\n\t\t\treturn err\n\t\t}\n\t\tif err := r.engine.Apply(ctx, b); err != nil {",
	}}},
	{"earlyship", 96, []edit{{ // commits are shipped before they are synced
		"stream/log.go", "func (l *Log) Durable() record.Seq { return l.durable.get() }",
		"func (l *Log) Durable() record.Seq { return l.Last() }",
	}, {
		"stream/log.go", "\tl.next = seq + 1\n", "\tl.next = seq + 1\n\tl.durable.advance(seq)\n",
	}}},
	{"earlyreply", 96, []edit{{ // clients hear of a write before it is synced
		"region/table/commit.go", "\tif err := p.durable.Wait(); err != nil {\n\t\treturn err\n\t}\n\tif p.seq > 0 {",
		"\tif p.seq == 0 {\n\t\treturn p.durable.Wait()\n\t}\n\tgo func() { _ = p.durable.Wait(); e.log.Committed(p.seq) }()\n\tif false {",
	}}},
	{"earlyack", 96, []edit{{ // what a peer sent is acknowledged before it is synced
		"region/table/apply.go", "\tif err := durable.Wait(); err != nil {\n\t\treturn err\n\t}\n\tif last > 0 {\n\t\te.log.Committed(last)\n\t}\n",
		"\tgo func() {\n\t\tif durable.Wait() == nil && last > 0 {\n\t\t\te.log.Committed(last)\n\t\t}\n\t}()\n",
	}}},
	{"sendercatalog", 96, []edit{{ // the sender leaves out tables that it does not know the receiver to hold
		"replication/send.go", "p: p, who: o.Receiver, wanted: o.Wanted(), out: out,", "p: p, who: o.Receiver, wanted: known(source, &o), out: out,",
	}, {
		"replication/send.go", "// open puts the link", `func known(source Source, o *link.Open) map[record.TableID]bool {
	all, some := o.Wanted(), map[record.TableID]bool{}
	entries, _ := source.CatalogFor(o.Receiver.Region, 0)
	for _, b := range entries {
		var d struct{ ID record.TableID }
		if json.Unmarshal(b, &d) == nil && all[d.ID] {
			some[d.ID] = true
		}
	}
	return some
}

// open puts the link`,
	}, {
		"replication/send.go", "\t\"context\"\n", "\t\"context\"\n\t\"encoding/json\"\n",
	}}},
	{"latch", 24, []edit{{ // a client's write does not hold its items' latches
		"region/table/commit.go", "tx, err := e.store.Begin(ctx, keys...)", "tx, err := e.store.Begin(ctx)",
	}}},
	{"applylatch", 48, []edit{{ // a merge does not hold its items' latches
		"region/table/apply.go", "tx, err := e.store.Begin(ctx, keys...)", "tx, err := e.store.Begin(ctx, keys[:0]...)",
	}}},
	{"indexapart", 96, []edit{{ // index entries are written in a batch of their own
		"region/table/apply.go", "\tindexes, err := t.writeIndexes(m.tx, ch.Key, old, new)\n", `	apart, err := m.engine.store.Begin(context.Background())
	if err != nil {
		return news, false, err
	}
	defer apart.Discard()
	indexes, err := t.writeIndexes(apart, ch.Key, old, new)
	if err != nil {
		return news, false, err
	}
	first, err := apart.Commit(nil)
	if err == nil {
		err = first.Wait()
	}
`,
	}}},
	{"split", 96, []edit{{ // a transaction's changes are applied one after the other
		"region/table/apply.go", "\tfor {\n\t\terr := e.applyOnce(ctx, &b)", `	for i := range b.Commits {
		for j := range b.Commits[i].Changes {
			one := b.Commits[i]
			one.Changes = one.Changes[j : j+1]
			if err := e.applyOnce(ctx, &Batch{Commits: []record.Commit{one}, Silent: b.Silent}); err != nil && !errors.Is(err, errStale) {
				return err
			}
		}
	}
	for {
		err := e.applyOnce(ctx, &b)`,
	}}},
	{"ceiling", 96, []edit{{ // a restart does not begin above the times that were given out
		"region/clock/clock.go", "\tc.hlc.Observe(at)\n", "",
	}}},
	{"observe", 96, []edit{{ // a region's clock does not take note of what it merges
		"region/table/apply.go", "e.clock.Observe(w, m.newest)", "e.clock.Observe(w, 0)",
	}}},
	{"unheld", 96, []edit{{ // what a clock too far ahead wrote is taken
		"region/clock/guard.go", "return ahead, ahead > 2*g.limit()", "return ahead, false",
	}}},
	{"nomoveback", 96, []edit{{ // a member that was heard of late is read from where its log happens to be
		"region/inbound.go", "\treturn in.setCursors(moved)\n", "\treturn nil\n",
	}}},
	{"stalestream", 96, []edit{{ // a batch that was read for other tables moves the cursor
		"region/sink.go", "if !in.current(peer.Region) {", "if false {",
	}}},
	{"nodrain", 96, []edit{{ // a region that leaves does not wait until the others have what it wrote
		"region/leave.go", "if err := r.drained(e); err != nil {", "if err := r.drained(e); false {",
	}}},
	{"fillearly", 48, []edit{{ // a new replica serves as soon as its copy is complete
		"region/fill.go", "\tr.awaitOthers()\n", "",
	}}},
	{"untold", 24, []edit{{ // who sees a write lose tells nobody
		"region/table/feed.go", "\t\tm.feed.tell = append(m.feed.tell, news)\n", "\t\t_ = news\n",
	}}},
	{"unnoted", 24, []edit{{ // nobody notes who lost
		"region/table/feed.go", "\tfor i := range out.Lost {\n", "\tfor i := range out.Lost[:0] {\n",
	}}},
	{"lwwupdate", 48, []edit{{ // under last-writer-wins an update claims only the attributes that it touches
		"conflict/write.go", "case w.Op == Update && p != LastWriterWins && stored.Visible():", "case w.Op == Update && stored.Visible():",
	}}},
}
