"""Asks Redis and PostgreSQL in their own protocols: a few bytes that need no driver, and for PostgreSQL no password."""

import re
import socket
import struct
from urllib.parse import unquote, urlsplit

from deploy.doctor.http_client import classify_error
from deploy.doctor.observations import HostObservations

REDIS_PORT = 6379
POSTGRES_PORT = 5432
POSTGRES_PROTOCOL_VERSION = 196608  # 3.0: "Message Formats" of PostgreSQL's documentation, StartupMessage
READ_BYTES = 65536


def ask_redis(host: HostObservations, url: str, timeout: float) -> None:
    """Observe the answers to PING and INFO. The password of the URL is sent to Redis and appears in no report."""
    if not url:
        host.not_inspected.append("Redis: there is no REDIS_URL in the environment; name it with --redis")
        return
    parts = urlsplit(url)
    try:
        where = parts.path if parts.scheme == "unix" else (parts.hostname or "localhost", parts.port or REDIS_PORT)
        with connect(where, timeout) as connected:
            if parts.password:
                send_redis_command(connected, "AUTH", unquote(parts.username or "default"), unquote(parts.password))
            answer = send_redis_command(connected, "PING")
            if answer != "PONG":
                host.redis_error = answer
                return
            text = send_redis_command(connected, "INFO", "server")
            host.redis_info = dict(re.findall(r"^(\w+):(.*?)\r?$", text, re.MULTILINE))
            host.redis_info["BZPOPMIN"] = send_redis_command(connected, "COMMAND", "INFO", "BZPOPMIN")
    except (OSError, ValueError) as error:
        host.redis_error = classify_error(error)


def connect(where: str | tuple[str, int], timeout: float) -> socket.socket:
    """Return a connection to the path of a unix socket, or to a name and a port. Raises OSError."""
    if isinstance(where, tuple):
        return socket.create_connection(where, timeout=timeout)
    connected = socket.socket(socket.AF_UNIX)
    connected.settimeout(timeout)
    connected.connect(where)
    return connected


def send_redis_command(connected: socket.socket, *parts: str) -> str:
    """Send one command of the Redis protocol (RESP 2) and return the answer.

    Raises:
        OSError: the connection failed.
        ValueError: the answer is not of the Redis protocol.
    """
    encoded = [part.encode() for part in parts]
    bulk = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in encoded)
    connected.sendall(b"*%d\r\n" % len(encoded) + bulk)
    data = connected.recv(READ_BYTES)
    if not data:
        raise ConnectionResetError
    head, _, rest = data.partition(b"\r\n")
    if head[:1] in b"+-":
        return head[1:].decode()
    if head[:1] == b"$" and head != b"$-1":
        size = int(head[1:]) + 2
        while len(rest) < size and (data := connected.recv(READ_BYTES)):
            rest += data
        return rest[: size - 2].decode(errors="replace")
    return (head + b" " + rest).decode(errors="replace")  # an array: the raw text


def ask_postgres(host: HostObservations, where: str, timeout: float) -> None:
    """Observe the answer to the first message of a sign-in, with a user that does not exist.

    A server that works asks for a password or refuses the user; one without a free connection says so.

    Args:
        host: gets the answer.
        where: the folder of PostgreSQL's socket, or HOST:PORT; empty: it is not asked.
        timeout: seconds for each step.
    """
    if not where:
        return
    name, _, port = where.rpartition(":")
    address: str | tuple[str, int]
    if where.startswith("/"):
        address = f"{name or where}/.s.PGSQL.{port if name else POSTGRES_PORT}"
    else:
        address = (name, int(port))
    body = struct.pack("!I", POSTGRES_PROTOCOL_VERSION) + b"user\0stack-doctor\0database\0postgres\0\0"
    try:
        with connect(address, timeout) as connected:
            connected.sendall(struct.pack("!I", len(body) + 4) + body)
            answer = connected.recv(4096)
    except OSError as error:
        host.postgres = f"no answer: {classify_error(error)}"
        return
    fields = {part[:1]: part[1:].decode(errors="replace") for part in answer[5:].split(b"\0") if part}
    host.postgres = fields.get(b"M", "refused") if answer[:1] == b"E" else "answers"
