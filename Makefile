# What this project can do, a line or two of cargo each. `make` alone lists it.

CARGO ?= cargo
RELEASE = $(abspath $(or $(CARGO_TARGET_DIR),target)/release/countersign)
CASES = ../shared/conformance

.DEFAULT_GOAL := help
.PHONY: help run test lint audit test-cluster conformance bench release

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do printf '  make %-13s %s\n' "$$name" "$$what"; done

run: export TRY = curl -sS --cacert certs/ca.crt --cert certs/kube-apiserver.crt --key certs/kube-apiserver.key -H 'Content-Type: application/json' https://127.0.0.1:8443/authenticate -d '{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","spec":{"token":"dev-token"}}'
run: ## the webhook on this machine, with development certificates, and a command to try it
	$(CARGO) build
	@$(CARGO) run --quiet -- init --dir certs >/dev/null
	@printf '\nTry it, from another terminal in this directory:\n\n%s\n\n' "$$TRY"
	@$(CARGO) run --quiet -- serve --config deploy/dev/config.yaml

test: ## every Rust test
	$(CARGO) test

lint: ## rustfmt, clippy, cargo-deny (bans, licences, sources)
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) deny check bans licenses sources

audit: ## cargo-deny's advisories; needs the internet
	$(CARGO) deny check advisories

test-cluster: release ## a real kube-apiserver, kubectl and OpenID Provider; needs Go and Node
	cd tests/idp && npm ci --no-audit --no-fund
	cd tests/cluster && go build -buildvcs=false -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2" -o bin/kubernetes ./kubernetes
	cd tests/cluster && COUNTERSIGN=$(RELEASE) go test -v -count=1 -timeout 5m .

conformance: release ## recorded answers of kube-apiserver's authenticator; needs Node and ../shared
	@mkdir -p target
	@# Those with CEL expressions or distributed claims are left out: this version has neither.
	grep -v -e '"expression"' -e '"claimToResponseMap": {' $(CASES)/oidc-token-cases.jsonl >target/conformance.jsonl
	node $(CASES)/run.mjs --bin $(RELEASE) target/conformance.jsonl

bench: ## the benchmarks
	$(CARGO) bench

release: ## the binary: target/release/countersign
	$(CARGO) build --release
