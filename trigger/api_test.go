package trigger

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meridiandb/meridian/region/catalog"
)

// TestLifeByAPI: create, list, disable, change, delete, and Lambda's refusals.
func TestLifeByAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.create(nil)
		h := w.api("POST", "/", fields{"EventSourceArn": w.arn(), "FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:fn", "StartingPosition": "LATEST"}, 409, nil)
		if h.Get("X-Amzn-Errortype") != "ResourceConflictException" {
			t.Errorf("%v", h)
		}
		for _, c := range []struct {
			in   fields
			code string
		}{
			{fields{"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q"}, "InvalidParameterValueException"},
			{fields{"EventSourceArn": strings.Replace(w.arn(), "table/T", "table/U", 1)}, "InvalidParameterValueException"},
			{fields{"StartingPosition": "NOW"}, "InvalidParameterValueException"},
			{fields{"StartingPosition": nil}, "InvalidParameterValueException"},
			{fields{"BatchSize": 0}, "InvalidParameterValueException"},
			{fields{"BatchSize": 10001}, "InvalidParameterValueException"},
			{fields{"ParallelizationFactor": 11}, "InvalidParameterValueException"},
			{fields{"MaximumRecordAgeInSeconds": 59}, "InvalidParameterValueException"},
			{fields{"TumblingWindowInSeconds": 5}, "InvalidParameterValueException"},
			{fields{"FilterCriteria": fields{"Filters": []fields{{"Pattern": "{"}}}}, "InvalidParameterValueException"},
			{fields{"DestinationConfig": fields{"OnFailure": fields{"Destination": "arn:aws:sqs:us-east-1:0:q"}}}, "InvalidParameterValueException"},
			{fields{"DestinationConfig": fields{"OnFailure": fields{"Destination": "file:x"}}}, "InvalidParameterValueException"}, // no folder
			{fields{"Topics": []string{"x"}}, "InvalidParameterValueException"},
			{fields{"BatchSize": "x"}, "InvalidRequestContentException"},
		} {
			in := fields{"EventSourceArn": w.arn(), "FunctionName": "other", "StartingPosition": "LATEST"}
			for k, v := range c.in {
				in[k] = v
			}
			if h := w.api("POST", "/", in, 400, nil); h.Get("X-Amzn-Errortype") != c.code {
				t.Errorf("%v: %v", c.in, h)
			}
		}
		w.api("POST", "/", fields{"EventSourceArn": w.arn(), "FunctionName": "second", "StartingPosition": "LATEST"}, 202, nil)
		var page, rest mappingsPage
		w.api("GET", "/?MaxItems=1", nil, 200, &page)
		w.api("GET", "/?Marker="+page.NextMarker, nil, 200, &rest)
		if len(page.EventSourceMappings) != 1 || len(rest.EventSourceMappings) != 1 || rest.NextMarker != "" ||
			page.EventSourceMappings[0].UUID == rest.EventSourceMappings[0].UUID {
			t.Errorf("%+v, %+v", page, rest)
		}
		w.api("GET", "/?FunctionName=second&EventSourceArn="+w.arn(), nil, 200, &page)
		if len(page.EventSourceMappings) != 1 || !strings.HasSuffix(page.EventSourceMappings[0].FunctionArn, ":second") {
			t.Errorf("%+v", page)
		}
		var d Mapping
		w.api("PUT", "/"+id, fields{"Enabled": false}, 202, &d)
		if d.State != "Disabling" {
			t.Errorf("%+v", d)
		}
		w.until("disabled", func() bool { return w.get(id).State == "Disabled" })
		w.put("a", 1)
		time.Sleep(time.Minute)
		w.fn.mu.Lock()
		w.fn.calls = slices.DeleteFunc(w.fn.calls, func(c call) bool { return strings.Contains(c.url, "second") })
		w.fn.mu.Unlock()
		if n := len(w.fn.all()); n != 0 {
			t.Errorf("%d calls while disabled", n)
		}
		w.api("PUT", "/"+id, fields{"Enabled": true, "BatchSize": 7, "FunctionName": "third"}, 202, &d)
		if d.State != "Enabling" || d.BatchSize != 7 {
			t.Errorf("%+v", d)
		}
		w.until("delivered", func() bool { return len(w.fn.count()) == 1 })
		if !strings.Contains(w.fn.all()[0].url, "/third/") {
			t.Errorf("called %s", w.fn.all()[0].url)
		}
		w.api("DELETE", "/"+id, nil, 202, &d)
		if d.State != "Deleting" {
			t.Errorf("%+v", d)
		}
		for _, method := range []string{"GET", "DELETE", "PUT"} {
			if h := w.api(method, "/"+id, fields{}, 404, nil); h.Get("X-Amzn-Errortype") != "ResourceNotFoundException" {
				t.Errorf("%v", h)
			}
		}
		w.put("a", 2)
		time.Sleep(time.Minute)
		for _, c := range w.fn.all() {
			if strings.Contains(c.url, "/third/") && len(c.records) > 0 && c.records[0].String() == "a=2" {
				t.Error("called after its end")
			}
		}
		if _, err := w.store.Get(storeKey(id)); err == nil {
			t.Error("something is kept of a trigger that was deleted")
		}
	})
}

