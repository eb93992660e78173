package route_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/meridiandb/meridian/route"
)

func TestGuess(t *testing.T) {
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"region":"eu-west-1","peers":[{"region":"us-east-1","roundTripMs":70,"distanceMs":1},{"region":"ap-northeast-1","distanceMs":210},{"region":"sa-east-1"}]}`)
	}))
	defer admin.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	regions := []route.Region{{Name: "us-east-1"}, {Name: "eu-west-1"}, {Name: "ap-northeast-1"}, {Name: "sa-east-1"}, {Name: "af-south-1", Hint: time.Second}}
	if err := route.Guess(t.Context(), regions, []string{gone.URL, admin.URL}); err != nil {
		t.Fatal(err)
	}
	us, eu, ap := regions[0].Hint, regions[1].Hint, regions[2].Hint
	if eu <= 0 || us != eu+70*time.Millisecond || ap != eu+210*time.Millisecond || regions[3].Hint != 0 || regions[4].Hint != time.Second {
		t.Errorf("the hints are %+v", regions)
	}
	if err := route.Guess(t.Context(), regions, []string{gone.URL}); err == nil {
		t.Error("nobody answers, and nothing is said")
	}
	if err := route.Guess(t.Context(), regions, nil); err != nil {
		t.Error(err)
	}
}
