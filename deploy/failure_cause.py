"""The one sentence that says why a program failed, found in what it and systemd have logged."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_CHARACTERS = 400  # of a cause: some exceptions print whole statements
NGINX_ERROR = re.compile(r"\[emerg\](?: \d+#\d+:)? (.+)")
TRACEBACK = "Traceback (most recent call last):"
EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:: .*)?")  # as Python prints it below a traceback: not indented
STEP_SENTENCE = re.compile(r"the release step (\S+) failed: (.*)")  # of deploy/release_steps.py
RELEASE_PREFIX = "release: "  # of each line of deploy/release.py's own
OUTPUT_ABOVE = "; its output is above"
RUNNING = re.compile(r"release: running (?:the step (?P<step>\S+)|(?P<command>.+))")
MIGRATION = re.compile(r"\s*Applying (?P<name>\S+?)\.\.\.(?! OK)")
# What systemd itself did. A process that ends at SIGTERM (15) was stopped, and did not fail.
ENDED_BY_SYSTEMD = re.compile(
    r"OOM killer|timed out|Watchdog timeout|Failed at step|Failed to (?:set up|load)"
    r"|code=(?:killed|dumped), status=(?!15/)"
)


@dataclass(frozen=True)
class LogLine:
    """One line of a unit's log."""

    text: str
    is_of_systemd: bool = False
    """Whether systemd wrote it, and not the unit's own program."""


def find_cause(lines: Sequence[LogLine]) -> str:
    """Return why the program failed, in one line; where its log does not say so, its last line.

    Args:
        lines: what was logged from the start of the program on, oldest first.
    """
    own, of_systemd = _own_lines(lines), [line.text for line in lines if line.is_of_systemd]
    telling = [text for text in of_systemd if ENDED_BY_SYSTEMD.search(text)]
    return shorten(
        next((text.partition(": ")[2] or text for text in reversed(telling)), "")
        or _find_error(own)
        or (own or of_systemd or ["it has logged nothing"])[-1]
    )


def find_error(lines: Sequence[LogLine]) -> str:
    """Return the last error in what a program has logged, in one line; "" where it has logged none."""
    return shorten(_find_error(_own_lines(lines)))


def find_release_cause(lines: Sequence[LogLine]) -> str:
    """Return which step of a release failed, and why, in one line.

    Args:
        lines: what deploy/pre-release and systemd have logged, oldest first.
    """
    own = _own_lines(lines)
    begun = next((match for text in reversed(own) if (match := RUNNING.fullmatch(text))), None)
    for number in reversed(range(len(own))):
        if match := STEP_SENTENCE.fullmatch(own[number]):
            reason = match[2]
            if reason.endswith(OUTPUT_ABOVE):
                reason = _find_error(own[:number]) or reason.removesuffix(OUTPUT_ABOVE)
            return shorten(f"the release step {match[1]} {_describe_place(match[1], own)}: {reason}")
    if begun is None:
        return shorten(f"the release steps did not begin: {find_cause(lines)}")
    cause = find_cause(lines)
    if begun["step"]:
        return shorten(f"the release step {begun['step']} {_describe_place(begun['step'], own)}: {cause}")
    return shorten(f"the command {begun['command']!r} failed: {cause}")


def describe_result(result: Mapping[str, Any]) -> str:
    """Return why a command of a playbook failed: the cause in the first line, where to read more in the lines below.

    Args:
        result: what Ansible registers of a command.
    """
    printed = str(result.get("stderr") or result.get("module_stderr") or result.get("msg") or "")
    lines = printed.splitlines()
    if lines and lines[0].startswith(RELEASE_PREFIX):  # deploy/release.py has found the cause
        return "\n".join([lines[0].removeprefix(RELEASE_PREFIX), *lines[1:]])
    return find_cause([LogLine(line) for line in lines])


def shorten(text: str) -> str:
    """Return the text as one line of at most MAX_CHARACTERS characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_CHARACTERS else f"{line[: MAX_CHARACTERS - 3]}..."


def _own_lines(lines: Sequence[LogLine]) -> list[str]:
    """Return the lines of the program itself that are not empty. A record in JSON becomes the lines of its text."""
    texts = [text for line in lines if not line.is_of_systemd for text in _expand(line.text)]
    return [text for text in texts if text.strip()]


def _expand(text: str) -> list[str]:
    """Return the message and the traceback of a record of channels_stack.logs.JsonFormatter; else the line itself."""
    if not text.startswith("{"):
        return [text]
    try:
        record = json.loads(text)
    except ValueError:
        return [text]
    found = [str(record[key]) for key in ("message", "error") if record.get(key)]
    return "\n".join(found).splitlines() or [text]


def _find_error(own: Sequence[str]) -> str:
    """Return nginx's [emerg] line, or the exception below the last traceback; "" where there is neither."""
    for number in reversed(range(len(own))):
        if match := NGINX_ERROR.search(own[number]):
            return f"nginx: {match[1]}"
        if TRACEBACK in own[number]:
            below = own[number + 1 :]
            return next((text for text in below if EXCEPTION.fullmatch(text)), "")
    return ""


def _describe_place(step: str, own: Sequence[str]) -> str:
    """Return the word "failed", and for the step `migrate` the migration that was being applied."""
    applied = [match for text in own if (match := MIGRATION.match(text))] if step == "migrate" else []
    return f"failed at {applied[-1]['name']}" if applied else "failed"
