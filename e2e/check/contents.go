package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"
)

// contents are a table's items by key, both in canonical text.
type contents map[string]string

const scanSegments = 4

// keyNames asks which attributes are the table's key.
func (r region) keyNames(ctx context.Context, table string) ([]string, error) {
	out, err := r.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(table)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	var list []string
	for _, k := range out.Table.KeySchema {
		list = append(list, aws.ToString(k.AttributeName))
	}
	return list, nil
}

// scan reads all of a table, in parallel segments. An item that comes twice is an error.
func (r region) scan(ctx context.Context, table string) (contents, error) {
	keys, err := r.keyNames(ctx, table)
	if err != nil {
		return nil, err
	}
	parts := make([]contents, scanSegments)
	scanning, ctx := errgroup.WithContext(ctx)
	for i := range parts {
		scanning.Go(func() (err error) {
			parts[i], err = r.scanSegment(ctx, table, keys, int32(i))
			return err
		})
	}
	if err := scanning.Wait(); err != nil {
		return nil, fmt.Errorf("%s: scan of %s: %w", r.name, table, err)
	}
	all := contents{}
	for _, part := range parts {
		for key, item := range part {
			if _, twice := all[key]; twice {
				return nil, fmt.Errorf("%s: scan of %s returns %s in two segments", r.name, table, key)
			}
			all[key] = item
		}
	}
	return all, nil
}

func (r region) scanSegment(ctx context.Context, table string, keys []string, segment int32) (contents, error) {
	part := contents{}
	pages := dynamodb.NewScanPaginator(r.client, &dynamodb.ScanInput{
		TableName: aws.String(table), ConsistentRead: aws.Bool(true),
		Segment: aws.Int32(segment), TotalSegments: aws.Int32(scanSegments),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			key, ok := attributes(it).pick(keys)
			if !ok {
				return nil, fmt.Errorf("an item without its key: %s", attributes(it).canonical())
			}
			if _, twice := part[key]; twice {
				return nil, fmt.Errorf("%s comes twice", key)
			}
			part[key] = attributes(it).canonical()
		}
	}
	return part, nil
}
