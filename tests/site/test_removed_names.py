"""What Django 2 and 3 had and later versions removed works in pages, too: template libraries, is_ajax, storages."""

from tests.site import tutorial

URLS = """
from django.contrib.staticfiles.templatetags.staticfiles import static
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

urlpatterns = [
    path("page", lambda request: render(request, "page.html")),
    path("kind", lambda request: HttpResponse(f"{request.is_ajax()} {static('a.js')}")),
]
"""
PAGE = "{% load staticfiles %}{% load static from staticfiles %}{% static 'a.css' %}"


def test_pages_of_django_2_are_rendered(make_project):
    files = tutorial.with_files(mysite__urls=URLS) | {"chat/templates/page.html": PAGE}
    project = make_project(files)
    project.migrate()
    with project.pages() as server:
        assert server.get("/page").text == "/static/a.css"
        assert server.get("/kind", **{"X-Requested-With": "XMLHttpRequest"}).text == "True /static/a.js"
        assert server.get("/kind").text == "False /static/a.js"


def test_a_library_of_the_projects_own_wins(make_project):
    library = """
from django import template

register = template.Library()
register.simple_tag(lambda name: f"own {name}", name="static")
"""
    files = tutorial.with_files(mysite__urls=URLS) | {
        "chat/templates/page.html": PAGE,
        "chat/templatetags/__init__.py": "",
        "chat/templatetags/staticfiles.py": library,
    }
    project = make_project(files)
    project.migrate()
    with project.pages() as server:
        assert server.get("/page").text == "own a.css"


def test_storages_under_their_former_names_are_used(make_project):
    manifest = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    project = make_project(tutorial.with_settings(f'STATICFILES_STORAGE = "{manifest}"\n'))
    assert project.evaluate("settings.STORAGES['staticfiles']['OPTIONS']['backend']") == manifest
    reasons = project.evaluate("[override.why for override in settings.STACK_OVERRIDES]")
    assert "Django no longer reads STATICFILES_STORAGE." in reasons


def test_relations_may_leave_out_what_a_deletion_does(make_project):
    models = """
from django.db import models


class Room(models.Model):
    pass


class Message(models.Model):
    room = models.ForeignKey(Room)
    copy = models.OneToOneField(Room, on_delete=None, related_name="+")
    kept = models.ForeignKey(Room, models.PROTECT, related_name="+")
"""
    project = make_project(tutorial.FILES | {"chat/models.py": models})
    names = "[field.remote_field.on_delete.__name__ for field in apps.get_model('chat', 'Message')._meta.fields[1:]]"
    expression = f"(lambda apps: {names})(__import__('django.apps').apps.apps)"
    assert project.evaluate(expression) == ["CASCADE", "DO_NOTHING", "PROTECT"]
