package api

// Resource policies are not built, so no resource has one (DYNAMODB.md 9.8).

func getResourcePolicy(c *call) error {
	arn, _, err := c.policyInput()
	if err != nil {
		return err
	}
	return errNoPolicy(arn)
}

// deleteResourcePolicy has nothing to do: deleting is idempotent, unless it names the revision that must be there.
func deleteResourcePolicy(c *call) error {
	arn, revision, err := c.policyInput()
	if err != nil {
		return err
	}
	if revision.set {
		return errNoPolicy(arn)
	}
	c.out.openObject()
	c.out.closeObject()
	return nil
}

// policyInput reads what the operations on a policy name: a table or a stream that exists, and perhaps a revision.
func (c *call) policyInput() (arn string, revision text, err error) {
	var t text
	in := plainInput{
		map[string]func(*decoder){"ResourceArn": toText(&t), "ExpectedRevisionId": toText(&revision)},
		func(v *violations) {
			if v.required("resourceArn", t.set) {
				v.length("resourceArn", t, 1, 1283)
			}
			v.length("expectedRevisionId", revision, 1, 255)
		},
	}
	if c.operation == "GetResourcePolicy" {
		delete(in.members, "ExpectedRevisionId")
	}
	if err := c.read(in); err != nil {
		return "", revision, err
	}
	if stream, err := c.streamNamed(t); err == nil {
		_, err := c.backend.DescribeStream(stream)
		return t.s, revision, streamError(err, t.s)
	}
	name, err := c.taggedTable(t.s)
	if err != nil {
		return "", revision, err
	}
	_, err = c.backend.DescribeTable(name)
	return t.s, revision, tagError(err, t.s)
}

func errNoPolicy(arn string) error {
	return clientError("PolicyNotFoundException", "Resource-based policy not found for the provided ResourceArn: "+arn)
}
