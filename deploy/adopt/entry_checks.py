"""The ASGI application and its consumers: what Channels 4 and Django 5 no longer do as the project expects."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.adopt.report import Finding
from deploy.adopt.survey import Survey
from deploy.project.python import Module, called_name, dotted_name, string_value, top_level
from deploy.project.routes import calls_in
from deploy.project.settings import UNKNOWN

SETUP_CALLS = ("get_asgi_application", "django.setup", "setup", "get_default_application", "get_wsgi_application")
# Modules of packages that define models, or ask for the user model, as soon as they are imported.
MODEL_PACKAGES = (
    "django.contrib.auth.models",
    "django.contrib.auth.forms",
    "django.contrib.auth.backends",
    "django.contrib.contenttypes.models",
    "django.contrib.sessions.models",
    "rest_framework.authtoken",
    "rest_framework_simplejwt.authentication",
    "rest_framework_simplejwt.models",
    "allauth",
)
# What channels_stack.compatibility defines again: name -> (package that removed it, what it is now).
REMOVED_NAMES = {
    "django.conf.urls.url": ("Django 4", "django.urls.re_path"),
    **{f"django.utils.translation.u{name}": ("Django 4", name) for name in ("gettext", "gettext_lazy", "gettext_noop")},
    **{f"django.utils.translation.un{name}": ("Django 4", f"n{name}") for name in ("gettext", "gettext_lazy")},
    "django.utils.encoding.force_text": ("Django 4", "force_str"),
    "django.utils.encoding.smart_text": ("Django 4", "smart_str"),
    "django.utils.http.urlquote": ("Django 4", "urllib.parse.quote"),
    "django.utils.http.urlunquote": ("Django 4", "urllib.parse.unquote"),
    "django.utils.http.is_safe_url": ("Django 4", "url_has_allowed_host_and_scheme"),
    "django.utils.timezone.utc": ("Django 5", "datetime.timezone.utc"),
    "django.shortcuts.render_to_response": ("Django 3", "render"),
    "channels.http.AsgiHandler": ("Channels 4", "Django's ASGIHandler"),
    "channels.http.AsgiRequest": ("Channels 4", "Django's ASGIRequest"),
}
# What nothing can stand in for: name -> (version of Django that removed it, what to do).
GONE_NAMES = {
    "django.core.urlresolvers": ("2", "Import from django.urls."),
    "django.utils.six": ("3", "Import the package six, or drop it."),
    "django.utils.lru_cache": ("3", "Import functools.lru_cache."),
    "django.utils.decorators.available_attrs": ("3", "Drop it."),
    "django.db.models.NullBooleanField": ("4", "Use BooleanField(null=True)."),
    "django.contrib.postgres.fields.JSONField": ("4", "Use django.db.models.JSONField."),
    "django.dispatch.Signal.providing_args": ("4", "Drop the argument."),
    "django.contrib.staticfiles.templatetags.staticfiles": ("3", "Import from django.templatetags.static."),
    "django.contrib.auth.views.login": ("2.1", "Use LoginView."),
    "django.contrib.auth.views.logout": ("2.1", "Use LogoutView."),
}
CHANNELS_1 = {
    "channels.Group",
    "channels.Channel",
    "channels.sessions.channel_session",
    "channels.auth.channel_session_user",
}


def check_entry(survey: Survey) -> Iterator[Finding]:
    """Yield what is found in the ASGI application, the routes and the imports of the project."""
    project = survey.project
    module = project.modules.find(project.asgi.partition(":")[0]) if project.asgi else None
    if module:
        yield from _check_application(survey, module)
        yield from _check_imports(survey, module)
    yield from _check_wsgi(survey)
    for route in project.sockets:
        if not route.calls_as_asgi:
            yield survey.find("consumer-without-as-asgi", route.path, route.line, consumer=route.consumer)
    for path in project.code_files:
        code = project.modules.parse(path)
        if code.syntax_error:
            yield survey.find("syntax-error", path, code.error_line, reason=code.syntax_error)
        yield from _check_names(survey, code)
        yield from _check_middleware(survey, code)


def _check_application(survey: Survey, module: Module) -> Iterator[Finding]:
    project = survey.project
    settings = project.project_settings
    given = settings.value("ASGI_APPLICATION") if settings else UNKNOWN
    if isinstance(given, str) and given and given.replace(":", ".") != project.asgi.replace(":", ".") and settings:
        assignment = settings.last("ASGI_APPLICATION")
        if assignment:
            place = (assignment.module, assignment.line)
            yield survey.find("asgi-differs", *place, given=_with_colon(given), asgi=project.asgi)
    routers = calls_in(module, "ProtocolTypeRouter")
    for call in routers:
        mapping = call.args[0] if call.args else None
        if isinstance(mapping, ast.Dict):
            keys = [string_value(key) for key in mapping.keys]
            if "http" not in keys:
                yield survey.find("no-http-in-asgi", module, call.lineno)
            for key, value in zip(keys, mapping.values, strict=True):
                if key == "http":
                    yield from _check_http(survey, module, value)
    has_check = any("OriginValidator" in survey.text(path) for path in project.code_files)
    if project.sockets and not has_check and survey.manifest.origin_check:
        line = next((call.lineno for call in routers), 1)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and node.value == "websocket":
                line = node.lineno
        yield survey.find("no-origin-check", module, line)


def _check_wsgi(survey: Survey) -> Iterator[Finding]:
    settings = survey.project.project_settings
    assignment = settings.last("WSGI_APPLICATION") if settings else None
    given = settings.value("WSGI_APPLICATION") if settings else UNKNOWN
    if assignment and isinstance(given, str) and given.replace(":", ".") != survey.project.wsgi.replace(":", "."):
        found = survey.project.wsgi
        fix = f"wsgi is {found}." if found else "The stack serves the pages with Django's own application."
        yield survey.find("wsgi-missing", assignment.module, assignment.line, value=given, fix=fix)


def _with_colon(name: str) -> str:
    return name if ":" in name else ":".join(name.rsplit(".", 1))


def _check_http(survey: Survey, module: Module, value: ast.expr) -> Iterator[Finding]:
    """Yield the paths that an http application of routes serves before it comes to Django's own."""
    for node in ast.walk(value):
        if called_name(node).rpartition(".")[2] in {"path", "re_path", "url"} and isinstance(node, ast.Call):
            pattern = string_value(node.args[0]) if node.args else None
            target = ast.unparse(node.args[1]) if len(node.args) > 1 else ""
            prefix = "/" + re.split(r"[<(\[.*+?$\\]", (pattern or "").removeprefix("^"))[0].lstrip("/")
            if pattern is not None and prefix != "/" and "asgi_application" not in target.lower():
                is_settled = survey.manifest.asgi_http == "all" or prefix in survey.manifest.asgi_http
                found = survey.find("http-in-asgi", module, node.lineno, field=f'asgi_http = ["{prefix}"]', path=prefix)
                yield found if not is_settled else _settle(found)


