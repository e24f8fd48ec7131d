"""Log lines that name the request, or the command of a WebSocket, that they belong to.

nginx makes one id for each request (X-Request-ID). It is in nginx's access log, in each log line about the request, in
Sentry and on the error page. A WebSocket keeps the id of its handshake, and calls it its `connection`.

Why no library does this: python-json-logger writes every attribute of a record, among them the request that Django
attaches, so each would have to be excluded by name; here a line has a fixed list of fields. django-guid takes an id
with any shape that Python's UUID reads, and has nothing for WebSockets, so it would replace six lines by a package.
"""

import datetime as dt
import json
import logging
import re
from contextvars import ContextVar
from uuid import uuid4

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
COMMAND_ID: ContextVar[int | str | None] = ContextVar("command", default=None)  # chosen by the client


def begin_request(sent_id: str | None) -> str:
    """Set REQUEST_ID for the current context and return it.

    The id is `sent_id` when it has the form of nginx's ids, 32 hexadecimal digits; else a new one.
    """
    request_id = sent_id if sent_id and re.fullmatch(r"[0-9a-f]{32}", sent_id) else uuid4().hex
    REQUEST_ID.set(request_id)
    return request_id


def drop_traceback(record: logging.LogRecord) -> bool:
    """Reduce a record to its message. A callback for Django's CallbackFilter: returns True to keep the record."""
    record.exc_info = None
    return True


class LoggedError(Exception):
    """An error that is in the log already, with more context than the next program knows. `__cause__` is the error."""


def is_unlogged(record: logging.LogRecord) -> bool:
    """Drop a server's record of a LoggedError. A callback for Django's CallbackFilter: returns True to keep it."""
    return not (record.exc_info and isinstance(record.exc_info[1], LoggedError))


class LineFormatter(logging.Formatter):
    """Formats a record for people: one line, and the traceback below it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """Return level, logger, message and, inside a request, the request's id."""
        line = f"{record.levelname:<7} {record.name}: {record.message}"
        return f"{line} [{REQUEST_ID.get()}]" if REQUEST_ID.get() else line


class JsonFormatter(logging.Formatter):
    """Formats a record for programs: one JSON object on one line, whatever the message contains."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object; fields without a value are left out."""
        fields = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": REQUEST_ID.get(),
            "command": COMMAND_ID.get(),
            "process": record.process,
            "error": self.formatException(record.exc_info) if record.exc_info else None,
            "stack": self.formatStack(record.stack_info) if record.stack_info else None,
        }
        return json.dumps({name: value for name, value in fields.items() if value not in (None, "")})
