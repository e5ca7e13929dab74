# Everything a checkout needs goes into .venv; nothing is installed outside it.
# Every target sets up what it lacks. Another Python: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The kernels are checked with the oldest Triton they may meet, which needs neither PyTorch nor a GPU for it.
AOT_VENV := .venv-aot
AOT_BIN := $(AOT_VENV)/bin
AOT_READY := $(AOT_VENV)/.ready
AOT_PACKAGES := 'triton==3.6.*' 'numpy<2.4'
# The decoders that mtcli is measured beside have packages of their own.
PEERS_VENV := .venv-peers
PEERS_BIN := $(PEERS_VENV)/bin
PEERS_READY := $(PEERS_VENV)/.ready
PEERS_PACKAGES := benchmarks/peers/requirements.txt
# JoeyNMT wants an older protobuf than others.
JOEYNMT_VENV := .venv-peers-joeynmt
JOEYNMT_BIN := $(JOEYNMT_VENV)/bin
JOEYNMT_READY := $(JOEYNMT_VENV)/.ready
JOEYNMT_PACKAGES := benchmarks/peers/requirements-joeynmt.txt

.DEFAULT_GOAL := help
.PHONY: help install demo test soak lint aot aot-all docs gpu peers bench-decoding peers-training bench-training bench report quality clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY) ## make .venv and install mtcli and its development tools into it
	@echo "mtcli is ready. Next: . $(BIN)/activate && mtcli --help"

demo: $(READY) ## train a tiny Korean-English model and translate with it, in two minutes
	@$(BIN)/mtcli demo

# The kernels run in Triton's interpreter, which a process must be started for.
test: $(READY) ## run the whole test suite, and the kernels in Triton's interpreter
	@$(BIN)/python -m pytest -n auto
	@TRITON_INTERPRET=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto tests/kernels/device

soak: $(READY) ## kill translations (50) and training runs (30) at random moments and compare bytes; KILLS=N
	@KILLS='$(or $(KILLS),50)' $(BIN)/python -m pytest tests/soak/test_translate_kills.py
	@KILLS='$(or $(KILLS),30)' $(BIN)/python -m pytest tests/soak/test_train_kills.py

lint: $(READY) ## check formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy -p aot
	MYPYPATH=docs:kernels $(BIN)/mypy docs/generate.py docs/generator docs/hooks.py
	$(BIN)/mypy -p benchmarks

aot: $(AOT_READY) ## compile the kernels for GPUs that need not be there, and refuse spills
	@PYTHONPATH=kernels $(AOT_BIN)/python -m aot

aot-all: $(AOT_READY) $(READY) ## the same for every head size and fp32, and with Triton of .venv too
	@failed=0; \
	PYTHONPATH=kernels $(AOT_BIN)/python -m aot --all || failed=1; \
	PYTHONPATH=kernels $(BIN)/python -m aot --all --add || failed=1; \
	exit $$failed

docs: $(READY) ## build the site of docs/ into build/site; warnings are errors
	@$(BIN)/python docs/generate.py --check
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "Open build/site/index.html"

# On the Python that is there, since only that has the GPU's PyTorch: PYTHON if given, else .venv where it exists.
GPU_PYTHON = $(if $(filter file,$(origin PYTHON)),$(or $(wildcard $(BIN)/python),$(PYTHON)),$(PYTHON))
GPU_OPTIONS = --stage '$(or $(STAGE),all)' $(if $(OPS),--ops '$(OPS)') $(if $(DATA),--data '$(DATA)') \
  $(if $(WHEELS),--wheels '$(WHEELS)') $(if $(RESULTS),--results '$(RESULTS)') \
  $(if $(BUDGET),--budget '$(BUDGET)') $(if $(TOTAL),--total '$(TOTAL)') $(if $(REHEARSE),--rehearse)

gpu: ## check and measure the kernels on this machine's GPU; REHEARSE=1 tries it without (see benchmarks/gpu)
	@$(GPU_PYTHON) -m benchmarks.gpu $(GPU_OPTIONS)

peers: $(PEERS_READY) $(JOEYNMT_READY) ## make .venv-peers and .venv-peers-joeynmt, with the decoders that mtcli is measured beside
	@echo "The peers are ready. Next: make bench-decoding"

