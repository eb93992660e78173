package conflict

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// register is one attribute: a value that the last writer wins, and what was added to it since. The value of a counter is
// its base, of a set what is left of the members that were written at once.
//
//	at is zero, or >= clear, and then At(at) != clear
type register struct {
	name  string
	at    crdt.Stamp // zero: written by clear
	value item.Value // zero: removed
	cut   bool       // clear wrote value as a set, and updates have removed members since (false wherever at is not zero)
	seen  tallies    // what the writer of value had seen of cum
	cum   tallies    // a counter's additions
	added crdt.Elements
}

type tallies = crdt.Tallies[item.Num]

// plain reports whether the register says no more than that clear wrote its value.
func (r *register) plain() bool {
	return r.at.IsZero() && !r.cut && len(r.seen) == 0 && len(r.cum) == 0 && len(r.added) == 0
}

// version is the version of its base.
func (r *register) version(s *State) crdt.Version {
	if r.at.IsZero() {
		return s.clear
	}
	return crdt.At(r.at)
}

// kind is the attribute's type as it shows. A base of any type but number and set stands alone; a number takes additions,
// a set takes members of its own type; without a base, the newest addition says what it is.
func (r *register) kind() item.Kind {
	if !r.value.IsZero() {
		return r.value.Kind()
	}
	var newest crdt.Stamp
	kind := item.None
	for _, t := range r.cum.Unseen(r.seen) {
		if newest.Less(t.Dot) {
			newest, kind = t.Dot, item.Number
		}
	}
	for _, e := range r.added {
		for _, d := range e.Dots {
			if newest.Less(d) {
				newest, kind = d, setOf(memberValue(e).Kind())
			}
		}
	}
	return kind
}

// show is the attribute's value.
func (r *register) show() item.Value {
	switch kind := r.kind(); {
	case kind == item.Number:
		base := item.NumFromInt(0)
		if !r.value.IsZero() {
			if len(r.cum) == 0 {
				return r.value
			}
			base = r.value.Num()
		}
		return item.NumVal(r.cum.Value(base, r.seen))
	case kind.IsSet() && len(r.added) > 0:
		members := r.members()
		for _, e := range r.added {
			if v := memberValue(e); v.Kind() == kind.Member() && !slices.ContainsFunc(members, v.Equal) {
				members = append(members, v)
			}
		}
		return makeSet(kind, members)
	}
	return r.value
}

// shown lists the dots that have a part in what the attribute shows: of its base, if there is any value, and of additions
// that its type does not shut out.
func (r *register) shown(s *State) []crdt.Stamp {
	var dots []crdt.Stamp
	if !r.value.IsZero() {
		dots = append(dots, r.version(s).Dot)
	}
	return append(dots, r.additions()...)
}

// additions lists the dots of additions that show.
func (r *register) additions() []crdt.Stamp {
	if len(r.cum) == 0 && len(r.added) == 0 {
		return nil
	}
	var dots []crdt.Stamp
	switch kind := r.kind(); {
	case kind == item.Number:
		for _, t := range r.cum.Unseen(r.seen) {
			dots = append(dots, t.Dot)
		}
	case kind.IsSet():
		for _, e := range r.added {
			if memberValue(e).Kind() == kind.Member() {
				dots = append(dots, e.Dots...)
			}
		}
	}
	return dots
}

// members lists the members of a base that is a set.
func (r *register) members() []item.Value { return slices.Collect(r.value.Elems()) }

func memberValue(e crdt.Element) item.Value { return item.Trusted([]byte(e.Member)) }

// makeSet is the zero Value for no members: DynamoDB has no empty sets.
func makeSet(kind item.Kind, members []item.Value) item.Value {
	if len(members) == 0 {
		return item.Value{}
	}
	v, err := item.NewSet(kind, members)
	if err != nil {
		panic("conflict: members of a set make no set: " + err.Error()) // they are distinct and of one type
	}
	return v
}

// setOf is the set type with members of kind k.
func setOf(k item.Kind) item.Kind { return k - item.String + item.StringSet }

// attr returns the register of an attribute: its own, or the one that clear wrote.
func (s *State) attr(name string) register {
	if i, ok := s.find(name); ok {
		return s.attrs[i]
	}
	return register{name: name, value: s.view.Get(name)}
}

func (s *State) find(name string) (int, bool) {
	return slices.BinarySearchFunc(s.attrs, name, func(r register, n string) int { return strings.Compare(r.name, n) })
}

// set makes regs, in any order but each name once, the registers of the state beside the attributes that clear wrote,
// which are plain; it builds the view.
func (s *State) set(plain []item.Field, regs []register) {
	for i := range regs {
		if v := regs[i].show(); !v.IsZero() {
			plain = append(plain, item.Field{Name: regs[i].name, Value: v})
		}
	}
	s.keep(regs, item.NewItem(plain))
}

// keep makes regs, which become the state's, its registers where the view is known already.
func (s *State) keep(regs []register, view item.Item) {
	kept, sorted := 0, true
	for i := range regs {
		r := &regs[i]
		if !r.at.IsZero() && crdt.At(r.at) == s.clear {
			r.at = crdt.Stamp{}
		}
		if r.plain() {
			continue
		}
		if kept != i {
			regs[kept] = *r
		}
		sorted = sorted && (kept == 0 || regs[kept-1].name < r.name)
		kept++
	}
	if s.attrs = regs[:kept]; kept == 0 {
		s.attrs = nil
	}
	if !sorted {
		slices.SortFunc(s.attrs, func(a, b register) int { return strings.Compare(a.name, b.name) })
	}
	s.setView(view)
}
