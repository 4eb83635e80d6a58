# The commands of the trade. `make` alone lists them.
# Each sets up what it needs, is quick when already set up, and says what it does.

SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready

# Real records for tests, training and benchmarks: see data/README.md.
SHARED := $(wildcard ../shared/data)
export TELERHYTHM_DATA ?= $(if $(SHARED),$(abspath $(SHARED)))

.PHONY: help setup browser demo test check bench train format clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(READY) ## virtual environment, locked packages, compiled kernels

$(READY): requirements.lock pyproject.toml tools/setup.sh
	@PYTHON=$(PYTHON) tools/setup.sh environment

browser: ## what the browser test and the broker tests need from Debian (when root)
	@tools/setup.sh debian

demo: $(READY) ## watch eight patients: broker, devices, serve, dashboard
	@$(BIN)/telerhythm demo $(if $(FOR),--for $(FOR)) $(ARGS)

test: $(READY) browser ## the whole test suite
	@echo "== tests (TELERHYTHM_DATA=$(TELERHYTHM_DATA))"
	@$(BIN)/python -m pytest $(ARGS)

check: $(READY) ## format, lint, types, arrows between the rooms
	@echo "== format"; $(BIN)/ruff format --check .
	@echo "== lint"; $(BIN)/ruff check .
	@echo "== types"; $(BIN)/mypy
	@echo "== arrows"; $(BIN)/lint-imports

format: $(READY) ## put the code into shape
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(READY) browser ## measure what docs/benchmarks.md tells, and write it there
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-bench.lock
	@$(BIN)/python -m benchmarks $(ONLY)

train: $(READY) ## train the shipped models from the shared records, cross-validated by patient
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-train.lock
	@$(BIN)/python -m training.judge
	@$(BIN)/python -m training.first
	@$(BIN)/python -m training.beats $(ARGS)
	@$(BIN)/python -m training.rhythms

clean: ## remove what make made
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
