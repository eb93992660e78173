package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/pflag"
)

// endpoints are the regions to look at, as name=URL.
type endpoints []string

func defaultEndpoints() endpoints {
	return endpoints{
		"us-east-1=http://127.0.0.1:8000", "eu-west-1=http://127.0.0.1:8001", "ap-northeast-1=http://127.0.0.1:8002",
	}
}

func (e *endpoints) flag(f *pflag.FlagSet) {
	f.StringSliceVar((*[]string)(e), "regions", *e, "regions, as name=URL, in order")
}

// region is one region's endpoint as a client holds it.
type region struct {
	name   string
	client *dynamodb.Client
}

// open makes a client for every region. retries is how often the SDK may try a request.
func (e endpoints) open(retries int, timeout time.Duration) ([]region, error) {
	var list []region
	for _, text := range e {
		name, url, ok := strings.Cut(text, "=")
		if !ok || name == "" || url == "" {
			return nil, fmt.Errorf("--regions %q is not name=URL", text)
		}
		transport := &http.Transport{
			DialContext:         (&net.Dialer{Timeout: timeout}).DialContext,
			MaxIdleConnsPerHost: 256,
		}
		list = append(list, region{name, dynamodb.New(dynamodb.Options{
			Region:           name,
			BaseEndpoint:     aws.String(url),
			Credentials:      credentials.NewStaticCredentialsProvider("any", "any", ""),
			HTTPClient:       &http.Client{Transport: transport, Timeout: timeout},
			RetryMaxAttempts: retries,
		})})
	}
	if len(list) == 0 {
		return nil, errors.New("--regions names no region")
	}
	return list, nil
}

func names(regions []region) []string {
	var list []string
	for _, r := range regions {
		list = append(list, r.name)
	}
	return list
}

// named picks one of the regions; "" is the first.
func named(regions []region, name string) (region, error) {
	if name == "" {
		return regions[0], nil
	}
	i := slices.IndexFunc(regions, func(r region) bool { return r.name == name })
	if i < 0 {
		return region{}, fmt.Errorf("%s is none of %s", name, strings.Join(names(regions), ", "))
	}
	return regions[i], nil
}

// until asks again and again until ask has no complaint left, at most for patience. It returns the last complaint.
func until(ctx context.Context, patience, pause time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	var last error
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil { // the complaint of a cut-off question says nothing
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("still so after %s: %w", patience, last)
		case <-tick.C:
		}
	}
}
