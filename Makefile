# Everything a checkout needs goes into .venv; nothing is installed outside it.
# Every target sets up what it lacks. Another Python: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help install demo test lint clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY) ## make .venv and install mtcli and its development tools into it
	@echo "mtcli is ready. Next: . $(BIN)/activate && mtcli --help"

demo: $(READY) ## train a tiny Korean-English model and translate with it, in two minutes
	@$(BIN)/mtcli demo

test: $(READY) ## run the whole test suite
	@$(BIN)/python -m pytest

lint: $(READY) ## check formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	MYPYPATH=benchmarks $(BIN)/mypy benchmarks

clean: ## remove .venv, caches, builds and demo-model (never .runs)
	rm -rf $(VENV) build dist demo-model .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# A Python without ensurepip (Debian's, lacking python3-venv) gets its pip from the pip outside.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mtcli needs Python 3.11 or newer, and '$(PYTHON)' is not. Name one: make install PYTHON=python3.11" >&2; \
	  exit 1; }
	@echo "Setting up $(VENV): PyTorch and other packages (a few minutes the first time) ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check pip; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
