#!/usr/bin/env bash
# boto3 and the AWS CLI against two regions of `meridian dev`, on ports of their own.
source "$(dirname "$0")/lib.sh"
need go aws /usr/bin/python3

server=
cleanup() {
	local code=$?
	if [[ -n $server ]] && alive "$server"; then kill -INT "$server" && wait "$server" 2>/dev/null || true; fi
	if ((code != 0)); then
		printf '\nthe end of the log of meridian dev:\n' >&2
		tail -n 40 "$scratch/dev.log" >&2 2>/dev/null || true
	fi
	rm -rf "$scratch"
}
trap cleanup EXIT

port=$((20000 + RANDOM % 5000 * 2))
free $port $((port + 1))
CGO_ENABLED=0 go build -o bin/meridian ./cmd/meridian

say "two regions at port $port"
bin/meridian dev --regions us-east-1,eu-west-1 --data "$scratch/data" --port $port --admin-port $((port + 10)) \
	--replication-port $((port + 20)) --gossip-port $((port + 30)) >"$scratch/dev.log" 2>&1 &
server=$!
ready() {
	alive "$server" || fail "meridian dev ended too early"
	grep -q '2 regions ready' "$scratch/dev.log"
}
await 30 "two regions" ready

say "boto3"
/usr/bin/python3 e2e/with_boto3.py --endpoint "http://127.0.0.1:$port"

say "the AWS CLI"
e2e/with_cli.sh "http://127.0.0.1:$port"

say "clients: all holds"
