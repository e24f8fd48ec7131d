"""When a release fails, the operator reads the cause in one line, and where the whole log is."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from deploy import processes, release
from deploy.failure_cause import LogLine, describe_result, find_cause, find_error, find_release_cause
from deploy.journal import JournalMark, mark_journal, read_journal
from tests.host.sites import REPO

UNIT = "parley-release@v2.service"
TRACEBACK = """\
Traceback (most recent call last):
  File "/opt/parley/releases/v2/app/chat/models.py", line 3, in <module>
    import mooring
ModuleNotFoundError: No module named 'mooring'
"""
CHAINED = f"""\
{TRACEBACK}
During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/opt/parley/releases/v2/app/manage.py", line 9, in <module>
    main()
    ~~~~^^
django.core.exceptions.ImproperlyConfigured: no mooring
"""
# The journal as a file: one JSON object a line, as journalctl prints it. The cursor is the number of lines.
JOURNALCTL = """\
#!{python}
import json, os, sys
options = dict(word.lstrip("-").partition("=")[::2] for word in sys.argv[1:])
entries = open({journal!r}).read().splitlines()
if "show-cursor" in options:
    if entries:
        print(json.loads(entries[-1])["MESSAGE"])
        print(f"-- cursor: {{len(entries)}}")
elif "unit" in options:
    for number, entry in enumerate(map(json.loads, entries), 1):
        if entry["unit"] == options["unit"] and number >= int(options.get("cursor") or 0):
            print(json.dumps({{**entry, "__CURSOR": str(number)}}))
"""
# Every start fails, and logs what is in the file.
SYSTEMCTL = """\
#!/bin/sh
case $1 in
    start | restart) cat {logged} >>{journal}; exit 1 ;;
esac
"""


def entry(text: str, unit: str = UNIT, **fields: str) -> str:
    return json.dumps({"MESSAGE": text, "unit": unit, "SYSLOG_IDENTIFIER": "pre-release", **fields})


class Journal:
    """A journal, and units whose start fails."""

    def __init__(self, folder: Path) -> None:
        self.file, self.logged = folder / "journal", folder / "logged"
        for file in (self.file, self.logged):
            file.touch()
        programs = {
            "journalctl": JOURNALCTL.format(python=sys.executable, journal=str(self.file)),
            "systemctl": SYSTEMCTL.format(logged=self.logged, journal=self.file),
        }
        for name, text in programs.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    def add(self, text: str, **fields: str) -> None:
        """Let the journal have this already."""
        with self.file.open("a") as opened:
            opened.writelines(f"{entry(line, **fields)}\n" for line in text.splitlines())

    def will_log(self, text: str, unit: str = UNIT) -> None:
        """Let the unit log this when it starts, and systemd its end."""
        lines = [entry(line, unit) for line in text.splitlines()]
        ended = f"{unit}: Main process exited, code=exited, status=1/FAILURE"
        lines.append(entry(ended, unit, SYSLOG_IDENTIFIER="systemd"))
        self.logged.write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    made = Journal(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return made


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host that serves v1 and has v2; `release.py deploy v2` is the command line."""
    monkeypatch.setattr(release, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(release, "RELEASES", tmp_path / "releases")
    monkeypatch.setattr(release, "CURRENT", tmp_path / "current")
    monkeypatch.setattr(release.read_version, "__defaults__", (tmp_path / "current",))
    monkeypatch.setattr(release, "PREVIOUS", tmp_path / "previous")
    monkeypatch.setattr(release, "MANIFEST", tmp_path / "staticfiles.json")
    for version in ("v1", "v2"):
        (tmp_path / "releases" / version).mkdir(parents=True)
        (tmp_path / "releases" / version / ".complete").touch()
    (tmp_path / "current").symlink_to("releases/v1")
    monkeypatch.setattr(sys, "argv", ["release.py", "deploy", "v2"])
    return tmp_path


# --- the cause in a log


def log(text: str, *of_systemd: str) -> list[LogLine]:
    return [LogLine(line) for line in text.splitlines()] + [LogLine(line, is_of_systemd=True) for line in of_systemd]


NO_MODULE = "ModuleNotFoundError: No module named 'mooring'"
OOM = "A process of this unit has been killed by the OOM killer."
ENDED = f"{UNIT}: Failed with result 'exit-code'."
REFUSED = 'unknown directive "lisen" in /etc/nginx/x.conf:4'
INTERRUPTED = 'starting\nTraceback (most recent call last):\n  File "a", line 1\nKeyboardInterrupt\nbye'


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (log(TRACEBACK), NO_MODULE),
        (log(CHAINED), "django.core.exceptions.ImproperlyConfigured: no mooring"),
        (log(f"{TRACEBACK}[2026-11-30] [7] [ERROR] Reason: Worker failed to boot."), NO_MODULE),
        (log(INTERRUPTED), "KeyboardInterrupt"),
        (log(json.dumps({"level": "ERROR", "message": "it failed", "error": TRACEBACK})), NO_MODULE),
        (log(f"nginx: [emerg] {REFUSED}\nnginx: configuration file test failed"), f"nginx: {REFUSED}"),
        (log("2026/11/30 07:00:00 [emerg] 12#12: bind() to 0.0.0.0:80 failed"), "nginx: bind() to 0.0.0.0:80 failed"),
        (log("counting\ncannot open mooring.db", ENDED), "cannot open mooring.db"),
        (log("counting", f"{UNIT}: start operation timed out."), "start operation timed out."),
        (log("counting", f"{UNIT}: {OOM}", "Failed to start x."), OOM),
        (log(TRACEBACK, f"{UNIT}: Main process exited, code=killed, status=15/TERM"), NO_MODULE),
        (log("", ENDED), ENDED),
        ([], "it has logged nothing"),
    ],
)
def test_the_cause_is_the_line_that_says_what_happened(lines: list[LogLine], cause: str) -> None:
    assert find_cause(lines) == cause


