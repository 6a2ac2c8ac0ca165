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

bench: .venv/.ready  ## the benchmarks, as ratios in one run
	@$(BIN)/python -m bench intake
	@$(BIN)/python -m bench growth
	@$(BIN)/python -m bench coverage
	@$(BIN)/python -m bench warehouse
	@$(BIN)/python -m bench dagster
	@$(BIN)/python -m bench nights
	@$(BIN)/python -m bench links --size 0.2 --runs 3
	@$(BIN)/python -m bench truth

bench-large: .venv/.ready  ## the same at full size, with a million files: two hours, and 16 GB of disk
	@$(BIN)/python -m bench links
	@$(BIN)/python -m bench coverage --articles 77000 --articles 770000
	@$(BIN)/python -m bench warehouse --articles 77000 --articles 770000
	@$(BIN)/python -m bench intake --articles 100000
	@$(BIN)/python -m bench growth --articles 10000 --articles 100000 --articles 1000000

docs: .venv/.ready  ## write the generated parts of the docs
	@$(BIN)/python scripts/document.py

COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	--quiet --upgrade

lock: .venv/.ready  ## resolve the dependencies anew, and those of tests/dbt
	$(COMPILE) pyproject.toml --group dev --group bench --all-extras -o requirements.lock
	$(COMPILE) tests/dbt/requirements.in --no-annotate -o tests/dbt/requirements.lock

clean:  ## remove what was made, but no data
	rm -rf .venv .venv-dbt .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist

.venv/.ready: requirements.lock pyproject.toml scripts/setup
	@scripts/setup
