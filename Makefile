# What this project can do, a line or two of cargo each. `make` alone lists it.

CARGO ?= cargo
TARGET = $(abspath $(or $(CARGO_TARGET_DIR),target))
RELEASE = $(TARGET)/release/countersign
CASES = ../shared/conformance
BIN = $(CURDIR)/tests/cluster/bin

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
IMAGE ?= localhost/countersign:$(VERSION)
MUSL := $(shell uname -m)-unknown-linux-musl
# Whichever has an engine that answers; buildah needs none.
ENGINE ?= $(shell for e in docker podman; do $$e info >/dev/null 2>&1 && echo $$e && exit; done; echo buildah)

.DEFAULT_GOAL := help
.PHONY: help run test lint lint-chart audit test-cluster conformance bench bench-quick fuzz soak release image kind

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do printf '  make %-13s %s\n' "$$name" "$$what"; done

run: ## all of it on this machine, with development certificates, and commands to try it
	$(CARGO) build
	@$(CARGO) run --quiet -- init --dir certs --client developer --service-account-key >/dev/null
	@cat deploy/dev/try.txt
	@$(CARGO) run --quiet -- serve --config deploy/dev/config.yaml

test: ## every Rust test
	$(CARGO) test

lint: ## rustfmt, clippy, cargo-deny (bans, licences, sources); and lint-chart
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) clippy --locked --manifest-path fuzz/Cargo.toml --target-dir $(TARGET) -- -D warnings
	$(CARGO) deny check bans licenses sources
	$(MAKE) lint-chart

audit: ## cargo-deny's advisories; needs the internet
	$(CARGO) deny check advisories

lint-chart: release ## helm lint, kubeconform, promtool and check over deploy/; needs Go
	$(MAKE) -C tests/cluster chart-tools
	HELM=$(BIN)/helm KUBECONFORM=$(BIN)/kubeconform SCHEMAS=$(BIN)/schemas COUNTERSIGN=$(RELEASE) deploy/chart/ci/check.sh

test-cluster: image ## a real Kubernetes: control plane, and as root on Linux a node; needs Go and Node
	cd tests/idp && npm ci --no-audit --no-fund
	$(MAKE) -C tests/cluster node
	cd tests/cluster && COUNTERSIGN=$(TARGET)/$(MUSL)/release/countersign IMAGE=$(TARGET)/image.tar go test -v -count=1 -timeout 30m -p 1 . ./expressions ./node ./providers

conformance: release ## recorded answers of Kubernetes' own code: tokens, configurations, CEL, the API; needs Node and ../shared
	@mkdir -p target
	@# Left out: an unknown path, where a bare generic API server lists its own paths, and this one says what is the
	@# matter, as everywhere, in a Status.
	grep -h -v '"name": "root unknown"' $(CASES)/*.jsonl >target/conformance.jsonl
	node $(CASES)/run.mjs --bin $(RELEASE) target/conformance.jsonl

bench: ## what a review costs, as ratios side by side, in a table; a few minutes (ONLY: parts of it)
	$(CARGO) bench --bench bench -- $(ONLY)

bench-quick: ## that the benchmarks run, and nothing more
	$(CARGO) bench --bench bench -- --quick

fuzz: ## every fuzz target, or FUZZ, for TIME seconds (60); needs nightly Rust and cargo-fuzz
	@for target in $(or $(FUZZ),`$(CARGO) +nightly fuzz list`); do mkdir -p fuzz/corpus/$$target fuzz/seeds/$$target && \
	  $(CARGO) +nightly fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target src/api/protobuf/recordings -- -max_total_time=$(or $(TIME),60) -max_len=65536 -timeout=20 \
	    `find fuzz/$$target.dict -printf '-dict=%p' 2>/dev/null` || exit 1; done

soak: ## one process under everything at once, for MINUTES (3), from SEED (1)
	$(CARGO) test --release --test soak -- $(or $(MINUTES),3) $(or $(SEED),1)

release: ## the binary: target/release/countersign
	$(CARGO) build --release

image: export CC_$(subst -,_,$(MUSL)) ?= musl-gcc
image: ## a static binary in an image FROM scratch; needs musl-tools, and docker, podman or buildah
	rustup target add $(MUSL)
	$(CARGO) build --release --target $(MUSL) --features mimalloc
	install -D -m 0755 $(TARGET)/$(MUSL)/release/countersign $(TARGET)/image/countersign
	install -m 0644 /etc/ssl/certs/ca-certificates.crt $(TARGET)/image/ca-certificates.crt
	ENGINE="$(ENGINE)" deploy/image.sh $(IMAGE) $(VERSION) $(TARGET)

kind: release image ## from nothing to an authenticated kubectl on kind; needs Docker, kind, Helm and kubectl
	IMAGE=$(IMAGE) COUNTERSIGN=$(RELEASE) deploy/kind/up.sh
