#!/usr/bin/env bash
# What people do with the AWS CLI, done against a running server:
#
#   e2e/with_cli.sh [ENDPOINT [REGION]]      default: http://127.0.0.1:8000 us-east-1
#
# It makes a table of its own and removes it. e2e/clients.sh runs it against a server of its own.
set -euo pipefail
endpoint=${1:-http://127.0.0.1:8000} region=${2:-us-east-1}
export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_PAGER= AWS_DEFAULT_OUTPUT=text
unset AWS_PROFILE AWS_ENDPOINT_URL AWS_ENDPOINT_URL_DYNAMODB
table=cli-$$-$RANDOM steps=0

db() { aws dynamodb --endpoint-url "$endpoint" --region "$region" "$@"; }

# is WANT COMMAND...: the command must succeed and print this.
is() {
	local want=$1 got
	shift
	steps=$((steps + 1))
	got=$(db "$@") || { printf 'FAIL: aws dynamodb %s\n' "$*" >&2; exit 1; }
	[[ $got == "$want" ]] || { printf 'FAIL: aws dynamodb %s\n got  %q\n want %q\n' "$*" "$got" "$want" >&2; exit 1; }
}

# fails ERROR COMMAND...: the command must fail and name this error.
fails() {
	local want=$1 got
	shift
	steps=$((steps + 1))
	if got=$(db "$@" 2>&1); then printf 'FAIL: aws dynamodb %s: no error\n' "$*" >&2; exit 1; fi
	[[ $got == *"$want"* ]] || { printf 'FAIL: aws dynamodb %s\n got  %s\n want %s\n' "$*" "$got" "$want" >&2; exit 1; }
}

key() { printf '{"pk":{"S":"%s"},"sk":{"N":"%s"}}' "$1" "$2"; }

is CREATING create-table --table-name "$table" --billing-mode PAY_PER_REQUEST \
	--key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE \
	--attribute-definitions AttributeName=pk,AttributeType=S AttributeName=sk,AttributeType=N \
	--tags Key=by,Value=cli --query TableDescription.TableStatus
is '' wait table-exists --table-name "$table"
is "$table ACTIVE 2" describe-table --table-name "$table" \
	--query 'join(`" "`, [Table.TableName, Table.TableStatus, to_string(length(Table.KeySchema))])'
arn=$(db describe-table --table-name "$table" --query Table.TableArn)

is '' put-item --table-name "$table" --item '{"pk":{"S":"a"},"sk":{"N":"1"},"v":{"S":"one"},"list":{"L":[{"N":"1"},{"NULL":true}]}}'
is one get-item --table-name "$table" --key "$(key a 1)" --consistent-read --query Item.v.S
is None get-item --table-name "$table" --key "$(key a 9)" --query Item
is 8 update-item --table-name "$table" --key "$(key a 1)" --update-expression 'SET n = if_not_exists(n, :z) + :n' \
	--expression-attribute-values '{":z":{"N":"5"},":n":{"N":"3"}}' --return-values ALL_NEW --query Attributes.n.N
fails ConditionalCheckFailedException put-item --table-name "$table" --item "$(key a 1)" --condition-expression 'attribute_not_exists(pk)'
fails 'The provided key element does not match the schema' get-item --table-name "$table" --key '{"pk":{"S":"a"}}'
fails ResourceNotFoundException get-item --table-name "no-$table" --key "$(key a 1)"

requests=
for sk in 2 3 4 5 6; do requests+="{\"PutRequest\":{\"Item\":{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"$sk\"},\"v\":{\"S\":\"x$sk\"}}}},"; done
is 0 batch-write-item --request-items "{\"$table\":[${requests%,}]}" --query 'length(keys(UnprocessedItems))'
is 2 batch-get-item --request-items "{\"$table\":{\"Keys\":[$(key a 2),$(key a 3),$(key b 1)]}}" --query "length(Responses.\"$table\")"
is 'x5	x4	x3' query --table-name "$table" --key-condition-expression 'pk = :p AND sk BETWEEN :l AND :h' --no-scan-index-forward \
	--expression-attribute-values '{":p":{"S":"a"},":l":{"N":"3"},":h":{"N":"5"}}' --query 'Items[].v.S'
is 6 query --table-name "$table" --key-condition-expression 'pk = :p' --expression-attribute-values '{":p":{"S":"a"}}' \
	--page-size 2 --output json --query 'length(Items)'
is 2 scan --table-name "$table" --filter-expression 'begins_with(v, :x) AND sk > :four' \
	--expression-attribute-values '{":x":{"S":"x"},":four":{"N":"4"}}' --query Count
is '' transact-write-items --transact-items "[{\"Put\":{\"TableName\":\"$table\",\"Item\":$(key t 1)}},{\"Delete\":{\"TableName\":\"$table\",\"Key\":$(key a 6)}}]"
is 1 transact-get-items --transact-items "[{\"Get\":{\"TableName\":\"$table\",\"Key\":$(key t 1)}},{\"Get\":{\"TableName\":\"$table\",\"Key\":$(key a 6)}}]" \
	--query 'length(Responses[?Item])'
fails '[None, ConditionalCheckFailed]' transact-write-items --transact-items "[{\"Put\":{\"TableName\":\"$table\",\"Item\":$(key t 2)}},{\"ConditionCheck\":{\"TableName\":\"$table\",\"Key\":$(key t 9),\"ConditionExpression\":\"attribute_exists(pk)\"}}]"
is x3 execute-statement --statement "SELECT v FROM \"$table\" WHERE pk = ? AND sk = 3" --parameters '{"S":"a"}' --query 'Items[0].v.S'
is one delete-item --table-name "$table" --key "$(key a 1)" --return-values ALL_OLD --query Attributes.v.S

is '' tag-resource --resource-arn "$arn" --tags Key=stage,Value=test
is 2 list-tags-of-resource --resource-arn "$arn" --query 'length(Tags)'
is '' untag-resource --resource-arn "$arn" --tag-keys by
is ends update-time-to-live --table-name "$table" --time-to-live-specification Enabled=true,AttributeName=ends --query TimeToLiveSpecification.AttributeName
is DISABLED describe-continuous-backups --table-name "$table" \
	--query ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus
is UPDATING update-table --table-name "$table" --billing-mode PROVISIONED \
	--provisioned-throughput ReadCapacityUnits=10,WriteCapacityUnits=10 --query TableDescription.TableStatus
is '' wait table-exists --table-name "$table"
is "$table" delete-table --table-name "$table" --query TableDescription.TableName
is '' wait table-not-exists --table-name "$table"
fails ResourceNotFoundException describe-table --table-name "$table"
printf 'AWS CLI: %d calls as expected\n' "$steps"
