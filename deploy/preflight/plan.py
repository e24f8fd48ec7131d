"""What a deployment takes on a host: `Plan`, and the sizes that it needs."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

OLDEST_PYTHON = (3, 11)
OLDEST_POSTGRES = 14  # Django 5.2 supports no older one
# Measured: a host with one site uses 496 MiB without visitors, and with 512 MiB the limit of the web unit (30%) is
# below what it needs. A machine that is sold as 1 GB shows somewhat less than 1,024 MiB.
MIN_MEMORY_MIB = 900
MIN_FREE_MEMORY_MIB = 400
RELEASE_MIB = 240
# What Debian's packages take on a host that has none of them: the files, and the archives while apt installs them.
PACKAGES_MIB = 450
DOWNLOADS_MIB = 150
DATABASE_MIB = 100
TEMPORARY_MIB = 50
RELEASE_INODES = 15_000


@dataclass(frozen=True)
class Plan:
    """What the deployment of one site takes on its host. It travels to the host as JSON."""

    name: str
    user: str
    domain: str
    root: str = ""
    """The folder of the releases."""
    folders: tuple[str, ...] = ()
    """The other folders that belong to the site alone."""
    units: tuple[str, ...] = ()
    """The paths of the units that belong to the site alone."""
    ports: tuple[int, ...] = (80, 443)
    """The TCP ports at which nginx listens."""
    authority: str = ""
    """HOST:PORT of the certificate authority; "": it is not asked."""
    authority_is_public: bool = False
    has_proxy: bool = False
    """Whether the site's name leads to a proxy before the host."""
    package_index: str = ""
    """HOST:PORT from which pip installs unless the host is configured otherwise; "": not known."""
    uses_postgres: bool = True
    database_host: str = ""
    """HOST:PORT of a PostgreSQL elsewhere; "": the host's own."""
    kept_releases: int = 5
    accepted: tuple[str, ...] = ()
    """The subjects of findings that the operator accepts."""
    python: tuple[int, int] = OLDEST_PYTHON
    packages: tuple[str, ...] = field(default=("nginx", "python3-venv", "certbot", "redis-server"))
    """Debian packages without which there is no site."""

    def to_json(self) -> str:
        """Return the plan as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Return the plan of which `to_json` made this text."""
        fields = json.loads(text)
        values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()}
        return cls(**values)
