"""`make check`: every rule that needs no running site.

Prints one line for each rule, and below it what a broken rule reports.
"""

import os
import secrets
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
MANAGE = [sys.executable, "app/manage.py"]

# The environment of a host. A developer's own .env must not change the result.
PRODUCTION = {
    "ANSIBLE_LIBRARY": str(REPO / "ansible" / "library"),  # for ansible-lint
    "STACK_ENV_FILE": os.devnull,
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "PYTHONPATH": str(REPO / "app"),
    "SECRET_KEY": secrets.token_urlsafe(50),
    "ALLOWED_HOSTS": "parley.example.org",
    "DATABASE_URL": "sqlite://:memory:",
    "DEBUG": "false",
}


def scripts() -> list[str]:
    """Return the path of every shell script of the repository, found by its first line.

    Ansible's templates are none yet.
    """
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=True).stdout
    files = [
        REPO / name for name in listed.split("\0") if name and (REPO / name).is_file() and "/templates/" not in name
    ]
    shebangs = (b"#!/bin/sh", b"#!/usr/bin/env bash", b"#!/bin/bash")
    return [str(file.relative_to(REPO)) for file in files if file.read_bytes()[:64].startswith(shebangs)]


# Two places outside the tests that share so many lines of logic are one place. Imports, comments, docstrings and
# signatures do not count.
DUPLICATE_LINES = 10
DUPLICATES = ["--rcfile", os.devnull, "--disable=all", "--enable=duplicate-code", "--score=n", "--recursive=y"]
DUPLICATES += [f"--min-similarity-lines={DUPLICATE_LINES}", "--ignore=migrations,node_modules"]

PIPELINES = "{extends: default, rules: {line-length: {max: 120}, document-start: disable, truthy: {check-keys: false}}}"

# The longest first: two run at a time.
RULES: list[tuple[str, list[str]]] = [
    ("types", [f"{BIN}/mypy"]),
    ("duplicates", [f"{BIN}/pylint", *DUPLICATES, "app", "deploy", "docker", "loadtest"]),
    # Offline: the playbooks use no collection.
    ("playbooks", [f"{BIN}/ansible-lint", "-q", "--offline", "--nocolor", "--profile", "production", "ansible"]),
    ("openapi", [*MANAGE, "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull]),
    ("production settings", [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"]),
    ("migrations", [*MANAGE, "makemigrations", "--check", "--dry-run"]),
    ("translations", [sys.executable, "tests/catalogues.py"]),
    ("imports", [f"{BIN}/lint-imports"]),
    ("browser types", ["node_modules/.bin/tsc", "--project", "."]),
    ("browser logic", ["node", "--test", *sorted(str(f.relative_to(REPO)) for f in REPO.glob("tests/js/*.test.js"))]),
    ("asyncapi", ["node", "tests/asyncapi.mjs", "app/chat/ws/asyncapi.yaml"]),
    ("words", [sys.executable, "tests/words.py"]),
    ("pipelines", [f"{BIN}/yamllint", "--strict", "-d", PIPELINES, ".github", ".gitlab-ci.yml"]),
    ("shell", ["shellcheck", *scripts()]),
    ("dockerfiles", [f"{BIN}/hadolint", *sorted(str(f.relative_to(REPO)) for f in REPO.glob("docker/*ockerfile"))]),
    ("format", [f"{BIN}/ruff", "format", "--check"]),
    ("lint", [f"{BIN}/ruff", "check"]),
]
# These run with the tests' settings: documents against code, .env.example against settings, nginx for both targets.
CONTRACTS = [
    sys.executable,
    "-m",
    "pytest",
    "-q",
    "tests/contracts",
    "tests/nginx/test_files.py",
    "tests/nginx/test_gixy.py",
    "tests/nginx/test_site_template.py",
    "tests/host/test_units.py",
    "tests/docker/test_compose_template.py",
]


def run(rule: tuple[str, list[str]]) -> bool:
    """Run one rule, a name and a command, and print its result; return whether it passed."""
    name, command = rule
    if not shutil.which(command[0]):
        print(f"FAIL  {name}: {command[0]} is missing. Type: sh deploy/bootstrap.sh check")
        return False
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=REPO,
        env=os.environ | PRODUCTION | {"PATH": f"{BIN}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = done.returncode == 0
    line = f"{'ok  ' if passed else 'FAIL'}  {name} ({time.monotonic() - began:.1f} s)"
    print(line if passed else f"{line}\n{done.stdout}", flush=True)
    return passed


def main() -> int:
    """Run all rules, then the contracts, and return the exit code."""
    with ThreadPoolExecutor(2) as pool:
        passed = all(list(pool.map(run, RULES)))
    contracts = subprocess.run(CONTRACTS, cwd=REPO, check=False).returncode == 0
    return 0 if passed and contracts else 1


if __name__ == "__main__":
    os.chdir(REPO)
    sys.exit(main())
