package conflict

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/crdt"
	"github.com/meridiandb/meridian/item"
)

// origin makes the origins a, b, c of the tests.
func origin(name string) crdt.Origin { return crdt.Origin{Region: name, Incarnation: 1} }

// at reads a stamp in short: "5a" is time 5 at origin a; "" is the zero Stamp.
func at(s string) crdt.Stamp {
	if s == "" {
		return crdt.Stamp{}
	}
	t, err := strconv.Atoi(s[:len(s)-1])
	if err != nil {
		panic(err)
	}
	return crdt.Stamp{Time: crdt.Time(t), Origin: origin(s[len(s)-1:])}
}

func short(s crdt.Stamp) string {
	if s.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%d%s", s.Time, s.Origin.Region)
}

// value reads a value in short: 7 is a number, {p,q} a string set, other text a string, "" the zero Value.
func value(s string) item.Value {
	switch {
	case s == "":
		return item.Value{}
	case strings.HasPrefix(s, "{"):
		var members []item.Value
		for _, m := range strings.Split(strings.Trim(s, "{}"), ",") {
			members = append(members, item.Str(m))
		}
		v, err := item.NewSet(item.StringSet, members)
		if err != nil {
			panic(err)
		}
		return v
	}
	if n, err := item.ParseNum([]byte(s)); err == nil {
		return item.NumVal(n)
	}
	return item.Str(s)
}

func shortValue(v item.Value) string {
	switch v.Kind() {
	case item.None:
		return ""
	case item.Number:
		return v.Num().String()
	case item.StringSet:
		var ms []string
		for m := range v.Elems() {
			ms = append(ms, m.Text())
		}
		return "{" + strings.Join(ms, ",") + "}"
	}
	return v.Text()
}

// attrs reads an item in short: "x=1 y=q".
func attrs(s string) item.Item {
	var fields []item.Field
	for f := range strings.FieldsSeq(s) {
		name, v, _ := strings.Cut(f, "=")
		fields = append(fields, item.Field{Name: name, Value: value(v)})
	}
	return item.NewItem(fields)
}

func shortItem(it item.Item) string {
	if it.IsZero() {
		return "none"
	}
	var out []string
	for name, v := range it.Attrs() {
		out = append(out, name+"="+shortValue(v))
	}
	return "(" + strings.Join(out, " ") + ")"
}

func shortLosses(lost []Loss) string {
	if len(lost) == 0 {
		return "nothing"
	}
	var out []string
	for _, l := range lost {
		s := short(l.Stamp) + shortItem(l.Image)
		if l.Image.IsZero() {
			s = short(l.Stamp) + " delete"
		}
		if len(l.Attributes) > 0 {
			s += "." + strings.Join(l.Attributes, ",")
		}
		s += " to " + short(l.Winner)
		if !l.Base.IsZero() {
			s += " base " + short(l.Base)
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

// put, update, del and expire write on a state in short.
func put(p Policy, s State, stamp, it string) State {
	return Write(p, s, Local{Stamp: at(stamp), Op: Put, New: attrs(it)})
}

// update sets the named attributes ("x=1", "x=" removes) and applies additions: "n+5", "s+{p}", "s-{p}".
func update(p Policy, s State, stamp, what string) State {
	w := Local{Stamp: at(stamp), Op: Update}
	fields := []item.Field{}
	for f := range strings.FieldsSeq(what) {
		if name, v, ok := strings.Cut(f, "="); ok {
			fields = append(fields, item.Field{Name: name, Value: value(v)})
			w.Touched = append(w.Touched, name)
			continue
		}
		i := strings.IndexAny(f, "+-")
		a := Add{Name: f[:i], Value: value(f[i+1:]), Remove: f[i] == '-'}
		w.Adds = append(w.Adds, a)
		w.Touched = append(w.Touched, a.Name)
		fields = append(fields, item.Field{Name: a.Name, Value: applyAdd(s.Item().Get(a.Name), a)})
	}
	w.New = s.Item().With(fields)
	return Write(p, s, w)
}

func del(p Policy, s State, stamp string) State {
	return Write(p, s, Local{Stamp: at(stamp), Op: Delete})
}

// applyAdd is what an update expression's action makes of a value.
func applyAdd(v item.Value, a Add) item.Value {
	if a.Value.Kind() == item.Number {
		n, err := v.Num(), error(nil)
		if v.IsZero() {
			n = item.NumFromInt(0)
		}
		if n, err = n.Add(a.Value.Num()); err != nil {
			panic(err)
		}
		return item.NumVal(n)
	}
	members := map[string]item.Value{}
	for m := range v.Elems() {
		members[m.Text()] = m
	}
	for m := range a.Value.Elems() {
		if members[m.Text()] = m; a.Remove {
			delete(members, m.Text())
		}
	}
	if len(members) == 0 {
		return item.Value{}
	}
	set, err := item.NewSet(item.StringSet, slices.Collect(maps.Values(members)))
	if err != nil {
		panic(err)
	}
	return set
}
