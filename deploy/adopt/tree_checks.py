"""Files beside the code: databases, variables, builds of browser code, and descriptions of other processes."""

import ast
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from deploy.adopt.report import Finding
from deploy.adopt.survey import Survey
from deploy.project.files import JOURNAL_SUFFIXES, is_sqlite_database
from deploy.project.processes import NEEDS_PYTHON_2, FoundProcess, FrontendBuild, find_older
from deploy.project.python import dotted_name, string_value
from deploy.project.routes import calls_in

EXAMPLE_FILE = re.compile(r"example|sample|template|dist$|defaults", re.IGNORECASE)
# Where the tools of browser code are given the folder for their result.
OUTPUT_IN_DJANGO = re.compile(
    r"(?:out_?dir|output|outfile|assetsDir|--dist|-o|-d|path|writeFile\w*|mkdir\w*|new URL|cp|dest)\b[^\n]{0,60}"
    r"(?:\.\./|/static\b|/templates\b)",
    re.IGNORECASE,
)
# What a build may start besides the packages of npm, at the beginning of a command.
OTHER_TOOLCHAINS = re.compile(
    r"(?:^|&&|;|\|\|)\s*(dotnet|cargo|trunk|wasm-pack|go|mvn|gradle|bundle|composer|docker|elm|flutter)\b"
)
BUILD_FILES = ("vite.config.*", "webpack.config.*", "vue.config.js", "angular.json", "rollup.config.*", "*.config.js")


def check_tree(survey: Survey) -> Iterator[Finding]:
    """Yield what is found in files that are not Python, scripts or templates."""
    yield from _check_files(survey)
    yield from _check_frontends(survey)
    yield from _check_processes(survey)
    yield from _check_home(survey)
    project = survey.project
    if not project.sockets and project.asgi:
        module = project.modules.find(project.asgi.partition(":")[0])
        if module and "websocket" not in module.text:
            yield survey.find("no-sockets", module, 0)


def _check_files(survey: Survey) -> Iterator[Finding]:
    for path in survey.project.site_files:
        if is_sqlite_database(path) and not path.name.endswith(JOURNAL_SUFFIXES):
            count = _count_tables(path)
            yield survey.find("database-committed", path, 0, tables=f"{count} tables" if count else "empty")
        elif path.name == ".env" or (path.name.startswith(".env.") and not EXAMPLE_FILE.search(path.name)):
            yield survey.find("env-file", path, 0)


