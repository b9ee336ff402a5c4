# Everything is set up in .venv by pip; `make demo` and `make test` need only Python 3.11+, git and make.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help demo test check format bench torture clean
help:  ## Say what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed. Name one: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,bench]'
	@touch $@

demo: $(STAMP)  ## Embed the documentation of this Python, search it and draw its map
	@$(BIN)/python examples/python_docs.py

test: $(STAMP)  ## Run the tests, warnings as errors
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(STAMP)  ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)  ## Mend what a formatter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## Time and quality side by side with the peers (needs the real data; over an hour)
	$(BIN)/python -m benchmarks $(ARGS)

torture: $(STAMP)  ## Kill builds, promotions and migrations at random, on SQLite and PostgreSQL, and look for what was lost
	$(BIN)/python -m torture $(ARGS)

clean:  ## Remove what the commands above made
	find src -name '*.nb[ic]' -delete
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .bench demo-store python-docs.html dist
