"""A project with a manifest as a site in containers: its Compose file, its site description, its nginx site."""

from dataclasses import dataclass

from deploy.containers.calendar_events import WrongCalendar, parse_calendar
from deploy.containers.compose import ComposeProcess, ComposeSite, literal
from deploy.doctor.options import OPTIONS_VARIABLE, format_handshake
from deploy.local.project import SiteDescription, describe_site
from deploy.manifest import Command, Manifest, WrongManifest
from deploy.program import PROGRAM

STATIC_ROOT, MEDIA_ROOT = "/made/static", "/made/media"
REDIS_URL = "redis://redis:6379/0"
DEFAULT_PYTHON = "3.13"
# Services that every site has; a process of one of these names gets another one.
SERVICES = frozenset({"init", "release", "web", "ws", "nginx", "redis", "postgres", "acme", "prometheus", "timers"})
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
TIMER_STOP_SECONDS = 60  # for commands that are running


@dataclass(frozen=True)
class Address:
    """Where a site in containers is reached: its name, and the ports of this machine."""

    domain: str
    """"" for a site that is reached as localhost, or by any other name of this machine."""
    https_port: int
    http_port: int

    @property
    def url(self) -> str:
        """The address of the site in a browser."""
        return self._url(self.domain or "localhost")

    @property
    def hosts(self) -> list[str]:
        """ALLOWED_HOSTS. This machine itself may ask, too: health checks and the operator."""
        return [self.domain, *LOCAL_HOSTS] if self.domain else ["*"]

    @property
    def origins(self) -> list[str]:
        """The origins of the site's own pages."""
        return list(dict.fromkeys([self.url, self._url("localhost")]))

    def _url(self, host: str) -> str:
        return f"https://{host}" + ("" if self.https_port == 443 else f":{self.https_port}")


def describe_compose(manifest: Manifest, compose_project: str, address: Address, *, rewrites_ws: bool) -> ComposeSite:
    """Return what the Compose file of a project contains.

    Args:
        manifest: completed by `discovery.complete`.
        compose_project: the name of the Compose project, of its volumes and of its images.
        address: where the site is reached.
        rewrites_ws: whether ws:// in static files becomes wss://.

    Raises:
        WrongManifest: a timer cannot be planned in containers.
    """
    check_timers(manifest)
    commands = [
        *(process.run for process in manifest.processes.values()),
        *(timer.run for timer in manifest.timers.values()),
        *(command.run for command in manifest.release),
    ]
    arguments = {
        "WHEELS": "",
        "ROOT": manifest.root,
        "BUILD_PACKAGES": find_debian_packages([command.run for command in manifest.build]),
        "RUNTIME_PACKAGES": find_debian_packages(commands),
    }
    return ComposeSite(
        name=manifest.name,
        compose_project=compose_project,
        introduction=(f"{manifest.name} in containers, written by `{PROGRAM} up`, which writes it again each time.",),
        target="project",
        image=f"{compose_project}:local",
        nginx_image=f"{compose_project}-nginx:local",
        python_image=f"${{PYTHON_IMAGE:-python:{manifest.python or DEFAULT_PYTHON}-slim-trixie}}",
        build_arguments=tuple(f"{name}: {literal(value)}" for name, value in arguments.items()),
        environment=tuple(
            f"{name}: {literal(value)}"
            for name, value in build_variables(manifest, address, rewrites_ws=rewrites_ws).items()
        ),
        init_environment=tuple(
            f"{name}: {literal(value)}"
            for name, value in {"SITE_DATABASE": manifest.database, "SECRET_COPIES": list_copies(manifest)}.items()
        ),
        domain=address.domain or "localhost",
        https_port=str(address.https_port),
        http_port=str(address.http_port),
        database=manifest.database,
        media=manifest.media,
        ports=manifest.ports,
        processes=list_processes(manifest),
        release_networks="[app, data]" if manifest.network else "[data]",
        internal="false" if manifest.network else "true",
        egress_comment=(
            ("network = true in stack.toml: the project connects to other hosts.",)
            if manifest.network
            else ("Containers in this network cannot reach other hosts: network = false in stack.toml.",)
        ),
    )


