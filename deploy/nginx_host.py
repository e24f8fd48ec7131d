"""The files of nginx on a host, whose nginx may serve other sites as well.

nginx.conf is the distribution's or the operator's. It includes ENTRY, and that one includes the files in FOLDER, which
are those of nginx/ with the changes that `qualify` makes. Ansible and deploy/render.py get them from here.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypedDict

from deploy.doctor.host.nginx_config import FILE_HEADER, Directive, parse_file
from deploy.site_context import SiteContext
from deploy.templates import render_text

NGINX = Path(__file__).resolve().parent.parent / "nginx"
ETC = "/etc/nginx"
FOLDER = f"{ETC}/channels-stack"
ENTRY = f"{ETC}/conf.d/channels-stack.conf"
MAIN = f"{ETC}/modules-enabled/90-channels-stack.conf"
"""What belongs outside of nginx's blocks. Debian's nginx.conf includes this folder there."""
PREFIX = "stack_"
"""nginx has one name space for the variables, zones, log formats and upstream groups of all sites; this begins ours."""
DEFAULT_SERVERS = (80, 443)
"""The ports at which requests for unknown names are refused, where no other site has the port."""
OF_THE_CHAT = (
    "http-server",
    "https-server",
    "metrics",
    "server-name",
    "static",
    "trusted-proxies",
    "upstreams",
    "websocket",
)
INCLUDED = ("metrics", "upstreams")  # also where there is no chat
NOT_IN_TARGET = ("main", "events")
CURVES = ("curves", "curves-post-quantum")
WRITTEN = "# Written by Ansible; the next deployment overwrites changes.\n"


class TextFile(TypedDict):
    """A file on a host, as ansible/library/write_files.py writes it."""

    path: str
    content: str
    is_replaced: bool
    """Whether a file that is there already is replaced."""


class Neighbours(TypedDict):
    """What the nginx of a host has besides our files."""

    ports: list[int]
    """The ports of other sites."""
    main: list[str]
    """The directives outside of nginx's blocks."""
    worker_connections: int
    wanted_connections: int
    """worker_connections of nginx/targets/host/events.conf."""
    includes_sites: bool
    """Whether ENTRY is included."""
    includes_main: bool
    """Whether MAIN is included."""


class Names(NamedTuple):
    """Regular expressions for the names that our files define."""

    variables: str
    zones: str
    formats: str
    groups: str


def qualify(text: str) -> str:
    """Return a file of nginx/ as it is on a host: with PREFIX before the names, and includes from FOLDER."""
    names = find_names()
    changes = (
        (rf"\$({names.variables})\b", rf"${PREFIX}\1"),
        (rf"(\(\?<)({names.variables})>", rf"\1{PREFIX}\2>"),
        (rf'(<!--# *(?:echo|set) var=")({names.variables})"', rf'\1{PREFIX}\2"'),
        (rf"\b(zone=|limit_conn +|shared:)({names.zones})\b", rf"\1{PREFIX}\2"),
        (rf"^(\s*log_format +|\s*access_log +\S+ +)({names.formats})\b", rf"\1{PREFIX}\2"),
        (rf"^(\s*upstream +|\s*default +)({names.groups})(?=[ ;])", rf"\1{PREFIX}\2"),
        (r"\binclude (snippets|sites|target|targets)/", rf"include {Path(FOLDER).name}/\1/"),
        (rf"{ETC}/errors/", f"{FOLDER}/errors/"),
    )
    for pattern, replacement in changes:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text


@cache
def find_names() -> Names:
    """Return the names that the files of nginx/ define for all servers of an nginx."""
    folders = ("snippets", "sites", "targets/host", "targets/site")
    files = [NGINX / "http.conf", *(file for folder in folders for file in (NGINX / folder).iterdir())]
    text = "\n".join(file.read_text() for file in files)

    def alternatives(*patterns: str) -> str:
        found = {name for pattern in patterns for name in re.findall(pattern, text, re.MULTILINE)}
        return "|".join(sorted(found, key=lambda name: (-len(name), name)))

    return Names(
        variables=alternatives(r"^\s*(?:map|geo)\b.*\$(\w+) \{$", r"\bset \$(\w+)", r"\(\?<(\w+)>"),
        zones=alternatives(r"\bzone=(\w+):", r"\bshared:(\w+):"),
        formats=alternatives(r"^\s*log_format +(\w+)"),
        groups=alternatives(r"^\s*upstream +(\w+) \{"),
    )


def list_files(site: SiteContext, *, ports: Iterable[int] = (), has_post_quantum: bool = False) -> list[TextFile]:
    """Return the files of a site and those that all sites share. ENTRY is the last one: it makes the others count.

    Args:
        site: the context of the site.
        ports: the ports of sites that are not ours.
        has_post_quantum: whether OpenSSL is 3.5 or newer.
    """
    taken = set(ports)
    files = {f"snippets/{file.name}": file.read_text() for file in _conf_files("snippets") if file.stem not in CURVES}
    files["snippets/curves.conf"] = (NGINX / "snippets" / f"{CURVES[has_post_quantum]}.conf").read_text()
    files |= {f"errors/{file.name}": file.read_text() for file in sorted((NGINX / "errors").iterdir())}
    unused = {f"default-{port}" for port in DEFAULT_SERVERS if port in taken}
    for file in _conf_files("targets/host"):
        if file.stem not in (*NOT_IN_TARGET, *OF_THE_CHAT, *unused):
            files[f"target/{file.name}"] = file.read_text()
    found = [_file(f"{FOLDER}/{name}", text) for name, text in files.items()]
    if site["layout"] == "project":
        nothing = "# Nothing: only the chat has lines here.\n"
        found += [_file(f"{FOLDER}/target/{name}.conf", nothing, is_replaced=False) for name in INCLUDED]
    found = _for_kernel(site, found) + list_site_files(site)
    return [*found, _file(ENTRY, WRITTEN + (NGINX / "http.conf").read_text())]


