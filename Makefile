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
# JoeyNMT, which mtcli is measured beside, wants an older protobuf.
PEERS_VENV := .venv-peers
PEERS_READY := $(PEERS_VENV)/.ready
PEERS_PACKAGES := benchmarks/peers/requirements.txt

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all soak lint aot aot-all aarch64 docs gpu peers bench-decoding bench-training bench report quality clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY) ## make .venv and install mtcli and its development tools into it
	@echo "mtcli is ready. Next: . $(BIN)/activate && mtcli --help"

demo: $(READY) ## train a tiny Korean-English model and translate with it, in two minutes
	@$(BIN)/mtcli demo

# The kernels run in Triton's interpreter, which a process must be started for.
PYTEST = $(BIN)/python -m pytest -n auto --dist worksteal
INTERPRETED = TRITON_INTERPRET=1 OMP_NUM_THREADS=1 $(PYTEST) tests/kernels/device

test: $(READY) ## run all tests but the slow ones, with the kernels in Triton's interpreter, in ten minutes on two cores
	@$(PYTEST) -m 'not slow'
	@$(INTERPRETED) -m 'not slow'

test-all: $(READY) ## run every test, the slow ones too, and more examples of each property, as CI does
	@$(PYTEST) --hypothesis-profile exhaustive
	@$(INTERPRETED) --hypothesis-profile exhaustive

soak: $(READY) ## kill translations (50) and training runs (30) at random moments and compare bytes; KILLS=N
	@KILLS='$(or $(KILLS),50)' $(BIN)/python -m pytest tests/system/soak/test_translate_kills.py
	@KILLS='$(or $(KILLS),30)' $(BIN)/python -m pytest tests/system/soak/test_train_kills.py

lint: $(READY) ## check formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy -p aot
	MYPYPATH=docs:kernels $(BIN)/mypy docs/generate.py docs/generator docs/hooks.py
	$(BIN)/mypy -p benchmarks
	$(BIN)/mypy -p configs.broad

aot: $(AOT_READY) ## compile the kernels for GPUs that need not be there, and refuse spills
	@PYTHONPATH=kernels $(AOT_BIN)/python -m aot

aot-all: $(AOT_READY) $(READY) ## the same for every head size and fp32, and with Triton of .venv too
	@failed=0; \
	PYTHONPATH=kernels $(AOT_BIN)/python -m aot --all || failed=1; \
	PYTHONPATH=kernels $(BIN)/python -m aot --all --add || failed=1; \
	exit $$failed

aarch64: $(READY) ## run the CPU's kernels for AArch64 in an emulator, and compare their bits with this machine's
	@PYTHON=$(BIN)/python bash tests/aarch64.sh

docs: $(READY) ## build the site of docs/ into build/site; warnings are errors
	@$(BIN)/python docs/generate.py --check
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "Open build/site/index.html"

# On the Python that is there, since only that has the GPU's PyTorch: PYTHON if given, else .venv where it exists.
GPU_PYTHON = $(if $(filter file,$(origin PYTHON)),$(or $(wildcard $(BIN)/python),$(PYTHON)),$(PYTHON))

gpu: ## check and measure mtcli on this machine's GPU; REHEARSE=1 tries it without (see benchmarks/gpu)
	@PYTHON='$(GPU_PYTHON)' STAGE='$(STAGE)' OPS='$(OPS)' DATA='$(DATA)' WHEELS='$(WHEELS)' RESULTS='$(RESULTS)' \
	  TOTAL='$(TOTAL)' REHEARSE='$(REHEARSE)' bash benchmarks/gpu/run.sh

peers: $(PEERS_READY) ## make .venv-peers, with JoeyNMT, which mtcli is measured beside
	@echo "JoeyNMT is ready. Next: make bench-decoding, or make bench-training DATA=DIR"

DECODING_OPTIONS = $(if $(DATA),--data '$(DATA)') $(if $(MODEL),--model '$(MODEL)') $(if $(SRC),--src '$(SRC)') \
  $(if $(REF),--ref '$(REF)')

