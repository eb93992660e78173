package route

import (
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// With makes a client of the AWS SDK for Go v2 send its requests through a router:
//
//	client := dynamodb.NewFromConfig(cfg, route.With(router))
//
// The client is one session; WithSession puts single requests into another. Give it after options that set an HTTP client,
// an endpoint or a retryer, which it replaces or wraps.
func With(r *Router) func(*dynamodb.Options) {
	s := NewSession()
	return func(o *dynamodb.Options) {
		o.HTTPClient = sdkClient{r, s}
		o.BaseEndpoint = aws.String(r.o.Regions[0].Endpoint)
		o.Retryer = retryer{o.Retryer}
	}
}

// sdkClient is a router as the SDK's HTTP client.
type sdkClient struct {
	router  *Router
	session *Session
}

func (c sdkClient) Do(req *http.Request) (*http.Response, error) {
	s := c.session
	if own, ok := req.Context().Value(sessionKey{}).(*Session); ok {
		s = own
	}
	resp, err := c.router.Do(req, s)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// retryer is the SDK's own, but for what the router has decided: it has tried all that is safe.
type retryer struct{ aws.Retryer }

func (r retryer) IsErrorRetryable(err error) bool {
	var fate *UnknownFateError
	var none *UnavailableError
	if errors.As(err, &fate) || errors.As(err, &none) {
		return false
	}
	return r.Retryer.IsErrorRetryable(err)
}
