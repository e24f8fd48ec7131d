"""How much room the file systems have on which the site writes, for /readyz, the metrics and the administration.

A database that finds no room stops, and a site without its database fails at every page. So a site says that a disk is
nearly full before that happens, and is not ready while a disk has no room left for a segment of PostgreSQL's log.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

MIB = 1024**2
POSTGRESQL_FOLDER = Path("/var/lib/postgresql")  # of the database server on this machine, in Debian and in its image
LOCAL_HOSTS = ("", "localhost", "127.0.0.1", "::1")

LOW_SHARE, LOW_BYTES = 0.10, 2048 * MIB  # free space below the smaller of the two is a warning
FULL_SHARE, FULL_BYTES = 0.05, 64 * MIB  # below the smaller of the two the site is not ready; a segment has 16 MiB
LOW_INODES_SHARE, FULL_INODES_SHARE = 0.05, 0.005


class DiskSpace(NamedTuple):
    """The room of one file system, as a user who is not root may use it."""

    path: Path
    """A folder of the site on it."""
    free_bytes: int
    total_bytes: int
    free_inodes: int
    total_inodes: int
    """0 where the file system has no fixed number of inodes, as with btrfs."""

    @property
    def is_full(self) -> bool:
        """Whether the site cannot count on writing any more."""
        return self._is_below(FULL_SHARE, FULL_BYTES, FULL_INODES_SHARE)

    @property
    def is_low(self) -> bool:
        """Whether an operator should free space soon; also true of a full file system."""
        return self._is_below(LOW_SHARE, LOW_BYTES, LOW_INODES_SHARE)

    def _is_below(self, share: float, most_bytes: int, inodes_share: float) -> bool:
        return (
            self.free_bytes < min(self.total_bytes * share, most_bytes)
            or self.free_inodes < self.total_inodes * inodes_share
        )

    def __str__(self) -> str:
        """Return one line with what is free, in MiB, and the inodes where those are what is scarce."""
        text = f"{self.free_bytes // MIB} of {self.total_bytes // MIB} MiB are free at {self.path}"
        if self.free_inodes < self.total_inodes * LOW_INODES_SHARE:
            text += f", and {self.free_inodes} of {self.total_inodes} inodes"
        return text


def list_folders() -> list[Path]:
    """Return the folders on which the site depends: of its database, its uploaded files and its temporary files."""
    folders = []
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        folders.append(Path(str(database["NAME"])).parent)
    elif connection.vendor == "postgresql":
        host = str(database["HOST"])
        if host in LOCAL_HOSTS or host.startswith("/"):
            folders.append(POSTGRESQL_FOLDER)
    if settings.MEDIA_ROOT:
        folders.append(Path(settings.MEDIA_ROOT))
    return [*folders, Path(tempfile.gettempdir())]


def measure_disks(measure: Callable[[Path], os.statvfs_result] = os.statvfs) -> list[DiskSpace]:
    """Return the room of each file system that has a folder of `list_folders`, each once.

    Args:
        measure: returns the numbers of the file system of a folder. Raises OSError where the folder is absent.
    """
    found: dict[int, DiskSpace] = {}
    for folder in list_folders():
        try:
            device, numbers = folder.stat().st_dev, measure(folder)
        except OSError:
            continue  # the database server of a container has a file system of its own
        found.setdefault(
            device,
            DiskSpace(
                folder,
                numbers.f_bavail * numbers.f_frsize,
                numbers.f_blocks * numbers.f_frsize,
                numbers.f_favail,
                numbers.f_files,
            ),
        )
    return list(found.values())


def check_disks() -> None:
    """Raise OSError with the file systems that are full."""
    if full := [str(disk) for disk in measure_disks() if disk.is_full]:
        raise OSError("; ".join(full))


def list_warnings() -> list[str]:
    """Return a line for each file system on which space should be freed soon."""
    return [str(disk) for disk in measure_disks() if disk.is_low]


class DiskSpaceCollector(Collector):
    """Metrics of the file systems, measured at each scrape, so that every process has the same values."""

    def describe(self) -> Iterator[Metric]:
        """Yield the metrics without values."""
        yield GaugeMetricFamily("channels_disk_free_bytes", "Free bytes of a file system of the site.", labels=["path"])
        yield GaugeMetricFamily("channels_disk_size_bytes", "All bytes of a file system of the site.", labels=["path"])
        yield GaugeMetricFamily("channels_disk_free_inodes", "Free inodes; none: no fixed number.", labels=["path"])
        yield GaugeMetricFamily("channels_disk_inodes", "All inodes; 0: no fixed number.", labels=["path"])

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        free, size, free_inodes, inodes = self.describe()
        for disk in measure_disks():
            for metric, value in (
                (free, disk.free_bytes),
                (size, disk.total_bytes),
                (free_inodes, disk.free_inodes),
                (inodes, disk.total_inodes),
            ):
                metric.add_sample(metric.name, {"path": str(disk.path)}, value)
        yield from (free, size, free_inodes, inodes)
