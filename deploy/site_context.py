"""The context `site` of every template: the names, paths and numbers of one site on a host.

Ansible (ansible/filter_plugins/site_context.py) and deploy/render.py build it with `build_context`, so a unit that a
test renders is the unit that a host gets. Every name follows from the site's name. The templates use nothing else.
"""

import ipaddress
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

from deploy.doctor.options import format_handshake
from deploy.local import project as local_project
from deploy.local.project import ASGI_APPLICATION, WSGI_APPLICATION, SiteDescription
from deploy.manifest import KEY_SECRETS, SET_BY_THE_TOOLS, Manifest, WrongManifest
from deploy.manifest_values import Conversion

MODULE_COMMAND = re.compile(r"python3? -m (\S.*)")
# A release of the stack's own repository has the project in this folder, and a copy of a project is in the other one.
ROOTS = {"checkout": "app", "project": "root"}
# A program whose just-in-time compiler needs memory that is writable and executable.
JIT_PROGRAMS = ("node", "npm", "npx", "yarn", "deno", "bun", "pypy", "pypy3", "julia", "java")
MAX_WS_INSTANCES = 99
# The units that every site has: a process or a timer of the project needs another name.
UNIT_TEMPLATES = (
    "web.socket",
    "web.service",
    "ws@.socket",
    "ws@.service",
    "redis.service",
    "release@.service",
    "candidate-web@.socket",
    "candidate-web@.service",
    "candidate-ws@.service",
    "backup.service",
    "backup.timer",
    "restore@.service",
    "doctor.service",
    "doctor.timer",
)
RESERVED_UNITS = {template.split(".")[0].rstrip("@") for template in UNIT_TEMPLATES} | {"manage"}


class WrongSite(Exception):
    """The site cannot be described. The text is a sentence."""


class Program(TypedDict):
    """A process or a timer of the project, as its unit needs it."""

    name: str
    command: str
    """The arguments of ExecStart, quoted for systemd."""
    stop_seconds: int
    calendar: str
    """systemd's OnCalendar; "" for a process."""
    has_jit: bool
    """Whether the program needs memory that is writable and executable."""


class SiteContext(TypedDict):
    """One site on a host. Every path is absolute."""

    name: str
    layout: Literal["checkout", "project"]
    """Whether a release is a commit of this repository, or the stack's files beside the copy of a project."""
    user: str
    root: str
    """The folder of the releases and of the link `current`."""
    state: str
    run: str
    """The folder of the sockets, which the user of the site owns."""
    etc: str
    environment: str
    """The file of the variables that are not secret."""
    secrets: str
    """The folder with one file for each secret."""
    secret_names: list[str]
    backups: str
    static: str
    """The folder of the static files that nginx serves."""
    static_root: str
    """The folder that collectstatic of the release %i writes to; %i is systemd's specifier for it."""
    media: str
    """"" where the site has no uploaded files."""
    data: str
    """The folder that the servers may write to, for SQLite; "" where there is none."""
    writable: list[str]
    """The folders that the servers may write to."""
    maintenance: str
    """The file that closes the site while it exists."""
    certificate: str
    """The folder of the certificate that nginx reads: fullchain.pem and privkey.pem."""
    database: str
    """The name of the database and of its role; "" where the site has none in PostgreSQL."""
    redis_socket: str
    redis_unit: str
    domain: str
    email: str
    ws_numbers: list[int]
    wsgi: str
    asgi: str
    """The application that the WebSocket servers are given; "": the server's own default."""
    network: bool
    processes: list[Program]
    timers: list[Program]
    doctor_options: str
    # What nginx/sites/site.conf.j2 and nginx/targets/site/ need: see deploy/nginx_site.py.
    target: str
    web_upstream: str
    ws_upstream: str
    upload_size: str
    upload_comment: str
    websocket: Literal["upgrade"] | list[str]
    asgi_http: Literal["all"] | list[str]
    static_url: str
    media_url: str
    page_headers: bool
    rewrites_ws: bool
    ports: list[int]
    ipv6: bool
    """Whether the host's kernel has IPv6: nginx does not start with `listen [::]` where it does not."""
    trusted_proxy_lines: list[str]
    """The directives of nginx that take a visitor's address from a proxy before it; none where there is no proxy."""
    manifest: dict[str, Any]
    """The fields of the manifest, for what only one template needs."""


class HostFile(TypedDict):
    """A file on the host that is rendered from a template of systemd/."""

    template: str
    path: str
    program: Program | None
    """The process or timer that the template describes."""


class SiteVariables(TypedDict, total=False):
    """What differs between two hosts that have the same project."""

    domain: str
    email: str
    ws_instances: int
    network: bool
    """Whether something besides the manifest needs the network, such as a database on another host."""
    static_url: str
    """The path of the static files, by the project's settings; "" where another site serves them."""
    media_url: str
    """The path of uploaded files, by the project's settings."""
    ipv6: bool
    trusted_proxies: Sequence[str]
    """The networks of proxies and load balancers before nginx, such as 10.0.0.0/8."""


