# The verbs of Pulse ETL. `make help` explains them; scripts/ holds what needs more than a line.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/pulse-etl
export CARGO_TARGET_DIR ?= $(CACHE)/target
export PULSE_TOOLS := $(CACHE)/tools
export PATH := $(PATH):$(PULSE_TOOLS)/bin

UI := gateway/ui
UI_SOURCES := $(shell find $(UI)/src $(UI)/public $(UI)/index.html $(UI)/*.config.* -type f 2>/dev/null)
UI_PAGE := $(UI)/dist/index.html

# People see Cargo's progress; a log gets only what went wrong.
QUIET := $(shell [[ -t 2 ]] || echo --quiet)
PROGRAMS := -p standalone --bin pulse-etl -p gateway --bin gateway -p orchestrator --bin orchestrator \
	-p jira-extractor --bin jira-extractor -p git-extractor --bin git-extractor -p metrics-service --bin metrics
BUILD_DEMO := cargo build $(QUIET) --profile demo -p standalone

.PHONY: help demo run test check bench compose-test soak release ui build-tools test-tools

help: ## Explain each verb
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build-tools ui ## Show it: the whole service with a simulated company, on http://localhost:8000
	@echo "Building Pulse ETL. The first time takes several minutes, later ones a few seconds."
	@$(BUILD_DEMO) --bin pulse-etl
	@exec $(CARGO_TARGET_DIR)/demo/pulse-etl demo

run: build-tools ui ## Run the service in one process, as the environment configures it
	@$(BUILD_DEMO) --bin pulse-etl
	@exec $(CARGO_TARGET_DIR)/demo/pulse-etl serve

test: test-tools ui ## Run every test, beside a PostgreSQL, a RabbitMQ and a Redis of their own
	@cargo build $(QUIET) --workspace --bins --tests
	@scripts/test-servers -- cargo nextest run --workspace

check: build-tools ui ## Format, lints, dependencies and the page's own checks
	@scripts/check

bench: build-tools ui ## Measure it, beside a PostgreSQL that writes through to the disk
	@scripts/setup-debian postgresql rabbitmq-server redis-server
	@$(BUILD_DEMO) $(PROGRAMS) -p simulator --bin pulse-bench --bin simulator
	@scripts/test-servers --durable -- $(CARGO_TARGET_DIR)/demo/pulse-bench

compose-test: build-tools ui ## Test the programs in containers, and trouble them while they sync
	@scripts/setup-cargo-tool cargo-nextest
	@scripts/compose-test

soak: test-tools ui ## Kill programs at random moments of 25 large syncs, and play 10,000 sequences on each database
	@$(BUILD_DEMO) $(PROGRAMS)
	@PULSE_SOAK=full scripts/test-servers -- \
		cargo nextest run -p standalone --cargo-profile demo --profile soak -E 'test(chaos)'
	@SEQUENCES=all scripts/test-servers -- cargo nextest run --workspace --profile soak -E 'test(sequences)'

release: build-tools ui ## Build what ships: the optimised programs
	@cargo build --release $(PROGRAMS)
	@echo "Built the programs in $(CARGO_TARGET_DIR)/release"

ui: $(UI_PAGE) ## Build the page, if its sources changed

$(UI_PAGE): $(UI_SOURCES) $(UI)/node_modules/.package-lock.json
	@echo "Building the page."
	@cd $(UI) && npm run --silent build -- --logLevel error
	@touch $@

# npm leaves this file when it has installed everything.
%/node_modules/.package-lock.json: %/package-lock.json | build-tools
	@echo "Installing the packages of $*."
	@cd $* && npm ci --loglevel=error --no-fund --no-audit >/dev/null
	@touch $@

build-tools:
	@scripts/need cargo cc node npm

test-tools: build-tools
	@scripts/setup-debian postgresql rabbitmq-server redis-server chromium
	@scripts/setup-cargo-tool cargo-nextest