STEP = "release: running the step"
MIGRATING = f"{STEP} migrate\n  Applying chat.0008_a... OK\n  Applying chat.0009_b...\n"


@pytest.mark.parametrize(
    ("printed", "cause"),
    [
        (
            f"{STEP} check_migrations\nthe release step check_migrations failed: chat.0009: no default\nchat.0010: x",
            "the release step check_migrations failed: chat.0009: no default",
        ),
        (
            f"{STEP} import_servers\n{TRACEBACK}"
            "the release step import_servers failed: 'gunicorn' ended with exit code 1; its output is above",
            f"the release step import_servers failed: {NO_MODULE}",
        ),
        (
            f"{MIGRATING}{TRACEBACK}the release step migrate failed: the database x cannot be used: division by zero",
            "the release step migrate failed at chat.0009_b: the database x cannot be used: division by zero",
        ),
        (
            f"{STEP} collect_static_files\n{CHAINED}",
            "the release step collect_static_files failed: django.core.exceptions.ImproperlyConfigured: no mooring",
        ),
        (
            f"{STEP} migrate\nrelease: running npm run index\nindexing\nError: no disk",
            "the command 'npm run index' failed: Error: no disk",
        ),
        ("/opt/v2/.venv/bin/python: not found", "the release steps did not begin: /opt/v2/.venv/bin/python: not found"),
    ],
)
def test_the_cause_of_a_release_begins_with_the_step(printed: str, cause: str) -> None:
    assert find_release_cause(log(printed)) == cause


def test_a_log_without_an_error_is_no_cause_of_a_service_that_runs() -> None:
    assert find_error(log("GET / 200")) == ""


def test_a_cause_is_one_line_of_limited_length() -> None:
    cause = find_cause(log(f"Traceback (most recent call last):\nValueError: {'x ' * 1000}"))
    assert len(cause) <= 400
    assert cause.endswith("...")


