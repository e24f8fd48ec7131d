"""Inspects the site's host. It changes nothing, and what it may not read becomes a note and not an error."""

import os
import shlex
import socket
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from deploy.doctor.host import datastores, logs, nginx_config, unix_sockets
from deploy.doctor.http_client import Reply, Target
from deploy.doctor.observations import HostObservations, Observations, ServerProcess
from deploy.doctor.site_handshake import open_site_websocket

PACKAGES = ("channels", "channels-redis", "redis", "daphne", "django", "gunicorn", "uvicorn")
SITES = Path("/etc")  # the playbook writes the variables of the site NAME into NAME/NAME.env
NGINX_TIMEOUT_SECONDS = 10


def inspect_host(
    observations: Observations, *, nginx_command: str, log_files: list[Path], redis_url: str, postgres: str
) -> HostObservations:
    """Return what can be observed before any request is sent.

    Args:
        observations: the options of the operator.
        nginx_command: how to call nginx, with its options.
        log_files: logs to read besides those that nginx's configuration names.
        redis_url: where Redis is; empty: REDIS_URL.
        postgres: the folder of PostgreSQL's socket, or HOST:PORT; empty: it is not asked.
    """
    host, timeout = HostObservations(), observations.options.timeout
    read_nginx_configuration(host, observations, nginx_command)
    if host.nginx:
        for upstream in host.nginx.upstreams:
            if upstream.startswith("/"):
                inspect_unix_socket(host, upstream, host.nginx.user)
        host.addresses_by_name = {name: resolve(name) for name in sorted(host.nginx.proxied_names)}
    find_site(host, observations.options.host)
    logs.start_reading(host, log_files)
    datastores.ask_redis(host, redis_url or find_redis(host), timeout)
    datastores.ask_postgres(host, postgres, timeout)
    host.versions = find_versions(host.processes)
    host.clock_synchronized = logs.run_program("timedatectl", "show", "--property=NTPSynchronized", "--value")
    host.selinux_mode = logs.run_program("getenforce")
    return host


def inspect_unix_socket(host: HostObservations, path: str, nginx_user: str) -> None:
    """Observe whether nginx may connect to this socket, and which process listens on it."""
    if reason := unix_sockets.explain_no_access(nginx_user, Path(path)):
        host.closed_to_nginx[path] = reason
    if process := unix_sockets.find_listener(path):
        host.processes[path] = process


def probe_upstreams(observations: Observations, host: HostObservations) -> None:
    """Send one WebSocket handshake to 127.0.0.1, and one to each upstream past nginx."""
    host.local_handshake = probe_handshake_at(observations, observations.target("127.0.0.1"))
    for upstream in host.nginx.upstreams if host.nginx else []:
        if target := make_upstream_target(observations, upstream):
            host.upstream_handshakes[upstream] = probe_handshake_at(observations, target)


def probe_handshake_at(observations: Observations, target: Target) -> Reply:
    """Return the answer to a WebSocket handshake, and close the connection."""
    handshake = open_site_websocket(observations, target)
    handshake.abort()
    return handshake.reply


def make_upstream_target(observations: Observations, upstream: str) -> Target | None:
    """Return the target of an upstream's address, or None when it is neither a path nor HOST:PORT."""
    options = observations.options
    if upstream.startswith("/"):
        return Target(options.host, options.port, upstream, None, forwarded_proto="https")
    name, _, port = upstream.rpartition(":")
    return Target(options.host, int(port), name.strip("[]"), None) if port.isdigit() else None


def read_nginx_configuration(host: HostObservations, observations: Observations, command: str) -> None:
    """Observe nginx's configuration as `nginx -T` prints it."""
    options = observations.options
    try:
        done = subprocess.run(
            [*shlex.split(command), "-T"],
            capture_output=True,
            text=True,
            timeout=NGINX_TIMEOUT_SECONDS,
            check=False,
        )
        host.nginx = nginx_config.parse_dump(done.stdout, options.host, options.ws_path)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        host.not_inspected.append(f"the configuration of nginx: {error}; run the doctor as root")


def find_versions(processes: dict[str, ServerProcess]) -> dict[str, str]:
    """Return the versions of PACKAGES in the servers' environments; in our own where no server was found."""
    environments = {Path(process.command.split(" ")[0]).parent.parent for process in processes.values()}
    folders = [str(folder) for home in environments for folder in home.glob("lib/python*/site-packages")]
    found = metadata.distributions(path=folders) if folders else metadata.distributions()
    versions = {package.name.lower().replace("_", "-"): package.version for package in found if package.name}
    return {name: versions[name] for name in PACKAGES if name in versions}


def resolve(name: str) -> list[str]:
    """Return the addresses of a host name; empty when it has none."""
    with suppress(OSError, UnicodeError):
        return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name, None)})
    return []


def find_site(host: HostObservations, name: str) -> None:
    """Observe the variables and the units of the site with this host name, where the playbook has installed it."""
    for file in sorted(SITES.glob("*/*.env")):
        if file.stem != file.parent.name:
            continue
        with suppress(OSError):
            settings = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
            settings = {key: value.strip("'\"") for key, value in settings.items() if not key.startswith("#")}
            if name in (settings.get("SITE_HOSTS") or settings.get("ALLOWED_HOSTS", "")).split(","):
                host.settings, host.units = settings, f"{file.stem}-*"


def find_redis(host: HostObservations) -> str:
    """Return the address of the servers' Redis, from our environment or the site's variables; empty when unknown."""
    for name in ("SITE_REDIS_URL", "REDIS_URL"):
        if value := os.environ.get(name) or host.settings.get(name):
            return value
    return ""
