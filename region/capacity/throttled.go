package capacity

// Reason is one limit that had nothing left.
type Reason struct {
	Index    string // global index; "" is the table
	Way      Way
	OnDemand bool
}

// String is the reason as DynamoDB names it.
func (r Reason) String() string {
	s := "Table"
	if r.Index != "" {
		s = "Index"
	}
	if r.Way == Read {
		s += "Read"
	} else {
		s += "Write"
	}
	if r.OnDemand {
		return s + "MaxOnDemandThroughputExceeded"
	}
	return s + "ProvisionedThroughputExceeded"
}

// CapsIndexWrites reports whether the limit is an on-demand index's on writes: the service answers it unlike the others.
func (r Reason) CapsIndexWrites() bool { return r.OnDemand && r.Index != "" && r.Way == Write }

// Throttled is the error of a request that was refused, with at least one reason.
type Throttled struct {
	Table   string
	Reasons []Reason
}

// First is the reason that decides how the error is worded: the table's, if that is one of them.
func (t *Throttled) First() Reason {
	for _, r := range t.Reasons {
		if r.Index == "" {
			return r
		}
	}
	return t.Reasons[0]
}

// Texts of DYNAMODB.md section 6 and, for writes to an on-demand index, 7.3; they end as the service's do.
const (
	provisionedTable = "The level of configured provisioned throughput for the table was exceeded. " +
		"Consider increasing your provisioning level with the UpdateTable API."
	provisionedIndex = "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. " +
		"Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API"
	onDemandTable = "Throughput exceeds the current capacity of your table or index. " +
		"DynamoDB is automatically scaling your table or index so please try again shortly. " +
		"If exceptions persist, check if you have a hot key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
	onDemandIndexWrite = "Throughput exceeds the current capacity for one or more global secondary indexes. " +
		"DynamoDB is automatically scaling your index so please try again shortly."
)

// Error is what the client reads.
func (t *Throttled) Error() string {
	switch r := t.First(); {
	case r.CapsIndexWrites():
		return onDemandIndexWrite
	case r.OnDemand:
		return onDemandTable
	case r.Index != "":
		return provisionedIndex
	}
	return provisionedTable
}