# --- the journal


@pytest.mark.parametrize("older", ["", "an older failure"])
def test_what_is_older_than_the_mark_is_not_read(journal: Journal, older: str) -> None:
    journal.add(older)
    mark = mark_journal()
    journal.add("new\nof another unit", unit=UNIT)
    journal.add("elsewhere", unit="parley-web.service")
    assert [line.text for line in read_journal(UNIT, mark)] == ["new", "of another unit"]


def test_lines_of_systemd_and_messages_of_bytes_are_understood(journal: Journal) -> None:
    started = {"MESSAGE": "Starting", "unit": UNIT, "SYSLOG_IDENTIFIER": "(release)", "UNIT": UNIT}
    colour = {"MESSAGE": list(b"\xff red"), "unit": UNIT}
    journal.file.write_text(f"{json.dumps(started)}\n{json.dumps(colour)}\n")
    assert read_journal(UNIT, JournalMark("", 0)) == [LogLine("Starting", is_of_systemd=True), LogLine("\ufffd red")]


# --- the command line


def test_a_failed_step_is_one_sentence_and_the_command_that_shows_the_log(
    journal: Journal, host: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.add(TRACEBACK.replace("mooring", "harbour"))  # an earlier attempt failed in this second, too
    journal.will_log(f"release: running the step import_servers\n{TRACEBACK}")
    assert release.main() == 1
    sentence, where = capsys.readouterr().err.splitlines()
    assert sentence == (
        "release: v2 was not switched to, v1 serves: the release step import_servers failed: "
        "ModuleNotFoundError: No module named 'mooring'"
    )
    assert where.startswith(f"the whole log: journalctl -u {UNIT} --since @")
    assert release.read_version() == "v1"


def test_an_older_failure_is_never_reported(journal: Journal, host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal.add(f"release: running the step migrate\n{TRACEBACK}")
    assert release.main() == 1
    assert capsys.readouterr().err.splitlines()[0] == (
        "release: v2 was not switched to, v1 serves: the release steps did not begin: it has logged nothing"
    )


def test_a_service_that_does_not_start_is_named_with_its_exception(journal: Journal) -> None:
    journal.will_log(TRACEBACK, unit="parley-web.service")
    with pytest.raises(processes.Failed) as caught:
        processes.restart("parley-web.service", JournalMark("", 7))
    assert caught.value.cause == "parley-web.service does not start: ModuleNotFoundError: No module named 'mooring'"
    assert caught.value.log == "journalctl -u parley-web.service --since @7"


def test_a_release_that_was_rolled_back_begins_with_what_serves(
    journal: Journal, host: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {"warning": False, "sentence": "daphne refuses it", "seen": "403", "where": "", "fix": "allow it"}
    report = {"exit_code": 5, "broken": "daphne", "hops": [{"findings": [found]}]}
    healthy = {"exit_code": 0, "seconds": 1, "hops": [{"hop": "WebSocket", "state": "ok"}]}
    doctor = host / "python"
    doctor.write_text(
        f"#!/bin/sh\n[ -e {host}/rolled-back ] && report='{json.dumps(healthy)}' || report='{json.dumps(report)}'\n"
        f'touch {host}/rolled-back\necho "$report"\n'
    )
    doctor.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(doctor))
    monkeypatch.setattr(release, "read_site_name", lambda: "chat.example.org")
    monkeypatch.setattr(release, "read_setting", lambda _: "")
    monkeypatch.setattr(release, "prepare", lambda *_: None)
    monkeypatch.setattr(release, "list_services", list)
    assert release.main() == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "release: v2 was rolled back, v1 serves again: the WebSocket is lost at daphne: daphne refuses it"
    )
    assert lines[1].startswith("the whole log: journalctl -u 'parley-*' --since @")
    assert lines[2:] == ["    seen: 403", "    fix: allow it"]


def test_a_full_disk_is_one_sentence(
    journal: Journal, host: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device", "/opt/parley/current")

    monkeypatch.setattr(release, "prepare", fill)
    assert release.main() == 1
    assert capsys.readouterr().err == "release: /opt/parley/current: No space left on device\n"


# --- the playbooks


def run_tasks(file: str, names: list[str], folder: Path, variables: Mapping[str, object]) -> str:
    """Run tasks of a playbook, a role's tasks or its handlers on this machine. Return what the operator sees."""
    content = yaml.safe_load((REPO / "ansible" / file).read_text())
    tasks = content[0].get("tasks", content)
    chosen = [{key: value for key, value in task.items() if key != "listen"} for task in tasks if task["name"] in names]
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {**variables, "ansible_python_interpreter": sys.executable},
        "tasks": chosen,
    }
    playbook = folder / "play.yml"
    playbook.write_text(yaml.safe_dump([play]))
    config = REPO / "ansible" / "ansible.cfg"
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_FILTER_PLUGINS": str(config.parent / "filter_plugins"),
    }
    environment |= {"ANSIBLE_NOCOLOR": "1", "COLUMNS": "80"}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", str(playbook)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


