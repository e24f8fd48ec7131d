"""Names that projects written for Channels 2 and Django 2 or 3 import, and that later versions removed.

`apply` gives each name back where it is missing, with today's function of the same behaviour. It runs before anything
of the project is imported. Consumers without as_asgi and middleware of Channels 2 are mended in asgi_application.py.

| name | removed in | is now |
|---|---|---|
| django.conf.urls.url | Django 4.0 | django.urls.re_path |
| django.utils.translation.ugettext, ugettext_lazy and so on | 4.0 | gettext, gettext_lazy and so on |
| django.utils.encoding.force_text, smart_text | 4.0 | force_str, smart_str |
| django.utils.http.urlquote, urlquote_plus, urlunquote, urlunquote_plus | 4.0 | quote and so on of urllib.parse |
| django.utils.http.is_safe_url | 4.0 | url_has_allowed_host_and_scheme |
| django.utils.timezone.utc | 5.0 | datetime.timezone.utc |
| django.shortcuts.render_to_response | 3.0 | render, without a request |
| HttpRequest.is_ajax | 4.0 | a look at the header X-Requested-With |
| django.contrib.staticfiles.templatetags.staticfiles.static | 3.0 | django.templatetags.static.static |
| {% load staticfiles %}, {% load admin_static %} in templates | 3.0 | {% load static %} |
| ForeignKey and OneToOneField without on_delete, or with None | 2.0 | CASCADE, as in Django 1; DO_NOTHING for None |
| channels.http.AsgiHandler, AsgiRequest | Channels 4 | Django's ASGIHandler, ASGIRequest |
"""

import datetime as dt
import importlib.util
import sys
import urllib.parse
from collections.abc import Callable
from functools import partial, wraps
from types import ModuleType
from typing import Any

from django.conf import urls as conf_urls
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.template.backends import django as template_backend
from django.templatetags.static import static
from django.urls import re_path
from django.utils import encoding, http, timezone, translation


class AsgiHandler(ASGIHandler):  # type: ignore[misc, unused-ignore]
    """Django's pages as an ASGI application, under the name and with the arguments of Channels 2 and 3."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__()


def render_to_response(
    template_name: str,
    context: Any = None,
    content_type: str | None = None,
    status: int | None = None,
    using: Any = None,
) -> HttpResponse:
    """Render a template without a request, as django.shortcuts.render_to_response did."""
    return HttpResponse(loader.render_to_string(template_name, context, using=using), content_type, status)


def apply() -> list[str]:
    """Define every missing name. Returns the names that were defined, as module.name."""
    from django import shortcuts  # noqa: PLC0415  it imports models' managers, later than the others

    names: dict[Any, dict[str, Any]] = {
        conf_urls: {"url": re_path},
        translation: {
            "ugettext": translation.gettext,
            "ugettext_lazy": translation.gettext_lazy,
            "ugettext_noop": translation.gettext_noop,
            "ungettext": translation.ngettext,
            "ungettext_lazy": translation.ngettext_lazy,
        },
        encoding: {"force_text": encoding.force_str, "smart_text": encoding.smart_str},
        http: {
            "urlquote": urllib.parse.quote,
            "urlquote_plus": urllib.parse.quote_plus,
            "urlunquote": urllib.parse.unquote,
            "urlunquote_plus": urllib.parse.unquote_plus,
            "is_safe_url": http.url_has_allowed_host_and_scheme,
        },
        timezone: {"utc": dt.UTC},
        HttpRequest: {"is_ajax": _is_ajax},
        shortcuts: {"render_to_response": render_to_response},
    }
    defined = []
    for module, values in names.items():
        for name, value in values.items():
            if not hasattr(module, name):
                setattr(module, name, value)
                defined.append(f"{module.__name__}.{name}")
    for module_name, values in (
        ("channels.http", {"AsgiHandler": AsgiHandler, "AsgiRequest": ASGIRequest}),
        ("django.contrib.staticfiles.templatetags", {}),
        ("django.contrib.staticfiles.templatetags.staticfiles", {"static": static}),
    ):
        if not _exists(module_name):
            module = ModuleType(module_name, "Names that were removed; see channels_stack.compatibility.")
            vars(module).update(values)
            sys.modules[module_name] = module
            defined += [f"{module_name}.{name}" for name in values]
    _make_on_delete_optional()
    template_backend.get_installed_libraries = partial(
        _with_removed_libraries, template_backend.get_installed_libraries
    )
    return defined


def _make_on_delete_optional() -> None:
    """Let relations be declared as Django 1 allowed it: without a word on what a deletion does."""
    for field in (models.ForeignKey, models.OneToOneField):
        if not hasattr(field.__init__, "__wrapped__"):
            field.__init__ = _with_default_on_delete(field.__init__)  # type: ignore[method-assign]


def _with_default_on_delete(initialise: Callable[..., None]) -> Callable[..., None]:
    @wraps(initialise)
    def with_default(self: Any, to: Any, on_delete: Any = models.CASCADE, *arguments: Any, **options: Any) -> None:
        initialise(self, to, models.DO_NOTHING if on_delete is None else on_delete, *arguments, **options)

    return with_default


def _exists(module_name: str) -> bool:
    try:
        return importlib.util.find_spec(module_name) is not None
    except ModuleNotFoundError:  # its parent is a module that `apply` made
        return False


def _is_ajax(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "XMLHttpRequest"


def _with_removed_libraries(installed: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Return the libraries of template tags by name; an app's own library of a removed name wins."""
    return {**dict.fromkeys(("staticfiles", "admin_static"), "django.templatetags.static"), **installed()}
