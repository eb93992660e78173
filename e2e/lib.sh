# Sourced by the end-to-end scripts; not to be run. They stand in the repository's top folder and stop at the first failure.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

began=$SECONDS
scratch=$(mktemp -d)
ISO_CODES=${ISO_CODES:-/usr/share/iso-codes/json}

say() { printf '\n-- %s (%d s)\n' "$*" $((SECONDS - began)); }

fail() {
	printf 'FAIL: %s\n' "$*" >&2
	exit 1
}

# need COMMAND...: stops with a clear word if a tool is not there.
need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || fail "$tool is not installed (see CONTRIBUTING.md)"
	done
}

# await SECONDS WHAT COMMAND...: runs the command again and again until it succeeds.
await() {
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		((SECONDS < deadline)) || fail "$what: not within the time given"
		sleep 0.1
	done
}

# free PORT...: the ports must be free before we start, or we would test somebody else's server.
free() {
	local port
	for port in "$@"; do
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			fail "port $port is taken: something is running that this run would be mistaken for"
		fi
	done
}

alive() { kill -0 "$1" 2>/dev/null; }

# acked REGION: how many writes of a region "check write" has noted so far.
acked() { grep -c "\"Region\":\"$1\"" "$scratch/acks" 2>/dev/null || true; }

# acked_everywhere COUNT: whether every region has acknowledged so many more than at the last `mark`.
declare -A marks=()
mark() {
	local region
	for region in us-east-1 eu-west-1 ap-northeast-1; do marks[$region]=$(acked "$region"); done
}
acked_everywhere() {
	local region
	alive "$writer" || fail "the writer ended too early"
	for region in "${!marks[@]}"; do
		(($(acked "$region") - ${marks[$region]:-0} >= $1)) || return 1
	done
}

# go_tools: builds what the script runs. The server is built as it is shipped.
go_tools() {
	CGO_ENABLED=0 go build -o bin/meridian ./cmd/meridian
	go build -o bin/check ./e2e/check
}
