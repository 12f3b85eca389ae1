# `make run` and `make test` are all that a newcomer needs; each sets up .venv by itself.
PYTHON ?= python3
BIN := .venv/bin
RUN := auto

.PHONY: run test lab site bench clean
.DEFAULT_GOAL := run

## run: the core notebooks on the shipped data, offline, with a table and a report at the end
run: .venv/installed
	$(BIN)/course run --profile $(RUN)

## test: every check: style, types, unit tests, every notebook by nbval and by papermill
test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --no-loadscope-reorder --durations 25

## lab: the notebooks in JupyterLab, on this machine only, with a token
lab: .venv/installed
	$(BIN)/jupyter lab --ip=127.0.0.1 --notebook-dir=. notebooks

## site: the website in build/site/, to be read without a network
site: .venv/installed-site
	$(BIN)/python -m course_utils.site

## bench: ours beside its peers, on this machine
bench: .venv/installed-bench
	$(BIN)/python -m benchmarks

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: the course needs Python 3.11 or newer, but $(PYTHON) is older: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "Setting up .venv with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "error: could not make .venv: on Debian and Ubuntu, apt install python3-venv helps"; exit 2; }

.venv/installed: .venv/bin/python pyproject.toml
	@echo "Installing the course and what it needs (about 6 GB with torch's GPU build; some minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/installed-dev: .venv/installed
	@echo "Installing the tools that the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

.venv/installed-site: .venv/installed
	@echo "Installing what writes the site ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[site]'
	@touch $@

.venv/installed-bench: .venv/installed
	@echo "Installing the peers that we race against ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@

## clean: remove what runs and tests left behind; data and .venv stay
clean:
	rm -rf runs build .pytest_cache .mypy_cache .ruff_cache .hypothesis
