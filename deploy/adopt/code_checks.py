"""Code outside of the settings that reaches for what a site keeps apart: Redis, the project's folder, the network."""

import ast
import re
from collections.abc import Iterator

from deploy.adopt.package_checks import SCRIPTS
from deploy.adopt.report import Finding
from deploy.adopt.survey import Survey
from deploy.project.python import Module, called_name, dotted_name, string_value
from deploy.project.settings import UNKNOWN

REDIS_CLIENTS = re.compile(r"(?:^|\.)(?:Redis|StrictRedis|from_url|create_redis|create_redis_pool|ConnectionPool)$")
LOCAL_NAMES = re.compile(r"^(?:rediss?://|localhost|127\.0\.0\.1|redis|[\w-]+(?:\.[\w-]+)+)")
# Packages that are there to speak to other hosts.
NETWORK_PACKAGES = frozenset(
    re.findall(
        r"\S+",
        """
        requests httpx aiohttp urllib3 boto3 botocore stripe openai anthropic twilio sendgrid mailjet_rest telegram
        slack_sdk sentry_sdk firebase_admin pusher pywebpush pyfcm paypalrestsdk braintree google.cloud
        google.generativeai storages social_django allauth.socialaccount minio pymongo elasticsearch smtplib ftplib
        paramiko tweepy cloudinary urllib.request.urlopen urllib.request.Request urllib.request.urlretrieve
        """,
    )
)
WRITING_MODES = re.compile(r"[wax]")
TEMPORARY = re.compile(r"tempfile|/tmp|MEDIA_ROOT|NamedTemporary")


def check_code(survey: Survey) -> Iterator[Finding]:
    """Yield what is found in the modules below the root."""
    for use in survey.project.postgresql_uses:
        yield survey.find("postgres-only", use.path, use.line, name=use.name)
    network: dict[str, Finding] = {}
    settings = survey.project.project_settings
    settings_paths = {module.path for module in settings.read_modules} if settings else set()
    for path in survey.project.code_files:
        module = survey.project.modules.parse(path)
        if path.name in SCRIPTS:
            continue
        names = survey.project.modules.imported_names(module)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                yield from _check_redis(survey, module, node, names)
                yield from _check_relation(survey, module, node)
                if path not in settings_paths:
                    yield from _check_writing(survey, module, node)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for name in _imported(node):
                    if package := _network_package(name):
                        where = survey.find(
                            *("outgoing-network", module, node.lineno),
                            field="network = true",
                            what=f"The package {package}",
                        )
                        network.setdefault(package, where)
    if settings:
        network.update(_network_of_settings(survey))
    for found in network.values():
        yield Finding(**{**vars(found), "is_settled": survey.manifest.network})


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.level:
        return []
    return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]


def _network_package(name: str) -> str:
    parts = name.split(".")
    for length in (1, 2, 3):
        if ".".join(parts[:length]) in NETWORK_PACKAGES:
            return ".".join(parts[:length])
    return ""


def _network_of_settings(survey: Survey) -> Iterator[tuple[str, Finding]]:
    settings = survey.project.project_settings
    assert settings
    apps = settings.last("INSTALLED_APPS")
    for node in ast.walk(apps.value) if apps else ():
        name = string_value(node)
        if name and apps and name.startswith("allauth.socialaccount.providers."):
            what = f"Sign-in by {name.rpartition('.')[2]}"
            yield name, survey.find("outgoing-network", apps.module, node.lineno, field="network = true", what=what)  # type: ignore[attr-defined]
    email = settings.last("EMAIL_HOST")
    backend = settings.value("EMAIL_BACKEND")
    if email and (backend is UNKNOWN or "smtp" in str(backend)):
        what = "Sending mail"
        yield "mail", survey.find("outgoing-network", email.module, email.line, field="network = true", what=what)


def _check_redis(survey: Survey, module: Module, node: ast.Call, names: dict[str, str]) -> Iterator[Finding]:
    name = called_name(node)
    first = name.split(".")[0]
    imported = names.get(first, "")
    if not REDIS_CLIENTS.search(name) or imported.split(".")[0] not in {"redis", "aioredis"}:
        return
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    host = keywords.get("host") or keywords.get("url") or (node.args[0] if node.args else None)
    value = string_value(host)
    if host is None and not any(keyword.arg is None for keyword in node.keywords) and "connection_pool" not in keywords:
        value = "localhost"  # the default of redis-py
    if value and LOCAL_NAMES.match(value):
        yield survey.find("redis-client-hard-coded", module, node.lineno, value=value.rpartition("@")[2])


