package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A page of another origin, open in an operator's browser, can neither repair nor take over.
func TestForeignPagesChangeNothing(t *testing.T) {
	h := withRepair(http.NotFoundHandler(), nil) // whatever gets through panics
	for _, page := range []string{"/admin/repair", "/admin/takeover?table=t&force=true", "/admin/expel?region=us-east-1"} {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://example.org"} {
			req := httptest.NewRequest(http.MethodPost, page, nil)
			req.Header.Set(name, value)
			rec := httptest.NewRecorder()
			if h.ServeHTTP(rec, req); rec.Code != http.StatusForbidden {
				t.Errorf("%s with %s: %d %s", page, name, rec.Code, rec.Body)
			}
		}
	}
}
