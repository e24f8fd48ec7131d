"""A rotation of the secret key: no service ever signs with a key that another service cannot read."""

from pathlib import Path

import pytest

from deploy import secret_keys
from deploy.manifest import KEY_SECRETS


class Services:
    """Two services of a site. Each reads the keys when it starts, as channels_stack and Django use them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.names = folder, ("web", "ws")
        self.signing: dict[str, str] = {}
        self.accepted: dict[str, set[str]] = {}
        self.hash_keys: dict[str, str] = {}
        self.signed: list[str] = []  # the key of everything that a service has signed and given to a client
        self.refused: list[str] = []
        self.restarts = 0
        for name in self.names:
            self.start(name)

    def start(self, name: str) -> None:
        self.signing[name] = self.read("SECRET_KEY")
        self.accepted[name] = {self.signing[name], *self.read("SECRET_KEY_FALLBACKS").split()}
        self.hash_keys[name] = self.read("SESSION_HASH_KEY")

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def serve(self) -> None:
        """Each service signs something, and reads everything that was signed until now."""
        for name in self.names:
            self.signed.append(self.signing[name])
        self.refused += [key for name in self.names for key in self.signed if key not in self.accepted[name]]

    def restart(self) -> None:
        self.restarts += 1
        for name in self.names:
            self.serve()
            self.start(name)
            self.serve()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The secrets of a site after its first deployment."""
    first_key = "f" * 64
    for name, text in zip(KEY_SECRETS, (first_key, "", first_key), strict=True):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_while_the_key_changes_every_service_reads_what_any_other_has_signed(folder: Path) -> None:
    services = Services(folder)
    secret_keys.rotate(folder, services.restart)
    assert services.refused == []
    assert services.restarts == 2
    assert len(set(services.signing.values())) == 1
    assert services.signing["web"] != "f" * 64
    assert len(services.signing["web"]) >= 50


def test_the_hashes_of_sessions_keep_their_key(folder: Path) -> None:
    services = Services(folder)
    for _ in range(5):
        secret_keys.rotate(folder, services.restart)
    assert set(services.hash_keys.values()) == {"f" * 64}


def test_the_last_three_former_keys_are_accepted_and_no_older_one(folder: Path) -> None:
    keys = ["f" * 64]
    for _ in range(4):
        secret_keys.rotate(folder, lambda: None)
        keys.append((folder / "SECRET_KEY").read_text())
    assert (folder / "SECRET_KEY_FALLBACKS").read_text().split() == keys[-2:-5:-1]


def test_a_rotation_that_failed_half_way_can_be_repeated(folder: Path) -> None:
    services = Services(folder)

    def fail() -> None:
        services.start("web")
        raise secret_keys.Failed("a service does not start")

    with pytest.raises(secret_keys.Failed):
        secret_keys.rotate(folder, fail)
    services.serve()
    secret_keys.rotate(folder, services.restart)
    assert services.refused == []


def test_to_end_all_sessions_the_former_keys_are_forgotten(folder: Path) -> None:
    services = Services(folder)
    secret_keys.rotate(folder, services.restart)
    former = {key for keys in services.accepted.values() for key in keys}
    secret_keys.end_sessions(folder, lambda: None)
    services.start("web")
    assert not former & (services.accepted["web"] | {services.hash_keys["web"]})


def test_the_files_are_readable_by_their_owner_alone(folder: Path) -> None:
    secret_keys.rotate(folder, lambda: None)
    assert {(folder / name).stat().st_mode & 0o777 for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS")} == {0o600}
    assert sorted(file.name for file in folder.iterdir()) == sorted(KEY_SECRETS)


def test_a_site_of_an_older_release_is_left_alone(folder: Path) -> None:
    (folder / "SESSION_HASH_KEY").unlink()
    with pytest.raises(secret_keys.Failed, match="SESSION_HASH_KEY does not exist: deploy a release"):
        secret_keys.rotate(folder, lambda: pytest.fail("restarted"))
    assert (folder / "SECRET_KEY").read_text() == "f" * 64
