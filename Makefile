# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Both build the virtual environment .venv in this folder from pinned, hashed requirements.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench bench-peer soak client train-setup lock clean

help:
	@echo "make demo     simulated shops with real edge agents   (ARGS=\"--check --seconds 30\" runs it headless)"
	@echo "make test     all tests                               (ARGS=\"-k journal\" chooses)"
	@echo "make check    lint, types, import contracts"
	@echo "make bench    every figure against its goal           (ARGS=\"--quick\", \"--only request\")"
	@echo "make bench-peer  install the server that the benchmark compares with"
	@echo "make soak     the long runs"
	@echo "make format   lay the code out"
	@echo "make client   make the API's typed client anew from its description"
	@echo "make lock     pin the requirements anew"
	@echo "make clean    remove what these commands made"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Topscoop needs Python 3.11 or later; $(PYTHON) is older. Name another: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }

# One stamp per set of requirements; `dev` holds `sim`, so either order works.
$(VENV)/.installed-%: requirements/%.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing requirements/$*.txt into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/build.txt -r requirements/$*.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

demo: $(VENV)/.installed-sim
	@$(BIN)/topscoop demo $(ARGS)

test: $(VENV)/.installed-dev
	@tests/install-services
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(VENV)/.installed-dev
	@tests/install-services
	@$(BIN)/python -m benchmarks $(ARGS)

bench-peer: .venv-bench/.installed

.venv-bench/.installed: requirements/bench-peer.txt
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

soak: $(VENV)/.installed-dev
	@tests/install-services
	@$(BIN)/python -m pytest -n 2 --dist loadfile --hypothesis-profile=soak -m "soak or hypothesis" $(ARGS)
	@$(BIN)/topscoop model evaluate --check
	@$(BIN)/topscoop demo --check --seconds 60

client: $(VENV)/.installed-dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" api_client/generate

train-setup: $(VENV)/.installed-train

lock: $(VENV)/.installed-dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" requirements/lock

clean:
	rm -rf $(VENV) .venv-bench build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
