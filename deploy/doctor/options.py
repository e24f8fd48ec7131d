"""The command line. What is secret comes from the environment or a file, never from here, where `ps` shows it."""

import argparse
import os
from pathlib import Path
from urllib.parse import urlsplit

from deploy.doctor.seen import Asked

HELP = """Which hop loses the WebSocket? Walks from the name to the close frame, and names the cause and its cure.

  python -m deploy.doctor https://chat.example.com                 from anywhere
  python -m deploy.doctor https://chat.example.com --host          on the machine, as root: reads much more
  python -m deploy.doctor https://chat.example.com --ssh you@host  both, in one picture
  python -m deploy.doctor https://other.example/page/ --ws-path /socket/   any Channels site, or any other

Signed in, when PARLEY_DOCTOR_COOKIE (as in sessionid=...) and PARLEY_DOCTOR_ROOM (a room of that account) are in the
environment or in the file of --sign-in. It reads and never writes; deploy/README.md lists its exit codes.
"""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("python -m deploy.doctor", None, HELP, formatter_class=argparse.RawTextHelpFormatter)
    made.add_argument("url", nargs="?", help="https://NAME[:PORT][/PAGE]; the page's scripts are read")
    made.add_argument("--ws-path", default="/ws/", metavar="PATH", help="where the sockets are (/ws/)")
    made.add_argument("--hold", type=float, default=0, metavar="SECONDS", help="keep a socket silent for so long")
    made.add_argument("--frame", type=int, default=0, metavar="BYTES", help="does a message of this size get through?")
    made.add_argument("--host", action="store_true", help="this is the machine: look inside as well")
    made.add_argument("--ssh", metavar="USER@HOST", help="the site's machine: look there as well, in one picture")
    made.add_argument("--joined", metavar="FILE", help="the same, with what --host --json has said there (-: stdin)")
    made.add_argument("--json", action="store_true", help="for programs")
    made.add_argument("--ca", metavar="FILE", help="certificates to trust instead of the system's")
    made.add_argument("--insecure", action="store_true", help="trust any certificate")
    made.add_argument(
        "--address", action="append", default=[], help="instead of what the name leads to; may be repeated"
    )
    made.add_argument("--http-port", type=int, metavar="PORT", help="of plain http (80 when https is 443)")
    made.add_argument("--patience", type=float, default=5, metavar="SECONDS", help="for each answer (5)")
    made.add_argument("--sign-in", metavar="FILE", help="lines PARLEY_DOCTOR_COOKIE=..., PARLEY_DOCTOR_ROOM=...")
    made.add_argument("--private-ports", default="6379,5432", metavar="PORTS", help="that must not answer in public")
    made.add_argument("--nginx", default="nginx", metavar="COMMAND", help="with --host: how nginx is called")
    made.add_argument("--log", action="append", default=[], type=Path, metavar="FILE", help="with --host: read it, too")
    made.add_argument(
        "--redis", default="", metavar="URL", help="with --host: else REDIS_URL; with a password only there"
    )
    made.add_argument("--postgres", default="", metavar="WHERE", help="with --host: folder of its socket, or HOST:PORT")
    made.add_argument("--catalogue", action="store_true", help="print every cause that it knows, and end")
    return made


def asked(made: argparse.ArgumentParser, options: argparse.Namespace) -> Asked:
    """Ends the program with a sentence when something cannot be used."""
    parts = urlsplit(options.url or "")
    try:
        port = parts.port or 443
    except ValueError:
        port = 0
    if parts.scheme not in ("https", "wss") or not parts.hostname or not port:
        made.error(f"{options.url or 'nothing'!r} is not https://NAME[:PORT]")
    if not options.ws_path.startswith("/") or not options.ws_path.isprintable() or " " in options.ws_path:
        made.error(f"--ws-path {options.ws_path!r} must begin with a slash and be a path")
    if options.patience <= 0 or min(options.hold, options.frame) < 0:
        made.error("--patience, --hold and --frame are numbers above zero")
    if options.ca and not Path(options.ca).is_file():
        made.error(f"--ca {options.ca} is no file")
    ports = options.private_ports.split(",") if options.private_ports else []
    if not all(one.isdigit() for one in ports):
        made.error(f"--private-ports {options.private_ports!r} must be numbers with commas")
    signed = sign_in(made, options.sign_in)
    return Asked(
        host=parts.hostname,
        port=port,
        http_port=options.http_port or (80 if port == 443 else None),
        ws_path=options.ws_path,
        page=parts.path or "/",
        addresses=tuple(options.address),
        ca=options.ca,
        insecure=options.insecure,
        patience=options.patience,
        hold=options.hold,
        frame=options.frame,
        private_ports=tuple(map(int, ports)),
        cookie=signed.get("PARLEY_DOCTOR_COOKIE", ""),
        room=signed.get("PARLEY_DOCTOR_ROOM", ""),
    )


def sign_in(made: argparse.ArgumentParser, file: str | None) -> dict[str, str]:
    if file is None:
        return {name: os.environ.get(name, "") for name in ("PARLEY_DOCTOR_COOKIE", "PARLEY_DOCTOR_ROOM")}
    try:
        lines = Path(file).read_text().splitlines()
    except OSError as error:
        made.error(f"--sign-in {file}: {error.strerror}")
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}


def over_there(options: argparse.Namespace) -> list[str]:
    """The words for the doctor on the machine. No sign-in goes along; whom to trust is judged from here."""
    words = [options.url, "--host", "--json", "--address", "127.0.0.1", "--ws-path", options.ws_path]
    words += ["--patience", str(options.patience), "--nginx", options.nginx]
    for name, value in (("--redis", options.redis), ("--postgres", options.postgres)):
        words += [name, value] if value else []
    for file in options.log:
        words += ["--log", str(file)]
    return [*words, *(["--insecure"] if options.ca or options.insecure else [])]
