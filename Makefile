# Everything a developer types. Tools come from .venv, which every target that needs it sets up first.
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export UV_SYSTEM_CERTS := 1
unexport PYTHONDONTWRITEBYTECODE # compiled modules are kept: tests start thousands of Pythons
READY := .venv/.ready
SANDBOX ?= sandbox
SANDBOX_ENV = $(if $(filter sandbox,$(SANDBOX)),sandbox.env,sandbox-$(SANDBOX).env)
PYTEST = pytest $(if $(K),-k '$(K)') --junitxml build/test/$@.xml
MODULES = $(patsubst plugins/modules/%.py,kempian.cache_migration.%,$(wildcard plugins/modules/*.py))
CALLBACKS = $(patsubst plugins/callback/%.py,kempian.cache_migration.%,$(wildcard plugins/callback/*.py))
ROLES = $(patsubst roles/%/meta/argument_specs.yml,kempian.cache_migration.%,$(wildcard roles/*/meta/argument_specs.yml))

.DEFAULT_GOAL := help
.PHONY: help setup demo sandbox sandbox-down test test-long unit component molecule e2e lint format sanity bench docs build ee awx lock clean

help: ## Say what each target does
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  %-13s %s\n", $$1, $$2}'

setup: $(READY) ## Make .venv with the locked tools; nothing else
$(READY): scripts/setup $(wildcard requirements/*.lock)
	scripts/setup

demo: $(READY) ## Show a whole migration under load, and clean up (KEEP=1 leaves it all up)
	python -m sandbox.demo

sandbox: $(READY) ## Start a sandbox to play in (SANDBOX=name, APP=web|whole|cluster|memcached, SANDBOX_HOSTS=machines|processes); then: . ./sandbox.env
	python -m sandbox up $(SANDBOX) $(if $(APP),--app $(APP)) --env-file $(SANDBOX_ENV)

sandbox-down: $(READY) ## Take it down (SANDBOX=name)
	python -m sandbox down $(SANDBOX)
	rm -f $(SANDBOX_ENV)

test: $(READY) ## Run linters, unit, component, Molecule, end-to-end and sanity tests; counts and skips at the end
	scripts/test

test-long: $(READY) ## Run everything there is: also the other kind of hosts, and other releases of ansible-core
	scripts/test --long

unit: $(READY) ## Run the unit tests (K=name: those whose name matches)
	$(PYTEST) tests/unit

component: $(READY) ## Run modules and the app against real engines and the local AWS (K=name)
	$(PYTEST) -m 'not long' tests/component

molecule: $(READY) ## Run every role in its Molecule scenario (SCENARIO=name: one)
	scripts/molecule $(SCENARIO)

e2e: $(READY) ## Run one end-to-end scenario (SCENARIO=name), or list them
ifdef SCENARIO
	$(PYTEST) -s tests/e2e/test_$(subst -,_,$(SCENARIO)).py
else
	@echo "make e2e SCENARIO=name, where name is one of"
	@for file in tests/e2e/test_*.py; do name=$${file#*test_}; \
		printf '  %-20s %s\n' "$$(echo $${name%.py} | tr _ -)" "$$(sed -n '1s/"""//gp' "$$file")"; done
endif

lint: $(READY) ## Run ruff, mypy, yamllint, ansible-lint and the changelog's linter
	scripts/lint

format: $(READY) ## Format all Python
	ruff check --fix-only .
	ruff format .

sanity: $(READY) ## Run ansible-test sanity on the built artefact
	scripts/sanity

bench: $(READY) ## Count and time the commands of a migration, and one by hand (ROUNDS=3, HOSTS="3 8")
	python -m bench.counts $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(HOSTS),--hosts $(HOSTS)) --json build/bench.json

docs: $(READY) ## Write the tables of the roles' READMEs, AWX's surveys, docs/iam and docs/choosing.md, and render the reference to build/docs (fails where one cannot be)
	python scripts/role_docs.py
	python scripts/surveys.py
	python scripts/app_docs.py
	python scripts/iam_docs.py
	python scripts/comparison_docs.py
	scripts/docs module $(MODULES)
	scripts/docs callback $(CALLBACKS)
	scripts/docs role $(ROLES)

build: $(READY) ## Build the collection's artefact into build/
	ansible-galaxy collection build --force --output-path build

ee: build ## Write the context of an execution environment to build/ee, and say how to build the image
	rm -rf build/ee
	ansible-builder create --context build/ee --output-filename Containerfile
	@echo 'now: podman build -t cache-migration-ee build/ee    # another base: --build-arg EE_BASE_IMAGE=…, one with dnf'

awx: $(READY) ## Put the job templates and the workflow into the AWX at CONTROLLER_HOST (ARGS="-e awx_scm_url=…"); see docs/awx.md
	ansible-playbook extensions/patterns/migration/playbooks/configure.yml $(ARGS)

lock: $(READY) ## Pin requirements/*.in with hashes, for every Python from 3.11
	for name in dev app uv; do uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate requirements/$$name.in -o requirements/$$name.lock || exit; done

clean: ## Remove what was built and cached (not .venv)
	rm -rf build .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
