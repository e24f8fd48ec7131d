"""Checks of the network as the host sees it: its ports, its DNS, and what it has to reach."""

import configparser
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from deploy.preflight.finding import Finding, note, stop
from deploy.preflight.host.proc import Listener, list_listeners, read_text
from deploy.preflight.host.system import run_program
from deploy.preflight.plan import Plan

CONNECT_TIMEOUT_SECONDS = 4
RESOLVE_TIMEOUT_SECONDS = 8
DEFAULT_PORTS = {"http": 80, "https": 443}
# The unit whose configuration the deployment writes. An nginx that was started in another way keeps the ports.
OWN_UNIT = "nginx.service"
CONTAINER_PROXIES = ("docker-proxy", "rootlessport", "conmon")


def check_ports(plan: Plan, listeners: Callable[[], list[Listener]] = list_listeners) -> Iterator[Finding]:
    """Check whether a program other than the host's nginx listens at a port of nginx."""
    taken: dict[str, tuple[Listener, list[int]]] = {}
    for found in listeners():
        if found.port in plan.ports and found.unit != OWN_UNIT:
            ports = taken.setdefault(str(found), (found, []))[1]
            ports += [found.port] if found.port not in ports else []
    for text, (found, ports) in taken.items():
        many = f"ports {', '.join(map(str, sorted(ports)))}" if len(ports) > 1 else f"port {ports[0]}"
        yield stop(many, f"{text} listens at {many}, which nginx needs.", f"{advise(found)} Then deploy again.")


def advise(found: Listener) -> str:
    """Return how to free the port of a program."""
    if found.program in CONTAINER_PROXIES:
        return "Publish the container at other ports (docker ps shows it)."
    if found.program == "nginx":
        return "Start that nginx as nginx.service, whose other sites are kept, or stop it."
    if found.unit.endswith(".service"):
        return f"Give it other ports in its configuration, or stop it (systemctl disable --now {found.unit})."
    return f"Stop it, or give it another port{f' (kill {found.pid})' if found.pid else ''}."


def has_ipv6() -> bool:
    """Return whether the kernel opens sockets of IPv6: nginx does not start with `listen [::]` where it does not."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def list_addresses() -> list[str]:
    """Return the addresses of this host's interfaces, without loopback and link-local ones."""
    shown = run_program("ip", "-o", "addr", "show", "scope", "global")
    return re.findall(r"inet6? ([0-9a-f.:]+)", shown)


def check_connections(plan: Plan, root: Path = Path("/")) -> Iterator[Finding]:
    """Check whether the host reaches the certificate authority, the package indexes and a database elsewhere."""
    wanted = list(list_destinations(plan, root))
    names = sorted({host for _, host, _ in wanted if not is_address(host)})
    resolved = resolve_all(names)
    broken = [name for name in names if not resolved[name]]
    if broken:
        servers = re.findall(r"^nameserver\s+(\S+)", read_text(Path("/etc/resolv.conf")), re.MULTILINE)
        asked = f"its name servers are {', '.join(servers)}" if servers else "/etc/resolv.conf names no server"
        yield stop(
            "dns",
            f"This host cannot resolve {', '.join(broken)}; {asked}.",
            "Correct the name servers (resolvectl status, or /etc/resolv.conf).",
        )
    reachable = [(what, host, port) for what, host, port in wanted if host not in broken]
    with ThreadPoolExecutor(max(1, len(reachable))) as pool:
        errors = list(pool.map(lambda item: probe_tcp(item[1], item[2]), reachable))
    for (what, host, port), error in zip(reachable, errors, strict=True):
        if error:
            yield stop(
                what,
                f"This host cannot reach {host} port {port} ({what}): {error}.",
                "Allow the connection in the firewall of the network, or configure the proxy that leads there.",
            )


def list_destinations(plan: Plan, root: Path = Path("/")) -> Iterator[tuple[str, str, int]]:
    """Yield what the deployment connects to from this host: what it is, its name or address, and its port."""
    proxy = find_proxy(os.environ)
    direct = [("certificate authority", plan.authority), ("package index", find_package_index(plan, root))]
    if proxy and any(address for _, address in direct):
        yield "proxy", *proxy
    else:
        yield from ((what, *split_address(address)) for what, address in direct if address)
    if plan.database_host:
        yield "database", *split_address(plan.database_host)
    proxies = re.findall(r'^Acquire::https?::Proxy(?:::\S+)? "([^"]+)"', run_program("apt-config", "dump"), re.M)
    addresses = proxies or list_apt_addresses(root)
    for host, port in sorted({found for address in addresses if (found := split_url(address))}):
        yield "Debian packages", host, port


def find_package_index(plan: Plan, root: Path = Path("/")) -> str:
    """Return HOST:PORT from which pip installs on this host; "" where it is not known or no network is needed."""
    url = os.environ.get("PIP_INDEX_URL", "")
    for name in ("etc/pip.conf", "root/.pip/pip.conf", "root/.config/pip/pip.conf"):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(read_text(root / name))
        except configparser.Error:
            continue
        url = url or parser.get("global", "index-url", fallback="")
    found = split_url(url) if url else None
    if url:
        return f"{found[0]}:{found[1]}" if found else ""
    return plan.package_index


def list_apt_addresses(root: Path = Path("/")) -> set[str]:
    """Return the addresses of apt's package sources, in either format of the files."""
    found: set[str] = set()
    for file in (root / "etc/apt/sources.list", *(root / "etc/apt/sources.list.d").glob("*.*")):
        for line in read_text(file).splitlines():
            if line.lstrip().startswith(("deb ", "URIs:")):
                found.update(word for word in line.split() if "://" in word)
    return found


def find_proxy(environment: Mapping[str, str]) -> tuple[str, int] | None:
    """Return the host and port of the proxy that pip and certbot use by the environment, or None."""
    values = {name.lower(): value for name, value in environment.items()}
    address = values.get("https_proxy") or values.get("all_proxy") or ""
    return split_url(address if "://" in address else f"http://{address}") if address else None


def split_url(url: str) -> tuple[str, int] | None:
    """Return the host and the port of a URL, or None where it leads to no other host."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None


def split_address(text: str) -> tuple[str, int]:
    """Return the host and the port of HOST:PORT."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def is_address(host: str) -> bool:
    """Return whether it is an IP address and not a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False


def resolve_all(names: list[str], timeout: float = RESOLVE_TIMEOUT_SECONDS) -> dict[str, list[str]]:
    """Return the addresses of each name; none for one that is not resolved within `timeout` seconds."""

    def resolve(name: str) -> list[str]:
        # In a process of its own: a thread that waits for a name server cannot be stopped.
        return sorted({line.split()[0] for line in run_program("getent", "ahosts", name, timeout=timeout).splitlines()})

    with ThreadPoolExecutor(max(1, len(names))) as pool:
        return dict(zip(names, pool.map(resolve, names), strict=True))


def probe_tcp(host: str, port: int, timeout: float = CONNECT_TIMEOUT_SECONDS) -> str:
    """Return "" when one address of the host accepts a connection, else why none does."""
    try:
        socket.create_connection((host, port), timeout=timeout).close()
    except TimeoutError:
        return f"no answer within {timeout:g} s"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


def check_ipv6() -> Iterator[Finding]:
    """Say that the site is reached by IPv4 alone where the kernel has no IPv6."""
    if not has_ipv6():
        yield note("ipv6", "The kernel of this host has no IPv6: nginx listens at IPv4 alone.", "")
