"""A project with a manifest on this machine: its folder for everything that the stack writes, and its processes.

The project's own folder is only read. What the stack needs lies in the project's state folder:

    source.json          which project it is (deploy/local/state_folder.py)
    source/              a copy of the project, in which build steps may write
    venv/                a virtual environment with the packages of the project and of the stack
    requirements.txt     what is installed in venv/, with hashes
    python/              channels_realtime and channels_stack, and nothing else: the project's processes import them
    site.json            what the overlay and the entry need to know (channels_stack.description)
    secrets/             SECRET_KEY and DATABASE_URL, one file each; only the owner may read them
    var/                 database, uploads, static files, sockets, logs, certificate, nginx
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NotRequired, TypedDict
from urllib.parse import urlsplit

from deploy.local.layout import REPO
from deploy.local.steps import Report, ignore_step
from deploy.manifest import Command, Manifest
from deploy.packages import lock_packages
from deploy.private_file import write_private
from deploy.source import copy_source

PACKAGES_FOR_PROJECTS = ("channels_realtime", "channels_stack")
SETTINGS_MODULE = "channels_stack.settings"
WSGI_APPLICATION, ASGI_APPLICATION = "channels_stack.wsgi:application", "channels_stack.asgi:application"


class ProjectFailed(Exception):
    """A project cannot be prepared. The text is a sentence, and below it what the program itself printed."""


class ProbeDescription(TypedDict):
    """A probe of a release, for deploy/probes.py."""

    path: str
    status: int
    signed_in: bool


class SiteDescription(TypedDict):
    """The JSON of site.json. channels_stack.description.Site reads it and explains each field."""

    name: str
    settings: str
    asgi: str
    wsgi: str
    hosts: list[str]
    origins: list[str]
    redis_url: str
    static_root: str
    media_root: str
    own: list[str]
    database: Literal["given", "own"]
    origin_check: bool
    asgi_http: Literal["all"] | list[str]
    home: str
    probe: str
    probes: list[ProbeDescription]
    release: str
    doctor_report: NotRequired[str]
    log_format: Literal["line", "json"]
    secure: bool


class Override(TypedDict):
    """One setting that the overlay replaced: channels_stack.changes.Override."""

    name: str
    before: str
    after: str
    why: str


class Settings(TypedDict):
    """What `python -m channels_stack.overrides --json` prints: what can be known only by importing the project."""

    overrides: list[Override]
    static_url: str
    media_url: str
    media_root: str
    project_media_root: str
    """MEDIA_ROOT of the project itself, before the overlay."""


@dataclass(frozen=True)
class State:
    """The state folder of one project, as `state_folder.claim_state_folder` returns it."""

    folder: Path

    @property
    def source(self) -> Path:
        """The copy of the project."""
        return self.folder / "source"

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.folder / "venv"

    @property
    def python(self) -> Path:
        """The interpreter of the virtual environment."""
        return self.venv / "bin" / "python"

    @property
    def packages(self) -> Path:
        """The folder from which the project's processes import the stack."""
        return self.folder / "python"

    @property
    def requirements(self) -> Path:
        """The list of what is installed in the virtual environment, with hashes."""
        return self.folder / "requirements.txt"

    @property
    def site_file(self) -> Path:
        """The site description."""
        return self.folder / "site.json"

    @property
    def secrets(self) -> Path:
        """The folder of the secrets."""
        return self.folder / "secrets"

    @property
    def var(self) -> Path:
        """The folder for what the site itself writes."""
        return self.folder / "var"

    @property
    def media(self) -> Path:
        """The folder of uploaded files."""
        return self.var / "media"

    @property
    def static(self) -> Path:
        """The folder of the collected static files."""
        return self.var / "static"

    def root(self, manifest: Manifest) -> Path:
        """Return the folder of manage.py in the copy: the working directory of the project's processes."""
        return (self.source / manifest.root).resolve()


def install_project(manifest: Manifest, state: State, report: Report = ignore_step) -> None:
    """Copy the project, install its packages and the stack's, and build it; what has not changed is not done again.

    Args:
        manifest: completed by `discovery.complete`.
        state: where all of it is written.
        report: is called with what is done now.

    Raises:
        WrongManifest: the project cannot be copied, or its packages do not fit together.
        ProjectFailed: a package cannot be installed, or a build command failed.
    """
    report("copying the project")
    copy = copy_source(manifest, state.source)
    report("installing its packages")
    lock_packages(manifest, state.source, state.requirements)
    install_packages(state)
    link_packages(state)
    if manifest.build:
        report("building it", has_output=True)
        run_build(state, manifest, has_changed=bool(copy.changed or copy.removed))


def link_packages(state: State) -> None:
    """Let python/ lead to the stack's two packages for projects, and to nothing else of this checkout."""
    state.packages.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES_FOR_PROJECTS:
        link = state.packages / name
        link.unlink(missing_ok=True)
        link.symlink_to(REPO / "app" / name)


def install_packages(state: State) -> None:
    """Make venv/ have exactly the packages of requirements.txt; does nothing when it has them already.

    Raises:
        ProjectFailed: a package cannot be installed.
    """
    wanted = state.requirements.read_text() + f"# Python {sys.version.split()[0]}\n"
    done = state.venv / ".requirements"
    if done.exists() and done.read_text() == wanted and state.python.exists():
        return
    done.unlink(missing_ok=True)
    run_uv("venv", "--quiet", "--allow-existing", "--python", sys.executable, str(state.venv))
    run_uv("pip", "sync", "--quiet", "--require-hashes", "--python", str(state.python), str(state.requirements))
    done.write_text(wanted)


