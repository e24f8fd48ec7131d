"""The first run creates a key and a certificate, which later runs keep and renew in time."""

import stat
import subprocess
from pathlib import Path

import pytest

from deploy.local import certificate, environment
from deploy.local.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(var=tmp_path / "var", env_file=tmp_path / ".env", https_port=9443, http_port=9080)
    layout.make_folders()
    return layout


def test_the_first_run_writes_a_key_that_only_its_owner_can_read(layout: Layout) -> None:
    added = environment.write_secret_key(layout, {})
    assert len(added["SECRET_KEY"]) >= 50
    assert f"SECRET_KEY={added['SECRET_KEY']}\n" in layout.env_file.read_text()
    assert stat.S_IMODE(layout.env_file.stat().st_mode) == 0o600
    assert environment.write_secret_key(layout, {}) == {}  # the second run keeps it


def test_a_key_from_the_environment_is_not_written_to_a_file(layout: Layout) -> None:
    assert environment.write_secret_key(layout, {"SECRET_KEY": "mine"}) == {}
    assert not layout.env_file.exists()


def test_the_environment_wins_over_the_file_and_both_over_what_suits_this_machine(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REDIS_URL", "ALLOWED_HOSTS", "STATIC_ROOT", "ALLOW_GUESTS"):
        monkeypatch.setenv(name, "")  # noted by pytest, which puts back what was there
        monkeypatch.delenv(name)
    monkeypatch.setenv("ALLOW_GUESTS", "true")
    layout.env_file.write_text("ALLOW_GUESTS=false\nALLOWED_HOSTS=chat.example.org\n")
    env = environment.build_environment(layout)
    assert env["ALLOW_GUESTS"] == "true"
    assert env["ALLOWED_HOSTS"] == "chat.example.org"
    assert env["STATIC_ROOT"] == f"{layout.var}/static"
    assert layout.owns_redis(env)


def test_only_the_owner_may_enter_the_folders_of_sockets_and_keys(layout: Layout) -> None:
    for folder in (layout.run, layout.tls):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_certificate_names_this_machine_and_is_kept_until_its_last_week(layout: Layout) -> None:
    certificate.renew(layout)
    file = layout.tls / "fullchain.pem"
    first = file.read_bytes()
    names = subprocess.run(
        ["openssl", "x509", "-in", file, "-noout", "-ext", "subjectAltName"], capture_output=True, text=True, check=True
    ).stdout
    for name in ("DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1"):
        assert name in names
    assert stat.S_IMODE((layout.tls / "privkey.pem").stat().st_mode) == 0o600
    certificate.renew(layout)
    assert file.read_bytes() == first


@pytest.mark.parametrize(("days", "renewed"), [(6, True), (8, False)])
def test_a_certificate_is_renewed_a_week_before_its_end(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, days: int, renewed: bool
) -> None:
    monkeypatch.setattr(certificate, "DAYS", days)
    certificate.renew(layout)
    old = (layout.tls / "fullchain.pem").read_bytes()
    monkeypatch.undo()
    certificate.renew(layout)
    assert ((layout.tls / "fullchain.pem").read_bytes() != old) is renewed
