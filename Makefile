# Two commands: `make run` does the main job, `make test` passes the tests. Each installs what it needs.
PYTHON ?= python3
DATA ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(shell cksum < pyproject.toml | cut -d' ' -f1)
# The Supabase CLI pushes the migrations in one test, which is skipped where there is no npm to bring it.
NPM := $(shell command -v npm)
SUPABASE := $(VENV)/supabase-3.1.0/node_modules/.bin/supabase
# The Edge Functions and their tests, with the functions' own configuration.
DENO := --config=infra/supabase/functions/deno.json infra/supabase/functions two_tower_assets_tests/functions

export TWO_TOWER_DATA := $(or $(DATA),$(TWO_TOWER_DATA))

.PHONY: help run evaluate ablation seeds gate-simulation ui test check bench screenshots pictures down

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[local,ui,dev]'
	@rm -f $(VENV)/.installed-* && touch $@

run: $(STAMP) ## the whole pipeline: data (DATA=folder, default a generated sample) to a live release
	$(BIN)/two-tower run

evaluate: $(STAMP) ## fit and evaluate without releasing: tables with intervals, the gate's verdict, the report's page
	$(BIN)/two-tower evaluate $(if $(PRESET),--preset $(PRESET))

ablation: $(STAMP) ## what each ingredient of the recipe gives, seeds repeated
	$(BIN)/two-tower ablation $(ABLATION_ARGS)

seeds: $(STAMP) ## the spread over five seeds
	$(BIN)/two-tower seeds

gate-simulation: $(STAMP) ## how often the gate is wrong, by the number of users
	$(BIN)/two-tower gate-simulation

ui: $(STAMP) ## the Dagster UI on the same instance
	$(BIN)/two-tower ui

$(SUPABASE): | $(STAMP)
	npm install --silent --no-save --no-package-lock --prefix $(VENV)/supabase-3.1.0 supabase@3.1.0

test: $(STAMP) $(if $(NPM),$(SUPABASE)) ## all tests
	$(if $(NPM),TWO_TOWER_SUPABASE_CLI=$(abspath $(SUPABASE))) $(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(STAMP) ## lint, types, import rules, in Python and TypeScript
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deno fmt $(DENO) --check && $(BIN)/deno lint $(DENO) && $(BIN)/deno check $(DENO)

bench: $(STAMP) ## speed and memory, as ratios measured in one run
	$(BIN)/python -m two_tower_assets_tests.bench

screenshots: $(STAMP) ## pictures of the UI after a run (needs Chromium on the PATH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[screenshots]'
	eval "$$($(BIN)/two-tower env)" && $(BIN)/python infra/screenshots.py $${TWO_TOWER_HOME:-.two_tower}/screenshots

pictures: $(STAMP) ## pictures of a report page, PAGE=file, on a phone and on a desk (needs Chromium on the PATH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[screenshots]'
	$(BIN)/python infra/page_screenshots.py $(PAGE) $(dir $(PAGE))pictures

down: $(STAMP) ## stop the embedded Postgres
	$(BIN)/two-tower down
