#!/usr/bin/env bash
# Compares the Go benchmarks of two commits by benchstat, taking turns so that other work on the machine meets both.
#
#   bench/compare.sh main~1 main                       # the inner paths: codecs, expressions, commit, apply, handler
#   bench/compare.sh v0.1 HEAD ./item ./conflict       # of some packages
#   ROUNDS=10 BENCH=Apply bench/compare.sh v0.1 HEAD ./region/table
#
# It touches no checkout: both commits are built in a temporary folder. Without a network it prints where the figures are.
set -euo pipefail

if [ $# -lt 2 ]; then
	sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
old=$1 new=$2
shift 2
packages=("$@")
[ $# -gt 0 ] || packages=(./item ./conflict ./crdt ./expr ./stream/... ./storage/pebblestore ./region/table ./api)
root=$(git rev-parse --show-toplevel)
dir=$(mktemp -d)
trap 'rm -rf "$dir/old" "$dir/new"' EXIT
for side in old new; do
	mkdir "$dir/$side"
	git -C "$root" archive "${!side}" | tar -x -C "$dir/$side"
done
for ((i = 1; i <= ${ROUNDS:-6}; i++)); do
	for side in old new; do
		echo "round $i, $side" >&2
		(cd "$dir/$side" && go test -run '^$' -bench "${BENCH:-.}" -benchtime "${BENCHTIME:-200ms}" -benchmem "${packages[@]}") >>"$dir/$side.txt"
	done
done
(cd "$dir" && go run golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da old.txt new.txt) ||
	echo "benchstat is not to be had; the figures are in $dir/old.txt and $dir/new.txt" >&2
