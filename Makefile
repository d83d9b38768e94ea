# Every target makes what it needs: a virtual environment in .venv, installed once and again only
# when pyproject.toml changes. `make demo` needs no root and never installs torch.

.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
MADE := $(VENV)/.made
LEUKO := $(VENV)/.leuko-installed
DEV := $(VENV)/.dev-installed
TRAIN := $(VENV)/.train-installed

.NOTPARALLEL:
.PHONY: help demo test check format bench fuzz docs docs-test clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(LEUKO)  ## segment the packaged sample, compare with its truth, write demo-out/
	$(BIN)/leuko demo --out demo-out

# One thread a worker: two workers already fill two cores.
test: $(DEV) train  ## all tests but the long examples of the docs
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q $(ARGS)

check: $(DEV) train  ## style, types and layers (types need the train extra)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict src
	$(BIN)/lint-imports --no-logo --no-cache

format: $(DEV)  ## put the code into the house's style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEV) train  ## time and memory of the main job beside the yardstick; JSON in benchmarks/out/
	$(BIN)/python benchmarks/timing.py $(ARGS)

fuzz: $(DEV)  ## damage real files at random and read them, ten minutes (ARGS="--seconds 60")
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 nice $(BIN)/python tests/fuzz/fuzz_run.py \
	  --data $${LEUKO_TEST_DATA:-../shared/data} --seconds 600 --first $$RANDOM$$RANDOM \
	  --keep fuzz-found $(ARGS)

docs: $(LEUKO)  ## rewrite the generated parts of docs/: command reference, schema, pictures
	$(BIN)/python docs/generate.py

docs-test: $(DEV) train  ## every example of the docs, the long ones too
	$(BIN)/python -m pytest -q -m "long_docs or not long_docs" tests/test_docs.py $(ARGS)

clean:  ## remove what make made
	rm -rf $(VENV) demo-out build dist benchmarks/out fuzz-found

# ---------------------------------------------------------------- environment

$(MADE):
	@set -e; \
	for python in python3.11 python3 python3.12 python3.13 python3.14; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    found=$$python; break; \
	  fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "leuko needs Python 3.11 or newer (Debian: apt-get install python3 python3-venv)." >&2; \
	  exit 2; \
	fi; \
	if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Python's venv module is missing: installing the package python3-venv."; \
	    apt-get update -q && apt-get install -q -y --no-install-recommends python3-venv; \
	  else \
	    echo "Python's venv module is missing. Install it once, as root: apt-get install python3-venv" >&2; \
	    exit 2; \
	  fi; \
	fi; \
	$$found -m venv $(VENV)
	@touch $@

$(LEUKO): $(MADE) pyproject.toml
	$(PIP) install -q -e .
	@touch $@

$(DEV): $(LEUKO)
	$(PIP) install -q -e '.[cluster,dev,features]'
	@touch $@

# Without torch (no wheel for this machine, no index that holds it) the rest must still be tested.
.PHONY: train
train: $(LEUKO)
	@if [ ! $(TRAIN) -nt $(LEUKO) ]; then \
	  echo "$(PIP) install -q -e '.[train]'"; \
	  if $(PIP) install -q -e '.[train]'; then touch $(TRAIN); \
	  else echo "The train extra could not be installed: what needs torch is skipped." >&2; fi; \
	fi