def list_site_files(site: SiteContext) -> list[TextFile]:
    """Return the files that belong to the site alone."""
    name = site["name"]
    if site["layout"] == "checkout":
        files = {f"target/{stem}.conf": (NGINX / "targets/host" / f"{stem}.conf").read_text() for stem in OF_THE_CHAT}
        files["target/server-name.conf"] = f"server_name {site['domain']};\n"
        if site["trusted_proxy_lines"]:
            files["target/trusted-proxies.conf"] = "\n".join([*site["trusted_proxy_lines"], ""])
        files["target/upstreams.conf"] = _repeat_servers(files["target/upstreams.conf"], site)
        files[f"sites/{name}.conf"] = (NGINX / "sites" / f"{name}.conf").read_text()
    else:
        files = {
            f"{site['target']}/{file.name}": render_text(file.read_text(), site=site)
            for file in _conf_files("targets/site")
        }
        files[f"sites/{name}.conf"] = render_text((NGINX / "sites" / "site.conf.j2").read_text(), site=site)
    return _for_kernel(site, [_file(f"{FOLDER}/{path}", text) for path, text in files.items()])


def list_unused_files(files: Iterable[TextFile]) -> list[str]:
    """Return the paths of files that a host may have from a time when no other site had the port."""
    used = {file["path"] for file in files}
    return [path for port in DEFAULT_SERVERS if (path := f"{FOLDER}/target/default-{port}.conf") not in used]


def main_file(neighbours: Neighbours) -> str:
    """Return the content of MAIN: the directives that the host's nginx.conf does not have."""
    lines = (NGINX / "targets/host/main.conf").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if line.split(" ")[0] not in neighbours["main"])


def wanted_connections() -> int:
    """Return worker_connections of nginx/targets/host/events.conf."""
    text = (NGINX / "targets/host/events.conf").read_text()
    return int(re.findall(r"^worker_connections (\d+);", text, re.MULTILINE)[0])


def find_neighbours(dump: str) -> Neighbours:
    """Return what `nginx -T` printed of files that are not ours. An empty text is an nginx without any file."""
    parts = FILE_HEADER.split(dump)
    files = dict(zip(parts[1::2], parts[2::2], strict=True))
    text = "".join(files.values())
    theirs = {path: text for path, text in files.items() if path not in (ENTRY, MAIN) and not path.startswith(FOLDER)}
    main = next(iter(theirs), "")
    root = list(parse_file(theirs, main, str(Path(main).parent))) if main else []
    events = [directive for block in root if block.name == "events" for directive in block.block or []]
    connections = [int(found.args[0]) for found in events if found.name == "worker_connections"]
    return Neighbours(
        ports=sorted(set(_ports_of(root))),
        main=sorted({directive.name for directive in root if directive.block is None}),
        worker_connections=connections[0] if connections else 512,  # nginx's default
        wanted_connections=wanted_connections(),
        includes_sites=bool(re.search(r"^\s*include\s+(/etc/nginx/)?conf\.d/\*(\.conf)?;", text, re.MULTILINE)),
        includes_main=bool(re.search(r"^\s*include\s+(/etc/nginx/)?modules-enabled/\*\.conf;", text, re.MULTILINE)),
    )


def convert_former(path: str, text: str) -> TextFile:
    """Return a file of the layout of an earlier release, whose nginx.conf was ours, at its present place.

    Args:
        path: below /etc/nginx/sites, /etc/nginx/target or /etc/nginx/targets.
        text: its content.
    """
    # In that layout the http block of nginx.conf had these settings.
    with_settings = re.sub(r"^server \{\n", "server {\n    include snippets/server.conf;\n", text, flags=re.MULTILINE)
    is_site = path.startswith(f"{ETC}/sites/")
    return _file(path.replace(ETC, FOLDER, 1), with_settings if is_site else text, is_replaced=False)


def _file(path: str, text: str, *, is_replaced: bool = True) -> TextFile:
    return TextFile(path=path, content=qualify(text), is_replaced=is_replaced)


def _for_kernel(site: SiteContext, files: list[TextFile]) -> list[TextFile]:
    """Return the files as the host's kernel needs them: nginx does not start with `listen [::]` without IPv6."""
    if site["ipv6"]:
        return files
    return [
        TextFile({**file, "content": re.sub(r"^\s*listen \[::\]:.*\n", "", file["content"], flags=re.MULTILINE)})
        for file in files
    ]


def _conf_files(folder: str) -> list[Path]:
    return sorted((NGINX / folder).glob("*.conf"))


def _repeat_servers(text: str, site: SiteContext) -> str:
    """Return the chat's upstreams with one line for each WebSocket server."""
    lines = "".join(f"    server unix:{site['run']}/ws{number}.sock max_fails=0;\n" for number in site["ws_numbers"])
    return re.sub(rf"(    server unix:{site['run']}/ws\d+\.sock max_fails=0;\n)+", lines, text)


def _ports_of(root: Iterable[Directive]) -> Iterator[int]:
    servers = [server for http in root if http.name == "http" for server in http.children("server")]
    for server in servers:
        listens = [listen.args[0] for listen in server.children("listen")] or ["80"]
        for address in listens:
            port = address.rpartition(":")[2]
            if not address.startswith("unix:"):
                yield int(port) if port.isdigit() else 80
