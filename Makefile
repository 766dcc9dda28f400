# Every target sets up what it needs: a machine with Python 3.11+ and make is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
# Tests start hundreds of processes: each would compile the product anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help dev demo up test check lint docs bench conformance study storm fuzz audit lock browser-deps

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Glaze needs Python 3.11 or newer; name one with: make PYTHON=python3.12") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

dev: $(VENV)/ready ## Set up the environment in .venv

demo: $(VENV)/ready ## Enrich examples/companies.csv against the sandbox vendors; no account, no internet
	$(BIN)/glaze demo

up: $(VENV)/ready ## Start the API, a worker and the embedded PostgreSQL
	$(BIN)/glaze up

test: $(VENV)/ready ## Run the tests, several at a time: most of them wait for something
	$(BIN)/python -m pytest -n 4 --dist worksteal

lint: $(VENV)/ready ## Formatting, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## Exactly what CI runs
	@if command -v npm >/dev/null && $(MAKE) browser-deps; then REQUIRE_BROWSER=1 $(MAKE) test; \
	else echo "npm is missing or cannot install: tests that speak JavaScript are skipped"; $(MAKE) test; fi

docs: $(VENV)/ready ## Renew the generated tables of docs/ and .env.example
	$(BIN)/python -m tests.docs.tables

bench: $(VENV)/ready ## Measure beside references; writes bench/RESULTS.md
	$(BIN)/python -m bench

conformance: $(VENV)/ready ## Ask every provider in every situation, over HTTP; writes docs/conformance.md
	$(BIN)/python -m tests.gateway.conformance

study: $(VENV)/ready ## What the learned order costs beside others, simulated; writes docs/study.md
	$(BIN)/python -m bench.study

storm: $(VENV)/ready ## The long kill tests, beyond what CI has time for; interrupted, it goes on where it was
	$(BIN)/python -m tests.storm
	$(BIN)/python -m tests.storm.spend
	GLAZE_TEST_STORM=1 $(BIN)/python -m pytest tests/flow tests/storm tests/mutants tests/store tests/providers/test_llm_hostile.py

fuzz: $(VENV)/ready ## Send 20,000 generated requests to all routes and hold the answers against the OpenAPI
	$(BIN)/python -m tests.api.fuzzing

audit: $(VENV)/ready ## Look the locked packages up for known vulnerabilities
	$(BIN)/pip-audit --requirement requirements.lock --disable-pip

NODE_READY := tests/node/node_modules/.package-lock.json
$(NODE_READY): tests/node/package-lock.json
	npm ci --prefix tests/node --no-audit --no-fund --silent --fetch-retries 1 --fetch-timeout 20000
	@touch $@

browser-deps: $(NODE_READY) ## Install what tests need that speak JavaScript (needs npm)

lock: ## Renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group dev -o requirements.lock
