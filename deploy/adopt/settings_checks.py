"""Settings that suit the machine of a developer, and not a site."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.adopt.report import Finding
from deploy.adopt.survey import Survey
from deploy.project.python import called_name, string_value, top_level
from deploy.project.settings import UNKNOWN, Assignment, EnvironmentRead, Settings

REDIS_ADDRESS = re.compile(r"(?:rediss?|redis\+socket|unix)://")
ADDRESS_NAME = re.compile(r"URL|URI|ADDRESS|LOCATION")
SECRET_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|API_?KEY|ACCESS_KEY|PRIVATE_KEY|AUTH_TOKEN|_TOKEN$")
NO_SECRET_NAME = re.compile(
    r"^(?:SECRET_KEY|SECRET_KEY_FALLBACKS)$|VALIDATORS|HASHERS|RESET|LIFETIME|TIMEOUT|HEADER|URL"
)
# Variables that [env] can name: the setting that reads one -> its field.
ENVIRONMENT_FIELDS = {
    "ALLOWED_HOSTS": "hosts",
    "CHANNEL_LAYERS": "redis",
    "CACHES": "redis",
    "DATABASES": "database",
    "SECRET_KEY": "secret",
}
REPLACED_SETTINGS = (
    "ALLOWED_HOSTS",
    "DATABASES",
    "CHANNEL_LAYERS",
    "CACHES",
    "LOGGING",
    "DEBUG",
    "CSRF_TRUSTED_ORIGINS",
)
STACK_VARIABLES = {"SECRET_KEY", "DATABASE_URL"}


def check_settings(survey: Survey) -> Iterator[Finding]:
    """Yield what is found in the settings module and in what it imports with an asterisk."""
    settings = survey.project.project_settings
    if settings is None:
        return
    yield from _check_security(survey, settings)
    yield from _check_files(survey, settings)
    yield from _check_database(survey, settings)
    yield from _check_redis(survey, settings)
    yield from _check_secrets(survey, settings)
    yield from _check_environment(survey, settings)
    yield from _check_files_read(survey, settings)


def _check_security(survey: Survey, settings: Settings) -> Iterator[Finding]:
    debug = settings.last("DEBUG")
    if debug and settings.value("DEBUG") is True:
        yield survey.find("debug-on", debug.module, debug.line)
    key = settings.last("SECRET_KEY")
    if key and isinstance(key.value, ast.Constant):
        yield survey.find("secret-key-in-tree", key.module, key.line)
    hosts = settings.last("ALLOWED_HOSTS")
    value = settings.value("ALLOWED_HOSTS")
    if hosts and value is not UNKNOWN and not settings.reads_of("ALLOWED_HOSTS"):
        yield survey.find("allowed-hosts", hosts.module, hosts.line, value=_show(value) or "empty")
    origins = settings.last("CSRF_TRUSTED_ORIGINS")
    if origins and (value := settings.value("CSRF_TRUSTED_ORIGINS")) is not UNKNOWN:
        yield survey.find("csrf-origins", origins.module, origins.line, value=_show(value) or "empty")
    if not settings.last("SECURE_PROXY_SSL_HEADER"):
        yield survey.find("no-proxy-header", settings.read_modules[0], 0)


def _check_files(survey: Survey, settings: Settings) -> Iterator[Finding]:
    uses_static_files = settings.last("STATIC_URL")
    root = settings.last("STATIC_ROOT")
    if uses_static_files and not root:
        yield survey.find("no-static-root", uses_static_files.module, uses_static_files.line)
    elif root and _is_relative(value := settings.value("STATIC_ROOT")):
        yield survey.find("relative-static-root", root.module, root.line, value=value)
    media = settings.last("MEDIA_ROOT")
    if media and _is_in_tree(survey, settings.value("MEDIA_ROOT")):
        yield survey.find("media-in-tree", media.module, media.line)
    logging = settings.last("LOGGING")
    for node in ast.walk(logging.value) if logging else ():
        if isinstance(node, ast.Dict):
            for key, item in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "filename" and logging:
                    value = settings.evaluate(item, logging.module)
                    name = Path(value).name if isinstance(value, str | Path) else "a file"
                    yield survey.find("logging-in-tree", logging.module, key.lineno, value=name)


def _is_relative(value: Any) -> bool:
    return isinstance(value, str | Path) and str(value) != "" and not Path(value).is_absolute()


def _is_in_tree(survey: Survey, value: Any) -> bool:
    if not isinstance(value, str | Path) or not str(value):
        return False
    return _is_relative(value) or Path(value).is_relative_to(survey.project.source)


def _check_database(survey: Survey, settings: Settings) -> Iterator[Finding]:
    databases = settings.last("DATABASES")
    value = settings.value("DATABASES")
    default = value.get("default") if isinstance(value, dict) else None
    if not databases or not isinstance(default, dict) or survey.manifest.database == "own":
        return
    engine = str(default.get("ENGINE", ""))
    line = _line_of_key(databases, "ENGINE")
    if engine.endswith("sqlite3"):
        yield survey.find("sqlite-in-tree", databases.module, _line_of_key(databases, "NAME"))
    elif engine and not settings.reads_of("DATABASES"):
        name = engine.rpartition(".")[2]
        host = default.get("HOST")
        where = f"{name} on {host}" if isinstance(host, str) and host else name
        yield survey.find("database-hard-coded", databases.module, line, value=where)


def _line_of_key(assignment: Assignment, key: str) -> int:
    for node in ast.walk(assignment.value):
        if isinstance(node, ast.Dict):
            for each in node.keys:
                if isinstance(each, ast.Constant) and each.value == key:
                    return each.lineno
    return assignment.line


def _check_redis(survey: Survey, settings: Settings) -> Iterator[Finding]:
    layers = settings.last("CHANNEL_LAYERS")
    value = settings.value("CHANNEL_LAYERS")
    if layers and isinstance(value, dict):
        backends = [str(layer.get("BACKEND", "")) for layer in value.values() if isinstance(layer, dict)]
        if any("InMemory" in backend for backend in backends):
            yield survey.find("in-memory-layer", layers.module, _line_of_key(layers, "BACKEND"))
        elif not settings.reads_of("CHANNEL_LAYERS"):
            for layer in value.values():
                config = layer.get("CONFIG") if isinstance(layer, dict) else None
                hosts = config.get("hosts") if isinstance(config, dict) else None
                if hosts:
                    line = _line_of_host(layers)
                    yield survey.find(
                        *("redis-host-hard-coded", layers.module, line),
                        setting="CHANNEL_LAYERS",
                        value=_show_hosts(hosts),
                    )
    caches = settings.last("CACHES")
    value = settings.value("CACHES")
    if caches and isinstance(value, dict) and not settings.reads_of("CACHES"):
        for cache in value.values():
            location = cache.get("LOCATION") if isinstance(cache, dict) else None
            if "redis" in str(cache).lower() and location is not None:
                line = _line_of_key(caches, "LOCATION")
                yield survey.find(
                    "redis-host-hard-coded", caches.module, line, setting="CACHES", value=_show_hosts([location])
                )
    for name, assignments in settings.assignments.items():
        assignment = assignments[-1]
        if name.isupper() and isinstance(assignment.value, ast.Constant):
            address = assignment.value.value
            if isinstance(address, str) and REDIS_ADDRESS.match(address):
                yield survey.find(
                    *("redis-host-hard-coded", assignment.module, assignment.line),
                    setting=name,
                    value=_show_hosts([address]),
                )


def _line_of_host(layers: Assignment) -> int:
    """Return the line of the address, which is below the key `hosts` where the list has several lines."""
    for node in ast.walk(layers.value):
        if isinstance(node, ast.Dict):
            for key, item in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "hosts":
                    return item.elts[0].lineno if isinstance(item, ast.List | ast.Tuple) and item.elts else item.lineno
    return layers.line


def _show_hosts(hosts: Any) -> str:
    shown = []
    for host in hosts if isinstance(hosts, list | tuple) else [hosts]:
        if isinstance(host, list | tuple) and len(host) > 1 and UNKNOWN not in host:
            shown.append(f"{host[0]}:{host[1]}")
        elif isinstance(host, str):
            address = urlsplit(host)
            shown.append(f"{address.hostname}:{address.port or 6379}" if address.hostname else host.rpartition("@")[2])
        elif isinstance(host, dict) and isinstance(host.get("host") or host.get("address"), str):
            shown.append(str(host.get("host") or host.get("address")).rpartition("@")[2])
    return ", ".join(shown) or "an address in the source"


def _check_secrets(survey: Survey, settings: Settings) -> Iterator[Finding]:
    for name, assignments in settings.assignments.items():
        assignment = assignments[-1]
        value = assignment.value.value if isinstance(assignment.value, ast.Constant) else None
        if not isinstance(value, str) or len(value) < 4:
            continue
        has_password = REDIS_ADDRESS.match(value) and urlsplit(value).password
        if has_password or (name.isupper() and SECRET_NAME.search(name) and not NO_SECRET_NAME.search(name)):
            yield survey.find("secret-in-tree", assignment.module, assignment.line, name=f"The value of {name}")
    layers = settings.last("CHANNEL_LAYERS")
    for node in ast.walk(layers.value) if layers else ():
        address = string_value(node)
        if layers and address and REDIS_ADDRESS.match(address) and urlsplit(address).password:
            yield survey.find("secret-in-tree", layers.module, node.lineno, name="The password of a Redis")  # type: ignore[attr-defined]


def _check_environment(survey: Survey, settings: Settings) -> Iterator[Finding]:
    manifest = survey.manifest
    given = {*vars(manifest.env).values(), *manifest.variables, *manifest.secrets, *STACK_VARIABLES}
    in_file = _variables_of_files(survey)
    replaced = {
        read.name
        for setting in REPLACED_SETTINGS
        for read in settings.reads_of(setting)
        if not _is_used_apart(settings, read.name)
    }
    reported = set()
    for setting, field in ENVIRONMENT_FIELDS.items():
        for read in settings.reads_of(setting):
            is_new = read.name not in given and read.name not in reported and not read.is_required
            if is_new and (field == "hosts" or (field == "redis" and ADDRESS_NAME.search(read.name))):
                reported.add(read.name)
                yield survey.find(
                    *("setting-from-environment", read.module, read.line), setting=setting, name=read.name, key=field
                )
    for read in settings.required_variables():
        if read.name in given or read.name in in_file:
            continue
        field_text, fix = _propose_variable(settings, read, replaced)
        yield survey.find("variable-required", read.module, read.line, field=field_text, name=read.name, fix=fix)


def _check_files_read(survey: Survey, settings: Settings) -> Iterator[Finding]:
    """Yield the files that the settings open when they are imported, and that are not there."""
    for module in settings.read_modules:
        for statement, is_conditional in top_level(module):
            if is_conditional or isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.If | ast.Try):
                continue
            for node in ast.walk(statement):
                if called_name(node) != "open" or not isinstance(node, ast.Call) or not node.args:
                    continue
                path = settings.evaluate(node.args[0], module)
                if not isinstance(path, str | Path) or not Path(path).is_relative_to(survey.project.source):
                    continue
                if not Path(path).exists():
                    shown = Path(path).relative_to(survey.project.source)
                    yield survey.find("settings-file-missing", module, node.lineno, path=shown)


def _is_used_apart(settings: Settings, variable: str) -> bool:
    """Return whether a setting that the stack does not replace reads the variable."""
    names = (name for name in settings.assignments if name.isupper() and name not in REPLACED_SETTINGS)
    return any(read.name == variable for name in names for read in settings.reads_of(name) if name != variable)


def _propose_variable(settings: Settings, read: EnvironmentRead, replaced: set[str]) -> tuple[str, str]:
    """Return the line of stack.toml for a variable that must be set, and what that means."""
    for setting, field in ENVIRONMENT_FIELDS.items():
        if field in {"hosts", "redis"} and any(each.name == read.name for each in settings.reads_of(setting)):
            return f'env.{field} = "{read.name}"', f"The stack sets {read.name}."
    if read.name in replaced:
        return f'variables.{read.name} = ""', "The stack replaces what is made of it, so any value will do."
    if SECRET_NAME.search(read.name) or re.search(r"KEY|USER|DSN", read.name):
        return f'secrets = ["{read.name}"]', "Name it in secrets; the site gets the value when it is deployed."
    return f'variables.{read.name} = ""', "Give it a value in stack.toml."


def _variables_of_files(survey: Survey) -> set[str]:
    """Return the variables that a file .env in the project sets."""
    names = set()
    for path in survey.project.files:
        if path.name in {".env", "settings.ini"}:
            names |= set(re.findall(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", survey.text(path), re.MULTILINE))
    return names


def _show(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value if item is not UNKNOWN)
    return str(value)