def run_uv(*arguments: str) -> None:
    """Run uv. Raises ProjectFailed with what it printed."""
    beside = Path(sys.executable).with_name("uv")
    command = [str(beside) if beside.exists() else (shutil.which("uv") or "uv"), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise ProjectFailed(f"uv {' '.join(arguments[:2])} failed:\n{ended.stderr.strip()}")


def run_build(state: State, manifest: Manifest, *, has_changed: bool) -> None:
    """Run the build commands of the manifest in the copy, unless neither they nor the copy have changed.

    Args:
        state: the project's state folder.
        manifest: its manifest.
        has_changed: whether a file of the copy differs from that of the last call.

    Raises:
        ProjectFailed: a command failed.
    """
    wanted = json.dumps([(command.run, command.folder) for command in manifest.build])
    done = state.folder / ".built"
    if not has_changed and done.exists() and done.read_text() == wanted:
        return
    done.unlink(missing_ok=True)
    for command in manifest.build:
        run_command(command, state, manifest, os.environ)
    done.write_text(wanted)


def run_command(command: Command, state: State, manifest: Manifest, env: Mapping[str, str]) -> None:
    """Run a command of the manifest in its folder, with the virtual environment's programs first on the PATH.

    Raises:
        ProjectFailed: its exit code is not 0; what it printed is on the terminal.
    """
    folder = state.source / command.folder if command.folder else state.root(manifest)
    ended = subprocess.run(["/bin/sh", "-c", command.run], cwd=folder, env=with_programs(state, env), check=False)
    if ended.returncode != 0:
        raise ProjectFailed(f"{command.run!r} in {folder} ended with exit code {ended.returncode}; its output is above")


def with_programs(state: State, env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the programs of the virtual environment first on the PATH."""
    return {**env, "PATH": os.pathsep.join([str(state.venv / "bin"), env.get("PATH", os.defpath)])}


def write_secrets(state: State, database_url: str) -> None:
    """Write DATABASE_URL, and SECRET_KEY where there is none yet. Only the owner can read the files."""
    state.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = state.secrets / "SECRET_KEY"
    if not key.exists():
        write_private(key, secrets.token_urlsafe(50))
    write_private(state.secrets / "DATABASE_URL", database_url)


def write_site_file(state: State, description: SiteDescription) -> None:
    """Replace site.json."""
    new = state.site_file.with_name("site.json.new")
    new.write_text(json.dumps(description, indent=2) + "\n")
    new.replace(state.site_file)


def describe_site(
    manifest: Manifest,
    *,
    hosts: list[str],
    origins: list[str],
    redis_url: str,
    static_root: str,
    media_root: str,
    release: str,
    log_format: Literal["line", "json"],
) -> SiteDescription:
    """Return the site description: what the manifest says, and these facts of the place where the site is served."""
    return {
        "name": manifest.name,
        "settings": manifest.settings,
        "asgi": manifest.asgi,
        "wsgi": manifest.wsgi,
        "hosts": hosts,
        "origins": origins,
        "redis_url": redis_url,
        "static_root": static_root,
        "media_root": media_root,
        "own": own_concepts(manifest),
        "database": "own" if manifest.database == "own" else "given",
        "origin_check": manifest.origin_check,
        "asgi_http": "all" if manifest.asgi_http == "all" else list(manifest.asgi_http),
        "home": manifest.home,
        "probe": manifest.probe,
        "probes": [
            {"path": probe.path, "status": probe.status, "signed_in": probe.signed_in} for probe in manifest.probes
        ],
        "release": release,
        "log_format": log_format,
        "secure": True,
    }


def own_concepts(manifest: Manifest) -> list[str]:
    """Return what the project reads from variables of its own: names of fields of [env]."""
    return [name for name, variable in vars(manifest.env).items() if variable]


def build_environment(
    state: State, manifest: Manifest, values: Mapping[str, str], env: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of the project's processes.

    Args:
        state: the project's state folder.
        manifest: its manifest.
        values: the value for each field of [env]: hosts, url, redis, database, secret.
        env: the environment to add to.
    """
    own = {variable: values[name] for name, variable in vars(manifest.env).items() if variable}
    fixed = {
        "SITE_FILE": str(state.site_file),
        "CREDENTIALS_DIRECTORY": str(state.secrets),
        "DJANGO_SETTINGS_MODULE": SETTINGS_MODULE,
        "PYTHONPATH": os.pathsep.join([str(state.root(manifest)), str(state.packages)]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "",  # several processes import the same packages: the first one compiles for all
    }
    return with_programs(state, {**env, **manifest.variables, **own, **fixed})


def read_settings(state: State, manifest: Manifest, env: Mapping[str, str]) -> Settings:
    """Return what can be known only by importing the project's settings.

    Raises:
        ProjectFailed: they cannot be imported; the text has what Python printed.
    """
    command = [str(state.python), "-m", "channels_stack.overrides", "--json"]
    ended = subprocess.run(command, cwd=state.root(manifest), env=env, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise ProjectFailed(f"the settings {manifest.settings} cannot be imported:\n{ended.stderr.strip()}")
    settings: Settings = json.loads(ended.stdout.splitlines()[-1])
    return settings


def path_of(url: str) -> str:
    """Return the path of a URL setting with a slash at both ends, or "" when another site serves it, or the root."""
    parts = urlsplit(url)
    path = "/" + parts.path.strip("/") + "/"
    return "" if parts.netloc or path == "//" else path


def shell(command: str) -> Sequence[str]:
    """Return the arguments that run a command line of the manifest such that signals reach the program itself."""
    return ["/bin/sh", "-c", f"exec {command}"]