def quote_for_systemd(words: Sequence[str]) -> str:
    """Return a command line that systemd splits into exactly these words (systemd.service(5), COMMAND LINES)."""
    quoted = []
    for word in words:
        text = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$")
        is_plain = re.fullmatch(r"[\w@%+=:,./*?\[\]{}~^!#$-]+", text, re.ASCII)
        quoted.append(text if is_plain else '"{}"'.format(text.replace('"', '\\"').replace("\n", "\\n")))
    return " ".join(quoted)


def command_arguments(run: str, folder: str) -> str:
    """Return the arguments with which deploy/run-in-release starts a command of the manifest, quoted for systemd.

    Raises:
        WrongSite: the command has an open quote.
    """
    module = MODULE_COMMAND.fullmatch(run)
    try:
        words = shlex.split(module[1] if module and not folder else run)
    except ValueError:
        raise WrongSite(f"the command {run!r} has a quote that is not closed") from None
    if module and not folder:
        return quote_for_systemd(words)
    return quote_for_systemd(["--command", folder or ".", *words])


def needs_jit(run: str) -> bool:
    """Return whether the command starts a program that compiles while it runs."""
    return any(word.rpartition("/")[2] in JIT_PROGRAMS for word in run.split()[:3])


def build_context(manifest: Manifest, variables: SiteVariables, layout: str) -> SiteContext:
    """Return the context of a site.

    Args:
        manifest: the project's manifest, completed by what was found in the project.
        variables: what the operator says; `domain` may be missing where the manifest has one.
        layout: "checkout" or "project", see SiteContext.

    Raises:
        WrongSite: a variable or a command of the manifest cannot be used.
    """
    name = manifest.name
    is_project = layout == "project"
    instances = int(variables.get("ws_instances", 2))
    if not 1 <= instances <= MAX_WS_INSTANCES:
        raise WrongSite(f"the number of WebSocket servers is {instances}: it must be from 1 to {MAX_WS_INSTANCES}")
    for label in (*manifest.processes, *manifest.timers):
        if label in RESERVED_UNITS:
            raise WrongSite(f"the unit {name}-{label} belongs to the stack: choose another name than {label!r}")
    state = f"/var/lib/{name}"
    media = f"{state}/media" if is_project and manifest.media else ""
    data = f"{state}/data" if is_project else ""
    secrets = [*KEY_SECRETS, *(["DATABASE_URL"] if manifest.database != "own" else [])]
    secrets += [manifest.env.secret, manifest.env.database, *manifest.secrets]
    return SiteContext(
        name=name,
        layout=cast("Literal['checkout', 'project']", layout),
        user=name,
        root=f"/opt/{name}",
        state=state,
        run=f"/run/{name}",
        etc=f"/etc/{name}",
        environment=f"/etc/{name}/{name}.env",
        secrets=f"/etc/{name}/credentials",
        secret_names=[secret for secret in dict.fromkeys(secrets) if secret],
        backups=f"/var/backups/{name}",
        # A project's files need not have a hash in their names, so each release has its own.
        static=f"/opt/{name}/current/static" if is_project else f"{state}/static",
        static_root=f"/opt/{name}/releases/%i/static" if is_project else f"{state}/static",
        media=media,
        data=data,
        writable=[folder for folder in (media, data) if folder],
        maintenance=f"{state}/maintenance",
        certificate=f"/etc/nginx/certificates/{name}" if is_project else "/etc/nginx/certificate",
        database=name if manifest.database == "postgres" else "",
        redis_socket=f"/run/{name}/redis.sock",
        redis_unit=f"{name}-redis.service",
        domain=variables.get("domain") or manifest.domain,
        email=variables.get("email", ""),
        ws_numbers=list(range(1, instances + 1)),
        wsgi=WSGI_APPLICATION if is_project else manifest.wsgi,
        asgi=ASGI_APPLICATION if is_project else "",
        network=manifest.network or variables.get("network", False),
        processes=[
            Program(
                name=label,
                command=command_arguments(process.run, process.folder),
                stop_seconds=process.stop_seconds,
                calendar="",
                has_jit=needs_jit(process.run),
            )
            for label, process in sorted(manifest.processes.items())
        ],
        timers=[
            Program(
                name=label,
                command=command_arguments(timer.run, timer.folder),
                stop_seconds=30,
                calendar=timer.calendar,
                has_jit=needs_jit(timer.run),
            )
            for label, timer in sorted(manifest.timers.items())
        ],
        doctor_options=doctor_options(manifest) if is_project else "",
        target=f"targets/{name}" if is_project else "target",
        web_upstream=f"{name}-web" if is_project else "$web_servers",
        ws_upstream=f"{name}-ws" if is_project else "$ws_servers",
        upload_size=manifest.upload_size,
        upload_comment="",
        websocket="upgrade" if manifest.websocket == "upgrade" else list(manifest.websocket),
        asgi_http="all" if manifest.asgi_http == "all" else list(manifest.asgi_http),
        static_url=variables.get("static_url", "/static/"),
        media_url=variables.get("media_url", "/media/") if media else "",
        page_headers=manifest.upgrade_insecure_requests,
        rewrites_ws=False,  # browsers upgrade it themselves where the site has a name
        ports=list(manifest.ports),
        ipv6=variables.get("ipv6", True),
        trusted_proxy_lines=list_proxy_lines(variables.get("trusted_proxies", ())),
        manifest=to_fields(manifest),
    )


