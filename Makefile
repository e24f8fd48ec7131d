# `make help` lists the commands. README shows these commands, and the tests run them.

# make's built-in rules are not used here. A recipe that fails must not leave half a file.
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
# In front of messages, as the program itself writes it.
PROGRAM := parley

.PHONY: help
help:
	@echo "For a developer"
	@echo "  make run       run the chat on this machine, at https://localhost:8443"
	@echo "  make adopt APP=~/mysite   look what stands between a Channels project of yours and this stack; writes its stack.toml"
	@echo "  make run APP=~/mysite     run that project on this machine; make up APP=... and make down APP=... in containers"
	@echo "  make test      run the tests that need this machine alone; FAST=1 leaves out those that start servers or a browser"
	@echo "  make check     check format, lint, types, imports, words, documents and configuration"
	@echo "  make up        run the chat in containers, at https://localhost:8443; make down stops it and keeps the data"
	@echo "  make reset     stop the containers and delete their data, after a question"
	@echo "For a contributor"
	@echo "  make messages  update the texts to translate, in app/locale; make check fails while a translation is missing"
	@echo "  make lock      write requirements/*.txt from requirements/*.in"
	@echo "  make test-docker  test the containers: acceptance, scaling, outages, a rollout under load; needs a Docker engine"
	@echo "  make test-projects  test three projects of other authors in containers; needs a Docker engine"
	@echo "  make test-hosts TEST_INVENTORY=FILE   test the first run and cloud-init on bare hosts, which it changes"
	@echo "  make test-vm TEST_INVENTORY=FILE      test deployments, outages and reboots on hosts, which it changes"
	@echo "For an operator"
	@echo "  make deploy HOST=user@address DOMAIN=chat.example.org EMAIL=you@example.org   set up a host, or deploy a release"
	@echo "  make deploy CHECK=1 HOST=... DOMAIN=... EMAIL=...   look at the host, say what stands in the way, and change nothing"
	@echo "  make rollback HOST=...   go back to the previous release"
	@echo "  make backup HOST=...     back up the database; make restore BACKUP=NAME HOST=... restores it"
	@echo "  make status HOST=...     print the site on its host in one screen, and what is wrong; HOST is needed; ARGS=--json"
	@echo "  make rotate HOST=...     change the secret key; nobody is signed out (ARGS=\"-e site_end_sessions=true\": everybody is)"
	@echo "  make deploy APP=~/mysite HOST=... DOMAIN=... EMAIL=...   the same for a project; APP= also for the commands above"
	@echo "  make remove APP=~/mysite HOST=...   take a project off its host; the other sites on it go on"
	@echo "  make doctor URL=https://chat.example.org [HOST=user@address]   find the hop that drops the WebSocket, and the fix; APP=~/mysite: of a project"
	@echo "For a load tester"
	@echo "  make load      run a load test against a stack of its own, or ARGS=\"storm --url https://...\"; QUICK=1: a minute"
	@echo "  make load APP=~/mysite    the same for the sockets of a project, as its stack.toml describes them"
	@echo "  make bench     measure the cost of one delivery and compare other servers; QUICK=1: five minutes"

# APP=FOLDER: another project than the chat. `$(PROGRAM) run --help` has the options; ARGS passes them on.
COMMAND := $(PYTHON) -m deploy.cli

.PHONY: run
run: packages-run .venv/.stamp
	@$(if $(APP),$(COMMAND) run $(ARGS) $(APP),$(PYTHON) deploy/run.py)

.PHONY: adopt
adopt: packages-run .venv/.stamp
	@test -n "$(APP)" || { echo "$(PROGRAM): name the project: make adopt APP=~/mysite" >&2; exit 64; }
	@$(COMMAND) adopt $(ARGS) $(APP)

