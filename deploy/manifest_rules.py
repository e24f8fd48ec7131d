"""What the values of a manifest have to look like: one rule for each field whose type alone does not say it.

A rule gets the value and returns the end of a sentence, such as "must be a port number", or "" for a good value.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from urllib.parse import urlsplit

Rule = Callable[[str], str]

MAX_NAME_LENGTH = 30  # a Linux user has at most 32 characters, systemd accepts 31
MAX_DOMAIN_LENGTH = 253  # RFC 1035
MIN_PORT, MAX_PORT = 1024, 65535
MAX_STOP_SECONDS = 3600
HANDSHAKE_STATUS = 101  # a probe that expects it is a WebSocket handshake
MIN_STATUS, MAX_STATUS = 200, 499  # a release that answers 5xx is broken
PYTHON_VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A site's name is also that of a user, a database, and folders in /etc, /run, /opt, /var/lib and /var/backups.
RESERVED_NAMES = _words("""
    root daemon bin sys sync games man lp mail news uucp proxy backup backups list irc nobody sshd ssh ssl apt cron
    user users lock log sudo adm staff default systemd dbus udev network nginx redis redis-server postgres postgresql
    www-data certbot letsencrypt docker ansible python python3 dpkg misc shm utmp initctl mount local template0
    template1 messagebus nftables
""")
# Units that each site has: a process or a timer of the project needs another name.
UNIT_NAMES = frozenset(
    _words("web ws manage backup restore release doctor redis nginx migrate cleanup report candidate-web candidate-ws")
)
# The stack sets these for every process; a project that changed them would not start.
STACK_VARIABLES = _words("""
    DJANGO_SETTINGS_MODULE SITE_FILE CREDENTIALS_DIRECTORY PATH PYTHONPATH PYTHONHOME HOME USER LOGNAME SHELL
    NOTIFY_SOCKET LISTEN_FDS LISTEN_PID LISTEN_FDNAMES WATCHDOG_USEC LD_PRELOAD LD_LIBRARY_PATH VIRTUAL_ENV
""")

NAME = re.compile(r"[a-z](?:-?[a-z0-9])+")
UNIT_NAME = re.compile(r"[a-z](?:-?[a-z0-9])*")
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
ATTRIBUTE = re.compile(rf"{MODULE.pattern}:{MODULE.pattern}", re.ASCII)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SIZE = re.compile(r"[1-9][0-9]*[kmg]?")
URL_PATH = re.compile(r"/[A-Za-z0-9/._~!&'()*+,=:@%-]*")
URL_PATH_AND_QUERY = re.compile(rf"{URL_PATH.pattern}(?:\?[A-Za-z0-9/._~!&'()*+,=:@%?-]*)?")
REQUIREMENT = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\s*(?:\[[A-Za-z0-9._,\s-]+\])?"
    r"\s*(?:\(?\s*(?:(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+\s*,?\s*)*\)?)?(?:\s*;.+)?"
)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
GIT_ADDRESS = re.compile(r"(?:https?|ssh|git|file)://|[\w.-]+@[\w.-]+:")
SHORTHANDS = _words("minutely hourly daily monthly weekly yearly annually quarterly semiannually")
WEEKDAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"
CALENDAR = re.compile(
    rf"(?:{WEEKDAY}(?:(?:\.\.|,|-){WEEKDAY})*,?(?:\s+|$))?"
    r"(?:(?:[\d*/,.]+-)?[\d*/,.]+[-~][\d*/,.~]+(?:\s+|$))?"
    r"(?:[\d*/,.]+:[\d*/,.]+(?::[\d*/,.]+)?)?(?:\s+(?:UTC|[A-Z][A-Za-z_]+/[A-Za-z_/-]+))?",
    re.IGNORECASE,
)
CRON = re.compile(r"(?:[\d*/,-]+\s+){4}[\w*/,-]+")


def check_name(name: str) -> str:
    """Check the name of the site."""
    if name in RESERVED_NAMES:
        return "is the name of something that Debian already has; choose another"
    if len(name) > MAX_NAME_LENGTH or not NAME.fullmatch(name):
        return f"must have 2 to {MAX_NAME_LENGTH} of a-z, 0-9 and -, beginning with a letter"
    return ""


def check_domain(domain: str) -> str:
    """Check a host name (RFC 1123)."""
    if "://" in domain or "/" in domain:
        return "must be a host name alone, without https:// and without a path"
    if ":" in domain:
        return "must be a host name without a port"
    if domain != domain.lower():
        return f'must be in lower case: "{domain.lower()}"'
    labels = domain.split(".")
    if len(domain) > MAX_DOMAIN_LENGTH or not all(LABEL.fullmatch(label) for label in labels):
        return "must be a host name such as chat.example.org"
    return ""


def is_git_address(source: str) -> bool:
    """Return whether `source` is the address of a git repository, and not a path."""
    return bool(GIT_ADDRESS.match(source)) or source.removesuffix("/").endswith(".git")


def split_commit(source: str) -> tuple[str, str]:
    """Split URL@COMMIT. The commit is "" where none is named; the @ of a user's name is no separator."""
    address, separator, commit = source.rpartition("@")
    if not separator or "/" not in address or ":" in commit:
        return source, ""
    return address, commit


