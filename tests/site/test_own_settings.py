"""A project that reads hosts, secret, Redis and database from its own variables keeps what it read."""

import json

from tests.site import tutorial
from tests.site.project import HOST

OWN = """
import os

SECRET_KEY = os.environ["CHAT_SECRET"]
ALLOWED_HOSTS = os.environ["CHAT_HOSTS"].split(",")
CSRF_TRUSTED_ORIGINS = [os.environ["CHAT_URL"]]
CHANNEL_LAYERS["default"]["CONFIG"]["hosts"] = [os.environ["CHAT_REDIS"]]
DATABASES["default"]["NAME"] = os.environ["CHAT_DATABASE"]
"""


def test_own_variables_win(make_project, tmp_path, redis_url):
    project = make_project(
        tutorial.with_settings(OWN),
        own=["hosts", "url", "secret", "redis", "database"],
        database="own",
        redis_url=redis_url,
    )
    del project.environment["SECRET_KEY"]
    del project.environment["DATABASE_URL"]
    project.environment |= {
        "CHAT_SECRET": "c" * 50,
        "CHAT_HOSTS": HOST,
        "CHAT_URL": "https://chat.example.org",
        "CHAT_REDIS": redis_url,
        "CHAT_DATABASE": str(tmp_path / "own.sqlite3"),
    }
    overrides = project.overrides()
    assert not overrides.keys() & {"SECRET_KEY", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DATABASES", "CACHES"}
    assert overrides["CHANNEL_LAYERS"]["after"] == "the same with socket_timeout None"
    assert project.evaluate("settings.DATABASES['default']['NAME']") == str(tmp_path / "own.sqlite3")
    assert project.evaluate("settings.SECRET_KEY") == "c" * 50


def test_code_that_imports_the_settings_module_sees_the_overlay(make_project):
    views = """
from django.http import HttpResponse
from django.urls import path

from mysite import settings

urlpatterns = [path("", lambda request: HttpResponse(f"{settings.ALLOWED_HOSTS[0]} {settings.DEBUG}"))]
"""
    project = make_project(tutorial.with_files(mysite__urls=views))
    project.migrate()
    with project.pages() as server:
        assert server.get("/").text == f"{HOST} False"


def test_hosts_that_are_a_text_do_not_stop_the_start(make_project):
    project = make_project(tutorial.with_settings('ALLOWED_HOSTS = "*"\n'))
    assert project.evaluate("settings.ALLOWED_HOSTS") == [HOST]


def test_a_settings_module_that_cannot_be_imported_names_itself(make_project):
    project = make_project(tutorial.FILES, settings="mysite.absent")
    done = project.run("-m", "channels_stack.overrides", check=False)
    assert done.returncode == 1
    assert "No module named 'mysite.absent'" in done.stderr.splitlines()[-1]


def test_the_report_has_the_projects_own_media_folder_as_well(make_project):
    project = make_project(tutorial.with_settings('MEDIA_ROOT = "/srv/theirs"\nMEDIA_URL = "uploads/"\n'))
    report = json.loads(project.run("-m", "channels_stack.overrides", "--json").stdout)
    assert report["project_media_root"] == "/srv/theirs"
    assert report["media_root"] == str(project.state / "media")
    assert report["media_url"] == "/uploads/"
