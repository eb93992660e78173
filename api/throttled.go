package api

import (
	"errors"

	"github.com/meridiandb/meridian/internal/fault"
)

// throttledError is the error of a request that its table has no capacity left for (DYNAMODB.md section 6). Provisioned
// capacity and the caps of on-demand tables have different names, except where a write to a table meets the cap of its
// index: the service names that as if it were provisioned.
func throttledError(f *fault.Error) *apiError {
	e := clientError("ProvisionedThroughputExceededException", f.Message)
	if errors.As(f, &e.throttled) && e.throttled.First().OnDemand && !e.throttled.First().CapsIndexWrites() {
		e.name = "ThrottlingException"
	}
	return e
}

// throttlingReasons writes what had no capacity left. The API model, and so every SDK, gives the member a capital in one of
// the two errors and not in the other.
func (s *Server) throttlingReasons(e *apiError) func(*writer) {
	return func(w *writer) {
		member := "ThrottlingReasons"
		if e.name == "ThrottlingException" {
			member = "throttlingReasons"
		}
		w.openListMember(member)
		for _, r := range e.throttled.Reasons {
			arn := s.tableARN(e.throttled.Table)
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
