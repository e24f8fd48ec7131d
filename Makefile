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
	@echo "make bench   the fan-out, measured beside other servers"
	@echo "make lock    requirements/*.in to requirements/*.txt"

.PHONY: run
run: packages-run .venv/.stamp
	@$(PYTHON) deploy/run.py

.PHONY: test
test: packages-test .venv/.stamp .venv/.stamp-bench
	$(PYTHON) -m pytest

.PHONY: check
check: packages-check .venv/.stamp .venv/.stamp-bench node_modules/.stamp
	@$(PYTHON) tests/check.py

# QUICK=1: a room of 1000, once. ARGS="--only storm" and the like: python -m loadtest.bench --help
.PHONY: bench
bench: packages-run .venv/.stamp .venv/.stamp-bench
	@$(PYTHON) -m loadtest.bench $(if $(QUICK),--quick) $(ARGS)

# Hashes, and no address of a package index: the files install from any mirror.
.PHONY: lock
lock: .venv/.stamp
	@for name in base dev bench; do \
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

node_modules/.stamp: package-lock.json | packages-check
	@echo "parley: installing what checks the browser code"
	@npm ci --silent
	@touch $@
