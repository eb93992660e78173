package catalog

import (
	"maps"
	"slices"

	"github.com/meridiandb/meridian/internal/fault"
)

// MemberSettings is what one region's replica has for itself of the settings that are the same elsewhere (DYNAMODB.md 10.3).
// Zero members are as the table's.
type MemberSettings struct {
	Key string `json:"key,omitempty"` // ARN of the customer's key; empty: the service's own
	ReadOverride
	Class   string                  `json:"class,omitempty"`
	Indexes map[string]ReadOverride `json:"indexes,omitempty"` // replaced, never changed
}

// ReadOverride is the read capacity of a table or a global index in one region.
type ReadOverride struct {
	Read    int64 `json:"read,omitempty"`    // of provisioned ones
	MaxRead int64 `json:"maxRead,omitempty"` // of on-demand ones
}

// over puts what is asked for over what was there. Sending the value that the table has takes an override away.
func (o ReadOverride) over(asked ReadOverride, t Throughput, caps OnDemand) ReadOverride {
	if asked.Read != 0 {
		o.Read = asked.Read
	}
	if asked.MaxRead != 0 {
		o.MaxRead = asked.MaxRead
	}
	if o.Read == t.Read {
		o.Read = 0
	}
	if o.MaxRead == caps.MaxRead {
		o.MaxRead = 0
	}
	return o
}

// inMode drops the one that means nothing in the table's mode.
func (o ReadOverride) inMode(perRequest bool) ReadOverride {
	if perRequest {
		o.Read = 0
	} else {
		o.MaxRead = 0
	}
	return o
}

// apply is what throughput and caps are in the region.
func (o ReadOverride) apply(perRequest bool, t *Throughput, caps *OnDemand) {
	switch {
	case perRequest && o.MaxRead > 0:
		caps.MaxRead = o.MaxRead
	case !perRequest && o.Read > 0:
		t.Read = o.Read
	}
}

// In is the description as it holds in one region: d itself where nothing is overridden.
func (d *Descriptor) In(region string) *Descriptor {
	m := d.Member(region)
	if m == nil || m.ReadOverride == (ReadOverride{}) && m.Class == "" && len(m.Indexes) == 0 {
		return d
	}
	n := d.clone()
	m.ReadOverride.apply(d.Billing.PayPerRequest, &n.Throughput, &n.OnDemand)
	if m.Class != "" {
		n.Class = m.Class
	}
	for i := range n.Indexes {
		ix := &n.Indexes[i]
		m.Indexes[ix.Name].apply(d.Billing.PayPerRequest, &ix.Throughput, &ix.OnDemand)
	}
	return n
}

// overridden returns settings with others put over them. Indexes that the table does not have are passed over.
func (d *Descriptor) overridden(old, asked MemberSettings) MemberSettings {
	if asked.Key != "" {
		old.Key = asked.Key
	}
	asked.ReadOverride = asked.inMode(d.Billing.PayPerRequest)
	old.ReadOverride = old.over(asked.ReadOverride, d.Throughput, d.OnDemand)
	if asked.Class != "" {
		old.Class = asked.Class
	}
	if old.Class == d.Class || d.Class == "" && old.Class == "STANDARD" {
		old.Class = ""
	}
	indexes := maps.Clone(old.Indexes)
	for name, o := range asked.Indexes {
		ix := d.Index(name)
		if ix == nil || !ix.Global {
			continue
		}
		if indexes == nil {
			indexes = map[string]ReadOverride{}
		}
		if indexes[name] = indexes[name].over(o.inMode(d.Billing.PayPerRequest), ix.Throughput, ix.OnDemand); indexes[name] == (ReadOverride{}) {
			delete(indexes, name)
		}
	}
	old.Indexes = indexes
	return old
}

// applyReplicas changes what replicas have for themselves.
func applyReplicas(d *Descriptor, ch Change, _ int64) error {
	for region, asked := range ch.Replicas {
		m := d.Member(region)
		if !d.Holds(region) {
			return errNoReplica(region)
		}
		for _, o := range append(slices.Collect(maps.Values(asked.Indexes)), asked.ReadOverride) {
			switch {
			case o.Read != 0 && d.Billing.PayPerRequest:
				return invalid("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
			case o.MaxRead != 0 && !d.Billing.PayPerRequest:
				return invalid("MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED")
			}
		}
		m.MemberSettings = d.overridden(m.MemberSettings, asked)
	}
	return nil
}

// dropOverrides ends the overrides of settings that a change has made the same everywhere again, and those that the table's mode
// has no use for.
func dropOverrides(old, d *Descriptor, ch Change) {
	for i := range d.Members {
		m := &d.Members[i]
		if d.Throughput.Read != old.Throughput.Read {
			m.Read = 0
		}
		if d.OnDemand.MaxRead != old.OnDemand.MaxRead {
			m.MaxRead = 0
		}
		m.ReadOverride = m.inMode(d.Billing.PayPerRequest)
		if ch.Class != nil {
			m.Class = ""
		}
		if len(m.Indexes) == 0 {
			continue
		}
		m.Indexes = maps.Clone(m.Indexes)
		for name, o := range m.Indexes {
			was, is := old.Index(name), d.Index(name)
			switch {
			case was == nil || is == nil || was.ID != is.ID:
				o = ReadOverride{}
			default:
				if is.Throughput.Read != was.Throughput.Read {
					o.Read = 0
				}
				if is.OnDemand.MaxRead != was.OnDemand.MaxRead {
					o.MaxRead = 0
				}
			}
			o = o.inMode(d.Billing.PayPerRequest)
			if m.Indexes[name] = o; o == (ReadOverride{}) {
				delete(m.Indexes, name)
			}
		}
	}
}

func errNoReplica(region string) error {
	return invalid("Update global table operation failed because one or more replicas were not part of the global table. "+
		"Please retry the request without these replicas: [%s].", region)
}

// mayKey checks the key of a new replica: either all have one of the customer's, or none has (DYNAMODB.md 10.2).
func (d *Descriptor) mayKey(asked MemberSettings) error {
	customers := slices.ContainsFunc(d.Members, func(m Member) bool { return m.State != MemberRemoved && m.Key != "" })
	switch {
	case customers && asked.Key == "":
		return fault.New(fault.Invalid, "One or more parameter values were invalid: KMSMasterKeyId must be specified for each replica.")
	case !customers && asked.Key != "":
		return fault.New(fault.Invalid, "One or more parameter values were invalid: All replica keys must either be Customer Managed CMK or AWS Managed CMK.")
	}
	return nil
}
