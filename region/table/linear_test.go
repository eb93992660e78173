package table

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/meridiandb/meridian/item"
	"github.com/meridiandb/meridian/storage"
)

// Histories are judged by porcupine. An operation reads or writes some of a few items, whose values are small numbers, 0
// for an item that is not there; all of its parts happen at one moment.
//
// go test ./region/table -run 'TestLinearizable|TestSerializable' -history.ops=50000

type call struct {
	parts [][3]int // item, expected value (-1: any), new value (-1: only read)
	read  bool     // a read of all the items, which expects nothing
}

type answer struct {
	done bool
	seen []int // what each part found
}

const linearItems = 5

type world [linearItems]int

// step is the sequential specification.
func (c call) step(w world, a answer) (bool, world) {
	next, hold := w, true
	for i, p := range c.parts {
		if a.seen[i] != w[p[0]] {
			return false, w
		}
		hold = hold && (p[1] < 0 || p[1] == w[p[0]])
		if p[2] >= 0 {
			next[p[0]] = p[2]
		}
	}
	if a.done != hold {
		return false, w
	}
	if !hold {
		return true, w
	}
	return true, next
}

var linearModel = porcupine.Model{
	Init: func() any { return world{} },
	Step: func(s, in, out any) (bool, any) {
		ok, next := in.(call).step(s.(world), out.(answer))
		return ok, next
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %+v", in, out) },
}

// perItem splits a history of single-item operations.
var perItem = porcupine.Model{
	Init: linearModel.Init, Step: linearModel.Step, DescribeOperation: linearModel.DescribeOperation,
	Partition: func(h []porcupine.Operation) [][]porcupine.Operation {
		parts := make([][]porcupine.Operation, linearItems)
		for _, op := range h {
			i := op.Input.(call).parts[0][0]
			parts[i] = append(parts[i], op)
		}
		return parts
	},
}

func linearKey(i int) item.Key { return item.Key{Hash: []item.Value{item.Bin([]byte{byte(i)})}} }

func valueOf(it item.Item) int {
	n, _ := it.Get("v").Num().Int64()
	return int(n)
}

func (c call) write(p [3]int) Write {
	w := Write{Op: Check, Key: linearKey(p[0])}
	switch {
	case p[2] == 0:
		w.Op = Delete
	case p[2] > 0 && p[2]%2 == 0:
		w.Op, w.Update = Update, update("SET v = :v", values{":v": num(p[2])})
	case p[2] > 0:
		w.Op = Put
		w.Item = item.NewItem([]item.Field{{Name: "id", Value: w.Key.Hash[0]}, {Name: "v", Value: num(p[2])}})
	}
	switch {
	case p[1] == 0:
		w.Condition = cond("attribute_not_exists(id)", nil)
	case p[1] > 0:
		w.Condition = cond("v = :v", values{":v": num(p[1])})
	}
	return w
}

// run does a call; ok is false if its answer does not say all that is to be judged.
func (c call) run(tab *Table) (a answer, err error) {
	e := tab.engine
	if c.read && len(c.parts) == 1 {
		res, err := tab.Get(bg, linearKey(c.parts[0][0]), true)
		return answer{true, []int{valueOf(res.Item)}}, err
	}
	if c.read {
		keys := make([]TableKey, len(c.parts))
		for i, p := range c.parts {
			keys[i] = TableKey{tab, linearKey(p[0])}
		}
		res, err := e.TransactGet(bg, keys)
		a.done = true
		for _, r := range res {
			a.seen = append(a.seen, valueOf(r.Item))
		}
		return a, err
	}
	ws := make([]TableWrite, len(c.parts))
	for i, p := range c.parts {
		ws[i] = TableWrite{tab, c.write(p)}
	}
	results, reasons := make([]WriteResult, 1), make([]error, 1)
	if len(ws) == 1 {
		if results[0], reasons[0] = tab.Write(bg, ws[0].Write); reasons[0] == nil {
			reasons = nil
		}
	} else {
		done, err := e.Transact(bg, nil, ws)
		if err != nil {
			return a, err
		}
		results, reasons = done.Results, done.Reasons
	}
	if a.done = reasons == nil; a.done {
		for _, r := range results {
			a.seen = append(a.seen, valueOf(r.Old))
		}
		return a, nil
	}
	for i, reason := range reasons {
		cf, ok := reason.(*ConditionFailed)
		if !ok && reason != nil {
			return a, reason
		}
		if !ok { // what a part found that was fine is not told, but its condition tells
			a.seen = append(a.seen, c.parts[i][1])
			continue
		}
		a.seen = append(a.seen, valueOf(cf.Item))
	}
	return a, nil
}

// record has clients make n calls each, and notes when.
func recordCalls(t *testing.T, tab *Table, clients, n int, draw func(g *gen) call) []porcupine.Operation {
	first := seed(t)
	var mu sync.Mutex
	var history []porcupine.Operation
	var now atomic.Int64
	var wg sync.WaitGroup
	for i := range clients {
		g := newGen(first + uint64(i))
		wg.Go(func() {
			for range n {
				c := draw(g)
				op := porcupine.Operation{ClientId: i, Input: c, Call: now.Add(1)}
				a, err := c.run(tab)
				op.Output, op.Return = a, now.Add(1)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				history = append(history, op)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return history
}

func judgeHistory(t *testing.T, m porcupine.Model, h []porcupine.Operation) {
	t.Helper()
	if res := porcupine.CheckOperationsTimeout(m, h, time.Minute); res != porcupine.Ok {
		t.Errorf("%d operations: %s", len(h), res)
	}
}

// value draws a new value: small, so that conditions hold now and then.
func (g *gen) value() int { return g.IntN(5) }

func TestLinearizable(t *testing.T) {
	onEngines(t, func(t *testing.T, s storage.Store) {
		r := newRig(t, s, "a")
		tab := r.describe(narrow(true))
		n := 150
		if *historyOps > 0 {
			n = *historyOps / 8
		}
		h := recordCalls(t, tab, 8, n, func(g *gen) call {
			p := [3]int{g.IntN(linearItems), -1, -1}
			if g.one(3) {
				return call{read: true, parts: [][3]int{p}}
			}
			if p[2] = g.value(); g.one(2) {
				p[1] = g.value()
			}
			return call{parts: [][3]int{p}}
		})
		judgeHistory(t, perItem, h)
		r.check()
	})
}

// Many short histories: judging one takes time that grows fast with its length.
func TestSerializable(t *testing.T) {
	onEngines(t, func(t *testing.T, s storage.Store) {
		rounds := 12
		if *historyOps > 0 {
			rounds = *historyOps / 240
		}
		for round := range rounds {
			r := newRig(t, s, "a")
			d := narrow(true)
			d.ID = tableID(byte(100 + round%100))
			if err := r.engine.RemoveTable(bg, d.ID); err != nil {
				t.Fatal(err)
			}
			tab := r.describe(d)
			h := recordCalls(t, tab, 6, 40, func(g *gen) call {
				var c call
				c.read = g.one(3)
				for _, i := range g.Perm(linearItems)[:1+g.IntN(3)] {
					p := [3]int{i, -1, -1}
					if !c.read {
						p[1] = g.value() // every part has a condition: so an answer says all
						if p[2] = g.value(); g.one(4) {
							p[2] = -1
						}
					}
					c.parts = append(c.parts, p)
				}
				return c
			})
			judgeHistory(t, linearModel, h)
			if r.check(); t.Failed() {
				return
			}
		}
	})
}
