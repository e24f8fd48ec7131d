"""Logs go to stderr: a project's log files, too, and errors for which Django's default has no handler."""

import json
import re

import pytest

from tests.site import tutorial

URLS = """
import logging

from django.http import HttpResponse
from django.urls import path

early = logging.getLogger("chat.early")


def page(request):
    early.info("a line of the project")
    return HttpResponse("page")


def broken(request):
    raise LookupError("a mistake")


urlpatterns = [path("page", page), path("broken", broken)]
"""
FILE = """
LOGGING = {
    "version": 1,
    "formatters": {"theirs": {"format": "THEIRS {message}", "style": "{"}},
    "handlers": {
        "file": {
            "class": "logging.handlers.RotatingFileHandler",
            "filename": "/var/log/absent/debug.log",
            "maxBytes": 1000,
            "formatter": "theirs",
        },
    },
    "loggers": {"chat": {"handlers": ["file"], "level": "INFO"}},
}
"""
CONSOLE = """
LOGGING = {
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
"""
# Django's own documentation has this filter.
DEBUG_ONLY = """
LOGGING = {
    "version": 1,
    "filters": {"require_debug_true": {"()": "django.utils.log.RequireDebugTrue"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["require_debug_true"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
"""
OWN = """
import logging

logging.basicConfig(format="OWN %(message)s", level="INFO")
LOGGING_CONFIG = None
"""


@pytest.fixture
def log_of(make_project):
    """Return what the pages' server logs when both pages were visited."""

    def visit(settings="", **site):
        files = tutorial.with_files(mysite__urls=URLS, mysite__settings=tutorial.SETTINGS + settings)
        project = make_project(files, **site)
        project.migrate()
        with project.pages() as server:
            assert server.get("/page").status_code == 200
            assert server.get("/broken").status_code == 500
        return server.log()

    return visit


def test_errors_are_logged_once_although_debug_is_off(log_of):
    log = log_of()
    assert log.count("LookupError: a mistake") == 1
    assert re.search(r"ERROR   django.request: Internal Server Error: /broken \[[0-9a-f]{32}\]", log)
    assert log.count("a line of the project") == 1


def test_a_log_file_becomes_stderr_and_keeps_its_format(log_of):
    log = log_of(FILE)
    assert log.count("THEIRS a line of the project") == log.count("a line of the project") == 1
    assert "The stack sets LOGGING: 1 handlers, to files: file -> stderr." in log
    assert log.count("LookupError: a mistake") == 1


def test_a_console_of_the_project_stays(log_of):
    log = log_of(CONSOLE)
    assert "\na line of the project\n" in log
    assert log.count("a line of the project") == log.count("LookupError: a mistake") == 1


def test_a_console_for_development_only_logs_as_well(log_of):
    log = log_of(DEBUG_ONLY)
    assert log.count("a line of the project") == log.count("LookupError: a mistake") == 1


def test_json_is_one_object_on_each_line(log_of):
    for settings in ("", CONSOLE):
        objects = [json.loads(line) for line in log_of(settings, log_format="json").splitlines()]
        assert [entry["logger"] for entry in objects if entry["message"] == "a line of the project"] == ["chat.early"]


def test_a_project_that_configures_logging_itself_keeps_that(log_of):
    assert "OWN a line of the project" in log_of(OWN)
