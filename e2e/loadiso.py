#!/usr/bin/python3
"""Puts Debian's iso-codes into a table: countries, their subdivisions, languages; some 13,000 items.

    loadiso.py [--endpoint http://127.0.0.1:8000] [--region us-east-1] [--replicas eu-west-1,ap-northeast-1]
               [--table iso-codes] [--source /usr/share/iso-codes/json]

The table is made if it is not there, in the region of the endpoint, with replicas in the others. An item's key is the
standard (hash) and the code within it (range); its other attributes are the fields of the record. A country's number is
a number, everything else a string. Needs Debian's packages iso-codes and python3-boto3.
"""

import argparse
import json
import pathlib
import sys
import time

import boto3
from botocore.config import Config

# standard: (file, field that is the code)
STANDARDS = {
    "3166-1": ("iso_3166-1.json", "alpha_3"),
    "3166-2": ("iso_3166-2.json", "code"),
    "639-3": ("iso_639-3.json", "alpha_3"),
}


def items(source):
    for standard, (file, code) in STANDARDS.items():
        for record in json.loads((source / file).read_text(encoding="utf-8"))[standard]:
            item = {"standard": standard, "code": record[code]}
            item.update((k, int(v) if k == "numeric" else v) for k, v in record.items() if k != code)
            yield item


def make_table(client, name, replicas):
    client.create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "standard", "AttributeType": "S"},
            {"AttributeName": "code", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "standard", "KeyType": "HASH"},
            {"AttributeName": "code", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    wait(client, name, [])
    for region in replicas:
        client.update_table(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": region}}])
        wait(client, name, [region])


def wait(client, name, replicas, patience=60):
    """Returns when the table and the named replicas are ACTIVE."""
    deadline = time.monotonic() + patience
    while True:
        table = client.describe_table(TableName=name)["Table"]
        states = {r["RegionName"]: r["ReplicaStatus"] for r in table.get("Replicas", [])}
        if table["TableStatus"] == "ACTIVE" and all(states.get(r) == "ACTIVE" for r in replicas):
            return
        if time.monotonic() > deadline:
            sys.exit(f"{name}: not ready after {patience} s: {table['TableStatus']}, replicas {states}")
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", default="http://127.0.0.1:8000")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--replicas", default="eu-west-1,ap-northeast-1")
    parser.add_argument("--table", default="iso-codes")
    parser.add_argument("--source", default="/usr/share/iso-codes/json", type=pathlib.Path)
    args = parser.parse_args()

    session = dict(
        endpoint_url=args.endpoint, region_name=args.region, aws_access_key_id="any", aws_secret_access_key="any",
        config=Config(retries={"mode": "standard", "max_attempts": 5}),
    )
    client = boto3.client("dynamodb", **session)
    try:
        client.describe_table(TableName=args.table)
    except client.exceptions.ResourceNotFoundException:
        make_table(client, args.table, [r for r in args.replicas.split(",") if r])

    began, count = time.monotonic(), 0
    with boto3.resource("dynamodb", **session).Table(args.table).batch_writer() as batch:
        for item in items(args.source):
            batch.put_item(Item=item)
            count += 1
    took = time.monotonic() - began
    print(f"{count} items into {args.table} at {args.endpoint} ({args.region}) in {took:.1f} s")


if __name__ == "__main__":
    main()
