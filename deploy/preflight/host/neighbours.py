"""What else is on the host: other sites of nginx, Redis, PostgreSQL, firewalls, Docker.

Most of it are notes that say what is left as it is. A neighbour that the site cannot live beside is a stop.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from deploy.preflight.finding import Finding, note, stop
from deploy.preflight.host.names import is_installed
from deploy.preflight.host.proc import read_text
from deploy.preflight.host.system import Run, run_program
from deploy.preflight.plan import OLDEST_POSTGRES, Plan
from deploy.program import PROGRAM

# The server blocks of other sites: Debian's folders, as the files of nginx.org's packages and of this program.
NGINX_FOLDERS = ("etc/nginx/sites-enabled", "etc/nginx/conf.d", "etc/nginx/sites")
SERVER_NAME = re.compile(r"^\s*server_name\s+([^;]+);", re.MULTILINE)
LEFT, LEFT_MANY = "left as it is", "left as they are"


def check_nginx(plan: Plan, root: Path = Path("/")) -> Iterator[Finding]:
    """Check whether another site of nginx has the name, and say which others there are."""
    own = {root / f"etc/nginx/sites/{plan.name}.conf", root / f"etc/nginx/sites-enabled/{plan.name}.conf"}
    others = []
    files = (file for folder in NGINX_FOLDERS for file in sorted((root / folder).glob("*")))
    for file in files:
        if file in own or (file.is_symlink() and file.resolve() in own) or not file.is_file():
            continue
        names = [word for found in SERVER_NAME.findall(read_text(file)) for word in found.split()]
        shown = f"/{file.relative_to(root)}"
        if plan.domain in names:
            yield stop(
                "server name",
                f"Another site of nginx has the name {plan.domain} already: {shown}.",
                f"Remove {shown} and reload nginx, or choose another domain.",
            )
        elif real := sorted({name for name in names if "." in name}):
            others.append(f"{', '.join(real)} ({shown})")
    if others:
        yield note("nginx", f"nginx serves other sites, which are {LEFT_MANY}: {'; '.join(others)}.")


def check_redis(plan: Plan, run: Run = run_program, root: Path = Path("/")) -> Iterator[Finding]:
    """Say that the Redis of other programs is not used."""
    if run("systemctl", "is-active", "redis-server.service") == "active" and not is_installed(plan, root):
        version = re.search(r"v=(\S+)", run("redis-server", "--version"))
        name = f"Redis{f' {version[1]}' if version else ''}"
        yield note("redis", f"{name} of this host is {LEFT}; the site has one of its own.")


def check_postgres(plan: Plan, run: Run = run_program, root: Path = Path("/")) -> Iterator[Finding]:
    """Check the version of the host's PostgreSQL, and whether it has the site's database already."""
    clusters = sorted(path.parent.name + "/" + path.name for path in (root / "etc/postgresql").glob("*/*"))
    if not plan.uses_postgres or not clusters:
        return
    versions = {int(cluster.partition("/")[0]) for cluster in clusters if cluster.partition("/")[0].isdigit()}
    if versions and max(versions) < OLDEST_POSTGRES:
        yield stop(
            "postgresql",
            f"PostgreSQL {max(versions)} of this host is too old; Django needs {OLDEST_POSTGRES} or newer.",
            "Upgrade the cluster (pg_upgradecluster), or name a database elsewhere: site_database_url.",
        )
    if is_installed(plan, root):
        return
    ask = ("runuser", "-u", "postgres", "--", "psql", "-Atqc")
    names = run(*ask, "SELECT datname FROM pg_database WHERE NOT datistemplate").splitlines()
    # A deployment that was interrupted leaves an empty one.
    count = "SELECT count(*) FROM pg_stat_user_tables"
    if plan.name in names and run(*ask, count, plan.name) not in ("0", ""):
        yield stop(
            "database",
            f"The host's PostgreSQL has a database {plan.name} already, of which this site knows nothing.",
            f"Rename or drop it (`runuser -u postgres -- dropdb {plan.name}`), or choose another name for the site.",
        )
    others = sorted(set(names) - {"postgres", plan.name})
    if others:
        yield note(
            "postgresql",
            f"PostgreSQL {', '.join(clusters)} has databases of other programs, which are left as they are: "
            f"{', '.join(others)}.",
        )


def find_firewall(run: Run = run_program, root: Path = Path("/")) -> str:
    """Return the firewall that is active: ufw, firewalld, nftables or iptables; "" where none is."""
    if re.search(r"^ENABLED=yes", read_text(root / "etc/ufw/ufw.conf"), re.MULTILINE):
        return "ufw"
    if run("systemctl", "is-active", "firewalld.service") == "active":
        return "firewalld"
    if list_foreign_tables(run):
        return "nftables"
    if re.search(r"^(-A INPUT (?!.*-j f2b)|:INPUT (DROP|REJECT))", run("iptables-save", "-t", "filter"), re.MULTILINE):
        return "iptables"
    return ""


def list_foreign_tables(run: Run = run_program) -> list[str]:
    """Return the tables of nftables that are neither this program's nor made by another firewall or Docker."""
    tables = re.findall(r"^table (\S+ \S+)$", run("nft", "list", "tables"), re.MULTILINE)
    made = re.compile(rf"(ip|ip6|inet|bridge) ({PROGRAM}.*|filter|nat|mangle|raw|security|f2b.*|docker.*|firewalld)")
    # iptables-nft and Docker have tables of these names as well: they count where a rule of them concerns input.
    return [table for table in tables if not made.fullmatch(table) or _filters_input(run, table)]


def _filters_input(run: Run, table: str) -> bool:
    if table.partition(" ")[2].startswith((PROGRAM, "f2b", "docker", "firewalld")):
        return False
    text = run("nft", "list", "table", *table.split())
    return bool(re.search(r"hook input[^\n]*policy drop", text)) and "xt " not in text


def check_firewall(plan: Plan, run: Run = run_program, root: Path = Path("/")) -> Iterator[Finding]:
    """Say which firewall is active, and whether fail2ban changes it."""
    found = find_firewall(run, root)
    if found == "nftables":
        tables = ", ".join(list_foreign_tables(run))
        yield note("firewall", f"nftables has tables of this host's own ({tables}), which are {LEFT_MANY}.")
    elif found:
        yield note("firewall", f"{found} is active on this host and is {LEFT}, but for the ports of the site.")
    if run("systemctl", "is-active", "fail2ban.service") == "active":
        yield note("fail2ban", f"fail2ban is active and is {LEFT}.")


def check_docker(run: Run = run_program) -> Iterator[Finding]:
    """Say that Docker's containers and rules are not touched."""
    if run("systemctl", "is-active", "docker.service") == "active":
        yield note("docker", "Docker runs on this host; its containers and its firewall rules are left as they are.")
