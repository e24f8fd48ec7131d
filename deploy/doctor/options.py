"""The command line, and the variable DOCTOR_OPTIONS, whose options come before those of the command line.

Secrets come from the environment or from a file and never from the command line, because `ps` shows it to every user.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from deploy.doctor.observations import Options

PROGRAM = "python -m deploy.doctor"
OPTIONS_VARIABLE = "DOCTOR_OPTIONS"  # options as a shell would read them: a value with spaces is quoted
DEFAULT_WS_PATH = "/ws/"
WRONG_ARGUMENTS = 2  # exit code
COOKIE_VARIABLE, ROOM_VARIABLE = "DOCTOR_COOKIE", "DOCTOR_ROOM"
COOKIE_OPTION = "--cookie"
SIGN_IN_VARIABLES = (COOKIE_VARIABLE, ROOM_VARIABLE)
FORMER_PREFIX = "PARLEY_"  # of their names until the next release
DESCRIPTION = """Finds the hop that loses the WebSocket. The doctor repeats what a browser does, from DNS to the close
frame, and names the cause and its fix.

  {program} https://chat.example.com                 from anywhere
  {program} https://chat.example.com --host          on the site's host, as root: inspects much more
  {program} https://chat.example.com --ssh you@host  both, in one report
  {program} https://other.example/page/ --ws-path /socket/   any other site with WebSockets
{more}
The chat is probed as a signed-in user when DOCTOR_COOKIE (sessionid=...) and DOCTOR_ROOM (a room of that
account) are in the environment or in the file of --sign-in. The variable DOCTOR_OPTIONS has more options, which come
before these. The doctor reads and never writes. deploy/README.md lists its exit codes.
"""


class Parser(argparse.ArgumentParser):
    """A parser with an exit code of its own for wrong arguments."""

    wrong_arguments = WRONG_ARGUMENTS

    def error(self, message: str) -> NoReturn:
        """Print how the command is called, and what is wrong, and exit."""
        self.print_usage(sys.stderr)
        self.exit(self.wrong_arguments, f"{self.prog}: error: {message}\n")


class OldName(argparse.Action):
    """An option's former name. It works for one more release, and a warning names the new option."""

    def __init__(self, option_strings: Sequence[str], dest: str, new_name: str, **settings: Any) -> None:
        """Store the value as the option `new_name` does."""
        self.new_name = new_name
        dest = new_name.lstrip("-").replace("-", "_")
        super().__init__(option_strings, dest, default=argparse.SUPPRESS, help=argparse.SUPPRESS, **settings)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Store the value and print the new name."""
        print(
            f"doctor: {option_string} is now {self.new_name}; the old name ends with the next release", file=sys.stderr
        )
        setattr(namespace, self.dest, values)


def make_parser(program: str = PROGRAM, *, url_help: str = "", more_examples: str = "") -> Parser:
    """Return the parser of the command line.

    Args:
        program: how the command is called.
        url_help: what its argument is; by default an address.
        more_examples: lines for its description.
    """
    description = DESCRIPTION.format(program=program, more=more_examples)
    parser = Parser(program, None, description, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("url", nargs="?", help=url_help or "https://NAME[:PORT][/PAGE]; the scripts of the page are read")
    add("--ws-path", default="", metavar="PATH", help=f"path of the WebSocket (default: {DEFAULT_WS_PATH})")
    add("--subprotocol", default="", metavar="NAME", help="that the handshake offers (default: that of the chat)")
    add("--origin", default="", metavar="ORIGIN", help="Origin of the handshake (default: that of the URL)")
    add(COOKIE_OPTION, default="", help=f"header Cookie of each handshake; only in the variable {OPTIONS_VARIABLE}")
    add("--hold", type=float, default=0, metavar="SECONDS", help="keep a WebSocket silent for so long")
    add("--frame", type=int, default=0, metavar="BYTES", help="send a message of this size")
    add("--host", action="store_true", help="this is the site's host: inspect it as well")
    add("--ssh", metavar="USER@HOST", help="inspect the site's host over ssh, and merge both reports")
    add("--host-report", metavar="FILE", help="merge with what --host --json printed on the host (-: read stdin)")
    add("--joined", action=OldName, new_name="--host-report")
    add("--json", action="store_true", help="print the report as JSON (report.schema.json)")
    add("--ca", metavar="FILE", help="trust the certificates in this file instead of the system's")
    add("--insecure", action="store_true", help="trust any certificate")
    add("--address", action="append", default=[], help="connect to this address, not to the name's; may be repeated")
    add("--http-port", type=int, metavar="PORT", help="port of plain http (default: 80 when https is 443)")
    add("--timeout", type=float, default=5, metavar="SECONDS", help="time limit of each answer (default: 5)")
    add("--patience", action=OldName, new_name="--timeout", type=float)
    add("--sign-in", metavar="FILE", help="lines DOCTOR_COOKIE=..., DOCTOR_ROOM=...")
    add("--private-ports", default="6379,5432", metavar="PORTS", help="ports that must not answer in public")
    add("--nginx", default="nginx", metavar="COMMAND", help="with --host: how to call nginx")
    add("--log", action="append", default=[], type=Path, metavar="FILE", help="with --host: read this log as well")
    add("--redis", default="", metavar="URL", help="with --host: Redis (default: REDIS_URL, which may have a password)")
    add("--postgres", default="", metavar="WHERE", help="with --host: PostgreSQL's socket folder, or HOST:PORT")
    add("--catalogue", action="store_true", help="print all causes that the doctor knows, and exit")
    return parser


def parse_arguments(parser: Parser, command_line: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of DOCTOR_OPTIONS and of the command line, of which the latter win.

    A wrong one ends the program with a sentence.
    """
    words = list(sys.argv[1:] if command_line is None else command_line)
    if any(word.partition("=")[0] == COOKIE_OPTION for word in words):
        parser.error(f"{COOKIE_OPTION} is a secret, which `ps` would show: set it in the variable {OPTIONS_VARIABLE}")
    try:
        preset = shlex.split(os.environ.get(OPTIONS_VARIABLE, ""))
    except ValueError as error:
        parser.error(f"{OPTIONS_VARIABLE} is not a list of options: {error}")
    return parser.parse_args([*preset, *words])


