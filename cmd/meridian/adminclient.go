package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
)

const (
	defaultAdmin = "http://127.0.0.1:9000"
	adminTimeout = 10 * time.Second
	maxAnswer    = 64 << 20 // of an admin page: far above a status of thousands of tables
	maxRefusal   = 64 << 10
)

// adminClient asks running regions' admin pages.
type adminClient struct{ http http.Client }

func newAdminClient(timeout time.Duration) *adminClient {
	return &adminClient{http.Client{Timeout: timeout}}
}

// parseAdmin reads an --admin value: a URL, or host:port for short.
func parseAdmin(text string) (string, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" && u.Port() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", usagef("--admin %q is no address like %s", text, defaultAdmin)
	}
	return u.Scheme + "://" + u.Host, nil
}

// refusal is an answer that is no success, with what the region says of it.
type refusal struct {
	base, page string // page has no query: it may be long, and whoever asked knows it
	code       int
	says       string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s%s answers %d: %s", r.base, r.page, r.code, r.says)
}

// ask sends a request and returns the answer's body, which the caller closes. A code other than 200 is a *refusal.
func (c *adminClient) ask(ctx context.Context, method, base, page string, body []byte) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, base+page, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, noAnswer(method, base, err)
	}
	if res.StatusCode == http.StatusOK {
		return res.Body, nil
	}
	defer func() { _ = res.Body.Close() }() // what it says is read as far as it goes
	b, _ := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
	var failure struct{ Error string }
	if json.Unmarshal(b, &failure) != nil || failure.Error == "" {
		failure.Error = firstLine(b)
	}
	return nil, &refusal{base, req.URL.Path, res.StatusCode, failure.Error}
}

// noAnswer names the region that does not answer. Whether what was asked of it was done can only be known if nobody listened.
func noAnswer(method, base string, err error) error {
	if method == http.MethodGet || errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no answer from %s: %s", base, reason(err))
	}
	return fmt.Errorf("no answer from %s, it may be done or not: %s", base, reason(err))
}

// get reads a page.
func (c *adminClient) get(ctx context.Context, base, page string) ([]byte, error) {
	return c.whole(ctx, http.MethodGet, base, page, nil)
}

// change asks for what changes something, and reads the answer.
func (c *adminClient) change(ctx context.Context, method, base, page string, body []byte) ([]byte, error) {
	b, err := c.whole(ctx, method, base, page, body)
	var no *refusal
	if errors.As(err, &no) {
		err = fmt.Errorf("%s refuses: %s", base, no.says)
	}
	return b, err
}

func (c *adminClient) whole(ctx context.Context, method, base, page string, body []byte) ([]byte, error) {
	answer, err := c.ask(ctx, method, base, page, body)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Close() }() // it was read, or the error below says why not
	b, err := io.ReadAll(io.LimitReader(answer, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("half an answer from %s: %w", base, err)
	}
	return b, nil
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	return line[:min(len(line), 200)]
}

// fleet asks one region about all, through the links between them.
func (c *adminClient) fleet(ctx context.Context, base string) ([]admin.Status, error) {
	body, err := c.get(ctx, base, "/admin/regions")
	if err != nil {
		return nil, err
	}
	var f admin.Fleet
	if err := json.Unmarshal(body, &f); err != nil {
		return nil, fmt.Errorf("%s is no Meridian admin address: %w", base, err)
	}
	if len(f.Regions) == 0 {
		return nil, errors.New(base + " is no Meridian admin address: it lists no region")
	}
	return f.Regions, nil
}

// status asks one region about itself.
func (c *adminClient) status(ctx context.Context, base string) (admin.Status, error) {
	body, err := c.get(ctx, base, "/admin/status")
	if err != nil {
		return admin.Status{}, err
	}
	var s admin.Status
	if err := json.Unmarshal(body, &s); err != nil || s.Region == "" {
		return admin.Status{}, errors.Join(errors.New(base+" is no Meridian admin address"), err)
	}
	return s, nil
}
