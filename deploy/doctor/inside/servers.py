"""Redis and PostgreSQL, asked in their own protocols by hand: a few bytes that need no driver and no password."""

import re
import socket
import struct
from urllib.parse import unquote, urlsplit

from deploy.doctor.inside.seen import Inside
from deploy.doctor.wire import error_word


def redis(inside: Inside, url: str, patience: float) -> None:
    """PING, then INFO. The URL's password is sent to Redis and shown to nobody."""
    if not url:
        inside.notes.append("Redis: no REDIS_URL in the environment; name it with --redis")
        return
    parts = urlsplit(url)
    try:
        where = parts.path if parts.scheme == "unix" else (parts.hostname or "localhost", parts.port or 6379)
        with connect(where, patience) as line:
            if parts.password:
                command(line, "AUTH", unquote(parts.username or "default"), unquote(parts.password))
            answer = command(line, "PING")
            if answer != "PONG":
                inside.redis_error = answer
                return
            text = command(line, "INFO", "server")
            inside.redis = dict(re.findall(r"^(\w+):(.*?)\r?$", text, re.MULTILINE))
            inside.redis["BZPOPMIN"] = command(line, "COMMAND", "INFO", "BZPOPMIN")
    except (OSError, ValueError) as error:
        inside.redis_error = error_word(error)


def connect(where: str | tuple[str, int], patience: float) -> socket.socket:
    if isinstance(where, tuple):
        return socket.create_connection(where, timeout=patience)
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(patience)
    line.connect(where)
    return line


def command(line: socket.socket, *words: str) -> str:
    """One command; of an answer in several parts the raw text."""
    line.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words))
    data = line.recv(65536)
    if not data:
        raise ConnectionResetError
    head, _, rest = data.partition(b"\r\n")
    if head[:1] in b"+-":
        return head[1:].decode()
    if head[:1] == b"$" and head != b"$-1":
        size = int(head[1:]) + 2
        while len(rest) < size and (data := line.recv(65536)):
            rest += data
        return rest[: size - 2].decode(errors="replace")
    return (head + b" " + rest).decode(errors="replace")


def postgres(inside: Inside, where: str, patience: float) -> None:
    """Begin to sign in as nobody: a server that is well asks for a password or refuses that name; a full one says so.

    `where` is a folder with its socket, or host:port.
    """
    if not where:
        return
    host, _, port = where.rpartition(":")
    address = f"{where}/.s.PGSQL.5432" if where.startswith("/") and not host else (host, int(port))
    if isinstance(address, tuple) and address[0].startswith("/"):
        address = f"{address[0]}/.s.PGSQL.{address[1]}"
    body = struct.pack("!I", 196608) + b"user\0parley-doctor\0database\0postgres\0\0"
    try:
        with connect(address, patience) as line:
            line.sendall(struct.pack("!I", len(body) + 4) + body)
            answer = line.recv(4096)
    except OSError as error:
        inside.postgres = f"no answer: {error_word(error)}"
        return
    fields = {part[:1]: part[1:].decode(errors="replace") for part in answer[5:].split(b"\0") if part}
    inside.postgres = fields.get(b"M", "refused") if answer[:1] == b"E" else "answers"