# FAST=1: at most two minutes. tests/fast.py says what it leaves out; the summary counts it. ARGS="tests/rooms" and the like.
.PHONY: test
test: packages-test .venv/.stamp .venv/.stamp-bench .venv/.stamp-load .venv/.stamp-deploy node_modules/.stamp
	$(PYTHON) -m pytest $(if $(FAST),--fast) $(ARGS)

.PHONY: check
check: packages-check .venv/.stamp .venv/.stamp-bench .venv/.stamp-load .venv/.stamp-deploy node_modules/.stamp
	@$(PYTHON) tests/check.py

# QUICK=1: a room of 1000, once. ARGS="--only storm" and the like: python -m loadtest.bench --help
.PHONY: bench
bench: packages-run .venv/.stamp .venv/.stamp-bench .venv/.stamp-load
	@$(PYTHON) -m loadtest.bench $(if $(QUICK),--quick) $(ARGS)

# QUICK=1: a minute. ARGS="storm --url https://chat.example.org --sessions sessions.json": python -m loadtest --help
# APP=FOLDER: another project than the chat, of which only stack.toml is known; `$(PROGRAM) load --help`.
.PHONY: load
load: packages-run .venv/.stamp .venv/.stamp-load
	@$(if $(APP),$(COMMAND) load $(ARGS) $(APP),$(PYTHON) -m loadtest $(if $(QUICK),--quick) $(ARGS))

# HOST= also examines that machine. ARGS="--hold 70" and the like: python3 -m deploy.doctor --help. It needs Python only.
# APP=FOLDER: the site of that project, by its stack.toml.
.PHONY: doctor
ifdef APP
doctor: .venv/.stamp
	@$(COMMAND) doctor $(APP) $(if $(HOST),--ssh $(HOST)) $(ARGS)
else
doctor:
	@test -n "$(URL)" || { echo "$(PROGRAM): name the site: make doctor URL=https://chat.example.org" >&2; exit 64; }
	@python3 -m deploy.doctor $(URL) $(if $(HOST),--ssh $(HOST)) $(ARGS)
endif

# It needs Python only, here and on the host. ARGS=--json. APP=FOLDER: the site of that project.
.PHONY: status
ifdef APP
status: .venv/.stamp
else
status:
endif
	@test -n "$(HOST)" || { echo "$(PROGRAM): name the host: make status HOST=user@address" >&2; exit 64; }
	@$(if $(APP),$(COMMAND) status $(APP) --host $(HOST),python3 -m deploy.site_status --ssh $(HOST)) $(ARGS)

# APP=FOLDER: another project than the chat; `$(PROGRAM) up --help`.
.PHONY: up
ifdef APP
up: .venv/.stamp
	@$(COMMAND) up $(ARGS) $(APP)
else
up:
	@docker compose up --detach --build --wait
	@docker compose logs --no-log-prefix init | sed -n '/ is now /p' >&2
	@name=$$(docker compose exec -T nginx printenv SITE_DOMAIN) && port=$$(docker compose port nginx 8443) && \
		echo "The chat is running at https://$${name%%,*}:$${port##*:}"
endif

# The WebSocket servers stop first: they ask their clients to reconnect, and nginx carries that message.
.PHONY: down
ifdef APP
down: .venv/.stamp
	@$(COMMAND) down $(ARGS) $(APP)
else
down:
	@docker compose stop ws
	@docker compose --profile '*' down
endif

.PHONY: reset
reset:
	@printf 'This deletes every message, account and key of the containers. Type "delete": ' && \
		read answer && [ "$$answer" = delete ] || { echo "Nothing was deleted."; exit 1; }
	@docker compose --profile '*' down --volumes

# Also tested: the size of the image, its capabilities, who can read its secrets, which ports answer.
.PHONY: test-docker test-projects
test-docker: packages-test .venv/.stamp
	$(PYTHON) -m pytest -n 0 tests/docker
test-projects: packages-test .venv/.stamp
	TEST_PROJECTS=tutorial,gallery,notifications $(PYTHON) -m pytest -n 0 tests/docker/test_projects.py

