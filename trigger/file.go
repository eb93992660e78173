package trigger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/google/uuid"
	"gopkg.in/yaml.v3"
)

// Declared is one trigger of a file:
//
//	triggers:
//	- Name: thumbnails            # names it in the world: the same name is the same trigger, in whatever region's file
//	  Table: music                # the table's stream; or EventSourceArn
//	  FunctionName: thumbnails    # or Sink: https://…
//	  Endpoint: http://127.0.0.1:9001
//	  StartingPosition: TRIM_HORIZON
//
// and all other fields of CreateEventSourceMapping. Filters' patterns may be written as YAML.
type Declared struct {
	Name     string
	Table    string
	Sink     string
	Mode     string
	Endpoint string
	Timeout  int // seconds
	request  request
}

// declaredFields are Declared's own; the others are the request's.
type declaredFields struct {
	Name, Table, Sink, Mode, Endpoint string
	Timeout                           int
}

// ReadFile reads triggers from YAML. It refuses what it does not know: a misspelt setting must not silently do nothing.
func ReadFile(text []byte) ([]Declared, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	var file struct {
		Triggers []map[string]any `yaml:"triggers"`
	}
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document")
	}
	var all []Declared
	seen := map[string]bool{}
	for i, fields := range file.Triggers {
		t, err := readDeclared(fields)
		if err == nil && seen[t.Name] {
			err = errors.New("there are two of that name")
		}
		if err != nil {
			return nil, fmt.Errorf("trigger %d, %q: %w", i+1, t.Name, err)
		}
		seen[t.Name] = true
		all = append(all, t)
	}
	return all, nil
}

func readDeclared(fields map[string]any) (t Declared, err error) {
	if err := patternsAsText(fields); err != nil {
		return t, err
	}
	var own declaredFields
	mine, others := map[string]any{}, map[string]any{}
	for name, v := range fields {
		if _, ok := reflect.TypeFor[declaredFields]().FieldByName(name); ok {
			mine[name] = v
			continue
		}
		if _, ok := reflect.TypeFor[request]().FieldByName(name); !ok {
			return t, fmt.Errorf("there is no field %s", name)
		}
		others[name] = v
	}
	if err := strict(mine, &own); err != nil {
		return t, err
	}
	t = Declared{Name: own.Name, Table: own.Table, Sink: own.Sink, Mode: own.Mode, Endpoint: own.Endpoint, Timeout: own.Timeout}
	if err := strict(others, &t.request); err != nil {
		return t, err
	}
	return t, t.check()
}

// strict decodes what YAML gave by JSON's rules, so that the file and the API agree about each field.
func strict(from map[string]any, to any) error {
	b, err := json.Marshal(from)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

// patternsAsText makes patterns that were written as YAML the texts that the API takes.
func patternsAsText(fields map[string]any) error {
	criteria, _ := fields["FilterCriteria"].(map[string]any)
	list, _ := criteria["Filters"].([]any)
	for _, f := range list {
		one, _ := f.(map[string]any)
		pattern, isObject := one["Pattern"].(map[string]any)
		if !isObject {
			continue
		}
		b, err := json.Marshal(pattern)
		if err != nil {
			return fmt.Errorf("FilterCriteria: %w", err)
		}
		one["Pattern"] = string(b)
	}
	return nil
}

func (t *Declared) check() error {
	r := &t.request
	switch {
	case t.Name == "":
		return errors.New("Name is missing") //nolint:revive,staticcheck // a field's name
	case (t.Table == "") == (r.EventSourceArn == nil):
		return errors.New("it has either a Table or an EventSourceArn")
	case (t.Sink == "") == (r.FunctionName == nil):
		return errors.New("it has either a FunctionName or a Sink")
	case r.Tags != nil:
		return errors.New("there is no field Tags")
	case t.Sink != "" && !isURL(t.Sink):
		return fmt.Errorf("the Sink %q is no http or https URL", t.Sink)
	}
	if t.Sink != "" {
		r.FunctionName = &t.Sink
	}
	s := t.settings()
	if err := r.change(&s); err != nil {
		return err
	}
	return s.check(true) // whether there is a folder for files, the region knows
}

// settings are those that are not the request's.
func (t *Declared) settings() Settings {
	s := defaultSettings()
	s.Endpoint, s.Timeout, s.Mode = t.Endpoint, t.Timeout, t.Mode
	return s
}

// id is the same for the same name, wherever it is declared.
func (t *Declared) id() string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("meridian:trigger:"+t.Name)).String()
}

// declareEvery is how often triggers are tried again whose table, or whose table's keeper, is not there yet.
const declareEvery = 2 * time.Second

// Declare makes triggers of a file what the file says, as soon as their tables are there. It does so once: what is changed by
// the API afterwards stays until the next start, and what a file no longer names stays until it is deleted.
func (m *Manager) Declare(all []Declared) {
	m.jobs.Go(func() {
		tick := time.NewTicker(declareEvery)
		defer tick.Stop()
		said := map[string]string{}
		for len(all) > 0 {
			var left []Declared
			for _, t := range all {
				if err := m.declare(m.ctx, t); err != nil {
					left = append(left, t)
					if said[t.Name] == err.Error() {
						continue
					}
					said[t.Name] = err.Error()
					m.o.Logger.Info("a trigger of the file is not in place yet", "trigger", t.Name, "err", err)
				}
			}
			all = left
			select {
			case <-m.ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

func (m *Manager) declare(ctx context.Context, t Declared) error {
	if t.Table != "" {
		n, err := m.o.Source.EnabledStream(t.Table)
		if err != nil {
			return err
		}
		arn := m.streamARN(n)
		t.request.EventSourceArn = &arn
	}
	id := t.id()
	have, err := m.find(id)
	if err != nil {
		_, err = m.create(ctx, id, t.request, t.settings())
		return err // another region with the same file may have been first: then it is found next time
	}
	was, err := decodeSettings(have.Spec)
	if err != nil {
		return err
	}
	s := t.settings()
	if err := t.request.change(&s); err != nil {
		return err
	}
	s.Position, s.Timestamp = was.Position, was.Timestamp // where it began it began
	if reflect.DeepEqual(s, was) {
		return nil
	}
	_, err = m.put(ctx, have, was, s)
	return err
}
