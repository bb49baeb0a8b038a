# Stagedoor. `make run` to try it, `make test` to test all of it.
# What a target needs, it sets up: Debian packages by testbed/install, npm
# packages by npm ci, Go modules by go.

SHELL := /bin/bash
GO ?= go
RELEASE ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
WEBROOT := webroot/dist/.built
PORT ?= 8080
PHONE_PORT ?= 8081

.PHONY: run test test-unit e2e help-pictures shots build lint soak bench webroot clean peers

run: $(WEBROOT) ## everything on this machine, with a demo directory and a page of phones and mail
	-testbed/install run
	$(GO) build -o bin/demo ./cmd/demo
	bin/demo -port $(PORT) -phone-port $(PHONE_PORT)

build: $(WEBROOT) ## a static binary, bin/stagedoor
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.release=$(RELEASE)' -o bin/stagedoor ./cmd/stagedoor

peers: bench/node_modules/.installed
	testbed/install test bench

test: peers build ## every test, with the real peers
	npm run --silent test
	packages=$$($(GO) list ./...) && $(GO) test -race -timeout 25m $$(grep -v '/testbed/e2e$$' <<< "$$packages")
	$(GO) test -race -timeout 25m ./testbed/e2e # by itself: desktops and browsers want the whole machine
	cd bench && $(GO) test ./...

test-unit: $(WEBROOT) ## no peers, under a minute
	npm run --silent test
	STAGEDOOR_PEERS=none $(GO) test -short ./...

e2e: peers build ## the whole way in a real browser; screenshots in testbed/shots/
	$(GO) test -race -timeout 25m -count=1 -v -run 'TestBrowser' ./testbed/e2e

help-pictures: peers build ## the help's pictures of the real pages, webroot/help/images: to be committed
	$(GO) test -tags pictures -timeout 10m -count=1 -v -run '^TestHelpPictures$$' ./testbed/e2e

shots: $(WEBROOT) ## pictures of every page, docs/shots: to be committed; about 4 minutes
	testbed/install test shots
	$(GO) test -tags pictures -timeout 20m -count=1 -v -run '^TestShots$$' ./testbed/e2e -shots $(CURDIR)/docs/shots

lint: $(WEBROOT)
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "not gofmt'd: $$files"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags pictures ./testbed/e2e
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	cd bench && $(GO) vet ./... && $(GO) mod tidy -diff
	npm run --silent check

soak: peers ## 10,000 desktops through real guacds, about 11 minutes
	STAGEDOOR_CYCLES=10000 $(GO) test -race -parallel 8 -timeout 60m -count=1 -v -run '^TestRealCycles$$' ./gateway/tunnel

bench: build ## a table, and bench/results.json
	-testbed/install bench
	-$(MAKE) --silent bench/node_modules/.installed
	cd bench && $(GO) run . -out results.json

webroot: $(WEBROOT)

node_modules/.installed: package.json package-lock.json
	npm ci --no-fund --no-audit
	@touch $@

bench/node_modules/.installed: bench/package.json bench/package-lock.json
	cd bench && npm ci
	@touch $@

$(WEBROOT): node_modules/.installed $(shell find webroot/src webroot/styles webroot/images webroot/build.mjs -type f 2>/dev/null)
	npm run --silent build
	@touch $@

clean:
	rm -rf bin node_modules bench/node_modules var testbed/shots
	find webroot/dist -mindepth 1 ! -name .gitkeep -delete
