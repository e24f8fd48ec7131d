# Parley's words. The README's commands and the tests run these very lines.

# make's own search for rules is of no use here, and a recipe that fails must not leave half a file.
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python

.PHONY: help
help:
	@echo "make run     the whole of Parley on this machine, at https://localhost:8443"
	@echo "make test    everything that can be proven on this machine"
	@echo "make check   format, lint, types, contracts, configuration"
	@echo "make bench   what one delivery costs, beside other servers; QUICK=1 takes five minutes"
	@echo "make load    a load test: a stack of its own, or ARGS=\"storm --url https://...\"; QUICK=1 takes a minute"
	@echo "make doctor URL=https://chat.example.org [HOST=user@address]   which hop loses the WebSocket, and the cure"
	@echo "make up      the same in containers, at https://localhost:8443; make down ends it and keeps the data"
	@echo "make reset   ends it and deletes the data, after asking"
	@echo "make test-docker  the containers: acceptance, scaling, outages, a rollout under load; needs an engine"
	@echo "make deploy HOST=user@address DOMAIN=chat.example.org EMAIL=you@example.org   a bare host, or the next release"
	@echo "make rollback | backup | restore BACKUP=NAME HOST=...   the release before; the database"
	@echo "make test-vm  the same on disposable hosts, named by PARLEY_TEST_INVENTORY"
	@echo "make messages  words to translate, in app/locale; make check fails while one lacks"
	@echo "make lock    requirements/*.in to requirements/*.txt"

.PHONY: run
run: packages-run .venv/.stamp
	@$(PYTHON) deploy/run.py

.PHONY: test
test: packages-test .venv/.stamp .venv/.stamp-bench .venv/.stamp-load node_modules/.stamp
	$(PYTHON) -m pytest

.PHONY: check
check: packages-check .venv/.stamp .venv/.stamp-bench .venv/.stamp-load .venv/.stamp-deploy node_modules/.stamp
	@$(PYTHON) tests/check.py

# QUICK=1: a room of 1000, once. ARGS="--only storm" and the like: python -m loadtest.bench --help
.PHONY: bench
bench: packages-run .venv/.stamp .venv/.stamp-bench .venv/.stamp-load
	@$(PYTHON) -m loadtest.bench $(if $(QUICK),--quick) $(ARGS)

# QUICK=1: a minute. ARGS="storm --url https://chat.example.org --sessions sessions.json": python -m loadtest --help
.PHONY: load
load: packages-run .venv/.stamp .venv/.stamp-load
	@$(PYTHON) -m loadtest $(if $(QUICK),--quick) $(ARGS)

# HOST= looks on that machine as well. ARGS="--hold 70" and the like: python3 -m deploy.doctor --help. It needs Python alone.
.PHONY: doctor
doctor:
	@test -n "$(URL)" || { echo "parley: say which site: make doctor URL=https://chat.example.org" >&2; exit 64; }
	@python3 -m deploy.doctor $(URL) $(if $(HOST),--ssh $(HOST)) $(ARGS)

.PHONY: up
up:
	@docker compose up --detach --build --wait
	@echo "Parley is running at https://$${PARLEY_DOMAIN:-localhost}:$${PARLEY_HTTPS_PORT:-8443}"

# The sockets are told to come back before nginx, which carries the word, ends.
.PHONY: down
down:
	@docker compose stop ws
	@docker compose --profile '*' down

.PHONY: reset
reset:
	@printf 'This deletes every message, account and key of the containers. Type "delete": ' && \
		read answer && [ "$$answer" = delete ] || { echo "Nothing was deleted."; exit 1; }
	@docker compose --profile '*' down --volumes

# Also in the tests: how big the image is, what it may do, who reads its secrets, which ports answer.
.PHONY: test-docker
test-docker: packages-test .venv/.stamp
	$(PYTHON) -m pytest -n 0 tests/docker

# HOST=user@address, or INVENTORY=file for more than fits on a line; ARGS="-e name=value" and the like for the rest.
comma := ,
ANSIBLE := ANSIBLE_CONFIG=ansible/ansible.cfg .venv/bin/ansible-playbook
ANSIBLE += $(if $(INVENTORY),-i $(INVENTORY),-i '$(lastword $(subst @, ,$(HOST)))$(comma)')
ANSIBLE += $(if $(findstring @,$(HOST)),-u $(firstword $(subst @, ,$(HOST))))
ANSIBLE += $(if $(DOMAIN),-e parley_domain=$(DOMAIN)) $(if $(EMAIL),-e parley_email=$(EMAIL))

.PHONY: deploy rollback backup restore
deploy rollback backup restore: .venv/.stamp-deploy
	@test -n "$(HOST)$(INVENTORY)" || { echo "parley: say which host: make $@ HOST=user@address" >&2; exit 1; }
	@$(ANSIBLE) $(if $(BACKUP),-e parley_backup=$(BACKUP)) $(ARGS) ansible/$(if $(filter deploy,$@),site,$@).yml

# Everything on those hosts goes: releases, outages, reboots.
.PHONY: test-vm
test-vm: packages-test .venv/.stamp .venv/.stamp-deploy
	@test -n "$(PARLEY_TEST_INVENTORY)" || { echo "parley: PARLEY_TEST_INVENTORY must name an inventory" >&2; exit 1; }
	$(PYTHON) -m pytest -n 0 -rs tests/vm $(ARGS)

# After words have changed: app/locale gets what is new, without a translation, and is compiled.
.PHONY: messages
messages: packages-check .venv/.stamp
	@$(PYTHON) tests/catalogues.py --write

# Hashes, and no address of a package index: the files install from any mirror.
.PHONY: lock
lock: .venv/.stamp
	@for name in base dev bench load deploy; do \
		.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-emit-find-links --no-header -q requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

# Debian packages that are missing, if any (packages-run, packages-test, packages-check).
.PHONY: packages-run packages-test packages-check
packages-run packages-test packages-check: packages-%:
	@sh deploy/bootstrap.sh $*

# Everything is in the lock file already, so pip has nothing to resolve: --no-deps.
.venv/.stamp: requirements/dev.txt | packages-run
	@echo "parley: installing the Python packages"
	@python3 -m venv .venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.stamp-bench: requirements/bench.txt .venv/.stamp
	@echo "parley: installing what the benchmark adds"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

.venv/.stamp-load: requirements/load.txt .venv/.stamp
	@echo "parley: installing what the load test adds"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

.venv/.stamp-deploy: requirements/deploy.txt .venv/.stamp
	@echo "parley: installing what deploys"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

node_modules/.stamp: package-lock.json | packages-check
	@echo "parley: installing what checks the browser code"
	@npm ci --silent
	@touch $@