bench-decoding: $(READY) $(PEERS_READY) ## measure decoding beside other decoders; QUESTION=base (see benchmarks)
	@$(BIN)/python -m benchmarks.decoding '$(or $(QUESTION),base)' $(DECODING_OPTIONS)

bench-training: $(READY) $(if $(filter base,$(QUESTION)),,$(PEERS_READY)) ## measure training beside other trainers; QUESTION=tiny (see benchmarks)
	@$(BIN)/python -m benchmarks.training '$(or $(QUESTION),tiny)' $(if $(DATA),--data '$(DATA)')

# One question after the other; one that fails is named at the end, and the others go on.
BENCH_BOX = --model mtcli/model_directory/box/en-de --src '$(DATA)/tatoeba-en-de/test.en.xz'
BENCH_STEPS := startup bench growth-length growth-beam growth-batch growth-processes corpus growth-lines \
  $(if $(DATA),decoding-base decoding-imported decoding-trained decoding-latency training-tiny training-base)
BENCH_startup = benchmarks.startup
BENCH_bench = mtcli bench --device cpu --force -o benchmarks/results/cpu/bench.json
BENCH_decoding-base = benchmarks.decoding base --data '$(DATA)'
BENCH_decoding-imported = benchmarks.decoding imported --data '$(DATA)'
BENCH_decoding-trained = benchmarks.decoding trained $(BENCH_BOX) --ref '$(DATA)/tatoeba-en-de/test.de.xz'
BENCH_decoding-latency = benchmarks.decoding latency --data '$(DATA)' $(BENCH_BOX)
BENCH_training-tiny = benchmarks.training tiny --data '$(DATA)'
BENCH_training-base = benchmarks.training base --data '$(DATA)'
BENCH_corpus = benchmarks.corpus

bench: $(READY) $(if $(DATA),$(PEERS_READY)) ## measure all that a processor can answer, then write the report: DATA=DIR ONLY="startup corpus"
	@failed=; \
	$(foreach step,$(or $(ONLY),$(BENCH_STEPS)),echo "$(step):"; \
	  $(BIN)/python -m $(or $(BENCH_$(step)),benchmarks.growth $(patsubst growth-%,%,$(step))) || failed="$$failed $(step)";) \
	$(BIN)/python -m benchmarks.report && test -z "$$failed" || { echo "Did not end well:$$failed" >&2; exit 1; }

report: $(READY) ## fill the measured parts of all pages from benchmarks/results, and draw plots and pictures
	@$(BIN)/python -m benchmarks.report

quality: $(READY) ## train by a recipe and score: TASK=multi30k DATA=DIR; TASK=tatoeba-en-de makes the model in the box
	@$(BIN)/python -m benchmarks.quality '$(TASK)' --data '$(DATA)'

clean: ## remove .venv, caches, builds and demo-model (never .runs)
	rm -rf $(VENV) $(AOT_VENV) $(PEERS_VENV) build dist demo-model .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# A venv: make-venv,FOLDER,WHAT ITS PACKAGES ARE,PIP ARGUMENTS.
# A Python without ensurepip (Debian's, lacking python3-venv) gets its pip from the pip outside.
define make-venv
@echo "Setting up $(1): $(2) ..."
@$(1)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(1) >/dev/null 2>&1 || { \
  $(PYTHON) -m venv --without-pip $(1) && \
  $(PYTHON) -m pip --python $(1)/bin/python install --quiet --disable-pip-version-check pip; }
@$(1)/bin/python -m pip install --quiet --disable-pip-version-check $(3)
@touch $@
endef

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mtcli needs Python 3.11 or newer, and '$(PYTHON)' is not. Name one: make install PYTHON=python3.11" >&2; \
	  exit 1; }
	$(call make-venv,$(VENV),PyTorch and other packages (a few minutes the first time),-e '.[dev]')

$(AOT_READY): Makefile
	$(call make-venv,$(AOT_VENV),Triton 3.6 (a minute the first time),$(AOT_PACKAGES))

$(PEERS_READY): $(PEERS_PACKAGES)
	$(call make-venv,$(PEERS_VENV),JoeyNMT and PyTorch (a few minutes the first time),-r $(PEERS_PACKAGES))