def _count_tables(path: Path) -> int:
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            return int(connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error:
        return 0


def _check_frontends(survey: Survey) -> Iterator[Finding]:
    for frontend in survey.project.frontends:
        path = frontend.folder / "package.json"
        folder = survey.project.relative(frontend.folder)
        if not is_served(survey, frontend):
            yield survey.find("frontend-not-served", path, frontend.line, folder=folder)
            continue
        if program := other_toolchain(frontend.command):
            yield survey.find("build-needs-program", path, frontend.line, program=program, command=frontend.command)
            continue
        yield from _check_old_packages(survey, frontend)
        where = "" if folder == "." else f', folder = "{folder}"'
        commands = [frontend.install_command, frontend.build_command]
        if not json.loads(survey.text(path)).get("dependencies") and not json.loads(survey.text(path)).get(
            "devDependencies"
        ):
            commands = commands[1:]
        entries = ", ".join(f'{{ run = "{command}"{where} }}' for command in commands)
        found = survey.find(
            "frontend-build", path, frontend.line, field=f"build = [{entries}]", command=frontend.command
        )
        yield Finding(**{**vars(found), "is_settled": bool(survey.manifest.build)})


def _check_old_packages(survey: Survey, frontend: FrontendBuild) -> Iterator[Finding]:
    """Yield the packages of a build that need what a host no longer has."""
    path = frontend.folder / "package.json"
    for cause, name in (
        ("build-needs-python-2", find_older(path, NEEDS_PYTHON_2)),
        ("build-needs-old-openssl", frontend.old_bundler),
    ):
        if name:
            line = next(number for number, text in enumerate(survey.text(path).splitlines(), 1) if f'"{name}"' in text)
            yield survey.find(cause, path, line, name=name)


def other_toolchain(command: str) -> str:
    """Return the program of a build that npm does not install, such as dotnet; "" where npm brings everything."""
    match = OTHER_TOOLCHAINS.search(command)
    return match[1] if match else ""


def is_served(survey: Survey, frontend: FrontendBuild) -> bool:
    """Return whether the result of a build lies where Django looks: by its settings, or in an app's own folder."""
    project = survey.project
    if frontend.folder == project.root_folder:
        return True
    settings = project.project_settings
    if settings:
        inside = frontend.folder.name
        for name in ("STATICFILES_DIRS", "TEMPLATES", "WEBPACK_LOADER", "DJANGO_VITE", "DJANGO_VITE_ASSETS_PATH"):
            assignment = settings.last(name)
            if assignment and re.search(rf"\b{re.escape(inside)}\b", ast.unparse(assignment.value)):
                return True
    texts = [frontend.command]
    texts += [path.read_text(errors="replace") for pattern in BUILD_FILES for path in frontend.folder.glob(pattern)]
    texts += [
        path.read_text(errors="replace")
        for path in frontend.folder.glob("*.mjs")
        if path.is_file() and path.name in frontend.command
    ]
    return any(OUTPUT_IN_DJANGO.search(text) for text in texts)


def _check_processes(survey: Survey) -> Iterator[Finding]:
    configured = " ".join(process.run for process in survey.manifest.processes.values())
    celery = find_celery(survey)
    for process in [*celery, *find_workers(survey), *survey.project.processes]:
        if celery and process not in celery and "celery" in process.command:
            continue  # a program of the project's own image, such as /usr/local/bin/NAME celery
        if process.path.name == "package.json":
            yield survey.find("node-server", process.path, process.line, command=process.command)
            continue
        kind = essential_word(process.command)
        name = re.sub(r"[^a-z0-9]+", "-", process.name.lower()).strip("-") or "worker"
        found = survey.find(
            *("extra-process", process.path, process.line),
            field=f'processes.{name} = "{process.command}"',
            command=process.command,
        )
        yield Finding(**{**vars(found), "is_settled": kind in configured})


def essential_word(command: str) -> str:
    """Return the word of a command that says what kind of process it is."""
    match = re.search(r"\b(celery\b.*\bbeat|celery|runworker|rqworker|dramatiq|run_huey|qcluster|db_worker)\b", command)
    if not match:
        return command.split(maxsplit=1)[0]
    return "beat" if match[1].endswith("beat") else match[1]


def find_celery(survey: Survey) -> list[FoundProcess]:
    """Return the worker of a Celery application that no file of processes starts."""
    project = survey.project
    started = [process for process in project.processes if re.search(r"^\S*celery\b", process.command)]
    if started:
        return []
    for path in project.code_files:
        module = project.modules.parse(path)
        for call in calls_in(module, "Celery"):
            if project.modules.imported_names(module).get("Celery") == "celery.Celery":
                name = project.modules.name_of(path)
                package = name.removesuffix(".celery")
                found = [FoundProcess("celery", f"celery -A {package} worker", path, call.lineno)]
                if _has_schedule(survey):  # it keeps its times in a file, and the project's folder is read-only
                    command = f"celery -A {package} beat --schedule /tmp/celerybeat-schedule"
                    found.append(FoundProcess("beat", command, path, call.lineno))
                return found
    return []


def _has_schedule(survey: Survey) -> bool:
    settings = survey.project.project_settings
    names = ("CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE", "CELERY_BEAT_SCHEDULER")
    if settings and any(settings.last(name) for name in names):
        return True
    return any("beat_schedule" in survey.text(path) for path in survey.project.code_files)


def find_workers(survey: Survey) -> list[FoundProcess]:
    """Return the worker for the channels that the ASGI application names, if no file of processes starts it."""
    project = survey.project
    if any("runworker" in process.command for process in project.processes):
        return []
    for path in project.code_files:
        module = project.modules.parse(path)
        for call in calls_in(module, "ChannelNameRouter"):
            mapping = call.args[0] if call.args else None
            keys = [string_value(key) for key in mapping.keys] if isinstance(mapping, ast.Dict) else []
            names = " ".join(key for key in keys if key)
            if names:
                return [FoundProcess("channels", f"python manage.py runworker {names}", path, call.lineno)]
    return []


def _check_home(survey: Survey) -> Iterator[Finding]:
    project = survey.project
    settings = project.project_settings
    urlconf = settings.value("ROOT_URLCONF") if settings else ""
    module = project.modules.find(urlconf) if isinstance(urlconf, str) else None
    if module and project.pages and survey.manifest.home != "/" and project.home != "/":
        line = next(
            (
                node.lineno
                for node in module.tree.body
                if isinstance(node, ast.Assign) and dotted_name(node.targets[0]) == "urlpatterns"
            ),
            1,
        )
        yield survey.find("home-not-found", module, line, home=survey.manifest.home)
