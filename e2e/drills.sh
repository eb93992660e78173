#!/usr/bin/env bash
# All named drills in short, on processes and on regions in one process; then the same tool on a server that replicates
# wrongly and forgets its sessions: it must find both.
source "$(dirname "$0")/lib.sh"
need go
cleanup() {
	local code=$?
	if ((code != 0)); then cat "$scratch"/*.log >&2 2>/dev/null || true; fi
	rm -rf "$scratch"
}
trap cleanup EXIT
export TMPDIR=$scratch

go_tools
quick="--short --quiet --parallel 6"

# drills TARGET: all of them. A neighbour on the machine can hold up clients; so those that found nothing but delay, or that did
# not come about, are run again by themselves. Whatever else one finds is a failure at once.
drills() {
	local again=--all try
	for try in 1 2 3; do
		if bin/meridian drill run $quick --target "$1" $again >"$scratch/drills.log" 2>"$scratch/failed.log"; then
			grep -E '^[a-z-]+: [A-Z]' "$scratch/drills.log"
			return 0
		fi
		grep -E '^FAIL |^[a-z-]+: [A-Z]' "$scratch/drills.log" || true
		grep '^meridian: ' "$scratch/failed.log" || true
		if grep -E '^FAIL ' "$scratch/drills.log" | grep -vE 'Clients go on|Links catch up|Few calls fail'; then return 1; fi
		if [[ $again == --all || $again == *" "* ]]; then again=$(sed -n 's/^failed: //p' "$scratch/failed.log"); fi
		[[ -n $again ]] || return 1
		quick="--short --quiet"
	done
	return 1
}

say "all drills on processes of meridian serve"
drills serve || fail "a drill on processes"
say "all drills in one process"
quick="--short --quiet --parallel 6"
drills dev || fail "a drill on regions of one process"

say "a server that drops commits and forgets what sessions have seen"
mkdir "$scratch/bad"
sed 's|^\terr := s.Region.Apply(ctx, peer, commits, upTo, closed)$|\tif upTo%23 == 0 {\n\t\tcommits = nil\n\t}\n&|' \
	cmd/meridian/bridge.go >"$scratch/bad/bridge.go"
sed 's|^func (r \*Region) AwaitSession(.*{$|&\n\tif true {\n\t\treturn nil\n\t}|' region/session.go >"$scratch/bad/session.go"
for file in cmd/meridian/bridge.go region/session.go; do
	if cmp -s "$file" "$scratch/bad/${file##*/}"; then fail "$file has changed: the sabotage does not fit it any more"; fi
done
printf '{"Replace": {"%s": "%s", "%s": "%s"}}' "$PWD/cmd/meridian/bridge.go" "$scratch/bad/bridge.go" \
	"$PWD/region/session.go" "$scratch/bad/session.go" >"$scratch/overlay.json"
CGO_ENABLED=0 go build -overlay "$scratch/overlay.json" -o "$scratch/bad/meridian" ./cmd/meridian
cat >"$scratch/far.yaml" <<'YAML'
name: far
title: Clients come from a region whose last second has not arrived
about: The first region is a second away from the others and is killed.
wan: none
load: {for: 6s, clients: 6, rate: 20}
steps:
  - {at: 1s, do: latency, from: first, to: second, add: 900ms}
  - {at: 1s, do: latency, from: first, to: third, add: 900ms}
  - {at: 4s, do: kill, region: first}
limits: {converge: 5s}
YAML
found() {
	local code=0
	"$scratch/bad/meridian" drill run --quiet --target dev "$1" >"$scratch/bad.log" 2>&1 || code=$?
	((code == 1)) || fail "a sabotaged server: exit code $code of $1, not 1"
	grep -E "^FAIL +$2" "$scratch/bad.log" || fail "the drill $1 does not find: $2"
}
sed 's/converge: [0-9a-z]*,*/converge: 5s/; s/^limits: {/limits: {converge: 5s, /; s/for: 15s/for: 5s/; s/at: 10s/at: 4s/' \
	drill/scenarios/partition.yaml >"$scratch/cut.yaml"
found "$scratch/cut.yaml" "All regions hold the same"
found "$scratch/far.yaml" "No session was lied to"
say "drills: all hold"
