package region

import (
	"context"
	"maps"
	"testing"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
)

// TestPolicyTag: set in a region that is not the keeper, the policy is in force in all; other tags stay where they are. A
// keeper that cannot be reached refuses it, and a wrong value goes nowhere.
func TestPolicyTag(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		w := newWorld(t, newSeed(t), false, "us-east-1", "eu-west-1")
		defer w.close()
		w.create("us-east-1", "t")
		w.addReplica("us-east-1", "t", "eu-west-1")
		tags := func(at string) map[string]string {
			v, err := w.at(at).DescribeTable("t")
			if err != nil {
				t.Fatal(err)
			}
			return v.Tags()
		}
		set := func(at, policy string) error {
			return w.at(at).SetTags(context.Background(), "t", map[string]string{catalog.PolicyTag: policy, "at": at}, nil)
		}
		if err := set("eu-west-1", "attribute"); err != nil {
			t.Fatal(err)
		}
		if got := tags("eu-west-1"); !maps.Equal(got, map[string]string{catalog.PolicyTag: "attribute", "at": "eu-west-1"}) {
			t.Errorf("at once, the region that was asked shows %v", got)
		}
		w.eventually("the policy arrives", func() bool { return maps.Equal(tags("us-east-1"), map[string]string{catalog.PolicyTag: "attribute"}) })
		if err := set("us-east-1", "both"); !isKind(err, fault.Invalid) {
			t.Errorf("a wrong value: %v", err)
		}
		w.setCut("us-east-1", "eu-west-1", true)
		if err := set("eu-west-1", "crdt"); !isKind(err, fault.Unavailable) {
			t.Errorf("without the keeper: %v", err)
		}
		if err := set("eu-west-1", "attribute"); err != nil {
			t.Errorf("without the keeper, as it is already: %v", err)
		}
		w.setCut("us-east-1", "eu-west-1", false)
		if err := w.at("eu-west-1").SetTags(context.Background(), "t", nil, []string{catalog.PolicyTag}); err != nil {
			t.Fatal(err)
		}
		w.eventually("the default is back", func() bool {
			_, a := tags("us-east-1")[catalog.PolicyTag]
			_, b := tags("eu-west-1")[catalog.PolicyTag]
			return !a && !b
		})
	})
}
