# `make run` and `make test` do all the set-up themselves; the rest is for those who stay.

export NEWSLEDGER_CONFIG ?= seeds/newsledger.yaml
export DAGSTER_DISABLE_TELEMETRY = 1

BIN := .venv/bin

.PHONY: run test check format ui bench bench-large docs lock clean

run: .venv/.ready  ## a whole refresh, on the sample site unless NEWSLEDGER_CONFIG names another; no network on the sample
	@$(BIN)/newsledger refresh

test: .venv/.ready  ## the whole test suite, in two processes; the quick tests last, so that neither waits for the other
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/.ready  ## format, lint, types, layers, SQL
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar sql

format: .venv/.ready  ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

ui: .venv/.ready  ## the Dagster UI, on loopback
	@$(BIN)/newsledger ui

bench bench-large: export TEST_DBT ?= $(CURDIR)/.venv-dbt/bin/dbt

bench: .venv/.ready .venv-dbt/.ready  ## every benchmark, as ratios in one run, and one table of all targets
	@$(BIN)/python -m bench all

bench-large: .venv/.ready .venv-dbt/.ready  ## the same at full size, with a million files: hours, and 50 GB of disk
	@$(BIN)/python -m bench all --size large

docs: .venv/.ready  ## write the generated parts of the docs
	@$(BIN)/python scripts/document.py

COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet --upgrade

lock: .venv/.ready  ## resolve the dependencies anew, and those of tests/dbt
	$(COMPILE) pyproject.toml --group dev --group bench --all-extras -o requirements.lock
	$(COMPILE) tests/dbt/requirements.in --no-annotate -o tests/dbt/requirements.lock

clean:  ## remove what was made, but no data
	rm -rf .venv .venv-dbt .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist

.venv/.ready: requirements.lock pyproject.toml scripts/setup
	@scripts/setup

# dbt and pandas, which must stay out of the project's own environment: see tests/dbt.
.venv-dbt/.ready: .venv/.ready tests/dbt/requirements.lock
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-dbt
	@$(BIN)/uv pip install --quiet --python .venv-dbt/bin/python --require-hashes -r tests/dbt/requirements.lock
	@touch $@
