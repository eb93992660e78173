package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/admin"
)

const (
	defaultAdmin = "http://127.0.0.1:9000"
	adminTimeout = 10 * time.Second
	maxAnswer    = 64 << 20 // of an admin page: far above a status of thousands of tables
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

// get reads a page. A code other than 200 is an error with what the page says.
func (c *adminClient) get(ctx context.Context, base, page string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+page, nil)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no answer from %s: %s", base, reason(err))
	}
	defer func() { _ = res.Body.Close() }() // it was read, or the error below says why not
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("half an answer from %s%s: %w", base, page, err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s%s answers %d: %s", base, page, res.StatusCode, firstLine(body))
	}
	return body, nil
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