DECODING_OPTIONS = $(if $(DATA),--data '$(DATA)') $(if $(MODEL),--model '$(MODEL)') $(if $(SRC),--src '$(SRC)') \
  $(if $(REF),--ref '$(REF)') $(if $(ISA),--isa '$(ISA)')

bench-decoding: $(READY) $(PEERS_READY) $(JOEYNMT_READY) ## measure decoding beside other decoders; QUESTION=base (see benchmarks/decoding)
	@PYTHONPATH=benchmarks $(BIN)/python -m decoding '$(or $(QUESTION),base)' $(DECODING_OPTIONS)

peers-training: $(PEERS_READY) $(JOEYNMT_READY) ## make .venv-peers and .venv-peers-joeynmt, with the trainers that mtcli is measured beside
	@echo "The peers are ready. Next: make bench-training DATA=DIR"

TRAINING_OPTIONS = $(if $(DATA),--data '$(DATA)')
TRAINING_PEERS := $(if $(filter profile,$(QUESTION)),,$(if $(filter base,$(QUESTION)),$(PEERS_READY),$(JOEYNMT_READY)))

bench-training: $(READY) $(TRAINING_PEERS) ## measure training beside other trainers and plain PyTorch; QUESTION=tiny (see benchmarks/training)
	@PYTHONPATH=benchmarks $(BIN)/python -m training '$(or $(QUESTION),tiny)' $(TRAINING_OPTIONS)

BENCH_OPTIONS = $(if $(DATA),--data '$(DATA)') $(if $(ONLY),--only '$(ONLY)')

bench: $(READY) ## measure all that a processor can answer, then write the report: DATA=DIR ONLY=startup,growth-beam
	@$(BIN)/python benchmarks/suite.py $(BENCH_OPTIONS)

report: $(READY) ## write benchmarks/README.md, and the measured parts of the other pages, from benchmarks/results
	@$(BIN)/python benchmarks/report.py

quality: $(READY) ## train by a recipe and score: TASK=multi30k DATA=DIR; TASK=tatoeba-en-de makes the model in the box
	@$(BIN)/python benchmarks/quality.py '$(TASK)' --data '$(DATA)'

clean: ## remove .venv, caches, builds and demo-model (never .runs)
	rm -rf $(VENV) $(AOT_VENV) $(PEERS_VENV) $(JOEYNMT_VENV) build dist demo-model .mypy_cache .pytest_cache .ruff_cache .hypothesis
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

$(AOT_READY): Makefile
	@echo "Setting up $(AOT_VENV): Triton 3.6 (a minute the first time) ..."
	@$(AOT_BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(AOT_VENV) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --without-pip $(AOT_VENV) && \
	  $(PYTHON) -m pip --python $(AOT_BIN)/python install --quiet --disable-pip-version-check pip; }
	@$(AOT_BIN)/python -m pip install --quiet --disable-pip-version-check $(AOT_PACKAGES)
	@touch $@

$(PEERS_READY): $(PEERS_PACKAGES)
	@echo "Setting up $(PEERS_VENV): CTranslate2, transformers and PyTorch (a few minutes the first time) ..."
	@$(PEERS_BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(PEERS_VENV) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --without-pip $(PEERS_VENV) && \
	  $(PYTHON) -m pip --python $(PEERS_BIN)/python install --quiet --disable-pip-version-check pip; }
	@$(PEERS_BIN)/python -m pip install --quiet --disable-pip-version-check -r $(PEERS_PACKAGES)
	@touch $@

$(JOEYNMT_READY): $(JOEYNMT_PACKAGES)
	@echo "Setting up $(JOEYNMT_VENV): JoeyNMT and PyTorch (a few minutes the first time) ..."
	@$(JOEYNMT_BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(JOEYNMT_VENV) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --without-pip $(JOEYNMT_VENV) && \
	  $(PYTHON) -m pip --python $(JOEYNMT_BIN)/python install --quiet --disable-pip-version-check pip; }
	@$(JOEYNMT_BIN)/python -m pip install --quiet --disable-pip-version-check -r $(JOEYNMT_PACKAGES)
	@touch $@