def format_handshake(*, ws_path: str = "", subprotocol: str = "", origin: str = "", cookie: str = "") -> str:
    """Return the options of a handshake as DOCTOR_OPTIONS has them. An empty field makes no option."""
    fields = {"--ws-path": ws_path, "--subprotocol": subprotocol, "--origin": origin, COOKIE_OPTION: cookie}
    return shlex.join(f"{name}={value}" for name, value in fields.items() if value)


def read_options(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Options:
    """Return the checked options. A wrong one ends the program with exit code 2 and a sentence."""
    parts = urlsplit(arguments.url or "")
    try:
        port = parts.port or 443
    except ValueError:
        port = 0
    if parts.scheme not in ("https", "wss") or not parts.hostname or not port:
        parser.error(f"the URL {arguments.url or ''!r} is not https://NAME[:PORT][/PAGE]")
    ws_path = arguments.ws_path or DEFAULT_WS_PATH
    if not ws_path.startswith("/") or not ws_path.isprintable() or " " in ws_path:
        parser.error(f"--ws-path {ws_path!r} is not a path that begins with a slash")
    for name in ("subprotocol", "origin", "cookie"):
        if not getattr(arguments, name).isprintable():
            parser.error(f"--{name} has characters that no header can have")
    if arguments.timeout <= 0 or min(arguments.hold, arguments.frame) < 0:
        parser.error("--timeout must be above zero, and --hold and --frame not below zero")
    if arguments.ca and not Path(arguments.ca).is_file():
        parser.error(f"--ca {arguments.ca}: there is no such file")
    private_ports = arguments.private_ports.split(",") if arguments.private_ports else []
    if not all(text.isdigit() for text in private_ports):
        parser.error(f"--private-ports {arguments.private_ports!r} is not a list of numbers with commas between them")
    is_folder, port_text = arguments.postgres.startswith("/"), arguments.postgres.rpartition(":")[2]
    if arguments.postgres and not is_folder and not port_text.isdigit():
        parser.error(f"--postgres {arguments.postgres!r} is neither a folder nor HOST:PORT")
    sign_in = read_sign_in(parser, arguments.sign_in)
    return Options(
        host=parts.hostname,
        port=port,
        http_port=arguments.http_port or (80 if port == 443 else None),
        ws_path=ws_path,
        subprotocol=arguments.subprotocol,
        origin=arguments.origin,
        handshake_cookie=arguments.cookie,
        page_path=parts.path or "/",
        addresses=tuple(arguments.address),
        ca_file=arguments.ca,
        trust_any_certificate=arguments.insecure,
        timeout=arguments.timeout,
        hold_seconds=arguments.hold,
        frame_bytes=arguments.frame,
        private_ports=tuple(map(int, private_ports)),
        cookie=sign_in.get(COOKIE_VARIABLE, ""),
        room=sign_in.get(ROOM_VARIABLE, ""),
    )


def read_sign_in(parser: argparse.ArgumentParser, file: str | None) -> dict[str, str]:
    """Return the variables of the sign-in, from the file if there is one, else from the environment."""
    if file is None:
        return accept_former_names(os.environ)
    try:
        lines = Path(file).read_text().splitlines()
    except OSError as error:
        parser.error(f"--sign-in {file}: {error.strerror}")
    return accept_former_names(
        {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    )


def accept_former_names(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the sign-in that are set, and print the name of each that has its former one."""
    found = {}
    for name in SIGN_IN_VARIABLES:
        former = FORMER_PREFIX + name
        if former in variables:
            print(f"doctor: {former} is now {name}; the old name ends with the next release", file=sys.stderr)
            found[name] = variables[former]
        if name in variables:
            found[name] = variables[name]
    return found


def make_host_arguments(arguments: argparse.Namespace) -> list[str]:
    """Return the command line of the doctor on the host.

    The sign-in is not sent there, and the certificate's trust is judged from here alone. The cookie of the handshake is
    not among the arguments: `run_over_ssh` sends it in another way.
    """
    made = [arguments.url, "--host", "--json", "--address", "127.0.0.1"]
    made += shlex.split(
        format_handshake(ws_path=arguments.ws_path, subprotocol=arguments.subprotocol, origin=arguments.origin)
    )
    made += ["--timeout", str(arguments.timeout), "--nginx", arguments.nginx]
    for name, value in (("--redis", arguments.redis), ("--postgres", arguments.postgres)):
        made += [name, value] if value else []
    for file in arguments.log:
        made += ["--log", str(file)]
    return [*made, *(["--insecure"] if arguments.ca or arguments.insecure else [])]
