package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/meridiandb/meridian/route"
)

// routeOptions are the flags of route.
type routeOptions struct {
	listen, metrics string
	regions         []string
	session, sign   bool
	admins          []string
	hedgeAfter      time.Duration
	logLevel        string
}

func newRoute() *cobra.Command {
	o := routeOptions{
		listen: "127.0.0.1:8100", logLevel: "info",
		regions: []string{"us-east-1=http://127.0.0.1:8000", "eu-west-1=http://127.0.0.1:8001", "ap-northeast-1=http://127.0.0.1:8002"},
	}
	cmd := &cobra.Command{
		Use:   "route",
		Short: "One address that leads to the nearest healthy region, for any SDK",
		Long: `Answers the DynamoDB protocol at one address and sends each request to the nearest healthy region. When a region fails,
requests go on in another within a second. Only what is safe is tried elsewhere: reads, and writes that certainly have not
happened; a write of unknown fate is answered with UnknownFateException, which no SDK repeats, unless the request has the
header x-meridian-idempotent.

With --session everything that comes through is one session: it reads its own writes after a failover. Clients that send
the header x-meridian-session keep sessions of their own.

Requests go on with the signature they came with: regions do not check signatures yet. For what stands before regions and does,
--sign signs each request again for the region it goes to, with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_SESSION_TOKEN of the environment. Whoever reaches the proxy then acts by these.`,
		Example: `  meridian route
  meridian route --region us-east-1=http://us.example.net:8000 --region eu-west-1=http://eu.example.net:8000
  aws dynamodb list-tables --endpoint-url http://127.0.0.1:8100`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", o.listen, "where clients connect to")
	f.StringSliceVar(&o.regions, "region", o.regions, "a region and its DynamoDB endpoint, name=URL; several for several")
	f.BoolVar(&o.session, "session", o.session, "make all clients without a session of their own one session")
	f.BoolVar(&o.sign, "sign", o.sign, "sign requests again, with credentials of the environment")
	f.StringSliceVar(&o.admins, "admin", nil, "admin addresses of regions, to guess distances by before they are measured")
	f.DurationVar(&o.hedgeAfter, "hedge-after", o.hedgeAfter, "ask a second region when a read has no answer by then (default never)")
	f.StringVar(&o.metrics, "metrics-listen", o.metrics, "where to serve /metrics (default nowhere)")
	f.StringVar(&o.logLevel, "log-level", o.logLevel, "debug, info, warn or error")
	return cmd
}

func (o *routeOptions) run(cmd *cobra.Command) error {
	logger, err := newLogger(cmd.ErrOrStderr(), o.logLevel, "text")
	if err != nil {
		return err
	}
	regions, err := parseRegions(o.regions)
	if err != nil {
		return err
	}
	signer, err := o.credentials()
	if err != nil {
		return err
	}
	if err := o.hint(cmd.Context(), regions, logger); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	r, err := route.New(route.Options{
		Regions: regions, Credentials: signer, HedgeAfter: o.hedgeAfter, Registerer: registry,
		OnEvent: func(e route.Event) { logger.Info(string(e.Kind), "region", e.Region, "reason", e.Reason) },
	})
	if err != nil {
		return usagef("%w", err)
	}
	defer r.Close()
	var session *route.Session
	if o.session {
		session = route.NewSession()
	}
	clients, operators := connections(openFiles()/2, 1) // a client's connection has another behind it
	stoppable, stop := context.WithCancel(cmd.Context())
	defer stop()
	running, ctx := errgroup.WithContext(stoppable)
	err = errors.Join(
		serveUntil(ctx, running, o.listen, newHTTPServer(route.Proxy(r, session), clients, logger)),
		serveUntil(ctx, running, o.metrics, newHTTPServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), operators, logger)))
	if err != nil {
		stop()
		return errors.Join(err, running.Wait())
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "http://%s leads to the nearest of %d regions\n", o.listen, len(regions)); err != nil {
		return err
	}
	return running.Wait()
}

// serveUntil serves at an address, if there is one, until ctx ends.
func serveUntil(ctx context.Context, running *errgroup.Group, address string, s *http.Server) error {
	if address == "" {
		return nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return usagef("%w", err)
	}
	running.Go(func() error { return serveHTTP(s, l) })
	running.Go(func() error {
		<-ctx.Done()
		stopHTTP(s)
		return nil
	})
	return nil
}

// parseRegions reads name=URL.
func parseRegions(texts []string) ([]route.Region, error) {
	var all []route.Region
	for _, t := range texts {
		name, endpoint, ok := strings.Cut(t, "=")
		if !ok {
			return nil, usagef("--region %q is not name=URL, like us-east-1=http://127.0.0.1:8000", t)
		}
		all = append(all, route.Region{Name: name, Endpoint: endpoint})
	}
	return all, nil
}

// credentials are those to sign with; nil: nothing is signed.
func (o *routeOptions) credentials() (aws.CredentialsProvider, error) {
	if !o.sign {
		return nil, nil
	}
	id, secret := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	if id == "" || secret == "" {
		return nil, usagef("--sign needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")
	}
	return credentials.NewStaticCredentialsProvider(id, secret, os.Getenv("AWS_SESSION_TOKEN")), nil
}

// guessPatience is how long the start may wait for a guess, which is worth little more.
const guessPatience = 2 * time.Second

// hint guesses how far regions are, where admin addresses are given. That none answers is no reason not to start.
func (o *routeOptions) hint(ctx context.Context, regions []route.Region, logger *slog.Logger) error {
	var bases []string
	for _, a := range o.admins {
		base, err := parseAdmin(a)
		if err != nil {
			return err
		}
		bases = append(bases, base)
	}
	ctx, cancel := context.WithTimeout(ctx, guessPatience)
	defer cancel()
	if err := route.Guess(ctx, regions, bases); err != nil {
		logger.Warn("distances are not known before they are measured", "error", oneLine(err))
	}
	return nil
}