def _check_relation(survey: Survey, module: Module, node: ast.Call) -> Iterator[Finding]:
    name = called_name(node)
    if name not in {"models.ForeignKey", "models.OneToOneField", "ForeignKey", "OneToOneField"} or not node.args:
        return
    given = [keyword.value for keyword in node.keywords if keyword.arg in {"on_delete", None}] or node.args[1:2]
    if not given or (isinstance(given[0], ast.Constant) and given[0].value is None):
        yield survey.find("relation-without-on-delete", module, node.lineno, name=name.rpartition(".")[2])


def _check_writing(survey: Survey, module: Module, node: ast.Call) -> Iterator[Finding]:
    name = called_name(node)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    target: ast.expr | None = None
    if name == "open" and node.args:
        mode = string_value(node.args[1] if len(node.args) > 1 else keywords.get("mode")) or "r"
        target = node.args[0] if WRITING_MODES.search(mode) else None
    elif name.endswith("FileSystemStorage"):
        target = keywords.get("location") or (node.args[0] if node.args else None)
    elif name in {"os.makedirs", "os.mkdir"} and node.args:
        target = node.args[0]
    elif name.endswith(("FileField", "ImageField")):
        upload = string_value(keywords.get("upload_to"))
        target = keywords["upload_to"] if upload and upload.startswith("/") else None
    if target is not None and _is_in_tree(module, target):
        yield survey.find("writes-into-tree", module, node.lineno)


def _is_in_tree(module: Module, target: ast.expr) -> bool:
    """Return whether a path is in the project's folder: below BASE_DIR or __file__, or relative as a literal."""
    text = ast.unparse(target)
    if TEMPORARY.search(text):
        return False
    literal = string_value(target)
    if literal is not None:
        return bool(literal) and not literal.startswith(("/dev/", "/var/", "/run/")) and not literal.startswith("~")
    return bool(re.search(r"\bBASE_DIR\b|__file__|\bPROJECT_ROOT\b|getcwd\(\)", text))


def check_models(survey: Survey) -> Iterator[Finding]:
    """Yield the apps that have models and no migrations."""
    settings = survey.project.project_settings
    if settings is None:
        return
    user_model = settings.value("AUTH_USER_MODEL")
    user_app = user_model.split(".")[0] if isinstance(user_model, str) else ""
    installed = _installed_apps(survey)
    for path in survey.project.code_files:
        folder = path.parent.parent if path.parent.name == "models" else path.parent
        if path.name not in {"models.py", "__init__.py"} or (
            path.name == "__init__.py" and path.parent.name != "models"
        ):
            continue
        module = survey.project.modules.parse(path)
        model = next((node for node in module.tree.body if _is_concrete_model(node)), None)
        app = survey.project.modules.name_of(folder / "__init__.py")
        if model is None or not app or app not in installed:
            continue
        if not any((folder / "migrations").glob("[0-9]*.py")):
            label = folder.name
            cause = "user-model-without-migrations" if label == user_app else "models-without-migrations"
            yield survey.find(cause, path, model.lineno, app=label)


def _installed_apps(survey: Survey) -> set[str]:
    """Return the modules of the installed apps: of chat.apps.ChatConfig, chat."""
    settings = survey.project.project_settings
    names = set()
    for name, assignments in (settings.assignments if settings else {}).items():
        if "APPS" in name:
            for assignment in assignments:
                names |= {text for node in ast.walk(assignment.value) if (text := string_value(node))}
    return names | {name.partition(".apps.")[0] for name in names}


def _is_concrete_model(node: ast.stmt) -> bool:
    if not isinstance(node, ast.ClassDef):
        return False
    bases = {dotted_name(base).rpartition(".")[2] for base in node.bases}
    if not bases & {"Model", "AbstractUser", "AbstractBaseUser", "TimeStampedModel"}:
        return False
    for inner in node.body:
        if isinstance(inner, ast.ClassDef) and inner.name == "Meta":
            for statement in inner.body:
                if isinstance(statement, ast.Assign) and ast.unparse(statement) in {
                    "abstract = True",
                    "proxy = True",
                    "managed = False",
                }:
                    return False
    return True
