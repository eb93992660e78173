#!/usr/bin/env bash
# Runs the shell blocks of docs/triggers.md as they stand, every one after a line "<!-- run -->", against the regions of
# `meridian dev --lambda-endpoint http://127.0.0.1:9101 --trigger-files ./failures`, which dev.sh has started in the same folder.
# Usage: e2e/triggers.sh FOLDER
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$1"

awk '/^<!-- run -->$/ {want = 1; next} /^```sh$/ && want {take = 1; want = 0; next} /^```$/ {take = 0} take' \
	"$top/docs/triggers.md" >blocks.sh
{ echo "trap 'kill \$(jobs -p) 2>/dev/null || true' EXIT"; cat blocks.sh; } >run.sh
out=$(timeout 120 bash -euo pipefail run.sh) || { echo "FAIL: the blocks of docs/triggers.md, or they did not end in time" >&2; exit 1; }
printf '%s\n' "$out"

expect() { [[ $out == *"$1"* ]] || { echo "FAIL: no $1 in the output of docs/triggers.md" >&2; exit 1; }; }
expect '"State": "Creating"'
expect 'us-east-1 INSERT Sinnerman'
expect 'us-east-1 INSERT Heroes'
expect '"condition":"RetryAttemptsExhausted"'
expect '"batchSize":1'
expect 'Deleting'
