#!/usr/bin/env bash
# Prints how Compose is called here: v2 is a plugin of docker, 1.29 a command of its own.
if docker compose version >/dev/null 2>&1; then
	echo docker compose
elif command -v docker-compose >/dev/null; then
	echo docker-compose
else
	echo "neither 'docker compose' nor 'docker-compose' is installed" >&2
	exit 1
fi
