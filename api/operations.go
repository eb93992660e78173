package api

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/api/front"
)

// call is one request on its way through an operation. It is used again for later requests, with all that it has grown:
// nothing of it may be kept.
type call struct {
	server    *Server
	backend   Backend  // the server's, or what stands before it for the call's session
	session   *session // nil: the request shows none
	ctx       context.Context
	head      front.Head
	query     string // of the URL
	operation string
	body      []byte // of the request, decompressed
	out       writer // the answer
	headBuf   []byte // its header lines

	bodyBuf    []byte // bodies that are not read by package front
	bounded    boundedReader
	limited    io.LimitedReader
	decoder    *decoder
	violations violations
}

func (s *Server) call(ctx context.Context, head front.Head) *call {
	c := s.calls.Get().(*call)
	c.backend = s.backend
	c.ctx, c.head, c.operation = ctx, head, s.operationName(head.Get("X-Amz-Target"))
	c.out.buf = c.out.buf[:0]
	return c
}

// maxKept is the largest buffer that is used again: one 16 MB answer must not be kept for ever, but the pages of Query and
// Scan must, or making them room costs as much as filling them.
const maxKept = 4 << 20

func (s *Server) release(c *call) {
	if cap(c.bodyBuf) > maxKept {
		c.bodyBuf = nil
	}
	if cap(c.out.buf) > maxKept {
		c.out.buf = nil
	}
	c.backend, c.session, c.head, c.query, c.body = nil, nil, nil, "", nil
	c.ctx, c.bounded, c.limited, c.violations = nil, boundedReader{}, io.LimitedReader{}, violations{}
	c.decoder.reset(nil)
	s.calls.Put(c)
}

// operation runs one call. It writes the answer to c.out, or returns why there is none.
type operation func(c *call) error

// The two targets. Both services may be asked at one address.
const (
	targetDynamoDB = "DynamoDB_20120810."
	targetStreams  = "DynamoDBStreams_20120810."
)

// operations are the built ones.
func operations() map[string]operation {
	return map[string]operation{
		"BatchExecuteStatement":               batchExecuteStatement,
		"BatchGetItem":                        batchGetItem,
		"BatchWriteItem":                      batchWriteItem,
		"CreateGlobalTable":                   createGlobalTable,
		"CreateTable":                         createTable,
		"DeleteBackup":                        deleteBackup,
		"DeleteItem":                          deleteItem,
		"DeleteResourcePolicy":                deleteResourcePolicy,
		"DeleteTable":                         deleteTable,
		"DescribeBackup":                      describeBackup,
		"DescribeContinuousBackups":           describeContinuousBackups,
		"DescribeContributorInsights":         describeContributorInsights,
		"DescribeEndpoints":                   describeEndpoints,
		"DescribeExport":                      describeExport,
		"DescribeGlobalTable":                 describeGlobalTable,
		"DescribeGlobalTableSettings":         describeGlobalTableSettings,
		"DescribeImport":                      describeImport,
		"DescribeKinesisStreamingDestination": describeKinesisStreamingDestination,
		"DescribeLimits":                      describeLimits,
		"DescribeTable":                       describeTable,
		"DescribeTableReplicaAutoScaling":     describeTableReplicaAutoScaling,
		"DescribeTimeToLive":                  describeTimeToLive,
		"ExecuteStatement":                    executeStatement,
		"ExecuteTransaction":                  executeTransaction,
		"GetItem":                             getItem,
		"GetResourcePolicy":                   getResourcePolicy,
		"ListBackups":                         listBackups,
		"ListBulkOperations":                  listBulkOperations,
		"ListContributorInsights":             listContributorInsights,
		"ListExports":                         listExports,
		"ListGlobalTables":                    listGlobalTables,
		"ListImports":                         listImports,
		"ListTables":                          listTables,
		"ListTagsOfResource":                  listTagsOfResource,
		"PutItem":                             putItem,
		"PutResourcePolicy":                   putResourcePolicy,
		"Query":                               query,
		"Scan":                                scan,
		"TagResource":                         tagResource,
		"TransactGetItems":                    transactGetItems,
		"TransactWriteItems":                  transactWriteItems,
		"UntagResource":                       untagResource,
		"UpdateContinuousBackups":             updateContinuousBackups,
		"UpdateContributorInsights":           updateContributorInsights,
		"UpdateGlobalTable":                   updateGlobalTable,
		"UpdateGlobalTableSettings":           updateGlobalTableSettings,
		"UpdateItem":                          updateItem,
		"UpdateTable":                         updateTable,
		"UpdateTimeToLive":                    updateTimeToLive,
	}
}

// streamsOperations are those of the Streams target.
func streamsOperations() map[string]operation {
	return map[string]operation{
		"DescribeStream":   describeStream,
		"GetRecords":       getRecords,
		"GetShardIterator": getShardIterator,
		"ListStreams":      listStreams,
	}
}

// unbuilt are the operations that DynamoDB has and Meridian does not, yet (DYNAMODB.md section 2).
const unbuilt = " CancelBulkOperation CreateBackup DescribeBulkOperation DisableKinesisStreamingDestination" +
	" EnableKinesisStreamingDestination ExportTableToPointInTime ImportTable" +
	" RestoreTableFromBackup RestoreTableToPointInTime SearchVectors StartBulkPutItems" +
	" UpdateKinesisStreamingDestination UpdateTableReplicaAutoScaling "

// Operation is one operation that DynamoDB has.
type Operation struct {
	Name    string
	Streams bool // of the Streams target
	Built   bool // others answer UnknownOperationException and say why
}

// Operations lists all that DynamoDB has, by name. docs/compatibility.md must agree with it.
func Operations() []Operation {
	var all []Operation
	for name := range operations() {
		all = append(all, Operation{Name: name, Built: true})
	}
	for _, name := range strings.Fields(unbuilt) {
		all = append(all, Operation{Name: name})
	}
	for name := range streamsOperations() {
		all = append(all, Operation{Name: name, Streams: true, Built: true})
	}
	slices.SortFunc(all, func(a, b Operation) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// operationName finds the operation that a target names; "" for what DynamoDB does not know. Its answers are few and
// fixed, so that they can label metrics.
func (s *Server) operationName(target string) string {
	if name, ok := strings.CutPrefix(target, targetDynamoDB); ok {
		if s.operations[name] != nil || listed(unbuilt, name) {
			return name
		}
	}
	if name, ok := strings.CutPrefix(target, targetStreams); ok && s.streams[name] != nil {
		return name
	}
	return ""
}

func listed(names, name string) bool {
	return name != "" && !strings.Contains(name, " ") && strings.Contains(names, " "+name+" ")
}
