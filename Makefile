# Every target installs what it needs into .venv; nothing is installed twice.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_HOME := $(CURDIR)/.demo
SBOM := dist/sbom.json
ADVISORIES := https://api.osv.dev

# Byte-compiled packages import TensorFlow in seconds; this variable would undo that.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: demo
demo: $(VENV)/runtime.done ## Install, run the monthly round on the milk series in an embedded database, print forecasts
	@$(BIN)/milkrun demo --home $(DEMO_HOME)

.PHONY: test
test: $(VENV)/development.done ## Install and run all tests on a real PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGUMENTS)

.PHONY: test-long
test-long: $(VENV)/development.done ## Run the tests that take minutes: kills and double triggers on a hosted server
	$(BIN)/python -m pytest -m long $(PYTEST_ARGUMENTS)

.PHONY: faults
faults: $(VENV)/development.done ## Inject every fault hundreds of times, live 40 lives, draw 20,000 frames, poison 10,000 series (an hour)
	$(BIN)/python -m tests.faults $(FAULT_ARGUMENTS)
	$(BIN)/python -m tests.faults.lives
	$(BIN)/python -m tests.faults.containers
	$(BIN)/python -m tests.faults.signals
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'slow or long' --timeout 3600 --hypothesis-profile faults \
	    tests/intake/test_frames.py tests/runs/test_poison.py

.PHONY: mutants
mutants: $(VENV)/development.done ## Take out one safeguard at a time and print how many the tests notice
	$(BIN)/python -m tests.mutants

.PHONY: check
check: lint types audit test ## What CI runs: lint, types, layers, known vulnerabilities and tests

.PHONY: lint
lint: $(VENV)/development.done ## Check style, layers and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

.PHONY: types
types: $(VENV)/development.done ## Check types
	$(BIN)/mypy

.PHONY: audit
audit: $(VENV)/development.done ## Look the locked requirements up among known vulnerabilities, where the service answers
	@if $(BIN)/python -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], b"{}", timeout=5)' \
	        $(ADVISORIES)/v1/querybatch 2> /dev/null; then \
	    timeout 600 $(BIN)/pip-audit --vulnerability-service osv --osv-url $(ADVISORIES)/v1/query --timeout 15 \
	        --require-hashes --disable-pip --requirement requirements/runtime.txt; \
	else echo "Not audited: the advisory service $(ADVISORIES) does not answer."; fi

.PHONY: sbom
sbom: $(VENV)/development.done ## Write dist/sbom.json, what an installation consists of (CycloneDX), without a network
	@mkdir -p $(dir $(SBOM))
	$(BIN)/python -W ignore -m cyclonedx_py requirements requirements/runtime.txt --pyproject pyproject.toml \
	    --mc-type application --output-reproducible --output-file $(SBOM)

.PHONY: scenario
scenario: $(VENV)/development.done ## Play loads, runs and a backfill on an empty database and print a digest of every table
	$(BIN)/python -m tests.scenario $(SCENARIO_ARGUMENTS)

.PHONY: bench
bench: $(VENV)/development.done ## Print the figures that the README quotes, in a short form
	$(BIN)/python -m benchmarks.published
	$(BIN)/python -m benchmarks.speed --quick

.PHONY: format
format: $(VENV)/development.done ## Format all code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: docs
docs: $(VENV)/development.done ## Write the documents that are made from the program and from the schema anew
	$(BIN)/python docs/write.py

.PHONY: lock
lock: $(VENV)/installer.done ## Write the locked requirements anew from pyproject.toml
	cd requirements && for each in "development --extra classic --group build --group dev" \
	    "runtime --group build --constraints development.txt"; do \
	    set -- $$each; name=$$1; shift; \
	    ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	        --no-header --no-annotate --project .. ../pyproject.toml "$$@" --output-file $$name.txt; \
	done
	echo "uv==$$($(BIN)/uv --version | cut -d' ' -f2)" | $(BIN)/uv pip compile --quiet --universal --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate - --output-file requirements/installer.txt

.PHONY: clean
clean: ## Remove the virtual environment, the demo and all caches
	rm -rf $(VENV) $(DEMO_HOME) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The installer is a locked uv; where it finds no index (pip's settings may name one), pip installs the same files.
$(VENV)/installer.done: requirements/installer.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "Milkrun needs Python 3.11 to 3.13: make PYTHON=python3.12 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

install = $(BIN)/uv pip $(1) --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r $(2) \
	|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --compile --require-hashes -r $(2)

$(VENV)/runtime.done: requirements/runtime.txt pyproject.toml $(VENV)/installer.done
	@echo "Installing Milkrun into $(VENV): about a minute the first time."
	$(call install,install,requirements/runtime.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/development.done: requirements/development.txt $(VENV)/runtime.done
	$(call install,install,requirements/development.txt)
	touch $@
