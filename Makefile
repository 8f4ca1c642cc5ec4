# Verbs of the house. `make check` runs every check and reports all of them before it fails.
PYTHON ?= .venv/bin/python

.PHONY: help install run build test fast bench kills lint types format docs check clean

help:  ## list the verbs
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

.venv/bin/python:
	python3 -m venv .venv

install: .venv/bin/python  ## runtime and test requirements into .venv
	$(PYTHON) -m pip install -q -r requirements-dev.txt

run:  ## open the dashboard (builds the demonstration dataset first if there is none)
	$(PYTHON) -m streamlit run app.py

build:  ## build the demonstration dataset
	$(PYTHON) -m dtsen_core build

test:  ## every test except the benchmarks
	$(PYTHON) -m pytest

fast:  ## the tests without dataset builds and browser
	$(PYTHON) -m pytest -m "not slow and not browser and not bench"

bench:  ## speed ratios, measured in one run
	$(PYTHON) -m pytest -m bench -n 0 -s tests/bench

kills:  ## two dozen kill -9 of an ingest and of whole builds; `test` does a few
	DTSEN_KILLS=24 $(PYTHON) -m pytest -n 2 tests/build/test_killed.py tests/build/test_killed_build.py

lint:  ## style
	$(PYTHON) -m ruff check .

types:  ## types
	$(PYTHON) -m mypy dtsen_core

docs:  ## write the data dictionary anew from the field dictionary
	$(PYTHON) -m dtsen_core.registry.dictionary

check:  ## style, types and tests; reports all, fails if one fails
	@failed=""; for verb in lint types test; do $(MAKE) --no-print-directory $$verb || failed="$$failed $$verb"; done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

clean:  ## remove caches (datasets stay)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
