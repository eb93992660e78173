package route_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridiandb/meridian/route"
)

// Each attempt carries a signature for the region that it goes to, over what it carries; that of the client is gone.
func TestSign(t *testing.T) {
	const id, secret = "AKIDEXAMPLE", "wJalrXUtnFEMI"
	var seen []string
	check := func(region string, status int) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			got := r.Header.Get("Authorization")
			at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
			if err != nil || r.Header.Get("X-Amz-Security-Token") != "" {
				t.Errorf("date %v, token %q", err, r.Header.Get("X-Amz-Security-Token"))
			}
			again, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+r.Host+"/", strings.NewReader(string(body)))
			if err != nil {
				t.Error(err)
				return
			}
			_, signed, _ := strings.Cut(got, "SignedHeaders=")
			signed, _, _ = strings.Cut(signed, ",")
			for _, name := range strings.Split(signed, ";") {
				if v, ok := r.Header[http.CanonicalHeaderKey(name)]; ok && name != "x-amz-date" {
					again.Header[http.CanonicalHeaderKey(name)] = v
				}
			}
			hash := sha256.Sum256(body)
			err = v4.NewSigner().SignHTTP(r.Context(), aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, again,
				hex.EncodeToString(hash[:]), "dynamodb", region, at)
			if want := again.Header.Get("Authorization"); err != nil || got != want {
				t.Errorf("%s got %s, want %s (%v)", region, got, want, err)
			}
			if !strings.Contains(signed, "x-amz-target") {
				t.Errorf("signed are %s", signed)
			}
			seen = append(seen, region)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"meridianNotDone":true}`)
		}))
		t.Cleanup(s.Close)
		return s
	}
	us, eu := check("us-east-1", http.StatusServiceUnavailable), check("eu-west-1", http.StatusOK)
	r, err := route.New(route.Options{
		Regions: []route.Region{{Name: "us-east-1", Endpoint: us.URL, Hint: time.Millisecond}, {Name: "eu-west-1", Endpoint: eu.URL}},
		Picker:  route.PickerConfig{Dwell: time.Hour}, ProbeEvery: time.Hour, Registerer: prometheus.NewRegistry(),
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	proxy := httptest.NewServer(route.Proxy(r, route.NewSession()))
	defer proxy.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, proxy.URL, strings.NewReader(`{"TableName":"t"}`))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{
		"X-Amz-Target": "DynamoDB_20120810.PutItem", "Authorization": "AWS4-HMAC-SHA256 Credential=any", "X-Amz-Date": "20200101T000000Z",
		"X-Amz-Security-Token": "old", "Content-Type": "application/x-amz-json-1.0",
	} {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", resp, err)
	}
	resp.Body.Close()
	if strings.Join(seen, " ") != "us-east-1 eu-west-1" {
		t.Errorf("asked were %v", seen)
	}
}
