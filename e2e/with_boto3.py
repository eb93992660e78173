#!/usr/bin/python3
"""What a Python application does with DynamoDB, done with boto3 against a running server.

    with_boto3.py [--endpoint http://127.0.0.1:8000] [--region us-east-1]

Clients, resources, the table's batch writer, paginators, waiters, conditions, transactions, PartiQL, streams and errors by
their classes. Makes tables of its own and removes them. Needs Debian's package python3-boto3, or any later boto3. e2e/clients.sh
runs it against a server of its own.
"""

import argparse
import decimal
import sys
import time
import unittest
import uuid

import boto3
import botocore
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

OPTIONS = {}
D = decimal.Decimal
NAME = "e2e-" + uuid.uuid4().hex[:8]


def connect(make, service="dynamodb", retries=10):
    return make(service, endpoint_url=OPTIONS["endpoint"], region_name=OPTIONS["region"], aws_access_key_id="any",
                aws_secret_access_key="any", config=Config(retries={"max_attempts": retries, "mode": "standard"}))


FAST = {"Delay": 1, "MaxAttempts": 30}


class Suite(unittest.TestCase):
    """One table for all: artist and song, a local index by year and a global one by genre."""

    @classmethod
    def setUpClass(cls):
        cls.client, cls.resource = connect(boto3.client), connect(boto3.resource)
        cls.table = cls.resource.create_table(
            TableName=NAME,
            KeySchema=[{"AttributeName": "artist", "KeyType": "HASH"}, {"AttributeName": "song", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": t}
                                  for n, t in (("artist", "S"), ("song", "S"), ("year", "N"), ("genre", "S"))],
            LocalSecondaryIndexes=[{
                "IndexName": "by-year", "Projection": {"ProjectionType": "KEYS_ONLY"},
                "KeySchema": [{"AttributeName": "artist", "KeyType": "HASH"}, {"AttributeName": "year", "KeyType": "RANGE"}]}],
            GlobalSecondaryIndexes=[{
                "IndexName": "by-genre", "Projection": {"ProjectionType": "ALL"},
                "KeySchema": [{"AttributeName": "genre", "KeyType": "HASH"}, {"AttributeName": "year", "KeyType": "RANGE"}]}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            BillingMode="PAY_PER_REQUEST", Tags=[{"Key": "by", "Value": "e2e"}])
        cls.client.get_waiter("table_exists").wait(TableName=NAME, WaiterConfig=FAST)
        with cls.table.batch_writer(overwrite_by_pkeys=["artist", "song"]) as batch:
            for artist in ("nina", "miles", "bill"):
                for i in range(40):
                    batch.put_item(Item={"artist": artist, "song": f"{i:03}", "year": 1950 + i % 20,
                                         "genre": ("jazz", "soul")[i % 2], "length": D("3.25") + i})
            for i in (1, 2):  # the same key twice: the batch writer keeps the later
                batch.put_item(Item={"artist": "twice", "song": "one", "n": i})
            batch.put_item(Item={"artist": "twice", "song": "gone"})
            batch.delete_item(Key={"artist": "twice", "song": "gone"})

    @classmethod
    def tearDownClass(cls):
        cls.table.delete()
        cls.client.get_waiter("table_not_exists").wait(TableName=NAME, WaiterConfig=FAST)

    def refused(self, name, call, **kwargs):
        """Returns the response of a call that must fail with the named error."""
        with self.assertRaises(ClientError) as caught:
            call(**kwargs)
        self.assertEqual(name, caught.exception.response["Error"]["Code"])
        return caught.exception.response

    def test_table(self):
        self.table.reload()
        self.assertEqual(("ACTIVE", NAME), (self.table.table_status, self.table.name))
        self.assertTrue(self.table.table_arn.endswith(":table/" + NAME))
        self.assertEqual({"by-genre"}, {i["IndexName"] for i in self.table.global_secondary_indexes})
        self.assertIn(NAME, self.client.list_tables(Limit=100)["TableNames"])
        self.assertIn(NAME, [t.name for t in self.resource.tables.all()])
        names = [n for p in self.client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1}) for n in p["TableNames"]]
        self.assertIn(NAME, names)
        self.assertIsInstance(self.table.creation_date_time.timestamp(), float)

    def test_batch_writer(self):
        items = self.table.query(KeyConditionExpression=Key("artist").eq("twice"))["Items"]
        self.assertEqual([{"artist": "twice", "song": "one", "n": 2}], items)

    def test_types(self):
        item = {"artist": "types", "song": "all", "n": D("-1.5E-20"), "big": D("12345678901234567890123456789012345678"), "b": b"\x00\xff",
                "null": None, "yes": True, "ss": {"a", ""}, "ns": {D(1), D("2.50")}, "bs": {b"x"}, "l": [1, "two", {"three": [3]}],
                "m": {"": "an empty string", "é✓": []}, "empty": ""}
        item["m"].pop("")
        self.table.put_item(Item=item)
        got = self.table.get_item(Key={"artist": "types", "song": "all"}, ConsistentRead=True)["Item"]
        want = dict(item, b=Binary(b"\x00\xff"), bs={Binary(b"x")})
        self.assertEqual(want, got)
        self.table.delete_item(Key={"artist": "types", "song": "all"})
        self.assertNotIn("Item", self.table.get_item(Key={"artist": "types", "song": "all"}))

    def test_update(self):
        key = {"artist": "update", "song": "x"}
        out = self.table.update_item(Key=key, UpdateExpression="SET #y = :y, tags = :t ADD plays :one",
                                     ExpressionAttributeNames={"#y": "year"},
                                     ExpressionAttributeValues={":y": 1965, ":t": ["a"], ":one": 1}, ReturnValues="ALL_NEW")
        self.assertEqual(dict(key, year=1965, tags=["a"], plays=1), out["Attributes"])
        out = self.table.update_item(Key=key, UpdateExpression="SET tags = list_append(tags, :t), plays = plays + :two",
                                     ConditionExpression=Attr("plays").lt(5) & Attr("tags").contains("a") & Attr("gone").not_exists(),
                                     ExpressionAttributeValues={":t": ["b"], ":two": 2}, ReturnValues="UPDATED_NEW")
        self.assertEqual({"tags": ["a", "b"], "plays": 3}, out["Attributes"])
        failed = self.refused("ConditionalCheckFailedException", self.table.update_item, Key=key, UpdateExpression="REMOVE plays",
                              ConditionExpression=Attr("plays").between(5, 9))
        self.assertEqual("The conditional request failed", failed["Error"]["Message"])
        with self.assertRaises(self.client.exceptions.ConditionalCheckFailedException):
            self.table.put_item(Item=key, ConditionExpression=Attr("artist").not_exists())
        out = self.table.delete_item(Key=key, ReturnValues="ALL_OLD", ReturnConsumedCapacity="TOTAL")
        self.assertEqual(3, out["Attributes"]["plays"])
        self.assertEqual(NAME, out["ConsumedCapacity"]["TableName"])

    def test_query(self):
        count, start = 0, {}
        while True:  # by hand
            page = self.table.query(KeyConditionExpression=Key("artist").eq("nina") & Key("song").between("005", "024"), Limit=7, **start)
            count += page["Count"]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        self.assertEqual(20, count)
        page = self.table.query(KeyConditionExpression=Key("artist").eq("nina") & Key("song").begins_with("01"), ScanIndexForward=False,
                                FilterExpression=Attr("genre").is_in(["jazz", "folk"]) & ~Attr("year").gte(1968), ProjectionExpression="song, genre")
        self.assertEqual(["016", "014", "012", "010"], [i["song"] for i in page["Items"]])
        self.assertEqual((4, 10), (page["Count"], page["ScannedCount"]))
        page = self.table.query(IndexName="by-genre", KeyConditionExpression=Key("genre").eq("soul") & Key("year").lt(1953))
        self.assertEqual({D(1951)}, {i["year"] for i in page["Items"]})
        self.assertEqual(6, page["Count"])
        page = self.table.query(IndexName="by-year", ConsistentRead=True, Select="ALL_ATTRIBUTES",
                                KeyConditionExpression=Key("artist").eq("bill") & Key("year").eq(1955))
        self.assertEqual({D("8.25"), D("28.25")}, {i["length"] for i in page["Items"]})

    def test_paginators(self):
        pages = self.client.get_paginator("query").paginate(
            TableName=NAME, KeyConditionExpression="artist = :a", ExpressionAttributeValues={":a": {"S": "miles"}},
            PaginationConfig={"PageSize": 9, "MaxItems": 30})
        result = pages.build_full_result()
        self.assertEqual(30, len(result["Items"]))
        self.assertIn("NextToken", result)
        seen = [i["song"]["S"] for p in self.client.get_paginator("scan").paginate(TableName=NAME, PaginationConfig={"PageSize": 11})
                for i in p["Items"] if i["artist"]["S"] == "miles"]
        self.assertEqual([f"{i:03}" for i in range(40)], sorted(seen))

    def test_scan_in_segments(self):
        total = sum(self.table.scan(Segment=s, TotalSegments=4, FilterExpression=Attr("artist").is_in(["nina", "miles", "bill"]),
                                    Select="COUNT")["Count"] for s in range(4))
        self.assertEqual(120, total)

    def test_batches(self):
        keys = [{"artist": "nina", "song": f"{i:03}"} for i in range(45)]
        got = self.resource.batch_get_item(RequestItems={NAME: {"Keys": keys, "ProjectionExpression": "song"}}, ReturnConsumedCapacity="TOTAL")
        self.assertEqual(40, len(got["Responses"][NAME]))
        self.assertEqual({}, got["UnprocessedKeys"])
        self.assertEqual(22.5, got["ConsumedCapacity"][0]["CapacityUnits"])
        self.refused("ValidationException", self.resource.batch_get_item, RequestItems={NAME: {"Keys": keys[:1] * 2}})

    def test_transactions(self):
        def put(song, **more):
            return {"Put": dict({"TableName": NAME, "Item": {"artist": {"S": "tx"}, "song": {"S": song}, "n": {"N": "1"}}}, **more)}
        check = {"ConditionCheck": {"TableName": NAME, "Key": {"artist": {"S": "nina"}, "song": {"S": "000"}},
                                    "ConditionExpression": "attribute_exists(artist)"}}
        self.client.transact_write_items(TransactItems=[put("a"), put("b"), check], ClientRequestToken=NAME)
        self.client.transact_write_items(TransactItems=[put("a"), put("b"), check], ClientRequestToken=NAME)
        with self.assertRaises(self.client.exceptions.IdempotentParameterMismatchException):
            self.client.transact_write_items(TransactItems=[put("c")], ClientRequestToken=NAME)
        with self.assertRaises(self.client.exceptions.TransactionCanceledException) as caught:
            self.client.transact_write_items(TransactItems=[
                put("c"), put("a", ConditionExpression="attribute_not_exists(artist)", ReturnValuesOnConditionCheckFailure="ALL_OLD")])
        reasons = caught.exception.response["CancellationReasons"]
        self.assertEqual(["None", "ConditionalCheckFailed"], [r["Code"] for r in reasons])
        self.assertEqual({"N": "1"}, reasons[1]["Item"]["n"])
        got = self.client.transact_get_items(TransactItems=[
            {"Get": {"TableName": NAME, "Key": {"artist": {"S": "tx"}, "song": {"S": s}}}} for s in ("a", "b", "c")])
        self.assertEqual([True, True, False], ["Item" in r for r in got["Responses"]])

    def test_partiql(self):
        run = self.client.execute_statement
        run(Statement=f"INSERT INTO \"{NAME}\" VALUE {{'artist': 'ql', 'song': ?, 'n': 1, 'm': {{'k': [1, 2]}}}}", Parameters=[{"S": "a"}])
        with self.assertRaises(self.client.exceptions.DuplicateItemException):
            run(Statement=f"INSERT INTO \"{NAME}\" VALUE {{'artist': 'ql', 'song': 'a'}}")
        out = run(Statement=f"UPDATE \"{NAME}\" SET n = n + 1 WHERE artist = 'ql' AND song = 'a' RETURNING MODIFIED NEW *")
        self.assertEqual([{"n": {"N": "2"}}], out["Items"])
        self.assertEqual([{"k[1]": {"N": "2"}}], run(Statement=f"SELECT m.k[1] FROM \"{NAME}\" WHERE artist = 'ql' AND song = 'a'")["Items"])
        out = self.client.batch_execute_statement(Statements=[
            {"Statement": f"SELECT n FROM \"{NAME}\" WHERE artist = 'ql' AND song = 'a'"}, {"Statement": "SELECT * FROM nowhere WHERE a = 1"}])
        self.assertEqual({"N": "2"}, out["Responses"][0]["Item"]["n"])
        self.assertEqual("ResourceNotFound", out["Responses"][1]["Error"]["Code"])
        self.client.execute_transaction(TransactStatements=[{"Statement": f"DELETE FROM \"{NAME}\" WHERE artist = 'ql' AND song = 'a'"}])
        pages, token = [], {}
        while True:
            page = run(Statement=f"SELECT song FROM \"{NAME}\".\"by-genre\" WHERE genre = 'jazz' AND \"year\" < 1960", Limit=10, **token)
            pages += page["Items"]
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        self.assertEqual(30, len(pages))

    def test_errors(self):
        missing = self.resource.Table("no-such-table")
        with self.assertRaises(self.client.exceptions.ResourceNotFoundException):
            missing.get_item(Key={"a": "b"})
        with self.assertRaises(self.client.exceptions.ResourceInUseException):
            self.client.create_table(TableName=NAME, KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
                                     AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}])
        failed = self.refused("ValidationException", self.table.get_item, Key={"artist": "nina"})
        self.assertEqual("The provided key element does not match the schema", failed["Error"]["Message"])
        self.assertEqual(400, failed["ResponseMetadata"]["HTTPStatusCode"])
        self.assertEqual(52, len(failed["ResponseMetadata"]["RequestId"]))
        with self.assertRaises(WaiterError):
            self.client.get_waiter("table_exists").wait(TableName="no-such-table", WaiterConfig={"Delay": 1, "MaxAttempts": 1})

    def test_settings(self):
        name, arn = NAME + "-set", self.table.table_arn + "-set"
        self.client.create_table(TableName=name, KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                                 AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                                 ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5})
        self.client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=FAST)
        self.client.tag_resource(ResourceArn=arn, Tags=[{"Key": f"k{i:02}", "Value": "v"} for i in range(25)])
        tags = [t for p in self.client.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn) for t in p["Tags"]]
        self.assertEqual(25, len(tags))
        self.client.untag_resource(ResourceArn=arn, TagKeys=["k00"])
        self.client.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ends"})
        ttl = self.client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        self.assertEqual("ends", ttl["AttributeName"])
        backups = self.client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        self.assertEqual("DISABLED", backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"])
        self.assertEqual([], self.client.describe_kinesis_streaming_destination(TableName=name)["KinesisDataStreamDestinations"])
        self.client.update_table(TableName=name, AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}],
                                 GlobalSecondaryIndexUpdates=[{"Create": {
                                     "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                     "Projection": {"ProjectionType": "ALL"}, "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}}}])
        self.until(lambda: self.client.describe_table(TableName=name)["Table"]["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE")
        if "DeletionProtectionEnabled" in self.client.meta.service_model.operation_model("UpdateTable").input_shape.members:
            self.client.update_table(TableName=name, DeletionProtectionEnabled=True)
            self.until(lambda: self.client.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"])
            self.refused("ValidationException", self.client.delete_table, TableName=name)
            self.client.update_table(TableName=name, DeletionProtectionEnabled=False)
        self.client.delete_table(TableName=name)
        self.client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig=FAST)

    def test_streams(self):
        streams = connect(boto3.client, "dynamodbstreams")
        arn = self.client.describe_table(TableName=NAME)["Table"]["LatestStreamArn"]
        self.assertEqual([arn], [s["StreamArn"] for s in streams.list_streams(TableName=NAME)["Streams"]])
        self.table.put_item(Item={"artist": "stream", "song": "a", "n": 1})
        self.table.delete_item(Key={"artist": "stream", "song": "a"})
        events = []
        for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            at = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            empty = 0
            while at and empty < 2:
                page = streams.get_records(ShardIterator=at)
                events += page["Records"]
                empty = 0 if page["Records"] else empty + 1
                at = page.get("NextShardIterator")
        mine = [e["eventName"] for e in events if e["dynamodb"]["Keys"]["artist"] == {"S": "stream"}]
        self.assertEqual(["INSERT", "REMOVE"], mine)

    def until(self, holds):
        deadline = time.monotonic() + 30
        while not holds():
            self.assertLess(time.monotonic(), deadline, "not within 30 seconds")
            time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--endpoint", default="http://127.0.0.1:8000")
    parser.add_argument("--region", default="us-east-1")
    OPTIONS.update(vars(parser.parse_args()))
    print(f"boto3 {boto3.__version__}, botocore {botocore.__version__}")
    unittest.main(argv=sys.argv[:1], verbosity=1, warnings="ignore")


if __name__ == "__main__":
    main()