def check_source(source: str) -> str:
    """Check that a git address names the commit. Every other source is a path, which is checked when it is copied."""
    if is_git_address(source):
        if source.startswith(("http://", "git://")):
            return "must be fetched over https:// or ssh, because nothing else proves who sent it"
        if not COMMIT.fullmatch(split_commit(source)[1]):
            return "must name the whole commit, with 40 hexadecimal digits: ADDRESS@COMMIT"
    return ""


def check_relative_path(path: str) -> str:
    """Check a path inside the project."""
    parts = PurePosixPath(path).parts
    if path.startswith(("/", "~")) or ".." in parts or "\\" in path:
        return 'must be a path inside the project, relative and without ".."'
    return ""


def check_module(module: str) -> str:
    """Check the dotted name of a module."""
    if module.endswith(".py") or "/" in module:
        dotted = module.removesuffix(".py").strip("./").replace("/", ".")
        return f'must be the name of a module, not a file: "{dotted}"'
    return "" if MODULE.fullmatch(module) else "must be the name of a module, such as config.settings"


def check_application(name: str) -> str:
    """Check module:attribute."""
    if ATTRIBUTE.fullmatch(name):
        return ""
    module, _, attribute = name.rpartition(".")
    if MODULE.fullmatch(name) and module:
        return f'must have a colon before the attribute: "{module}:{attribute}"'
    return "must be module:attribute, such as config.asgi:application"


def check_python(version: str) -> str:
    """Check the version of Python."""
    return "" if version in PYTHON_VERSIONS else f"must be one of {', '.join(PYTHON_VERSIONS)}"


def check_requirement(requirement: str) -> str:
    """Check a requirement (PEP 508) that names a package of the index."""
    if REQUIREMENT.fullmatch(requirement.strip()):
        return ""
    return 'must be a requirement such as "celery>=5.4", not an option or an address'


def check_date(date: str) -> str:
    """Check a day of the calendar (ISO 8601)."""
    try:
        dt.date.fromisoformat(date)
    except ValueError:
        return "must be a day such as 2024-05-01"
    return "" if DATE.fullmatch(date) else "must be a day such as 2024-05-01"


def check_variable_name(name: str) -> str:
    """Check the name of an environment variable that the project reads."""
    if name in STACK_VARIABLES:
        return "is set by the stack for every process"
    return "" if VARIABLE.fullmatch(name) else "must be the name of an environment variable"


def check_variable_value(value: str) -> str:
    """Check the value of an environment variable: systemd reads it from a line of a file."""
    return "must be a single line" if re.search(r"[\x00-\x08\n\r]", value) else ""


def check_upload_size(size: str) -> str:
    """Check a size as nginx writes it, in bytes, kibibytes, mebibytes or gibibytes."""
    if SIZE.fullmatch(size):
        return ""
    plain = size.lower().replace("ib", "").removesuffix("b").replace(" ", "")
    if SIZE.fullmatch(plain):
        return f'must be written as nginx does, "{plain}"'
    return 'must be a size such as "10m", "500k" or "1g"'


def check_path(path: str) -> str:
    """Check the path of an address."""
    if not path.startswith("/"):
        return f'must begin with "/"{_suggest_path(path)}'
    return "" if URL_PATH.fullmatch(path) else "must be a path without query, fragment, spaces or patterns"


def check_path_and_query(path: str) -> str:
    """Check the path of an address, which may have a query."""
    if not path.startswith("/"):
        return f'must begin with "/"{_suggest_path(path)}'
    return "" if URL_PATH_AND_QUERY.fullmatch(path) else "must be a path, with or without a query"


def _suggest_path(path: str) -> str:
    address = urlsplit(path)
    if address.scheme and address.path:
        return f': "{address.path}"'
    return f': "/{path}"' if URL_PATH.fullmatch(f"/{path}") else ""


