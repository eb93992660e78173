package trigger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meridiandb/meridian/trigger/batch"
)

// Records of batches that were given up go to a URL, or to a file: one JSON object on a line, in the folder that the region
// was told (Options.Files) and nowhere else, since who may make a trigger need not be one who may write anywhere.

const filePrefix = "file:"

// maxFileName is as long as a file's name can be; a longer one would fail only when there is something to write, for ever.
const maxFileName = 255

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// checkDestination refuses what is no destination. files says whether this region has a folder for them.
func checkDestination(d string, files bool) error {
	name, isFile := strings.CutPrefix(d, filePrefix)
	switch {
	case d == "" || isURL(d):
		return nil
	case isFile && !files:
		return invalid("Destination %q is a file, and this region was started without a folder for them (--trigger-files)", d)
	case isFile && (name == "" || name != filepath.Base(name) || name[0] == '.' || len(name) > maxFileName || strings.ContainsAny(name, "/\x00")):
		return invalid("Destination %q: a file has a name and no path", d)
	case isFile:
		return nil
	}
	return invalid("Destination %q is neither an http or https URL nor file:NAME", d)
}

// failureRecord is what a destination gets (DYNAMODB.md 13.1). It has no item's data.
type failureRecord struct {
	RequestContext struct {
		RequestID   string       `json:"requestId"`
		FunctionARN string       `json:"functionArn"`
		Condition   batch.Reason `json:"condition"`
		InvokeCount int          `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	BatchInfo       struct {
		ShardID  string `json:"shardId"`
		First    string `json:"startSequenceNumber"`
		Last     string `json:"endSequenceNumber"`
		FirstAt  string `json:"approximateArrivalOfFirstRecord"`
		LastAt   string `json:"approximateArrivalOfLastRecord"`
		Size     int    `json:"batchSize"`
		StreamID string `json:"streamArn"`
	} `json:"DDBStreamBatchInfo"`
}

type responseContext struct {
	Status          int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

// newFailureRecord describes a batch that was given up. Without any answer there is none to describe.
func newFailureRecord(b *batch.Batch, requestID, functionARN, shard, stream string, now time.Time) []byte {
	var r failureRecord
	r.RequestContext.RequestID = requestID
	if b.Reply.RequestID != "" {
		r.RequestContext.RequestID = b.Reply.RequestID
	}
	r.RequestContext.FunctionARN, r.RequestContext.Condition, r.RequestContext.InvokeCount = functionARN, b.Reason, b.Invoked
	if b.Reply.Status != 0 {
		r.ResponseContext = &responseContext{b.Reply.Status, b.Reply.ExecutedVersion, b.Reply.FunctionError}
	}
	r.Version, r.Timestamp = "1.0", now.UTC().Format("2006-01-02T15:04:05.000Z")
	first, last := b.Record(0), b.Record(b.Len()-1)
	r.BatchInfo.ShardID, r.BatchInfo.StreamID, r.BatchInfo.Size = shard, stream, b.Len()
	r.BatchInfo.First, r.BatchInfo.Last = first.Sequence, last.Sequence
	r.BatchInfo.FirstAt, r.BatchInfo.LastAt = first.Created.UTC().Format(time.RFC3339), last.Created.UTC().Format(time.RFC3339)
	out, err := json.Marshal(r)
	if err != nil {
		panic(err) // plain texts and numbers
	}
	return out
}

// destinations delivers records of failures.
type destinations struct {
	client *http.Client
	folder string // "": files are refused

	mu sync.Mutex // one line at a time
}

// destinationPatience is how long a destination may take.
const destinationPatience = 30 * time.Second

// deliver returns when the record has arrived: answered with a status of success, or synced in the file.
func (d *destinations) deliver(ctx context.Context, to string, record []byte) error {
	if name, ok := strings.CutPrefix(to, filePrefix); ok {
		return d.append(name, record)
	}
	ctx, cancel := context.WithTimeout(ctx, destinationPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(record))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // so that the connection can be used again
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the destination for failures answered %s", resp.Status)
	}
	return nil
}

// append adds a line. What a crash or a full disk left of a line before it is ended first, or it would spoil this one.
func (d *destinations) append(name string, record []byte) (err error) {
	if err := checkDestination(filePrefix+name, d.folder != ""); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(d.folder, name), os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	line := append(slices.Clone(record), '\n')
	if size > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := f.Write(line); err != nil {
		return err
	}
	return f.Sync()
}
