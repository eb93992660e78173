package api

import (
	"strconv"
	"time"

	"github.com/meridiandb/meridian/internal/fault"
	"github.com/meridiandb/meridian/region/catalog"
)

// Resource policies of tables and streams (DYNAMODB.md 9.8). They are kept and shown, in one region, and decide nothing: who
// asks is not known here.

// noPolicy as an expected revision: only if there is none.
const noPolicy = "NO_POLICY"

type policyInput struct {
	arn, policy, expected text
	confirm               flag
	members               map[string]bool // besides ResourceArn
}

func (in *policyInput) member(d *decoder, name string) bool {
	switch {
	case name == "ResourceArn":
		in.arn = d.text()
	case !in.members[name]:
		return false
	case name == "Policy":
		in.policy = d.text()
	case name == "ExpectedRevisionId":
		in.expected = d.text()
	case name == "ConfirmRemoveSelfResourceAccess":
		in.confirm = d.flag()
	}
	return true
}

func (in *policyInput) constraints(v *violations) {
	resourceARN(v, in.arn)
	if in.members["Policy"] {
		v.required("policy", in.policy.set)
	}
	v.length("expectedRevisionId", in.expected, 1, 255)
}

// readPolicy reads a request and finds the resource that it names.
func (c *call) readPolicy(members ...string) (in policyInput, r resource, err error) {
	in.members = map[string]bool{}
	for _, m := range members {
		in.members[m] = true
	}
	if err := c.read(&in); err != nil {
		return in, r, err
	}
	r, err = parseResource(in.arn.s)
	switch {
	case err != nil:
		return in, r, err
	case r.account != c.server.account:
		return in, r, errValidation("This action is only supported by accounts that match the resource owner’s account.")
	case r.region != c.server.region || r.partition != "aws":
		return in, r, errInvalid("Invalid resource Arn: " + in.arn.s)
	}
	return in, r, nil
}

func putResourcePolicy(c *call) error {
	in, r, err := c.readPolicy("Policy", "ExpectedRevisionId", "ConfirmRemoveSelfResourceAccess")
	if err != nil {
		return err
	}
	policy, err := canonicalPolicy(in.policy.s)
	if err != nil {
		return err
	}
	var revision string
	if err := c.changePolicy(r, in.expected, func(kept *catalog.Resource) {
		if kept.Policy != policy || kept.Revision == "" {
			kept.Policy, kept.Revision = policy, revisionAfter(kept.Revision)
		}
		revision = kept.Revision
	}); err != nil {
		return err
	}
	c.writeRevision(revision)
	return nil
}

// revisionAfter is the next revision of a policy: the time, in milliseconds.
func revisionAfter(last string) string {
	n, _ := strconv.ParseInt(last, 10, 64) // there was none
	return strconv.FormatInt(max(time.Now().UnixMilli(), n+1), 10)
}

func deleteResourcePolicy(c *call) error {
	in, r, err := c.readPolicy("ExpectedRevisionId")
	if err != nil {
		return err
	}
	var revision string
	if err := c.changePolicy(r, in.expected, func(kept *catalog.Resource) {
		revision, kept.Policy, kept.Revision = kept.Revision, "", ""
	}); err != nil {
		return err
	}
	c.writeRevision(revision) // there was none: deleting is idempotent
	return nil
}

func (c *call) writeRevision(revision string) {
	w := &c.out
	w.openObject()
	if revision != "" {
		w.stringMember("RevisionId", revision)
	}
	w.closeObject()
}

// changePolicy changes a policy if it is at the revision that is expected.
func (c *call) changePolicy(r resource, expected text, change func(*catalog.Resource)) error {
	_, err := c.backend.ChangeLocal(r.table, func(l *catalog.Local) error {
		if err := r.exists(l); err != nil {
			return err
		}
		kept := l.Resources[r.label]
		want := kept.Revision
		if want == "" {
			want = noPolicy
		}
		if expected.set && expected.s != want {
			return errNoPolicy(r.arn)
		}
		change(&kept)
		l.SetResource(r.label, kept)
		return nil
	})
	return r.missing(err)
}

// exists says that a stream is not there.
func (r resource) exists(l *catalog.Local) error {
	if r.label != "" && catalog.StreamIn(l.Streams, r.label) == nil {
		return clientError("ResourceNotFoundException", "Requested resource not found: Stream: "+r.label+" not found for Table: "+r.table)
	}
	return nil
}

// missing words a missing table as the operations on policies do.
func (r resource) missing(err error) error {
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return clientError("ResourceNotFoundException", "Requested resource not found: Table: "+r.table+" not found")
	}
	return err
}

func getResourcePolicy(c *call) error {
	_, r, err := c.readPolicy()
	if err != nil {
		return err
	}
	view, err := c.backend.DescribeTable(r.table)
	if err != nil {
		return r.missing(err)
	}
	if err := r.exists(&view.Local); err != nil {
		return err
	}
	kept := view.Local.Resources[r.label]
	if kept.Revision == "" {
		return errNoPolicy(r.arn)
	}
	w := &c.out
	w.openObject()
	w.stringMember("Policy", shownPolicy(kept.Policy))
	w.stringMember("RevisionId", kept.Revision)
	w.closeObject()
	return nil
}

func errNoPolicy(arn string) error {
	return clientError("PolicyNotFoundException", "Resource-based policy not found for the provided ResourceArn: "+arn)
}
