# Every target sets up what it needs: a machine with Python 3.11+ and make is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
# Tests start hundreds of processes: each would compile the product anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help dev demo up web web-types dashboard test check lint docs bench bench-pages conformance study storm fuzz audit lock browser-deps screenshots

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

# Node 20 is what Vite needs.
HAS_NODE := $(shell node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null && command -v npm)

up: $(VENV)/ready $(if $(HAS_NODE),dashboard) ## Start the API, a worker, the dashboard and the embedded PostgreSQL
	$(BIN)/glaze up

WEB := src/glaze/web/index.html
WEB_READY := web/node_modules/.package-lock.json
WEB_TYPES := web/src/api/schema.d.ts
NPM_CI := npm ci --no-audit --no-fund --silent --fetch-retries 1 --fetch-timeout 20000

web: $(WEB) ## Build the dashboard and the component into the package (needs Node 20)

$(WEB_READY): web/package-lock.json
	$(NPM_CI) --prefix web
	@touch $@

$(WEB_TYPES): $(WEB_READY) web/openapi.py $(wildcard src/glaze/api/*.py src/glaze/model/*.py) | $(VENV)/ready
	$(BIN)/python web/openapi.py > web/openapi.json
	npm run --silent --prefix web types > /dev/null
	@touch $@

$(WEB): $(WEB_TYPES) web/index.html web/vite.config.ts $(shell find web/src web/public web/component -type f -not -name schema.d.ts -not -path '*/dist/*') | $(VENV)/ready
	npm run --silent --prefix web build -- --logLevel warn
	npm run --silent --prefix web component -- --logLevel warn
	@touch $@

# All but the dashboard works without it: no network, no dashboard.
dashboard:
	@$(MAKE) --no-print-directory web || echo "the dashboard could not be built; all else works"

test: $(VENV)/ready ## Run the tests, several at a time: most of them wait for something
	$(BIN)/python -m pytest -n 4 --dist worksteal

lint: $(VENV)/ready ## Formatting, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if [ -d web/node_modules ]; then $(MAKE) --no-print-directory web-types; \
	else echo "the dashboard's types are not checked: make browser-deps"; fi

web-types: $(WEB_TYPES)
	npm run --silent --prefix web check

check: lint ## Exactly what CI runs
	@if command -v npm >/dev/null && $(MAKE) browser-deps web-types; then REQUIRE_BROWSER=1 $(MAKE) test; \
	else echo "npm or Chromium is missing and cannot be installed: tests that need them are skipped"; $(MAKE) test; fi

docs: $(VENV)/ready ## Renew the generated tables of docs/ and .env.example
	$(BIN)/python -m tests.docs.tables

bench: $(VENV)/ready ## Measure beside references; writes bench/RESULTS.md
	$(BIN)/python -m bench

bench-pages: $(VENV)/ready $(WEB) ## Measure long tables, long lists and every page in a browser (needs Chromium)
	$(BIN)/python -m bench pages

conformance: $(VENV)/ready ## Ask every provider in every situation, over HTTP; writes docs/conformance.md
	$(BIN)/python -m tests.gateway.conformance

study: $(VENV)/ready ## What the learned order costs beside others, simulated; writes docs/study.md
	$(BIN)/python -m bench.study

storm: $(VENV)/ready ## The long kill tests, beyond what CI has time for; interrupted, it goes on where it was
	$(BIN)/python -m tests.storm
	$(BIN)/python -m tests.storm.spend
	GLAZE_TEST_STORM=1 $(BIN)/python -m pytest tests/flow tests/storm tests/mutants tests/store tests/gateway tests/providers

fuzz: $(VENV)/ready ## Send 20,000 generated requests to all routes and hold the answers against the OpenAPI
	$(BIN)/python -m tests.api.fuzzing

audit: $(VENV)/ready ## Look the locked packages up for known vulnerabilities
	$(BIN)/pip-audit --requirement requirements.lock --disable-pip

NODE_READY := tests/node/node_modules/.package-lock.json
$(NODE_READY): tests/node/package-lock.json
	$(NPM_CI) --prefix tests/node
	@touch $@

CHROMIUM := $(shell command -v chromium || command -v chromium-browser)

browser-deps: $(NODE_READY) $(WEB) ## Install what tests need that speak JavaScript, and Chromium (needs npm)
	@if [ -n "$(CHROMIUM)" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get install -qq -y chromium fonts-inter >/dev/null; \
	else echo "Chromium is missing: install it, on Debian as root: apt-get install chromium"; exit 1; fi

screenshots: $(VENV)/ready $(WEB) ## Renew the pictures of the dashboard in docs/img (needs Chromium)
	$(BIN)/python -m tests.browser.screenshots

lock: ## Renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group dev -o requirements.lock
