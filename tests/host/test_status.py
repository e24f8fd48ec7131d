"""The status of a site on a host: what it measures, what it calls wrong, how it prints it, and how it is sent along."""

import json
import os
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import jsonschema
import pytest

from channels_stack import disk_space
from deploy.doctor.text_report import TextStyle
from deploy.site_status import __main__ as command
from deploy.site_status import collection, problems
from deploy.site_status.collection import SiteNotFound, SitePaths, collect_status, parse_certificate, read_certificate
from deploy.site_status.problems import find_problems
from deploy.site_status.report import Backup, Certificate, DoctorVisit, Health, Severity, SiteStatus
from deploy.site_status.text_report import draw_status

REPO = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((REPO / "deploy/site_status/report.schema.json").read_text())
READY = {"ready": True, "database": "ok", "redis_round_trip": "ok", "socket_servers": "ok", "fatal": ["database"]}
READY["warnings"] = []
VALID = Certificate(60.0, "Example Trust R3", is_self_signed=False)
SERVICE = """Id={unit}
ActiveState={state}
SubState={sub_state}
NRestarts=0
MainPID=0
ActiveEnterTimestamp=@{since}
"""
# As systemctl is called by the program; its answers are in the files beside it.
SYSTEMCTL = """#!/bin/sh
cd "$(dirname "$0")"
case "$*" in
    show*NRestarts*) cat services ;;
    list-timers*json*) cat timers ;;
    list-units*) cat failed ;;
    *) exit 1 ;;
esac
"""


