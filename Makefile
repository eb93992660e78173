# Everything is plain Go: `go run ./cmd/meridian dev` and `go test ./...` need no make. These are the longer commands.

GOLANGCI_LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2

# Packages with goroutines or locks of their own.
CONCURRENT = ./storage/... ./stream/... ./region/... ./replication/... ./api/... ./internal/... ./cmd/... ./e2e/... ./route/... ./drill/... ./trigger/...

FUZZTIME = 60s

.PHONY: build test race lint fmt fuzz image up down e2e e2e-compose ci clean

build:             ## the binary, in bin/
	CGO_ENABLED=0 go build -o bin/meridian ./cmd/meridian

test:              ## everything that needs nothing but Go
	go test ./...

race:              ## the same with the race detector, where there is something to race
	go test -race -timeout 20m $(CONCURRENT)

lint:              ## what .golangci.yml asks for, by a pinned version built from source
	go run $(GOLANGCI_LINT) run ./...

fmt:
	gofmt -w $$(git ls-files '*.go')

fuzz:              ## every fuzz target for FUZZTIME
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ {names = names " " $$1} /^ok/ {n = split(names, t, " "); \
		for (i = 1; i <= n; i++) print $$2, t[i]; names = ""}' | while read -r package target; do \
		echo "== $$package $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" || exit 1; \
	done

image: build       ## the container image meridian:local, of bin/meridian; needs a Docker engine but no registry
	rm -rf bin/image
	mkdir -p bin/image/root/data
	cp bin/meridian bin/image/root/
	docker build --target binary --tag meridian:local --file deploy/docker/Dockerfile .

up: image          ## three regions in containers
	$$(e2e/compose-command.sh) up --detach

down:              ## stop them and forget their data
	$$(e2e/compose-command.sh) down --volumes

e2e: build         ## three regions of `meridian dev` with real clients
	e2e/clients.sh
	e2e/dev.sh
	e2e/drills.sh

e2e-compose: build ## three containers, one of them cut off under load
	e2e/compose.sh

ci:                ## what a submission must pass, on a fresh Debian machine too
	.ci/run

clean:
	rm -rf bin dist
