# Two commands are enough: `make run` and `make test`. Both make what they need.
# `make test` runs on DATABASE_URL and REDIS_URL where they are given, and on servers of its own where not.
# PYTHON=python3.12 chooses the interpreter, PORT and VAR_DIR (see the README) where the product runs.
.PHONY: help run test check quick lint format migrations messages pictures bench soak soak-live mutants lock audit
.DEFAULT_GOAL := help

READY := @sh cucm_admin/stack/venv.sh
BIN := .venv/bin
# Tests that start whole systems wait more than they work: more workers than processors.
WORKERS ?= 4
SIDE_BY_SIDE = --dist loadgroup --no-loadscope-reorder -n
# Without compiled files each worker, process that a test starts, and fork of a mutant compiles everything again.
TEST := @env -u VAR_DIR -u PORT -u LAB_CLOCK_RATE PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

help:
	@echo "make run         start everything in this terminal; Ctrl-C stops it"
	@echo "make test        run the whole suite (ARGS='-k name' for a part of it, ARGS='-n0 --pdb' to debug)"
	@echo "make check       lint and quick, beside each other"
	@echo "make quick       the tests that need no process and no browser"
	@echo "make lint        check style, types, templates and the doors between the packages"
	@echo "make format      let the formatters have their way"
	@echo "make bench       measure, and print one table (ARGS='sweep' for a part of it)"
	@echo "make soak        ten million random steps of SRM, the invariants checked (ARGS='--seed 7')"
	@echo "make soak-live   half an hour of random faults of the running system (ARGS='--minutes 5')"
	@echo "make mutants     small changes that no test notices (ARGS='srm' for an area; hours for all)"
	@echo "make lock        pin all requirements anew, with hashes (ARGS='--upgrade-package NAME' takes a newer one)"
	@echo "make audit       ask which pinned versions have known vulnerabilities (needs the network)"
	@echo "make pictures    take the pictures of the documentation again"
	@echo "make messages    collect the sentences to translate, and compile the translations (needs gettext)"
	@echo "make migrations  write the migrations that changed models need"

run:
	$(READY) requirements.txt
	@exec $(BIN)/python -m cucm_admin.stack --with-parent

test:
	$(READY) requirements.txt requirements-dev.txt
	$(TEST) $(SIDE_BY_SIDE) $(WORKERS) $(ARGS)

# Beside each other: what lint does one after the other leaves a processor to the tests.
check:
	$(READY) requirements.txt requirements-dev.txt
	@$(MAKE) --no-print-directory -j2 quick lint

quick:
	$(TEST) $(SIDE_BY_SIDE) auto -m 'not process and not browser' $(ARGS)

lint:
	$(READY) requirements.txt requirements-dev.txt
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/djlint --check templates
	$(BIN)/lint-imports
	$(BIN)/python -m tests.checks

format:
	$(READY) requirements.txt requirements-dev.txt
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .
	$(BIN)/djlint --reformat --quiet templates

migrations:
	$(READY) requirements.txt
	$(BIN)/python manage.py makemigrations

messages:
	$(READY) requirements.txt requirements-dev.txt
	$(BIN)/python manage.py makemessages --locale pt_BR
	$(BIN)/python manage.py compilemessages --locale pt_BR --ignore .venv

pictures:
	$(READY) requirements.txt requirements-dev.txt
	@env -u VAR_DIR -u PORT $(BIN)/python -m tests.browser.take_pictures

bench:
	$(READY) requirements.txt requirements-dev.txt
	@env -u VAR_DIR -u PORT -u LAB_CLOCK_RATE PYTHONDONTWRITEBYTECODE= $(BIN)/python -m tests.bench $(ARGS)

soak:
	$(READY) requirements.txt requirements-dev.txt
	@$(BIN)/python -m tests.srm.soak $(ARGS)

soak-live:
	$(READY) requirements.txt requirements-dev.txt
	@env -u VAR_DIR -u PORT -u LAB_CLOCK_RATE $(BIN)/python -m tests.live.soak $(ARGS)

mutants:
	$(READY) requirements.txt requirements-dev.txt
	@env -u VAR_DIR -u PORT -u LAB_CLOCK_RATE -u DATABASE_URL -u REDIS_URL PYTHONDONTWRITEBYTECODE= $(BIN)/python -m tests.mutants $(ARGS)

# One lock for each list, for all platforms. What the tests need wants a later patch of Python than the product.
PIN := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate
lock:
	$(READY) requirements.txt requirements-dev.txt
	$(PIN) --python-version 3.11 $(ARGS) -o requirements.lock requirements.txt
	$(PIN) --python-version 3.11 $(ARGS) -c requirements.lock -o requirements-dev.lock requirements-dev.txt
	$(PIN) --python-version 3.11 $(ARGS) -o tests/ssh/clients.lock tests/ssh/clients.txt

audit:
	$(READY) requirements.txt requirements-dev.txt
	@sh .ci/audit