SENTENCE = (
    f"v2 was not switched to, v1 serves: the release step migrate failed at chat.0009_b: KeyError: {'mooring ' * 12}end"
)


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("roles/app/tasks/release.yml", ["Activate the release", "Say why the release failed"]),
        ("roles/app/handlers/main.yml", ["Restart the processes", "Say why the restart failed"]),
        ("rollback.yml", ["Return to the previous release", "Say why the rollback failed"]),
    ],
)
def test_the_failed_task_shows_the_sentence_and_where_the_log_is(file: str, names: list[str], tmp_path: Path) -> None:
    script = tmp_path / "releases" / "v2" / "deploy" / "release.py"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\necho "release: {SENTENCE}" >&2\necho "the whole log: journalctl -u x" >&2\nexit 1\n')
    script.chmod(0o755)
    (tmp_path / "current").symlink_to("releases/v2")
    variables: dict[str, object] = {
        "site": {"root": str(tmp_path)},
        "app_version": "v2",
        "app_current": {"stat": {}},
        "app_release_help": {"stdout": "rollback"},
        "rollback_help": {"stdout": "rollback"},
        "app_switch": {"skipped": True},
    }
    if file.endswith("release.yml"):
        del variables["app_switch"]
    shown = run_tasks(file, names, tmp_path, variables)
    _, failed, after = shown.partition("FAILED! =>")
    assert failed
    lines = [line.strip() for line in after.splitlines()]
    assert lines[1:5] == ["changed: false", "msg: |-", SENTENCE, "the whole log: journalctl -u x"]
    assert "rc: 1" not in shown
    assert "delta" not in shown


def test_the_failed_test_of_nginx_shows_the_line_of_its_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nginx"
    program.write_text(
        "#!/bin/sh\necho 'nginx: [emerg] unknown directive \"lisen\" in /etc/nginx/x.conf:4' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    names = ["Test the configuration of nginx", "Say why nginx refuses its configuration"]
    shown = run_tasks("roles/nginx/handlers/main.yml", names, tmp_path, {})
    assert 'nginx refuses its configuration, and serves as before: nginx: unknown directive "lisen"' in shown
    assert "in /etc/nginx/x.conf:4" in shown
    assert "rc: 1" not in shown


def test_a_release_of_an_earlier_version_or_a_crash_is_told_in_its_own_words() -> None:
    crash = {"rc": 1, "stderr": TRACEBACK}
    assert describe_result(crash) == "ModuleNotFoundError: No module named 'mooring'"
    assert describe_result({"msg": "[Errno 2] No such file or directory: b'/opt/x'"}).startswith("[Errno 2]")