def _settle(found: Finding) -> Finding:
    return Finding(**{**vars(found), "is_settled": True})


@dataclass
class _ModelSearch:
    """Finds a way from a module to one that defines models."""

    survey: Survey
    _seen: set[Path] = field(default_factory=set)

    def chain(self, name: str) -> list[str]:
        """Return the modules from `name` to one that needs the registry of apps, or nothing."""
        if name.startswith(MODEL_PACKAGES) or (name.endswith(".models") and not name.startswith("django.db")):
            return [name]
        modules = self.survey.project.modules
        module = modules.find(name) or modules.find(name.rpartition(".")[0])
        if module is None or module.path in self._seen:
            return []
        self._seen.add(module.path)
        own = modules.name_of(module.path)
        if any(_is_model(node) for node in ast.walk(module.tree)):
            return [own]
        for statement, _ in top_level(module):
            for imported in imported_modules(self.survey, module, statement):
                if chain := self.chain(imported):
                    return [own, *chain]
            if isinstance(statement, ast.Assign | ast.Expr) and called_name(statement.value).endswith("get_user_model"):
                return [own, "get_user_model()"]
        return []


def _is_model(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(
        dotted_name(base) in {"models.Model", "AbstractUser", "AbstractBaseUser"} for base in node.bases
    )


def imported_modules(survey: Survey, module: Module, statement: ast.stmt) -> list[str]:
    """Return the absolute names that an import statement brings, each as module.name; nothing for other statements."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    if isinstance(statement, ast.ImportFrom):
        source = survey.project.modules.resolve_import(module, statement)
        return [f"{source}.{alias.name}" if source else alias.name for alias in statement.names]
    return []


def _check_imports(survey: Survey, module: Module) -> Iterator[Finding]:
    """Yield the imports of the ASGI module that reach models before it sets Django up."""
    for statement, _ in top_level(module):
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            calls = (called_name(node) for node in ast.walk(statement))
            if any(name in SETUP_CALLS or name.endswith(".get_asgi_application") for name in calls if name):
                return
        for name in imported_modules(survey, module, statement):
            if chain := _ModelSearch(survey).chain(name):
                yield survey.find(
                    "imports-before-setup",
                    module,
                    statement.lineno,
                    chain=" → ".join(chain if len(chain) < 4 else [chain[0], "…", chain[-1]]),
                )
                break


def _check_names(survey: Survey, module: Module) -> Iterator[Finding]:
    """Yield imports of what Django and Channels no longer have."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from _check_name(survey, module, node.lineno, name, node.module or "")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from _check_name(survey, module, node.lineno, alias.name, alias.name)
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "channel_routing" for target in node.targets
        ):
            if not calls_in(module, "ProtocolTypeRouter"):
                yield survey.find("channels-1", module, node.lineno, name="channel_routing")
        elif isinstance(node, ast.Attribute) and node.attr == "NullBooleanField":
            version, fix = GONE_NAMES["django.db.models.NullBooleanField"]
            yield survey.find("removed-from-django", module, node.lineno, name=node.attr, version=version, fix=fix)


def _check_name(survey: Survey, module: Module, line: int, name: str, source: str) -> Iterator[Finding]:
    if name in REMOVED_NAMES:
        package, replacement = REMOVED_NAMES[name]
        yield survey.find("removed-name", module, line, name=name, package=package, replacement=replacement)
    elif name in CHANNELS_1:
        yield survey.find("channels-1", module, line, name=name)
    elif name in GONE_NAMES or source in GONE_NAMES:
        version, fix = GONE_NAMES[name if name in GONE_NAMES else source]
        yield survey.find("removed-from-django", module, line, name=name, version=version, fix=fix)


def _check_middleware(survey: Survey, module: Module) -> Iterator[Finding]:
    """Yield middleware that is called with the scope and returns an application, as in Channels 2."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        start, call = methods.get("__init__"), methods.get("__call__")
        if start and call and [argument.arg for argument in call.args.args] == ["self", "scope"]:
            yield survey.find("channels-2-middleware", module, call.lineno, name=node.name)
