package catalog

import (
	"slices"
	"testing"
)

// TestSourcesForget: a member that went is no source in the same step in which its going is known, so that one that is back
// a moment later is adopted anew: what it wrote meanwhile was not wanted.
func TestSourcesForget(t *testing.T) {
	a, c := newRig(t, "a-1", 1000), newRig(t, "c-1", 1000)
	id := a.create("T").ID
	a.force(id, Member{Region: "b-1", State: MemberActive})
	a.force(id, Member{Region: "c-1", State: MemberActive})
	send(t, a, c)
	if _, err := c.SetLocal(id, func(l *Local) error { l.Ready, l.Sources = true, []string{"a-1", "b-1"}; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		state MemberState
		want  []string
	}{
		{MemberDeleting, []string{"a-1", "b-1"}}, // it has not said its last
		{MemberRemoved, []string{"a-1"}},
		{MemberCreating, []string{"a-1"}},
	} {
		a.force(id, Member{Region: "b-1", State: step.state})
		send(t, a, c)
		if got := c.ByID(id).Local.Sources; !slices.Equal(got, step.want) {
			t.Errorf("when b-1 is %s the sources are %v", step.state, got)
		}
	}
}
