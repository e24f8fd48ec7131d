"""Parley's own settings under test: an in-memory layer, one database file for each test process."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "PARLEY_TEST_SCRATCH" not in os.environ:  # else the parent process made it
    os.environ["PARLEY_TEST_SCRATCH"] = tempfile.mkdtemp(prefix="parley-test-")
    atexit.register(shutil.rmtree, os.environ["PARLEY_TEST_SCRATCH"], ignore_errors=True)
SCRATCH = Path(os.environ["PARLEY_TEST_SCRATCH"])
os.environ["STACK_ENV_FILE"] = "/dev/null"
os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 5)
os.environ.setdefault("ALLOWED_HOSTS", "localhost,testserver")
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("REDIS_URL", "")
os.environ.setdefault("DATABASE_URL", f"sqlite:///{SCRATCH}/unit.sqlite3")

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, STORAGES  # noqa: E402

DATABASES["default"]["TEST"] = {"NAME": str(SCRATCH / "test.sqlite3")}
DATABASES["default"]["CONN_MAX_AGE"] = 0  # threads keep no connection open between tests
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"  # no test cuts the power
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
SECURE_SSL_REDIRECT = False
