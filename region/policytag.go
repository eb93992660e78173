package region

import (
	"context"
	"maps"
	"slices"

	"github.com/meridiandb/meridian/region/catalog"
)

// takePolicy moves the policy out of a new table's tags into its description.
func takePolicy(spec *catalog.Spec) error {
	policy, ok := spec.Tags[catalog.PolicyTag]
	if !ok {
		return nil
	}
	if err := catalog.CheckPolicy(policy); err != nil {
		return err
	}
	spec.Policy = policy
	spec.Tags = maps.Clone(spec.Tags)
	delete(spec.Tags, catalog.PolicyTag)
	return nil
}

// policyIn is the policy that a change of tags asks for; asked is false if it says nothing of it. Without the tag the default
// is in force.
func policyIn(set map[string]string, remove []string) (policy string, asked bool, err error) {
	if policy, asked = set[catalog.PolicyTag]; asked {
		return policy, true, catalog.CheckPolicy(policy)
	}
	return "", slices.Contains(remove, catalog.PolicyTag), nil
}

// changePolicy has the keeper change a table's policy. Regions that have not heard of it yet go on as before, and all
// converge: the policy has no part in merging.
func (r *Region) changePolicy(ctx context.Context, e *catalog.Entry, policy string) error {
	if e.Policy == policy {
		return nil
	}
	ch := catalog.Change{Policy: &policy}
	if err := r.changeable(e, ch); err != nil {
		return err
	}
	n, err := r.askKeeper(ctx, e, commandFor(e, ch))
	if err != nil {
		return err
	}
	r.handle(n) // so that the next write goes by it
	return nil
}
