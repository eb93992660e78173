package trigger

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestCloudEvents has the three modes of the specification's HTTP binding, 1.0.
func TestCloudEvents(t *testing.T) {
	for _, mode := range []string{"", "structured", "batch"} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				failures := 0
				w.fn.do = func(c call) answered {
					if failures++; failures == 2 {
						return answered{status: 503}
					}
					return answered{status: 204}
				}
				w.put("a", 1)
				w.put("a", 2)
				in := fields{"FunctionName": "https://sink.test/x"}
				if mode != "" {
					in["Tags"] = fields{"meridian:mode": mode}
				}
				w.create(in)
				calls := map[string]int{"": 3, "structured": 3, "batch": 1}[mode]
				w.until("all", func() bool { return len(w.fn.all()) == calls })
				time.Sleep(time.Minute)
				if n := len(w.fn.all()); n != calls {
					t.Fatalf("%d calls", n)
				}
				c := w.fn.all()[0]
				e := fields{}
				switch mode {
				case "":
					for k, v := range c.request.Header {
						if name, ok := strings.CutPrefix(k, "Ce-"); ok {
							e[strings.ToLower(name)] = v[0]
						}
					}
					e["datacontenttype"] = c.request.Header.Get("Content-Type")
					var data any
					if err := json.Unmarshal(c.body, &data); err != nil {
						t.Fatal(err)
					}
					e["data"] = data
				case "structured":
					if got := c.request.Header.Get("Content-Type"); got != "application/cloudevents+json; charset=UTF-8" {
						t.Error(got)
					}
					if err := json.Unmarshal(c.body, &e); err != nil {
						t.Fatal(err)
					}
				case "batch":
					var all []fields
					if err := json.Unmarshal(c.body, &all); err != nil || len(all) != 2 {
						t.Fatal(err, len(all))
					}
					e = all[0]
				}
				data, _ := e["data"].(map[string]any)
				if e["specversion"] != "1.0" || e["id"] != data["eventID"] || e["source"] != w.arn() || e["type"] != "io.meridian.item.insert" ||
					e["subject"] != "T" || e["datacontenttype"] != "application/json" || e["sequence"] == "" {
					t.Errorf("%v", e)
				}
				if _, err := time.Parse(time.RFC3339, fmt.Sprint(e["time"])); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