# HOST=user@address, or INVENTORY=file for more hosts or variables; ARGS="-e name=value" goes to ansible-playbook.
comma := ,
ANSIBLE := ANSIBLE_CONFIG=ansible/ansible.cfg .venv/bin/ansible-playbook
ANSIBLE += $(if $(INVENTORY),-i $(INVENTORY),-i '$(lastword $(subst @, ,$(HOST)))$(comma)')
ANSIBLE += $(if $(findstring @,$(HOST)),-u $(firstword $(subst @, ,$(HOST))))
ANSIBLE += $(if $(DOMAIN),-e site_domain=$(DOMAIN)) $(if $(EMAIL),-e site_email=$(EMAIL))
# APP=FOLDER: another project than the chat. remove takes it off the host; the chat cannot be removed.
ON_HOST = $(COMMAND) $@ $(APP) --host $(or $(INVENTORY),$(HOST)) $(if $(BACKUP),--backup $(BACKUP)) $(ARGS)
ON_HOST += $(if $(filter deploy,$@),$(if $(DOMAIN),--domain $(DOMAIN)) $(if $(EMAIL),--email $(EMAIL)))
ON_HOST += $(if $(filter deploy,$@),$(if $(CHECK),--check))
# CHECK=1: only the look at the host with which a deployment begins.
PLAYBOOK = $(if $(filter deploy,$@),$(if $(CHECK),preflight,site),$@)

.PHONY: deploy rollback backup restore rotate remove
deploy rollback backup restore rotate remove: .venv/.stamp-deploy
	@test -n "$(HOST)$(INVENTORY)" || { echo "$(PROGRAM): name the host: make $@ HOST=user@address" >&2; exit 1; }
ifdef APP
	@$(ON_HOST)
else
	@$(ANSIBLE) $(if $(BACKUP),-e site_backup=$(BACKUP)) $(ARGS) ansible/$(PLAYBOOK).yml
endif

# Both change the hosts that TEST_INVENTORY names: releases, outages, reboots. Use hosts that you can throw away.
.PHONY: test-hosts test-vm
test-hosts test-vm: packages-test .venv/.stamp .venv/.stamp-deploy
	@test -n "$(TEST_INVENTORY)" || { echo "$(PROGRAM): TEST_INVENTORY must name an inventory" >&2; exit 1; }
	TEST_INVENTORY=$(TEST_INVENTORY) $(PYTHON) -m pytest -rs \
		$(if $(filter test-vm,$@),-n 0 tests/vm,--dist load tests/fresh) $(ARGS)

# After a text has changed: add the new texts to app/locale, without a translation, and compile it.
.PHONY: messages
messages: packages-check .venv/.stamp
	@$(PYTHON) tests/catalogues.py --write

# With hashes and without the address of a package index, so that the files install from any mirror.
.PHONY: lock
lock: .venv/.stamp
	@for name in site base dev bench load deploy; do \
		.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-emit-find-links --no-header -q requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

# Install the Debian packages that are missing (packages-run, packages-test, packages-check).
.PHONY: packages-run packages-test packages-check
packages-run packages-test packages-check: packages-%:
	@sh deploy/bootstrap.sh $*

# The lock file has every package, so pip has nothing to resolve: --no-deps.
.venv/.stamp: requirements/dev.txt | packages-run
	@echo "$(PROGRAM): installing the Python packages"
	@python3 -m venv .venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.stamp-bench: requirements/bench.txt .venv/.stamp
	@echo "$(PROGRAM): installing the packages of the benchmark"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

.venv/.stamp-load: requirements/load.txt .venv/.stamp
	@echo "$(PROGRAM): installing the packages of the load test"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

.venv/.stamp-deploy: requirements/deploy.txt .venv/.stamp
	@echo "$(PROGRAM): installing the packages for deployments"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

node_modules/.stamp: package-lock.json | packages-check
	@echo "$(PROGRAM): installing the packages that check the browser code"
	@npm ci --silent
	@touch $@
