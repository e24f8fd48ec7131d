"""What the operator reads: the hops one below the other, then what is broken, why we say so, and the cure."""

import json
import re
import textwrap
from dataclasses import dataclass

from deploy.doctor.catalogue import Finding, Hop
from deploy.doctor.walk import Step, Walk

SECRETS = re.compile(
    r"(?i)(://[^:/@\s]*:)[^@\s]+(@)"
    r"|((?:sessionid|csrftoken|token|password|authorization|secret_key|cookie)[\"']?\s*[=:]\s*[\"']?(?:bearer\s+)?)[^\s\"';,&]+"
)
WHO = {
    Hop.NAME: "network",
    Hop.TCP: "network",
    Hop.TLS: "nginx",
    Hop.REDIRECT: "nginx",
    Hop.HTTP: "gunicorn",
    Hop.SENTINEL: "nginx → daphne",
    Hop.WEBSOCKET: "daphne",
    Hop.CHANNELS: "application",
    Hop.LAYER: "Redis",
    Hop.CHAT: "chat",
    Hop.HOLD: "the whole way",
    Hop.CLOSE: "the whole way",
}
MARKS = {"well": ("●", "32"), "broken": ("✗", "1;31"), "unknown": ("○", "33"), "unreached": ("·", "2")}


@dataclass(frozen=True)
class Pen:
    """Writes into a terminal of this width, with colours or without; `secrets` are blotted out."""

    colour: bool
    width: int
    secrets: tuple[str, ...] = ()

    def paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def clean(self, text: str) -> str:
        """No secret, and nothing that a terminal would obey."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        text = SECRETS.sub(lambda match: f"{match[1] or match[3]}***{match[2] or ''}", text)
        return "".join(letter if letter.isprintable() else " " for letter in text)


def draw(walk: Walk, pen: Pen) -> str:
    asked = walk.seen.asked
    lines = ["", pen.paint(f"  wss://{walk_name(walk)}{asked.ws_path}", "1"), ""]
    lines += [line_of(step, pen) for step in walk.steps]
    lines.append("")
    for step in walk.steps:
        for found in sorted(step.findings, key=lambda one: one.row.warning):
            lines += explained(found, pen)
    if walk.seen.inside:
        lines += compared(walk, pen)
    lines += verdict(walk, pen)
    return "\n".join(lines)


def walk_name(walk: Walk) -> str:
    asked = walk.seen.asked
    return asked.host if asked.port == 443 else f"{asked.host}:{asked.port}"


def line_of(step: Step, pen: Pen) -> str:
    mark, colour = MARKS[step.state]
    warned = step.state == "well" and any(found.row.warning for found in step.findings)
    if warned:
        mark, colour = "▲", "33"
    title = step.hop.title.ljust(11)
    if step.state == "broken":
        note = next(found.row.cause for found in step.findings if not found.row.warning)
    else:
        note = step.note
    room = pen.width - 18
    note = pen.clean(note)
    note = note if len(note) <= room else note[: room - 1] + "…"
    strong = {"broken": "1;31", "well": "", "unknown": "2", "unreached": "2"}[step.state]
    words = f"{title}  {note}".rstrip()
    return f"   {pen.paint(mark, colour)} {pen.paint(words, strong) if strong else words}"


def explained(found: Finding, pen: Pen) -> list[str]:
    one = found.row
    title = "WARNING" if one.warning else "BROKEN"
    head = f"{title}  {one.hop.title} ({WHO[one.hop]})"
    lines = [f"  {pen.paint(head, '1;33' if one.warning else '1;31')}"]
    lines += paragraph("", one.cause, pen, bold=True)
    lines += paragraph("seen", found.evidence.text, pen)
    if found.evidence.where:
        lines += paragraph("where", found.evidence.where, pen)
    lines += paragraph("fix", one.fix, pen)
    return [*lines, ""]


def paragraph(title: str, text: str, pen: Pen, *, bold: bool = False) -> list[str]:
    wrapped = textwrap.wrap(pen.clean(text), max(30, pen.width - 12), break_on_hyphens=False) or [""]
    if not title:
        return [f"  {pen.paint(line, '1') if bold else line}" for line in wrapped]
    heads = [pen.paint(title.ljust(6), "2"), *[" " * 6] * (len(wrapped) - 1)]
    return [f"    {head} {line}" for head, line in zip(heads, wrapped, strict=True)]


def compared(walk: Walk, pen: Pen) -> list[str]:
    """The same handshake at each hop of the machine: the first that is no 101 is to blame."""
    inside = walk.seen.inside
    assert inside
    replies = {"through the name": walk.seen.handshake, "127.0.0.1": inside.local, **inside.direct}
    lines = [f"  {pen.paint('ON THE MACHINE', '1')}"]
    for name, reply in replies.items():
        if reply is not None:
            lines.append(f"    handshake, {pen.clean(name)}: {pen.clean(str(reply))}")
    facts = [f"{name} {version}" for name, version in inside.versions.items()]
    if inside.redis:
        facts.append(f"Redis {inside.redis.get('redis_version', '?')}")
    if inside.postgres:
        facts.append(f"PostgreSQL {inside.postgres}")
    facts += [f"process {one.pid}: {one.files} of {one.files_limit} files" for one in inside.processes.values()]
    if inside.clock:
        facts.append("clock kept by NTP" if inside.clock == "yes" else "clock not kept by NTP")
    lines += [f"    {line}" for line in textwrap.wrap(pen.clean(", ".join(facts)), pen.width - 6)]
    lines += [f"    {pen.paint('not seen: ' + pen.clean(note), '2')}" for note in inside.notes]
    return [*lines, ""]


def verdict(walk: Walk, pen: Pen) -> list[str]:
    took = f"{walk.seconds:.1f} s"
    if walk.broken:
        return [
            pen.paint(f"  The WebSocket is lost at {walk.broken.hop.title}. Exit code {walk.code}, {took}", "1;31"),
            "",
        ]
    gaps = [step.hop.title for step in walk.steps if step.state == "unknown"]
    asked = f"; not known: {', '.join(gaps)}" if gaps else ""
    return [pen.paint(f"  The WebSocket arrives{asked}. {took}", "1;32"), ""]


def as_json(walk: Walk, pen: Pen) -> str:
    """One object; names of hops and causes are the same in every release."""

    def told(found: Finding) -> dict[str, object]:
        return {
            "cause": found.row.name,
            "catalogue": found.row.number,
            "warning": found.row.warning,
            "sentence": found.row.cause,
            "seen": pen.clean(found.evidence.text),
            "where": found.evidence.where,
            "fix": found.row.fix,
        }

    days = [tls.days for tls in walk.seen.tls.values() if tls.days is not None]
    return json.dumps(
        {
            "url": f"https://{walk_name(walk)}",
            "ws_path": walk.seen.asked.ws_path,
            "broken": walk.broken.hop.title if walk.broken else None,
            "exit_code": walk.code,
            "seconds": round(walk.seconds, 2),
            "certificate_days": round(min(days), 1) if days else None,
            "hops": [
                {
                    "hop": step.hop.title,
                    "state": step.state,
                    "note": pen.clean(step.note),
                    "findings": [told(found) for found in step.findings],
                }
                for step in walk.steps
            ],
            "not_seen": [pen.clean(note) for note in walk.seen.inside.notes] if walk.seen.inside else [],
        },
        indent=2,
        ensure_ascii=False,
    )