def list_proxy_lines(networks: Sequence[str]) -> list[str]:
    """Return the directives with which nginx takes a visitor's address from X-Forwarded-For of these proxies alone.

    Raises:
        WrongSite: one is no address and no network.
    """
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise WrongSite(f"site_trusted_proxies: {error}") from None
    if not networks:
        return []
    # The last address in the header that is not a proxy's own: what stands before it, a visitor may have invented.
    followed = ["real_ip_header X-Forwarded-For;", "real_ip_recursive on;"]
    return [*(f"set_real_ip_from {network};" for network in networks), *followed]


def describe_site(site: SiteContext, version: str) -> SiteDescription:
    """Return site.json of the release `version`: what the overlay and the entry of a project need to know."""
    fields = json.loads(json.dumps(site["manifest"]))  # Ansible's strings are of a class of their own
    description = local_project.describe_site(
        from_fields(fields),
        hosts=[site["domain"]],
        origins=[f"https://{site['domain']}", *(f"https://{site['domain']}:{port}" for port in site["ports"])],
        redis_url=f"unix://{site['redis_socket']}",
        static_root=f"{site['root']}/releases/{version}/static",
        media_root=site["media"],
        release=version,
        log_format="json",
    )
    return {**description, "doctor_report": f"{site['state']}-doctor/report.json"}


def list_unit_files(site: SiteContext) -> list[HostFile]:
    """Return the files of systemd that the site has on a host, those of one unit beside each other."""
    name, units = site["name"], "/etc/systemd/system"
    files: list[tuple[str, str, Program | None]] = [
        ("tmpfiles.conf", f"/etc/tmpfiles.d/{name}.conf", None),
        ("sandbox.conf", f"{units}/{name}-.service.d/10-sandbox.conf", None),
        ("all.target", f"{units}/{name}.target", None),
    ]
    if site["network"]:
        files.append(("egress.conf", f"{units}/{name}-.service.d/20-egress.conf", None))
    files += [(template, f"{units}/{name}-{template}", None) for template in UNIT_TEMPLATES]
    files.append(("loopback.conf", f"{units}/{name}-doctor.service.d/30-loopback.conf", None))
    files.append(("no-network.conf", f"{units}/{name}-redis.service.d/30-no-network.conf", None))
    for program in (*site["processes"], *site["timers"]):
        unit = f"{units}/{name}-{program['name']}"
        if program["calendar"]:
            files.append(("timer.service", f"{unit}.service", program))
            files.append(("timer.timer", f"{unit}.timer", program))
        else:
            files.append(("process.service", f"{unit}.service", program))
        if program["has_jit"]:
            files.append(("jit.conf", f"{unit}.service.d/30-jit.conf", program))
    return [HostFile(template=template, path=path, program=program) for template, path, program in files]


def doctor_options(manifest: Manifest) -> str:
    """Return DOCTOR_OPTIONS: how the doctor makes a handshake with a socket of the project."""
    return format_handshake(ws_path=manifest.probe, **vars(manifest.doctor))


NOT_ON_HOSTS = SET_BY_THE_TOOLS - {"folder"}


def to_fields(manifest: Manifest) -> dict[str, Any]:
    """Return the fields of a manifest, as lists, mappings and plain values."""
    return {key: _plain(value) for key, value in vars(manifest).items() if key not in NOT_ON_HOSTS}


def from_fields(fields: Mapping[str, Any]) -> Manifest:
    """Return the manifest of which `to_fields` made these fields.

    Raises:
        WrongManifest: a field is unknown or wrong.
    """
    conversion = Conversion(hidden_fields=SET_BY_THE_TOOLS)
    arguments = conversion.convert_table(Manifest, {k: v for k, v in fields.items() if k != "folder"}, ())
    if conversion.problems:
        raise WrongManifest([f"site_manifest: {sentence}" for _, sentence in conversion.problems])
    return Manifest(folder=Path(fields.get("folder", "/")), **arguments)


def _plain(value: object) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {key: _plain(item) for key, item in vars(value).items()}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | str) else str(value)
