package bench

// Sample returns one request of a workload: its X-Amz-Target and its body.
func Sample(c Config) (target string, body []byte, err error) {
	if err := c.Check(); err != nil {
		return "", nil, err
	}
	w, _ := FindWorkload(c.Workload)
	m := newMaker(&c, 0)
	p := w.pick(m)
	return "DynamoDB_20120810." + p.target, p.make(m, nil), nil
}
