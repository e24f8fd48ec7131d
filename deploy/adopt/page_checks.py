"""Scripts and templates: addresses that hold on a developer's machine alone, and files that a page needs."""

import re
from collections.abc import Iterator
from pathlib import Path

from deploy.adopt.report import Finding
from deploy.adopt.survey import Survey

PAGE_SUFFIXES = {
    ".html",
    ".htm",
    ".js",
    ".mjs",
    ".jsx",
    ".ts",
    ".tsx",
    ".vue",
    ".svelte",
    ".djhtml",
    ".jinja",
    ".jinja2",
}
TOOL_FILES = re.compile(
    r"(?:\.config\.[cm]?[jt]s|\.min\.js|\.bundle\.js|\.chunk\.js|[.-][0-9a-f]{8,}\.m?js|\.(?:test|spec)\.[jt]sx?|"
    r"setupProxy\.js|service-?worker\.js|registerServiceWorker\.js|serviceWorkerRegistration\.[jt]s|\.d\.ts)$",
    re.IGNORECASE,
)
LIBRARY_FOLDERS = {"vendor", "vendors", "lib", "libs", "third_party", "third-party", "dist", "admin", "rest_framework"}
MAX_LINE_LENGTH = 1000  # longer ones are minified
MAX_FILE_BYTES = 10_000_000

COMMENT = re.compile(r"^\s*(?://|\*|/\*|#|<!--|\{#|\{% comment)|^\s*\{/\*")
OWN_HOST = (
    r"(?:(?:window|document|self|globalThis)\.)?location\.(?:host|hostname)\b"
    r"|\{\{\s*request\.(?:get_host|META\.HTTP_HOST)"
)
WS_TO_OWN_HOST = re.compile(
    rf"""['"`]ws:(?://)?['"`]?\s*(?:\+\s*)?(?:['"`]//['"`]\s*\+\s*)?(?:\$\{{\s*)?(?:{OWN_HOST})"""
)
WS_ALONE = re.compile(r"""(?:['"`]ws://['"`]\s*(?:\+|$)|[`"']ws://(?:\$\{|\{\{))""")
WSS_BESIDE = re.compile(r"wss|https")
PORT_OF_OWN_HOST = re.compile(rf"""(?:{OWN_HOST})[^'"`\n]{{0,12}}(?:['"`]|\}})\s*:(?P<port>\d{{2,5}})\b""")
PORT_AFTER_HOST = re.compile(
    rf"""(?:wss?:|['"`]//|://)[^\n]{{0,40}}(?:{OWN_HOST})\s*(?:\}}|\+\s*['"`]):(?P<port>\d{{2,5}})\b"""
)
PORT_OF_VARIABLE = re.compile(r"""`wss?://\$\{[^}]*\}:(?P<port>\d{2,5})\b""")
FIXED_ADDRESS = re.compile(
    r"""(?P<address>(?:wss?|https?)://(?P<host>localhost|127\.0\.0\.1|0\.0\.0\.0|\d{1,3}(?:\.\d{1,3}){3}|"""
    r"""[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?P<port>:\d+)?)"""
)
SOCKET_ADDRESS = re.compile(r"wss?://")
LOCAL_HOSTS = re.compile(
    r"localhost|127\.0\.0\.1|0\.0\.0\.0|\d+\.\d+\.\d+\.\d+|.*\.herokuapp\.com|.*\.ngrok(?:-free)?\.\w+"
)
# In minified code, where libraries name addresses that they never call: one with a port is the project's own.
ADDRESS_IN_BUNDLE = re.compile(r"""["'`](?P<address>(?:https?|wss?)://(?:localhost|127\.0\.0\.1|0\.0\.0\.0):\d{2,5})""")
NAMESPACES = ("www.w3.org", "schema.org")


def check_pages(survey: Survey) -> Iterator[Finding]:
    """Yield the lines of scripts and templates that open sockets or call addresses that a site does not have."""
    for path in survey.project.files:
        if is_page(survey, path):
            for number, line in enumerate(survey.text(path).splitlines(), 1):
                if len(line) > MAX_LINE_LENGTH:
                    for address in dict.fromkeys(ADDRESS_IN_BUNDLE.findall(line)):
                        yield survey.find("foreign-address-in-page", path, number, address=address)
                elif not COMMENT.match(line):
                    yield from _check_line(survey, path, number, line)


def is_page(survey: Survey, path: Path) -> bool:
    """Return whether a file is a script or template that the project's own people wrote."""
    if path.suffix.lower() not in PAGE_SUFFIXES or TOOL_FILES.search(path.name) or survey.project.is_test(path):
        return False
    relative = Path(survey.project.relative(path))
    if LIBRARY_FOLDERS & {part.lower() for part in relative.parts[:-1]} or path.stat().st_size > MAX_FILE_BYTES:
        return False
    return not any(path.is_relative_to(folder) for folder in node_server_folders(survey))


def node_server_folders(survey: Survey) -> list[Path]:
    """Return the folders of servers of Node.js: what they listen on is no page's business."""
    return [process.path.parent for process in survey.project.processes if process.path.name == "package.json"]


def _check_line(survey: Survey, path: Path, number: int, line: str) -> Iterator[Finding]:
    port = PORT_OF_OWN_HOST.search(line) or PORT_AFTER_HOST.search(line) or PORT_OF_VARIABLE.search(line)
    if port and int(port["port"]) not in {80, 443}:
        found = survey.find("other-port-in-page", path, number, field=f"ports = [{port['port']}]", port=port["port"])
        is_settled = int(port["port"]) in survey.manifest.ports
        yield Finding(**{**vars(found), "is_settled": is_settled})
    if (WS_TO_OWN_HOST.search(line) or WS_ALONE.search(line)) and not WSS_BESIDE.search(line):
        yield survey.find("ws-scheme-in-page", path, number)
    for address in FIXED_ADDRESS.finditer(line):
        host = address["host"]
        is_socket = bool(SOCKET_ADDRESS.match(address["address"]))
        if host in NAMESPACES or not (is_socket or LOCAL_HOSTS.fullmatch(host)):
            continue
        if not is_socket and not re.search(r"""['"`]""", line[: address.start()]):
            continue  # a text or a link in HTML, not a call
        yield survey.find("foreign-address-in-page", path, number, address=address["address"])
        break
