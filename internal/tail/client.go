package tail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Client calls the Streams API of one endpoint. It is safe for concurrent use.
type Client struct {
	Endpoint string // like http://127.0.0.1:8000
	HTTP     *http.Client
}

// APIError is an error that the endpoint answered with.
type APIError struct{ Type, Message string }

func (e *APIError) Error() string { return e.Type + ": " + e.Message }

func isType(err error, name string) bool {
	var e *APIError
	return errors.As(err, &e) && e.Type == name
}

// maxReply bounds a reply: GetRecords answers 1 MB of items, which JSON makes larger.
const maxReply = 64 << 20

func (c *Client) call(ctx context.Context, op string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810."+op)
	// Endpoints without checked credentials want to see some.
	req.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=tail/20260101/us-east-1/dynamodb/aws4_request, "+
		"SignedHeaders=host;x-amz-date;x-amz-target, Signature="+strings.Repeat("0", 64))
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return answered(op, resp.StatusCode, b)
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%s: the answer cannot be read: %w", op, err)
	}
	return nil
}

func answered(op string, status int, body []byte) error {
	var e struct {
		Type     string `json:"__type"`
		Message  string `json:"message"`
		Message2 string `json:"Message"`
	}
	if json.Unmarshal(body, &e) != nil || e.Type == "" {
		return fmt.Errorf("%s: HTTP status %d", op, status)
	}
	if e.Message == "" {
		e.Message = e.Message2
	}
	_, name, found := strings.Cut(e.Type, "#")
	if !found {
		name = e.Type
	}
	return &APIError{name, e.Message}
}

type streamRef struct{ StreamArn, StreamLabel string }

// streams lists all streams of a table, the disabled ones that can still be read too.
func (c *Client) streams(ctx context.Context, table string) (all []streamRef, err error) {
	in := map[string]any{"TableName": table}
	for {
		var out struct {
			Streams                []streamRef
			LastEvaluatedStreamArn string
		}
		if err := c.call(ctx, "ListStreams", in, &out); err != nil {
			return nil, err
		}
		all = append(all, out.Streams...)
		if out.LastEvaluatedStreamArn == "" || len(out.Streams) == 0 {
			return all, nil
		}
		in["ExclusiveStartStreamArn"] = out.LastEvaluatedStreamArn
	}
}

type shardRef struct {
	ShardID             string `json:"ShardId"`
	ParentShardID       string `json:"ParentShardId"`
	SequenceNumberRange struct{ EndingSequenceNumber string }
}

func (s *shardRef) closed() bool { return s.SequenceNumberRange.EndingSequenceNumber != "" }

func (c *Client) shards(ctx context.Context, arn string) (all []shardRef, status string, err error) {
	in := map[string]any{"StreamArn": arn}
	for {
		var out struct {
			StreamDescription struct {
				StreamStatus         string
				Shards               []shardRef
				LastEvaluatedShardID string `json:"LastEvaluatedShardId"`
			}
		}
		if err := c.call(ctx, "DescribeStream", in, &out); err != nil {
			return nil, "", err
		}
		d := &out.StreamDescription
		all = append(all, d.Shards...)
		if d.LastEvaluatedShardID == "" || len(d.Shards) == 0 {
			return all, d.StreamStatus, nil
		}
		in["ExclusiveStartShardId"] = d.LastEvaluatedShardID
	}
}

func (c *Client) iterator(ctx context.Context, arn, shard, kind, sequence string) (string, error) {
	in := map[string]any{"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind}
	if sequence != "" {
		in["SequenceNumber"] = sequence
	}
	var out struct{ ShardIterator string }
	err := c.call(ctx, "GetShardIterator", in, &out)
	return out.ShardIterator, err
}

func (c *Client) records(ctx context.Context, iterator string) (raw []json.RawMessage, next string, err error) {
	var out struct {
		Records           []json.RawMessage
		NextShardIterator string
	}
	err = c.call(ctx, "GetRecords", map[string]any{"ShardIterator": iterator}, &out)
	return out.Records, out.NextShardIterator, err
}
