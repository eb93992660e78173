# Sourced by .ci/run: what the end-to-end runs need beside Go, from Debian.

# lacking: the packages of what is not here yet.
lacking() {
	command -v dockerd >/dev/null || echo docker.io
	command -v docker >/dev/null || echo docker.io
	command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || echo docker-compose
	command -v iptables >/dev/null || echo iptables
	command -v make >/dev/null || echo make
	command -v aws >/dev/null || echo awscli
	/usr/bin/python3 -c 'import boto3' 2>/dev/null || echo python3-boto3
	[[ -e /usr/share/iso-codes/json/iso_639-3.json ]] || echo iso-codes
	command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || echo chromium-headless-shell fonts-dejavu-core # 64 MB
	command -v gcc >/dev/null || echo gcc libc6-dev # the race detector's
}

install_packages() {
	local packages
	packages=$(lacking | sort -u | tr '\n' ' ')
	if [[ -z ${packages// /} ]]; then
		echo "all there"
		return
	fi
	echo "installing $packages"
	local log
	log=$(mktemp)
	if ! { apt-get update --quiet --quiet &&
		DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends $packages; } >"$log" 2>&1; then
		tail -n 30 "$log"
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
