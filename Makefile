# The commands of this repository. `make up` and `make test` do all their own set-up; see README.md.
STACK ?= local
PYTHON ?= python3
ARGS ?=
# Read from the environment, so that no shell touches what a person wrote.
export EMULATOR_PORT COMMAND ORCHESTRATOR RUN

.PHONY: help setup up preview refresh destroy rotate rotate-due preflight verify adopt run env test unit faults bench
.PHONY: lint format schema configuration policies-table troubleshooting graph

help:  ## list the commands
	@grep -hE '^[a-z-]+( [a-z]+)*:.*##' Makefile | sed 's/:.*## /: /'

setup:  ## install packages and engine; every other target does it first
	@$(PYTHON) -m toolchain.setup

up preview refresh destroy: setup  ## run that verb of Pulumi's on STACK (default: local), with ARGS
	@$(PYTHON) -m toolchain.stack $@ $(STACK) $(ARGS)

rotate: setup  ## make the credential that FiftyOne starts the jobs of STACK with anew, now
	@$(PYTHON) -m toolchain.stack rotate $(STACK) $(ARGS)

rotate-due: setup  ## the same where its time has come, and only if nothing else would change; for schedules
	@$(PYTHON) -m toolchain.rotate_due $(STACK)

run: setup  ## run a job of STACK once, and show its log: COMMAND="fiftyone …", ORCHESTRATOR=…
	@.venv/bin/python -m toolchain.run_job $(STACK)

preflight: setup  ## what can be known to be wrong with STACK before deploying it, as a list
	@.venv/bin/python -m preflight $(STACK)

verify: setup  ## follow the chain of STACK link by link, and say which one is broken; RUN=no starts no job
	@.venv/bin/python -m preflight.verify $(STACK)

adopt: setup  ## take what was made by hand, following the guide, into STACK; ARGS="--yes --job INSTANCE_ID=JOB"
	@.venv/bin/python -m adoption $(STACK) $(ARGS)

graph: setup  ## print a Mermaid picture of what STACK holds, from the engine's own graph
	@.venv/bin/python -m toolchain.graph $(STACK)

env: setup  ## for eval "$(make -s env)": what plain `pulumi` needs in the shell
	@$(PYTHON) -m toolchain.environment $(STACK)

test: setup  ## all tests
	@.venv/bin/python -m pytest $(ARGS)

unit: setup  ## the tests that need no engine
	@.venv/bin/python -m pytest tests/unit tests/policies tests/emulator $(ARGS)

faults: setup  ## the whole matrix of faults on a real engine, of which `test` has a cut
	@.venv/bin/python -m pytest tests/faults --whole-matrix -n 4 --dist worksteal $(ARGS)

bench: setup  ## measure speed against a bare program and others, and write docs/benchmarks.md; ARGS="--repetitions 5"
	@.venv/bin/python -m benchmarks $(ARGS)

lint: setup  ## formatting, lint, types and CI's workflows
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/pyright
	@go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

format: setup  ## format, and fix what lint can fix
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

schema: setup  ## write settings.schema.json anew from the settings
	@.venv/bin/python -m components.settings_schema > settings.schema.json

configuration: setup  ## write docs/configuration.md anew from the settings
	@.venv/bin/python -m components.settings_page > docs/configuration.md

policies-table: setup  ## write docs/policies.md anew from the rules
	@cd policies && ../.venv/bin/python -m pack.table > ../docs/policies.md

troubleshooting: setup  ## write docs/troubleshooting.md anew from the causes
	@.venv/bin/python -m troubleshooting.page > docs/troubleshooting.md
