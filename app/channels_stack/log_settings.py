"""The overlay's rule for LOGGING: everything goes to stderr, from where systemd or the container takes it.

A project's own loggers, levels, formats and handlers stay. Its log files become stderr, because its folder is read-only
and nobody would rotate them. Django's default shows no error anywhere while DEBUG is off.
"""

import logging
from typing import Any

from django.utils.module_loading import import_string

from channels_stack import logs
from channels_stack.changes import Changes

LOG_LEVEL = "INFO"
HANDLER = "channels_stack"  # the name of the stack's own handler, and of its formatter
FORMATTERS = {"line": "channels_stack.logs.LineFormatter", "json": "channels_stack.logs.JsonFormatter"}
STREAM_HANDLERS = ("logging.StreamHandler", "rich.logging.RichHandler")
PLACE_HANDLERS = (
    "logging.FileHandler",
    "logging.handlers.RotatingFileHandler",
    "logging.handlers.TimedRotatingFileHandler",
    "logging.handlers.WatchedFileHandler",
    "logging.handlers.SysLogHandler",  # the sandbox of a unit has no /dev/log
)
DEBUG_FILTERS = ("django.utils.log.RequireDebugTrue",)
# By logger. A logger that the project configures itself keeps its configuration.
QUIET_LOGGERS: dict[str, dict[str, Any]] = {
    "django.security.DisallowedHost": {"filters": ["stack_one_line"]},  # scanners would fill the log with tracebacks
    "channels_redis.pubsub": {"filters": ["stack_one_line"]},  # a traceback every second while Redis is away
    "daphne.server": {"level": "WARNING", "filters": ["stack_unlogged"]},
}


def set_logging(changes: Changes, log_format: str) -> None:
    """Send all logs to stderr in the site's format. A project that configures logging itself keeps that."""
    if "LOGGING_CONFIG" in changes.settings and not changes.get("LOGGING_CONFIG"):
        return
    theirs = changes.get("LOGGING") or {}
    theirs_by_name = theirs.get("handlers") or {}
    files = [name for name, handler in theirs_by_name.items() if _needs_a_place(handler)]
    handlers = {
        name: _to_stderr(handler) if name in files else dict(handler) for name, handler in theirs_by_name.items()
    }
    streams = {name for name, handler in handlers.items() if handler.get("class") in STREAM_HANDLERS}
    if log_format == "json":
        for name in streams:
            handlers[name] = {**_to_stderr(handlers[name]), "formatter": HANDLER}
    # A console that is silent while DEBUG is off would be silent for ever.
    silent = {name for name, found in (theirs.get("filters") or {}).items() if found.get("()") in DEBUG_FILTERS}
    for name in streams:
        if filters := handlers[name].get("filters"):
            handlers[name]["filters"] = [found for found in filters if found not in silent]
    loggers = {name: dict(logger) for name, logger in (theirs.get("loggers") or {}).items()}
    root = dict(loggers.pop("", None) or theirs.get("root") or {})
    if not streams & set(root.get("handlers") or ()):
        handlers[HANDLER] = {"class": "logging.StreamHandler", "formatter": HANDLER}
        root["handlers"] = [*(root.get("handlers") or ()), HANDLER]
        root.setdefault("level", LOG_LEVEL)
        for logger in loggers.values():
            if streams & set(logger.get("handlers") or ()):
                logger.setdefault("propagate", False)  # its records would appear twice
    # Django shows warnings of its own on the console only while DEBUG is on; here the root logger has them.
    loggers.setdefault("django", {"handlers": [], "propagate": True})
    loggers.setdefault("gunicorn.error", {"handlers": [], "propagate": True})
    changes.set(
        "LOGGING",
        {
            **theirs,
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {**(theirs.get("formatters") or {}), HANDLER: {"()": FORMATTERS[log_format]}},
            "filters": {
                **(theirs.get("filters") or {}),
                "stack_one_line": {"()": "django.utils.log.CallbackFilter", "callback": logs.drop_traceback},
                "stack_unlogged": {"()": "django.utils.log.CallbackFilter", "callback": logs.is_unlogged},
            },
            "handlers": handlers,
            "root": root,
            "loggers": {**QUIET_LOGGERS, **loggers},
        },
        "Logs go to stderr, where the stack collects them.",
        before=f"{len(theirs_by_name)} handlers" + (f", to files: {', '.join(files)}" if files else ""),
        after="stderr",
    )


def _to_stderr(handler: dict[str, Any]) -> dict[str, Any]:
    """Return a handler's configuration with stderr instead of where it writes to."""
    kept: dict[str, Any] = {name: handler[name] for name in ("level", "formatter", "filters") if name in handler}
    return {"class": "logging.StreamHandler", **kept}


def _needs_a_place(handler: dict[str, Any]) -> bool:
    """Whether a handler writes to a file or a device: its class is known, or derived from FileHandler."""
    if handler.get("class") in PLACE_HANDLERS:
        return True
    if "filename" not in handler:
        return False
    try:
        found = import_string(str(handler.get("class", "")))
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, logging.FileHandler)
