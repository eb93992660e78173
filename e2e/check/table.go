package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"
)

func newTable() *cobra.Command {
	regions, name, within := defaultEndpoints(), "load", time.Minute
	cmd := &cobra.Command{
		Use:     "table",
		Short:   "Make a table in the first region, with replicas in the others",
		Example: "  check table --table load",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := regions.open(3, 30*time.Second)
			if err != nil {
				return err
			}
			began := time.Now()
			if err := makeTable(cmd.Context(), list, name, within); err != nil {
				return err
			}
			fmt.Printf("table %s is ACTIVE in %d regions after %s\n", name, len(list), time.Since(began).Round(time.Millisecond))
			return nil
		},
	}
	f := cmd.Flags()
	regions.flag(f)
	f.StringVar(&name, "table", name, "table")
	f.DurationVar(&within, "within", within, "how long it may take")
	return cmd
}

// keyName is the hash key of the tables that check makes itself.
const keyName = "pk"

// makeTable makes a table with a string key, unless it is there, and returns when it is ACTIVE in all regions.
func makeTable(ctx context.Context, regions []region, name string, within time.Duration) error {
	home := regions[0].client
	_, err := home.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(keyName), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(keyName), KeyType: types.KeyTypeHash}},
	})
	if exists := new(types.ResourceInUseException); errors.As(err, &exists) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", regions[0].name, err)
	}
	if err := awaitActive(ctx, regions[:1], name, within); err != nil {
		return err
	}
	for i, r := range regions[1:] {
		if err := addReplica(ctx, home, name, r.name); err != nil {
			return fmt.Errorf("%s: replica in %s: %w", regions[0].name, r.name, err)
		}
		if err := awaitActive(ctx, regions[:i+2], name, within); err != nil {
			return err
		}
	}
	return nil
}

func addReplica(ctx context.Context, home *dynamodb.Client, table, region string) error {
	out, err := home.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(table)})
	if err != nil {
		return err
	}
	for _, r := range out.Table.Replicas {
		if aws.ToString(r.RegionName) == region {
			return nil
		}
	}
	_, err = home.UpdateTable(ctx, &dynamodb.UpdateTableInput{
		TableName: aws.String(table),
		ReplicaUpdates: []types.ReplicationGroupUpdate{
			{Create: &types.CreateReplicationGroupMemberAction{RegionName: aws.String(region)}},
		},
	})
	return err
}

// awaitActive returns when every region calls the table and its replicas ACTIVE.
func awaitActive(ctx context.Context, regions []region, name string, within time.Duration) error {
	return until(ctx, within, 20*time.Millisecond, func(ctx context.Context) error {
		for _, r := range regions {
			out, err := r.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
			if err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			if s := out.Table.TableStatus; s != types.TableStatusActive {
				return fmt.Errorf("%s: table %s is %s", r.name, name, s)
			}
			for _, p := range out.Table.Replicas {
				if p.ReplicaStatus != types.ReplicaStatusActive {
					return fmt.Errorf("%s: replica of %s in %s is %s", r.name, name, aws.ToString(p.RegionName), p.ReplicaStatus)
				}
			}
		}
		return nil
	})
}
