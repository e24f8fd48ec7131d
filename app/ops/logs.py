"""Log lines that say to which request they belong, or to which command of which socket.

nginx makes one id for each request (X-Request-ID). It is in nginx's access log, in every line of ours about the
request, in Sentry and on the error page; a socket keeps that of its handshake for life, as its `connection`.
"""

import datetime as dt
import json
import logging
import re
from contextvars import ContextVar
from uuid import uuid4

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
COMMAND_ID: ContextVar[int | str | None] = ContextVar("command", default=None)  # its id, as the client chose it


def begin_request(sent: str | None) -> str:
    """From now on everything is about this request: the id that nginx sent along, or a new one without nginx."""
    request_id = sent if sent and re.fullmatch(r"[0-9a-f]{32}", sent) else uuid4().hex
    REQUEST_ID.set(request_id)
    return request_id


class Lines(logging.Formatter):
    """For people: a line, and the traceback below it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        line = f"{record.levelname:<7} {record.name}: {record.message}"
        return f"{line} [{REQUEST_ID.get()}]" if REQUEST_ID.get() else line


class Json(logging.Formatter):
    """For programs: one object a line, whatever is in the message."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
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
        return json.dumps({name: value for name, value in said.items() if value not in (None, "")})
