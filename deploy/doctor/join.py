"""Two views of one site in one picture: from here, as visitors come, and from the machine itself."""

import io
import shlex
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

from deploy.doctor.catalogue import Hop
from deploy.doctor.report import Found, Passed, Report

HERE = Path(__file__).parent
SECONDS = 60  # for ssh, and the doctor there
# The doctor travels along, so the machine needs Python alone; what it leaves for a moment is one file in /tmp.
THERE = """
umask 077
file=$(mktemp) && trap 'rm -f "$file"' EXIT && cat >"$file" || exit 1
as=
[ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || as='sudo -n'
$as python3 "$file" {words}
"""


class NotSeen(Exception):
    """The machine could not be asked; the text says why."""


def over_ssh(target: str, words: list[str]) -> Report:
    """What the doctor says there; `words` are its own. Raises NotSeen."""
    command = ["ssh", "-o", "ConnectTimeout=10", target, THERE.format(words=shlex.join(words))]
    try:
        done = subprocess.run(command, input=packed(), capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotSeen(f"ssh {target}: {error}") from None
    try:
        return Report.read(done.stdout.decode())
    except ValueError:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
        raise NotSeen(f"ssh {target}: {said[-1]}") from None


def packed() -> bytes:
    """This very doctor as one file that Python runs."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr("__main__.py", "import sys\nfrom deploy.doctor.__main__ import main\nsys.exit(main())\n")
        whole.writestr("deploy/__init__.py", "")
        for file in [HERE.parent / "smoke.py", *sorted(HERE.rglob("*.py"))]:
            whole.write(file, str(Path("deploy", file.relative_to(HERE.parent))))
    return made.getvalue()


def join(here: Report, there: Report) -> Report:
    """The way ends where either of them says so; of two causes for one hop the machine knows the better."""
    known = {one.hop: one for one in there.hops}
    hops = tuple(side_by_side(one, known[one.hop]) if one.hop in known else one for one in here.hops)
    broken = next((one.hop for one in hops if one.broken), None)
    return replace(
        here,
        broken=broken,
        exit_code=next((hop.code for hop in Hop if hop.title == broken), 0),
        seconds=max(here.seconds, there.seconds),
        ours=here.ours and there.ours,
        hops=hops,
        machine=there.machine,
        not_seen=there.not_seen,
    )


def side_by_side(here: Passed, there: Passed) -> Passed:
    note = here.note if here.state == "well" or there.state != "well" else there.note
    return replace(here, there=there.state, note=note, findings=tuple(together(here, there)))


def together(here: Passed, there: Passed) -> list[Found]:
    breaking = [one for one in (there if there.state == "broken" else here).findings if not one.warning]
    warnings = {one.cause: one for one in (*here.findings, *there.findings) if one.warning}
    return [*breaking, *warnings.values()]