// TestMadeAnew: a trigger that was deleted and made again under its id, while its region looked or while it was away, begins
// anew; of one that was deleted nothing is kept.
func TestMadeAnew(t *testing.T) {
	for _, away := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer func() { w.close() }()
			w.put("a", 1)
			id := w.create(nil)
			gone := w.create(fields{"FunctionName": "gone"})
			w.until("delivered", func() bool { return len(w.fn.all()) == 2 })
			time.Sleep(time.Minute)
			had, err := w.m.find(id)
			if err != nil {
				t.Fatal(err)
			}
			if away {
				w.m.Close()
			}
			change := func(ch catalog.TriggerChange) {
				t.Helper()
				if err := w.region.ChangeTriggers(t.Context(), had.Table, ch); err != nil {
					t.Fatal(err)
				}
			}
			change(catalog.TriggerChange{Delete: id})
			change(catalog.TriggerChange{Delete: gone})
			change(catalog.TriggerChange{Create: &had.Trigger})
			if away {
				w.open()
			}
			w.until("delivered anew", func() bool { return w.fn.count()["a=1"] == 3 })
			time.Sleep(time.Minute)
			if n := w.fn.count()["a=1"]; n != 3 {
				t.Errorf("away %v: delivered %d times", away, n)
			}
			if _, err := w.store.Get(storeKey(gone)); err == nil {
				t.Errorf("away %v: something is kept of a trigger that was deleted", away)
			}
		})
	}
}

// TestFile: triggers of a file are made when their tables are there, once, and changed when the file is.
func TestFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		read := func(text string) []Declared {
			t.Helper()
			all, err := ReadFile([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		const file = `
triggers:
- Name: one
  Table: U
  FunctionName: fn
  StartingPosition: TRIM_HORIZON
  Endpoint: http://elsewhere.test
  FilterCriteria:
    Filters:
    - Pattern: {eventName: [INSERT]}
`
		all := read(file)
		w.m.Declare(all)
		time.Sleep(time.Minute)
		w.table("U")
		id := all[0].id()
		w.until("there", func() bool { _, err := w.m.Get(id); return err == nil })
		if d := w.get(id); d.FilterCriteria.Filters[0].Pattern != `{"eventName":["INSERT"]}` || d.BatchSize != 100 {
			t.Errorf("%+v", d)
		}
		w.m.Declare(read(strings.Replace(file, "Name: one", "Name: one\n  BatchSize: 5", 1)))
		w.until("changed", func() bool { return w.get(id).BatchSize == 5 })
		var page mappingsPage
		w.api("GET", "/", nil, 200, &page)
		if len(page.EventSourceMappings) != 1 {
			t.Errorf("%+v", page)
		}
	})
	for _, text := range []string{
		"triggers: [{}]", "x: 1", "triggers:\n- {Name: a, Table: T}", "triggers:\n- {Name: a, Table: T, FunctionName: f, StartingPosition: LATEST, Nonsense: 1}",
		"triggers:\n- {Name: a, Table: T, FunctionName: f, Sink: 'http://x.test', StartingPosition: LATEST}",
		"triggers:\n- {Name: a, FunctionName: f, StartingPosition: LATEST}",
		"triggers:\n- {Name: a, Table: T, FunctionName: f, StartingPosition: LATEST, BatchSize: many}",
		"triggers:\n- {Name: a, Table: T, FunctionName: f, StartingPosition: LATEST}\n- {Name: a, Table: T, FunctionName: g, StartingPosition: LATEST}",
	} {
		if all, err := ReadFile([]byte(text)); err == nil {
			t.Errorf("%s is taken: %+v", text, all)
		}
	}
}

// TestSettingsSurvive: what is stored is what was asked for.
func TestSettingsSurvive(t *testing.T) {
	s := defaultSettings()
	s.Function, s.Position, s.Filters, s.Timestamp = "f", "LATEST", []string{"{}"}, 1.5
	got, err := decodeSettings(s.encode())
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("%+v %v", got, err)
	}
}
