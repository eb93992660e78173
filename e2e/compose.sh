#!/usr/bin/env bash
# Three regions in three containers: real data, then one region cut off from the others under load, then one killed.
source "$(dirname "$0")/lib.sh"
need go docker /usr/bin/python3
free 8000 8001 8002 9000 9001 9002

compose="$(e2e/compose-command.sh) --project-name meridian-e2e"
admins=127.0.0.1:9000,127.0.0.1:9001,127.0.0.1:9002
writer=
cleanup() {
	local code=$?
	if [[ -n $writer ]] && alive "$writer"; then kill -KILL "$writer" && wait "$writer" 2>/dev/null || true; fi
	if ((code != 0)); then
		printf '\nwhat the regions show, and the end of their logs:\n' >&2
		bin/meridian status --admin 127.0.0.1:9000 --admin 127.0.0.1:9001 --admin 127.0.0.1:9002 >&2 || true
		$compose logs --no-color --tail=40 >&2 || true
	fi
	$compose down --volumes --timeout 10 >"$scratch/down.log" 2>&1 || cat "$scratch/down.log" >&2
	rm -rf "$scratch"
}
trap cleanup EXIT

# load TABLE: writes in all regions in the background; lull: ends it and shows what it says.
load() {
	rm -f "$scratch/acks"
	bin/check table --table "$1"
	bin/check write --rate 100 --for 5m --acks "$scratch/acks" --table "$@" >"$scratch/write.log" 2>&1 &
	writer=$!
	mark
	await 60 "acknowledgements in all regions" acked_everywhere 300
}
lull() {
	kill -TERM "$writer"
	local code=0
	wait "$writer" || code=$?
	writer=
	cat "$scratch/write.log"
	((code == 0)) || fail "the load ended with exit code $code"
}

go_tools

say "image and three containers"
make --no-print-directory image >"$scratch/image.log" 2>&1 || { cat "$scratch/image.log" >&2; fail "make image"; }
$compose up --detach --no-build >"$scratch/up.log" 2>&1 || { cat "$scratch/up.log" >&2; fail "compose up"; }
bin/check level --within 60s
healthy() { [[ $(docker ps --filter health=healthy --filter name=meridian- --quiet | wc -l) == 3 ]]; }
await 30 "health checks of the containers" healthy
docker ps --filter name=meridian- --format 'table {{.Names}}\t{{.Status}}\t{{.Ports}}'

say "iso-codes into us-east-1 by boto3, read from all regions by the AWS SDK for Go"
/usr/bin/python3 e2e/loadiso.py --source "$ISO_CODES"
bin/check equal --table iso-codes --iso "$ISO_CODES" --within 60s
bin/check level --within 30s

say "eu-west-1 cut off under load"
load cut --max-gap 5s
docker network disconnect meridian-wan meridian-eu-west-1
bin/check level --admins "$admins" --cut-off eu-west-1 --within 60s
mark
await 60 "acknowledgements in all regions while eu-west-1 is cut off" acked_everywhere 500
if bin/meridian status --admin 127.0.0.1:9000; then fail "status calls a region without links healthy"; fi

say "and back again"
docker network connect --alias eu-west-1 meridian-wan meridian-eu-west-1
mark
await 60 "acknowledgements in all regions after the cut" acked_everywhere 300
lull
bin/check level --admins "$admins" --within 120s
bin/check equal --table cut --acks "$scratch/acks" --within 30s

say "ap-northeast-1 killed under load"
load killed
docker kill meridian-ap-northeast-1 >/dev/null
docker start meridian-ap-northeast-1 >/dev/null
mark
await 60 "acknowledgements in all regions after the kill" acked_everywhere 300
lull
bin/check level --admins "$admins" --within 120s
bin/check equal --table killed --acks "$scratch/acks" --within 30s

say "drills on the containers: one killed, one taken out of the network"
bin/meridian drill run region-outage cut-off --target compose --short --quiet >"$scratch/drills.log" ||
	{ cat "$scratch/drills.log" >&2; fail "a drill on containers"; }
grep -E '^[a-z-]+: |drills passed' "$scratch/drills.log"

say "status"
bin/meridian status

say "the same at the distances of the real regions, with links that can be broken"
$compose -f docker-compose.yml -f deploy/compose/wan.yml up --detach --no-build >"$scratch/wan.log" 2>&1 ||
	{ cat "$scratch/wan.log" >&2; fail "compose up with deploy/compose/wan.yml"; }
bin/check level --within 60s
distant() {
	bin/meridian status --json | /usr/bin/python3 -c '
import json, sys
trips = {(r["region"], p["region"]): p.get("roundTripMs", 0) for r in json.load(sys.stdin)["regions"] for p in r["peers"]}
if len(trips) != 6 or min(trips.values()) < 60: sys.exit("not as far as the real regions: %s" % trips)
for (a, b), ms in sorted(trips.items()): print("%s to %s: %.1f ms" % (a, b, ms))' >"$scratch/trips" 2>&1
}
await 30 "round trips of the real regions" distant
cat "$scratch/trips"
bin/meridian drill run partition --target compose --short --quiet >"$scratch/drills.log" ||
	{ cat "$scratch/drills.log" >&2; fail "a drill on distant containers"; }
grep -E '^[a-z-]+: |^passed' "$scratch/drills.log"
say "compose: all holds"