def check_timers(manifest: Manifest) -> None:
    """Check that containers can plan each timer. Raises WrongManifest."""
    problems = []
    for name, timer in manifest.timers.items():
        try:
            parse_calendar(timer.calendar)
        except WrongCalendar as wrong:
            problems.append(f"timers.{name}.calendar: {wrong}")
    if problems:
        raise WrongManifest(problems)


def find_debian_packages(commands: list[str]) -> str:
    """Return the Debian packages that these commands need beyond Python, with spaces between them."""
    words = {word for command in commands for word in command.replace(";", " ").replace("&", " ").split()}
    if words & {"npm", "npx", "yarn", "pnpm", "corepack"}:
        return "nodejs npm"
    return "nodejs" if words & {"node", "nodejs"} else ""


def build_variables(manifest: Manifest, address: Address, *, rewrites_ws: bool) -> dict[str, str]:
    """Return the variables of the project's containers. Secrets are not among them."""
    values = {"hosts": ",".join(address.hosts), "url": address.url, "redis": REDIS_URL}
    own = {variable: values[name] for name, variable in vars(manifest.env).items() if variable and name in values}
    doctor = format_handshake(ws_path=manifest.probe, **vars(manifest.doctor))
    fixed = {
        "DRAIN_SECONDS": "3",
        **({OPTIONS_VARIABLE: doctor} if doctor else {}),
        **({"REWRITES_WS": "true"} if rewrites_ws else {}),
    }
    return {**manifest.variables, **own, **fixed}


def list_copies(manifest: Manifest) -> str:
    """Return the variable SECRET_COPIES of docker/first_run.py."""
    secrets = {"secret": "SECRET_KEY", **({"database": "DATABASE_URL"} if manifest.database != "own" else {})}
    names = vars(manifest.env)
    return " ".join(f"{names[concept]}={secret}" for concept, secret in secrets.items() if names[concept])


def list_processes(manifest: Manifest) -> tuple[ComposeProcess, ...]:
    """Return the programs beside the servers: the manifest's processes, and one that runs its timers."""
    found = [
        ComposeProcess(
            name=f"{name}-process" if name in SERVICES else name,
            command=f"[run, {literal(folder_in_image(manifest, process.folder))}, {literal(process.run)}]",
            stop_seconds=process.stop_seconds,
        )
        for name, process in manifest.processes.items()
    ]
    if manifest.timers:
        found.append(ComposeProcess(name="timers", command="[timers]", stop_seconds=TIMER_STOP_SECONDS))
    return tuple(found)


def folder_in_image(manifest: Manifest, folder: str) -> str:
    """Return where a command of the manifest runs: its folder, or the folder of manage.py."""
    below = folder or ("" if manifest.root == "." else manifest.root)
    return f"/opt/{manifest.name}/source" + (f"/{below}" if below else "")


def write_script(manifest: Manifest, commands: tuple[Command, ...]) -> str:
    """Return a shell script that runs these commands in order. The first failure ends it, and it names the command."""
    lines = ["set -u"]
    for command in commands:
        words = [shell_quote(word) for word in (folder_in_image(manifest, command.folder), command.run)]
        failed = shell_quote(f"failed: {command.run}")
        lines += [f"(cd {words[0]} && exec sh -c {words[1]}) || {{ echo {failed} >&2; exit 1; }}"]
    return "\n".join(lines) + "\n"


def shell_quote(text: str) -> str:
    """Return the text as one word of a shell, even when it is empty."""
    return "'" + text.replace("'", "'\\''") + "'"


def describe_containers(manifest: Manifest, address: Address, release: str) -> SiteDescription:
    """Return the site description of the project's containers."""
    return describe_site(
        manifest,
        hosts=address.hosts,
        origins=address.origins,
        redis_url=REDIS_URL,
        static_root=STATIC_ROOT,
        media_root=MEDIA_ROOT if manifest.media else "",
        release=release,
        log_format="json",
    )
