#!/usr/bin/env bash
# Three regions of `meridian dev`: real data in by boto3, out by the AWS CLI and the AWS SDK for Go.
source "$(dirname "$0")/lib.sh"
need go aws /usr/bin/python3
free 8000 8001 8002 9000 9001 9002 9101

server=
cleanup() {
	local code=$?
	if [[ -n $server ]] && alive "$server"; then kill -KILL "$server" && wait "$server" 2>/dev/null || true; fi
	if ((code != 0)); then
		printf '\nthe end of the log of meridian dev:\n' >&2
		tail -n 40 "$scratch/dev.log" >&2 2>/dev/null || true
	fi
	rm -rf "$scratch"
}
trap cleanup EXIT

go_tools
mkdir "$scratch/tmp"

say "three regions"
TMPDIR=$scratch/tmp bin/meridian dev --lambda-endpoint http://127.0.0.1:9101 --trigger-files "$scratch/failures" >"$scratch/dev.log" 2>&1 &
server=$!
bin/check level --within 20s
grep '^Meridian: 3 regions' "$scratch/dev.log"

say "iso-codes into us-east-1 by boto3"
/usr/bin/python3 e2e/loadiso.py --source "$ISO_CODES"

say "read from all regions by the AWS SDK for Go"
bin/check equal --table iso-codes --iso "$ISO_CODES" --within 60s
bin/check level --within 30s

say "a query in ap-northeast-1 by the AWS CLI"
export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_PAGER=
want=$(grep -c '"code": "CH-' "$ISO_CODES/iso_3166-2.json")
got=$(aws dynamodb query --region ap-northeast-1 --endpoint-url http://127.0.0.1:8002 --table-name iso-codes \
	--key-condition-expression 'standard = :s AND begins_with(code, :c)' \
	--expression-attribute-values '{":s": {"S": "3166-2"}, ":c": {"S": "CH-"}}' --query Count)
echo "$got subdivisions of Switzerland"
[[ $got == "$want" ]] || fail "the files have $want"

say "the README's own lines"
/usr/bin/python3 e2e/readme.py

say "the lines of docs/triggers.md"
e2e/triggers.sh "$scratch"

say "time to visibility at 1,000 writes a second"
# A ratio: how many milliseconds it takes depends on who else uses the machine.
bin/check visible --rate 1000 --for 10s --max-ratio 10

say "status"
bin/check level --within 30s
bin/meridian status

say "Ctrl-C"
kill -INT "$server"
code=0
wait "$server" || code=$?
server=
((code == 0)) || fail "meridian dev ended with exit code $code"
[[ -z $(ls -A "$scratch/tmp") ]] || fail "meridian dev left behind: $(ls -A "$scratch/tmp")"
say "dev: all holds"
