package catalog

import (
	"strings"
	"testing"

	"github.com/meridiandb/meridian/item"
)

const hour = 60 * 60 * 1000

// TestChanges is what UpdateTable does and refuses, setting by setting (DYNAMODB.md 5.1, 9.1, 10.3).
func TestChanges(t *testing.T) {
	yes, no, none, kms, rare := true, false, "", "KMS", "STANDARD_INFREQUENT_ACCESS"
	ix := func(name string, attr string) *Index {
		return &Index{Name: name, Projection: "ALL", Schema: item.KeySchema{Hash: []item.KeyAttr{{Name: attr}}}}
	}
	provisioned := func(d *Descriptor) {
		d.Billing.PayPerRequest, d.Throughput = false, Throughput{5, 5}
		d.Indexes = []Index{{ID: 1, Name: "gx", Global: true, Schema: d.Schema, Throughput: Throughput{2, 2}}}
	}
	ttl := func(d *Descriptor) { d.TTL = TTLSpec{Enabled: true, Attribute: "t"} }
	for _, c := range []struct {
		name  string
		begin func(*Descriptor)
		ch    Change
		err   string
		check func(*Descriptor) bool
	}{
		{"on demand again is silent", nil, Change{Billing: &yes}, "", func(d *Descriptor) bool { return d.Billing.SwitchedAt == 0 }},
		{"to on demand", provisioned, Change{Billing: &yes}, "", func(d *Descriptor) bool {
			return d.Billing.PayPerRequest && d.Billing.EverPerRequest && d.Billing.SwitchedAt == 10*hour &&
				d.Throughput == Throughput{} && d.Indexes[0].Throughput == Throughput{}
		}},
		{"to provisioned without throughput", nil, Change{Billing: &no}, "ProvisionedThroughput must be specified when BillingMode is PROVISIONED", nil},
		{"to provisioned", nil, Change{Billing: &no, Throughput: &Throughput{1, 2}}, "", func(d *Descriptor) bool {
			return !d.Billing.PayPerRequest && d.Throughput == Throughput{1, 2}
		}},
		{"throughput on demand", nil, Change{Throughput: &Throughput{1, 1}}, "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST", nil},
		{"the same throughput", provisioned, Change{Throughput: &Throughput{5, 5}},
			"The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: 5. Requested ReadCapacityUnits: 5.", nil},
		{"more", provisioned, Change{Throughput: &Throughput{6, 5}}, "", func(d *Descriptor) bool {
			return d.Billing.LastIncreasedAt == 10*hour && d.Billing.LastDecreasedAt == 0 && d.Billing.DecreasesOfDay == 0
		}},
		{"more and less", func(d *Descriptor) { provisioned(d); d.Billing.LastDecreasedAt, d.Billing.DecreasesOfDay = 9*hour, 2 },
			Change{Throughput: &Throughput{9, 1}}, "", func(d *Descriptor) bool {
				return d.Billing.LastIncreasedAt == 10*hour && d.Billing.LastDecreasedAt == 10*hour && d.Billing.DecreasesOfDay == 3
			}},
		{"less on another day", func(d *Descriptor) { provisioned(d); d.Billing.LastDecreasedAt, d.Billing.DecreasesOfDay = -30*hour, 2 },
			Change{Throughput: &Throughput{1, 1}}, "", func(d *Descriptor) bool { return d.Billing.DecreasesOfDay == 1 }},
		{"an index's throughput", provisioned, Change{IndexThroughput: map[string]Throughput{"gx": {3, 3}}}, "",
			func(d *Descriptor) bool { return d.Indexes[0].Throughput == Throughput{3, 3} }},
		{"an index's same throughput", provisioned, Change{IndexThroughput: map[string]Throughput{"gx": {2, 2}}}, "The provisioned throughput for the index gx will not change.", nil},
		{"no such index", provisioned, Change{IndexThroughput: map[string]Throughput{"no": {3, 3}}}, "Requested resource not found: Index no for table T", nil},
		{"caps on demand", nil, Change{OnDemand: &OnDemand{7, 8}}, "", func(d *Descriptor) bool { return d.OnDemand == OnDemand{7, 8} }},
		{"caps when provisioned", provisioned, Change{OnDemand: &OnDemand{7, 8}}, "cannot be specified when the table BillingMode is PROVISIONED", nil},
		{"an index", nil, Change{CreateIndex: ix("x", "a"), Attributes: []AttributeChange{{"a", "N"}}}, "", func(d *Descriptor) bool {
			return d.Index("x").Schema.Hash[0].Kind == item.Number && d.Index("x").ID == 1 && len(d.Attributes) == 2
		}},
		{"an index of nothing", nil, Change{CreateIndex: ix("x", "a")}, "Some index key attributes are not defined in AttributeDefinitions. Keys: [a], AttributeDefinitions: [pk]", nil},
		{"an index that is there", provisioned, Change{CreateIndex: ix("gx", "pk")}, "already exists", nil},
		{"an attribute of another type", nil, Change{CreateIndex: ix("x", "pk"), Attributes: []AttributeChange{{"pk", "N"}}}, "cannot be changed", nil},
		{"deleting no index", nil, Change{DeleteIndex: "x"}, "Requested resource not found: Index x for table T", nil},
		{"deleting an index", func(d *Descriptor) {
			d.Attributes = append(d.Attributes, item.KeyAttr{Name: "a", Kind: item.String})
			i := *ix("x", "a")
			i.ID, i.Global, d.NextIndex = 1, true, 1
			d.Indexes = []Index{i}
		}, Change{DeleteIndex: "x"}, "", func(d *Descriptor) bool { return len(d.Indexes) == 0 && len(d.Attributes) == 1 && d.NextIndex == 1 }},
		{"deleting a local index", func(d *Descriptor) { d.Indexes = []Index{{ID: 1, Name: "l"}} }, Change{DeleteIndex: "l"}, "Cannot delete an index that is not a GlobalSecondaryIndex: l", nil},
		{"expiry", nil, Change{TTL: &TTLSpec{Enabled: true, Attribute: "t"}}, "", func(d *Descriptor) bool { return d.TTL == TTLSpec{true, "t", 10 * hour} }},
		{"expiry again", ttl, Change{TTL: &TTLSpec{Enabled: true, Attribute: "t"}}, "TimeToLive is already enabled", nil},
		{"expiry by another attribute", ttl, Change{TTL: &TTLSpec{Enabled: true, Attribute: "u"}}, "TimeToLive is active on a different AttributeName: current AttributeName is t", nil},
		{"no expiry", ttl, Change{TTL: &TTLSpec{Attribute: "t"}}, "", func(d *Descriptor) bool { return !d.TTL.Enabled }},
		{"no expiry again", nil, Change{TTL: &TTLSpec{Attribute: "t"}}, "TimeToLive is already disabled", nil},
		{"class", nil, Change{Class: &rare}, "", func(d *Descriptor) bool { return d.Class == rare }},
		{"encryption", nil, Change{SSE: &kms}, "", func(d *Descriptor) bool { return d.SSE == kms }},
		{"no encryption", nil, Change{SSE: &none}, "Table is already encrypted by default", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			pk := []item.KeyAttr{{Name: "pk", Kind: item.String}}
			d := &Descriptor{Name: "T", Schema: item.KeySchema{Hash: pk}, Attributes: pk, Billing: Billing{PayPerRequest: true}}
			if c.begin != nil {
				c.begin(d)
			}
			before := string(encode(d))
			n, err := d.apply(c.ch, 10*hour)
			if string(encode(d)) != before {
				t.Errorf("the old description was changed: %s", encode(d))
			}
			switch {
			case c.err == "" && err != nil, c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("error %v, want %q", err, c.err)
			case err == nil && !c.check(n):
				t.Errorf("became %s", encode(n))
			}
			if c.ch.CreateIndex != nil && c.ch.CreateIndex.Schema.Hash[0].Kind != item.None {
				t.Error("the request was written into")
			}
		})
	}
}