def check_port(port: int) -> str:
    """Check an extra port on which nginx listens."""
    if port in {80, 443}:
        return "must not be 80 or 443: the site always listens there"
    return "" if MIN_PORT <= port <= MAX_PORT else f"must be a port number from {MIN_PORT} to {MAX_PORT}"


def check_stop_seconds(seconds: int) -> str:
    """Check how long a process may take to stop."""
    return "" if 1 <= seconds <= MAX_STOP_SECONDS else f"must be a number of seconds from 1 to {MAX_STOP_SECONDS}"


def check_status(status: int) -> str:
    """Check the status that a probe expects."""
    if status == HANDSHAKE_STATUS or MIN_STATUS <= status <= MAX_STATUS:
        return ""
    return f"must be {HANDSHAKE_STATUS} or a status from {MIN_STATUS} to {MAX_STATUS}"


def check_unit_name(name: str) -> str:
    """Check the name of a process or a timer, which becomes the unit SITE-NAME."""
    if name in UNIT_NAMES:
        return "is the name of a unit that every site has; choose another"
    if len(name) > MAX_NAME_LENGTH or not UNIT_NAME.fullmatch(name):
        return f"must have at most {MAX_NAME_LENGTH} of a-z, 0-9 and -, beginning with a letter"
    return ""


def check_command(command: str) -> str:
    """Check a command."""
    if not command.strip():
        return "must be a command"
    return "must be a single line" if "\n" in command else ""


def check_calendar(calendar: str) -> str:
    """Check the shape of a calendar event (systemd.time(7)). `systemd-analyze calendar` knows all of the rules."""
    text = calendar.strip()
    if text.lower() in SHORTHANDS or (text and CALENDAR.fullmatch(text)):
        return ""
    if CRON.fullmatch(text):
        return 'must be a calendar event of systemd, not of cron, such as "*-*-* 03:00" or "*:0/5"'
    return 'must be a calendar event of systemd, such as "daily" or "*-*-* 03:00"'


def check_subprotocol(name: str) -> str:
    """Check the name of a WebSocket subprotocol (RFC 6455, 4.1)."""
    return "" if TOKEN.fullmatch(name) else "must be the name of a subprotocol, without spaces"


def check_origin(origin: str) -> str:
    """Check an origin (RFC 6454)."""
    address = urlsplit(origin)
    if address.scheme in {"http", "https"} and address.netloc and not (address.path or address.query):
        return ""
    return "must be an origin such as https://chat.example.org, without a path"


def check_cookie(cookie: str) -> str:
    """Check the value of the header Cookie."""
    return "" if "=" in cookie and cookie.isprintable() else 'must be "NAME=VALUE"'


def check_message(message: str) -> str:
    """Check the message of the load test, which has to tell its messages apart."""
    return "" if "{text}" in message else 'must contain "{text}", the place for the text of each message'


RULES: Mapping[str, Rule] = {
    "name": check_name,
    "domain": check_domain,
    "source": check_source,
    "root": check_relative_path,
    "settings": check_module,
    "asgi": check_application,
    "wsgi": check_application,
    "python": check_python,
    "requirements[]": check_relative_path,
    "packages[]": check_requirement,
    "exclude_newer": check_date,
    "env.*": check_variable_name,
    "variables.*": check_variable_value,
    "secrets[]": check_variable_name,
    "upload_size": check_upload_size,
    "websocket[]": check_path,
    "asgi_http[]": check_path,
    "probe": check_path_and_query,
    "probes[].path": check_path_and_query,
    "home": check_path_and_query,
    "processes.*.run": check_command,
    "processes.*.folder": check_relative_path,
    "timers.*.run": check_command,
    "timers.*.calendar": check_calendar,
    "timers.*.folder": check_relative_path,
    "build[].run": check_command,
    "build[].folder": check_relative_path,
    "release[].run": check_command,
    "release[].folder": check_relative_path,
    "doctor.subprotocol": check_subprotocol,
    "doctor.origin": check_origin,
    "doctor.cookie": check_cookie,
    "load.path": check_path_and_query,
    "load.message": check_message,
}
"""Field -> its rule. "[]" is any element of an array, "*" any key of a table. A rule never gets an empty string."""

NUMBER_RULES: Mapping[str, Callable[[int], str]] = {
    "probes[].status": check_status,
    "ports[]": check_port,
    "processes.*.stop_seconds": check_stop_seconds,
}

KEY_RULES: Mapping[str, Rule] = {
    "processes": check_unit_name,
    "timers": check_unit_name,
    "variables": check_variable_name,
}
"""Table with names of the project -> the rule for those names."""
