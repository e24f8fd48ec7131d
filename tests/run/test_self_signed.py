"""Self-signed certificates: the command that leaves one, and what the containers' first start keeps and renews."""

import importlib.util
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from deploy import self_signed
from tests.running import REPO

NAMES = ["chat.example.org", "localhost", "127.0.0.1"]


def run_command(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "deploy.self_signed", str(folder), *arguments]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout


def test_the_command_leaves_a_certificate_for_the_names(tmp_path: Path) -> None:
    assert "for chat.example.org, 127.0.0.1" in run_command(tmp_path / "tls", "chat.example.org", "127.0.0.1")
    certificate = self_signed.load_certificate(tmp_path / "tls")
    assert certificate
    assert self_signed.find_names(certificate) == ["chat.example.org", "127.0.0.1"]
    assert timedelta(days=89) < self_signed.remaining_validity(certificate) <= timedelta(days=90)
    assert stat.S_IMODE((tmp_path / "tls/privkey.pem").stat().st_mode) == 0o600


def test_the_command_keeps_a_certificate_that_exists(tmp_path: Path) -> None:
    run_command(tmp_path, "chat.example.org")
    before = (tmp_path / "fullchain.pem").read_bytes()
    assert run_command(tmp_path, "other.example.org", "--days", "1") == ""
    assert (tmp_path / "fullchain.pem").read_bytes() == before


@pytest.fixture
def first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """docker/first_run.py, with a folder of this test's own for the certificate."""
    spec = importlib.util.spec_from_file_location("first_run", REPO / "docker/first_run.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TLS", tmp_path)
    return module


def read_chain(folder: Path) -> bytes:
    return (folder / "fullchain.pem").read_bytes()


def test_the_first_start_makes_a_certificate_and_later_ones_keep_it(first_run: ModuleType, tmp_path: Path) -> None:
    first_run.make_certificate(NAMES)
    made = read_chain(tmp_path)
    assert stat.S_IMODE((tmp_path / "privkey.pem").stat().st_mode) == 0o640
    first_run.make_certificate(NAMES)
    assert read_chain(tmp_path) == made


def test_a_certificate_is_made_anew_for_other_names(first_run: ModuleType, tmp_path: Path) -> None:
    first_run.make_certificate(NAMES)
    first_run.make_certificate(["other.example.org"])
    certificate = self_signed.load_certificate(tmp_path)
    assert certificate
    assert self_signed.find_names(certificate) == ["other.example.org"]


@pytest.mark.parametrize(("days", "is_renewed"), [(29, True), (31, False)])
def test_a_certificate_is_renewed_a_month_before_its_end(
    first_run: ModuleType, tmp_path: Path, days: int, is_renewed: bool
) -> None:
    self_signed.write_key_pair(tmp_path, self_signed.create_self_signed(NAMES, days=days))
    before = read_chain(tmp_path)
    first_run.make_certificate(NAMES)
    assert (read_chain(tmp_path) != before) is is_renewed


def test_the_certificate_of_an_operator_is_never_replaced(first_run: ModuleType, tmp_path: Path) -> None:
    expired = self_signed.create_certificate("an authority", names=["chat.example.org"], valid_until=timedelta(0))
    self_signed.write_key_pair(tmp_path, expired)
    before = read_chain(tmp_path)
    first_run.make_certificate(NAMES)
    assert read_chain(tmp_path) == before
