package repltest

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/meridiandb/meridian/region"
	"github.com/meridiandb/meridian/region/catalog"
)

// expel cuts a region off and has the others expel it. It finds that out when it can hear them again, and must begin anew. What it
// alone has would be void, so it happens only when the others have everything; then there is nothing to set aside either.
func (f *faults) expel(rnd *rand.Rand) {
	f.tables <- struct{}{}
	defer func() { <-f.tables }()
	w, n := f.w, f.w.of(rnd)
	if !n.take() {
		return
	}
	defer n.give()
	f.clients.pause(n, true)
	defer f.clients.pause(n, false)
	if !f.drains(n) {
		w.say("%s is not expelled: it alone has something", n.name)
		return
	}
	l := n.at()
	w.left.Store(true)
	l.expelled.Store(true)
	w.mu.Lock()
	if w.expelled == nil {
		w.expelled = map[string]bool{}
	}
	w.expelled[n.name] = true
	w.mu.Unlock()
	w.history.reopened(l) // not all of its log need have been shipped: copies count as well
	f.isolate(n, true)
	gone := f.told(n)
	f.isolate(n, false)
	if !gone {
		return
	}
	select {
	case <-l.region.Failed():
	case <-time.After(2 * time.Minute):
		w.fail("%s was expelled and does not find out", n.name)
		return
	}
	if err := l.region.Err(); !errors.Is(err, region.ErrRebuild) && !l.excused(err) {
		w.fail("%s was expelled and says: %v", n.name, err)
	}
	old := l.region.Origin()
	l.end()
	n.start()
	if l = n.at(); l == nil {
		return
	}
	err := l.region.Asides(context.Background(), func(a region.Aside) error {
		w.fail("%s sets aside what the others have: %+v", n.name, a)
		return errors.New("one is enough")
	})
	if now := l.region.Origin(); now.Incarnation <= old.Incarnation && l.alive() {
		w.fail("%v was expelled and goes on as %v: %v", old, now, err)
	}
	f.rejoin(rnd, n)
}

// told has the others expel a region; it reports whether one of them has.
func (f *faults) told(n *node) (gone bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, o := range f.w.nodes {
		l := o.at()
		if o == n || l == nil {
			continue
		}
		done, err := l.region.Expel(ctx, n.name, true)
		f.w.say("%s expels %s: %v %v", o.name, n.name, done, err)
		for _, t := range done {
			gone = gone || t.Err == nil
		}
	}
	return gone
}

// rejoin makes a region that was expelled a member of the tables again.
func (f *faults) rejoin(rnd *rand.Rand, n *node) {
	w := f.w
	w.mu.Lock()
	tables := append([]*tableInfo(nil), w.tables...)
	w.mu.Unlock()
	for _, t := range tables {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); pause(rnd, 200*time.Millisecond) {
			l := w.of(rnd).at()
			if l == nil || l.n == n {
				continue
			}
			ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
			_, err := l.region.UpdateTable(ctx, t.name, catalog.Change{CreateReplica: n.name})
			cancel()
			if err == nil {
				w.say("%s is a member of %s again", n.name, t.name)
				break
			}
		}
	}
}

// expels reports whether a region was expelled: what comes of its log may be refused.
func (w *world) expels(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.expelled[name]
}
