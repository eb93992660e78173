package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// printDev shows where everything is and lines that work as they stand.
func printDev(w io.Writer, s devSummary) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nMeridian: %s ready in %s\n\n", plural(uint64(len(s.nodes)), "region"), s.took.Round(10*time.Millisecond))
	var rows []string
	for _, n := range s.nodes {
		e := n.endpoints()
		rows = append(rows, row(n.Region, e.DynamoDB, e.Admin, e.Replication, e.Gossip))
	}
	section(&b, "REGION\tDYNAMODB\tADMIN\tREPLICATION\tGOSSIP", rows)
	first := s.nodes[0]
	endpoint := first.endpoints().DynamoDB
	fmt.Fprintf(&b, "Data:        %s\n", s.dataLine())
	fmt.Fprintf(&b, "Distances:   %s\n", s.wanLine())
	b.WriteString("Credentials: any; clients just insist on having some\n\n")
	b.WriteString("With the AWS CLI:\n\n")
	fmt.Fprintf(&b, "  AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any aws dynamodb list-tables --region %s --endpoint-url %s\n\n",
		first.Region, endpoint)
	b.WriteString("With curl:\n\n")
	fmt.Fprintf(&b, "  curl -s %s/ -H 'Content-Type: application/x-amz-json-1.0' -H 'X-Amz-Target: DynamoDB_20120810.ListTables' -d '{}'\n\n",
		endpoint)
	fmt.Fprintf(&b, "Regions, links, lag and tables:\n\n  meridian status%s\n\n", s.adminFlag())
	b.WriteString("Ctrl-C stops it.\n")
	_, err := io.WriteString(w, b.String())
	return err
}
