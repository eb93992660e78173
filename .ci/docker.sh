# Sourced by .ci/run: a Docker engine of this run's own, for machines where none runs. Engine, containers and images live in
# one temporary folder and go with it; an engine that already runs is used as it is.

engine_pid=
engine_folder=

# start_engine: returns 0 with DOCKER_HOST set, or 1 after saying why no engine can run here.
start_engine() {
	if docker info >/dev/null 2>&1; then
		echo "an engine runs already: $(docker version --format '{{.Server.Version}}')"
		return 0
	fi
	if ((EUID != 0)); then
		echo "an engine needs root, and this is user $EUID"
		return 1
	fi
	engine_folder=$(mktemp -d)
	export DOCKER_HOST=unix://$engine_folder/docker.sock
	local options
	# From what it should be to what little a kernel may allow.
	for options in "" "--storage-driver=vfs" "--iptables=false --ip6tables=false" \
		"--iptables=false --ip6tables=false --storage-driver=vfs"; do
		if try_engine $options; then
			echo "engine $(docker version --format '{{.Server.Version}}'), storage" \
				"$(docker info --format '{{.Driver}}'), options: ${options:-none}"
			return 0
		fi
		echo "the engine does not run with options: ${options:-none}; the end of its log:"
		tail -n 5 "$engine_folder/dockerd.log"
		stop_engine_process
	done
	return 1
}

# try_engine OPTION...: starts dockerd and makes sure that it can do what the containers need: a network between them.
try_engine() {
	rm -rf "$engine_folder/data"
	dockerd --data-root "$engine_folder/data" --exec-root "$engine_folder/exec" --pidfile "$engine_folder/pid" \
		--host "$DOCKER_HOST" --bridge none "$@" >"$engine_folder/dockerd.log" 2>&1 &
	engine_pid=$!
	local deadline=$((SECONDS + 30))
	until docker info >/dev/null 2>&1; do
		if ((SECONDS >= deadline)) || ! kill -0 "$engine_pid" 2>/dev/null; then return 1; fi
		sleep 0.2
	done
	docker network create meridian-ci-probe >/dev/null 2>>"$engine_folder/dockerd.log" &&
		docker network rm meridian-ci-probe >/dev/null
}

stop_engine_process() {
	[[ -n $engine_pid ]] || return 0
	kill "$engine_pid" 2>/dev/null || true
	local deadline=$((SECONDS + 20))
	while kill -0 "$engine_pid" 2>/dev/null; do
		if ((SECONDS >= deadline)); then kill -KILL "$engine_pid" 2>/dev/null || true; fi
		sleep 0.2
	done
	wait "$engine_pid" 2>/dev/null || true
	engine_pid=
}

stop_engine() {
	[[ -n $engine_folder ]] || return 0
	stop_engine_process
	# What an engine that was killed may have left mounted; nothing is, usually.
	local mount
	{ grep -o "$engine_folder/[^ ]*" /proc/mounts || true; } | sort -r | while read -r mount; do umount -l "$mount" || true; done
	rm -rf "$engine_folder" || echo "could not remove all of $engine_folder"
	engine_folder=
}