class Host:
    """A folder with the files of a host and its site, whose servers answer at unix sockets."""

    def __init__(self, base: Path, programs: Path) -> None:
        self.site, self.programs = SitePaths("shop", base), programs
        self.readyz: dict[str, object] = dict(READY)
        for folder in ("opt/shop/releases/v2", "etc/shop", "etc/systemd/system/shop.target.wants", "run/shop"):
            (base / folder).mkdir(parents=True)
        for folder in ("var/backups/shop", "var/lib/shop", "var/lib/shop-doctor"):
            (base / folder).mkdir(parents=True)
        (self.site.root / "current").symlink_to("releases/v2")
        (self.site.root / "previous").symlink_to("releases/v1")
        (self.site.root / "releases/v2/pyproject.toml").write_text('[project]\nversion = "0.9"\n')
        self.site.settings.write_text("SITE_HOSTS=shop.example.org,www.example.org\n")
        for unit in ("shop-web", "shop-ws@1", "shop-ws@2", "shop-two-web"):
            (self.site.units / f"shop.target.wants/{unit}.service").touch()
        self.timer = self.site.units / "shop-backup.timer"
        self.timer.touch()
        self.make_backup(time.time() - 3600)
        self.site.doctor_report.write_text('{"exit_code": 0, "broken": null}')
        self.set_services()
        # As systemd 257 prints it.
        hour = 3_600_000_000
        backup = {"next": int(time.time() * 1e6) + 2 * hour, "left": 2 * hour, "last": 0, "passed": 0}
        renewal = {"next": None, "left": None, "last": int(time.time() * 1e6) - hour, "passed": hour}
        listed = [renewal | {"unit": "certbot.timer"}, backup | {"unit": "shop-backup.timer"}]
        (programs / "timers").write_text(json.dumps(listed))
        (programs / "failed").write_text("")
        (programs / "systemctl").write_text(SYSTEMCTL)
        (programs / "systemctl").chmod(0o755)

    def make_backup(self, moment: float) -> None:
        for old in self.site.backups.iterdir():
            old.unlink()
        name = time.strftime("shop-%Y%m%dT%H%M%SZ", time.gmtime(moment))
        (self.site.backups / f"{name}.dump").write_bytes(b"x" * 1000)
        (self.site.backups / f"{name}.media.tar").write_bytes(b"x" * 500)

    def set_services(self, **states: str) -> None:
        texts = [
            SERVICE.format(
                unit=f"shop-{name}.service",
                state=states.get(key, "active/running").split("/")[0],
                sub_state=states.get(key, "active/running").split("/")[1],
                since=int(time.time()) - 600,
            )
            for key, name in (("web", "web"), ("ws1", "ws@1"), ("ws2", "ws@2"))
        ]
        (self.programs / "services").write_text("\n".join(texts))

    def collect(self) -> SiteStatus:
        return collect_status(self.site)


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def serve(path: Path, answer: object) -> UnixServer:
    """Answer every request at a unix socket with the text that `answer` returns."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = answer(self.path, self.headers["Host"])  # type: ignore[operator]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *arguments: object) -> None: ...
        def address_string(self) -> str:
            return ""

    server = UnixServer(str(path), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    base, programs = tmp_path / "h", tmp_path / "bin"
    programs.mkdir()
    made = Host(base, programs)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(collection, "read_certificate", lambda _: VALID)
    monkeypatch.setattr(problems, "LOW_SHARE", 0.0)  # this machine's own disk and memory do not count
    monkeypatch.setattr(problems, "LOW_INODES_SHARE", 0.0)
    monkeypatch.setattr(problems, "LOW_MEMORY_SHARE", 0.0)

    def answer_web(path: str, name: str) -> str:
        assert (path, name) == ("/readyz", "shop.example.org")
        return json.dumps(made.readyz)

    servers = [
        serve(made.site.socket("web"), answer_web),
        serve(made.site.socket("ws1"), lambda *_: "# HELP\nchannels_sockets_open 12.0\n"),
        serve(made.site.socket("ws2"), lambda *_: "channels_sockets_open 3.0\n"),
    ]
    yield made
    for server in servers:
        server.shutdown()
        server.server_close()


def texts(status: SiteStatus) -> list[str]:
    return [problem.text for problem in status.problems]


def test_a_healthy_site_has_all_its_facts_and_no_problem(host: Host) -> None:
    status = host.collect()
    assert texts(status) == []
    assert status.exit_code == 0
    assert (status.url, status.release.serving, status.release.previous) == ("https://shop.example.org", "v2", "v1")
    assert status.release.stack == "0.9"
    assert status.release.since == pytest.approx(time.time(), abs=60)
    assert [(server.unit, server.sockets) for server in status.servers] == [
        ("shop-web.service", None),
        ("shop-ws@1.service", 12),
        ("shop-ws@2.service", 3),
    ]
    assert status.backup
    assert status.backup.size == 1500
    backup, renewal = status.timers
    assert (backup.unit, backup.last) == ("shop-backup.timer", None)
    assert backup.next == pytest.approx(time.time() + 7200, abs=60)
    assert (renewal.unit, renewal.next) == ("certbot.timer", None)
    assert status.machine.memory > status.machine.available_memory > 0
    assert len(status.machine.disks) == 1, "all folders are on one disk"


def test_the_json_is_what_the_schema_says_and_can_be_read_again(host: Host) -> None:
    host.make_backup(time.time() - 3 * 86400)
    status = host.collect()
    content = json.loads(status.to_json())
    jsonschema.validate(content, SCHEMA)
    assert content["exit_code"] == 1
    assert SiteStatus.from_json(status.to_json()) == status
    for wrong in ("", "[]", "{}", '{"exit_code": 0}'):
        with pytest.raises(ValueError, match=r"status of a site|JSON|Expecting"):
            SiteStatus.from_json(wrong)


def test_a_check_that_fails_is_named_with_its_reason(host: Host) -> None:
    host.readyz |= {
        "ready": False,
        "database": "OperationalError: no room",
        "socket_servers": "1 of 2 sent no heartbeat",
    }
    found = host.collect().problems
    assert [(problem.severity, problem.text) for problem in found] == [
        (Severity.ERROR, "The health check database fails: OperationalError: no room."),
        (Severity.WARNING, "The health check socket_servers fails: 1 of 2 sent no heartbeat."),
    ]
    assert "journalctl -u shop-web" in found[0].fix


def test_servers_that_do_not_run_or_do_not_answer_are_named(host: Host) -> None:
    host.site.socket("web").unlink()
    host.site.socket("ws2").unlink()
    host.set_services(ws1="activating/auto-restart")
    assert texts(host.collect()) == [
        "gunicorn does not answer /readyz: No such file or directory.",
        "shop-ws@1.service is activating (auto-restart), after 0 restarts.",
        "shop-ws@2.service runs and does not answer.",
    ]


def test_only_the_row_of_the_server_that_does_not_run_is_marked(host: Host) -> None:
    host.set_services(ws1="activating/auto-restart")
    rows = draw_status(host.collect(), TextStyle(has_colour=False)).splitlines()
    marks = {row.split()[0]: row.split()[1] for row in rows if row.startswith(("  servers ", "  sockets "))}
    assert marks == {"servers": "●", "sockets": "✗"}
    host.set_services(web="failed/failed")
    assert "  servers      ✗ web " in draw_status(host.collect(), TextStyle(has_colour=False))


def test_failed_units_of_this_site_are_named_and_none_of_another(host: Host) -> None:
    (host.site.base / "opt/shop-two").mkdir()
    (host.site.base / "opt/shop-two/current").symlink_to("releases/v1")
    (host.programs / "failed").write_text(
        "shop-backup.service loaded failed failed shop: back up\nshop-two-web.service loaded failed failed x\n"
    )
    status = host.collect()
    assert texts(status) == ["The unit shop-backup.service has failed."]


@pytest.mark.parametrize(("days", "made"), [(3, "The last night made no backup."), (None, "There is no backup.")])
def test_a_missing_backup_is_a_problem_after_the_first_night(host: Host, days: int | None, made: str) -> None:
    if days:
        host.make_backup(time.time() - days * 86400)
    else:
        for file in host.site.backups.iterdir():
            file.unlink()
        assert texts(host.collect()) == [], "the site was set up today"
    os.utime(host.timer, (0, 0))
    assert texts(host.collect()) == [made]


def test_what_the_doctor_found_and_the_maintenance_are_named(host: Host) -> None:
    host.site.doctor_report.write_text('{"exit_code": 16, "broken": "WebSocket"}')
    (host.site.state / "maintenance").touch()
    assert texts(host.collect()) == [
        "The site is closed for maintenance.",
        "The hourly doctor found the WebSocket lost at WebSocket.",
    ]
    assert any("rm /var/lib/shop/maintenance" in problem.fix for problem in host.collect().problems)


@pytest.mark.parametrize(
    ("certificate", "text"),
    [
        (replace(VALID, days_left=5.0), "certbot has not renewed the certificate in time."),
        (replace(VALID, days_left=-1.0), "The certificate has expired."),
        (replace(VALID, is_self_signed=True), "The certificate is self-signed: every browser warns of it."),
        (
            Certificate(None, "", is_self_signed=False, error="port 443: refused"),
            "nginx shows no certificate at port 443: refused.",
        ),
    ],
)
def test_a_certificate_that_visitors_cannot_trust_is_named(host: Host, certificate: Certificate, text: str) -> None:
    status = replace(host.collect(), certificate=certificate)
    assert [problem.text for problem in find_problems(status)] == [text]


def test_full_disks_and_memory_are_named(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    status = host.collect()
    disk = replace(status.machine.disks[0], path="/", free=500 * 1024**2, size=20 * 1024**3)
    machine = replace(status.machine, disks=(disk,), memory=1000 * 1024**2, available_memory=20 * 1024**2)
    monkeypatch.setattr(problems, "LOW_SHARE", disk_space.LOW_SHARE)
    monkeypatch.setattr(problems, "LOW_MEMORY_SHARE", 0.05)
    assert [problem.text for problem in find_problems(replace(status, machine=machine))] == [
        "500 of 20480 MiB are free at /.",
        "20 MiB of memory are available.",
    ]


def test_a_disk_is_low_where_the_site_itself_says_so() -> None:
    names = ("LOW_SHARE", "LOW_BYTES", "LOW_INODES_SHARE")
    assert [getattr(problems, name) for name in names] == [getattr(disk_space, name) for name in names]


def test_a_certificate_is_read_from_the_port_of_the_site(tmp_path: Path) -> None:
    key, file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    names = ["-subj", "/O=Acme/CN=shop.example.org", "-keyout", str(key), "-out", str(file)]
    subprocess.run([*make, *names], check=True, capture_output=True)
    found = parse_certificate(file.read_text())
    assert found == Certificate(30.0, "Acme shop.example.org", is_self_signed=True)
    assert "port 1: Connection refused" in read_certificate("shop.example.org", port=1).error


@pytest.mark.parametrize("is_wrong", [False, True])
def test_the_text_fits_into_80_columns_and_has_colours_only_where_wanted(host: Host, is_wrong: bool) -> None:
    status = host.collect()
    disk = replace(status.machine.disks[0], path="/var/lib/postgresql")
    status = replace(status, machine=replace(status.machine, disks=(disk,)))
    if is_wrong:
        health = Health(ready=False, checks={"database": "x" * 60 + " y" * 40}, fatal=("database",), warnings=("low",))
        visit = DoctorVisit(4, "TLS", 0)
        status = replace(status, health=health, backup=Backup("shop-x.dump", 0, 10), doctor=visit)
        status = replace(status, problems=tuple(find_problems(status)))
    text = draw_status(status, TextStyle(has_colour=False))
    assert all(len(line) <= 80 for line in text.splitlines()), text
    assert "\033" not in text
    assert "\033" in draw_status(status, TextStyle(has_colour=True))
    assert "15 open" in text
    assert "2 of 2 servers answer: ws@1 12, ws@2 3" in " ".join(text.split())
    assert ("The site is healthy." in text) is not is_wrong
    for problem in status.problems:
        assert problem.text[:20] in text
        assert problem.fix.split()[0] in text


def test_the_command_ends_with_the_state_of_the_site(
    host: Host, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "SitePaths", lambda name: SitePaths(name, host.site.base))
    assert command.main(["--site", "shop"]) == 0
    assert "shop on " in capsys.readouterr().out
    (host.programs / "failed").write_text("shop-backup.service loaded failed failed x\n")
    assert command.main(["--site", "shop", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["exit_code"] == 1
    assert command.main(["--site", "store"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "status: this host has no site 'store' (it has: shop)\n"


def test_a_site_whose_settings_cannot_be_read_cannot_be_looked_at(host: Host) -> None:
    host.site.settings.unlink()
    with pytest.raises(SiteNotFound, match="is missing"):
        host.collect()


def test_without_root_no_site_is_called_broken(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, _: path != host.site.backups)
    with pytest.raises(SiteNotFound, match="sudo /opt/shop/current/deploy/status"):
        host.collect()


def test_the_script_of_a_release_starts_from_any_folder(tmp_path: Path) -> None:
    script = REPO / "deploy" / "status"
    ended = subprocess.run(
        [script, "--site", "no-such-site"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "this host has no site 'no-such-site'" in ended.stderr


@pytest.mark.parametrize(
    ("ssh", "sentence"),
    [
        # As ssh does: the last argument is the command, which gets the archive on standard input.
        ('for command; do :; done; exec sh -c "$command"', "this host has no site 'no-such-site'"),
        ("echo 'Permission denied (publickey).' >&2; exit 255", "Permission denied (publickey)."),
    ],
)
def test_over_ssh_the_program_is_sent_along_and_needs_python_alone(tmp_path: Path, ssh: str, sentence: str) -> None:
    (tmp_path / "ssh").write_text(f"#!/bin/sh\n{ssh}\n")
    (tmp_path / "ssh").chmod(0o755)
    ended = subprocess.run(
        ["/usr/bin/env", sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(REPO)!r})\n"
         "from deploy.site_status.__main__ import main\nsys.exit(main(sys.argv[1:]))",
         "--ssh", "you@host", "--site", "no-such-site"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.startswith("status: ssh you@host: ")
    assert sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
