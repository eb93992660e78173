package api

import (
	"errors"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/table"
)

// throttledError is the error of a request that its table has no capacity left for (DYNAMODB.md section 6). Provisioned
// capacity and the caps of on-demand tables have different names, except where a write to a table meets the cap of its
// index: the service names that as if it were provisioned.
func throttledError(f *fault.Error) *apiError {
	e := clientError("ProvisionedThroughputExceededException", f.Message)
	if errors.As(f, &e.throttled) {
		if r := e.throttled.First(); r.OnDemand && !r.CapsIndexWrites() {
			e.name = "ThrottlingException"
		}
	}
	return e
}

// throttlingReasons writes what had no capacity left. The member's name has a capital where the service writes one.
func (s *Server) throttlingReasons(t *table.Throttled) func(*writer) {
	return func(w *writer) {
		member := "throttlingReasons"
		if t.First().CapsIndexWrites() {
			member = "ThrottlingReasons"
		}
		w.openListMember(member)
		for _, r := range t.Reasons {
			arn := s.tableARN(t.Table)
			if r.Index != "" {
				arn += "/index/" + r.Index
			}
			w.openObject()
			w.stringMember("reason", r.String())
			w.stringMember("resource", arn)
			w.closeObject()
		}
		w.closeList()
	}
}
