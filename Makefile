# make run    create .venv, install, open the app in the browser
# make test   create .venv, install with the test extras, lint, check types, run the tests
# make corpus-report   what is read of the real documents in ../shared/documents, beside markitdown and pymupdf4llm
#
# PYTHON=python3.12       another interpreter (3.11 or newer)
# LLAMA_WHEELS=URL|DIR    a folder or an index page with prebuilt llama-cpp-python wheels (CPU, CUDA or Metal), instead of compiling
# TEST_EXTRAS=test,ocr,web    leave out torch and transformers, and with them the comparison of the engine with an independent reference

PYTHON ?= python3
LLAMA_WHEELS ?=
RUN_EXTRAS ?= ocr,web
TEST_EXTRAS ?= test,ocr,web,reference

BIN := .venv/bin
PIP := PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check
LLAMA := $(shell sed -n 's/.*"\(llama-cpp-python==[0-9.]*\)".*/\1/p' pyproject.toml)

# A card and its compiler at hand: build llama.cpp for it. An already set CMAKE_ARGS always wins.
CUDA := $(shell command -v nvcc >/dev/null 2>&1 && nvidia-smi >/dev/null 2>&1 && echo -DGGML_CUDA=on)
export CMAKE_ARGS ?= $(CUDA)

.PHONY: run test lint types corpus-report clean

run: .venv/installed
	$(BIN)/unabridged

test: lint types
	$(BIN)/python -m pytest

lint: .venv/installed-for-tests
	$(BIN)/ruff check .

# mypy cannot follow the folder-to-package mapping, so it is shown the package as a tree of links.
types: .venv/installed-for-tests
	@rm -rf build/types && mkdir -p build/types/unabridged
	@ln -s $(CURDIR)/app/*.py $(patsubst %/__init__.py,%,$(wildcard $(CURDIR)/app/*/__init__.py)) build/types/unabridged/
	@ln -s $(CURDIR)/models $(CURDIR)/ingest $(CURDIR)/ui build/types/unabridged/
	cd build/types && ../../$(BIN)/mypy --config-file ../../pyproject.toml --python-executable ../../$(BIN)/python -p unabridged

.venv/installed: pyproject.toml .venv/llama
	$(PIP) --editable .$(if $(RUN_EXTRAS),[$(RUN_EXTRAS)])
	@touch $@

.venv/installed-for-tests: pyproject.toml .venv/llama
	$(PIP) --editable .[$(TEST_EXTRAS)]
	@touch $@ .venv/installed

# First and by itself, because it is the one that takes long: pip keeps the wheel it builds, so only the first time on a machine.
.venv/llama:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python cannot create virtual environments here; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PIP) --upgrade pip
	@echo "Installing $(LLAMA). Where no wheel is at hand it is compiled: 5 to 10 minutes on two cores, once."
	$(PIP) $(if $(LLAMA_WHEELS),--prefer-binary --find-links $(LLAMA_WHEELS)) $(LLAMA)
	@touch $@

clean:
	rm -rf .venv build *.egg-info

corpus-report: .venv/installed-for-tests
	$(PIP) "markitdown[all]" pymupdf4llm
	$(BIN)/python -m tests.corpus.report
