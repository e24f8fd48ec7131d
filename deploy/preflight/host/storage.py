"""Checks of disk and memory."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.preflight import plan as numbers
from deploy.preflight.finding import Finding, note, stop
from deploy.preflight.host.proc import find_mount, list_mounts, read_line, read_text
from deploy.preflight.plan import Plan

MIB = 1024 * 1024
NO_LIMIT_MIB = 1 << 40
CGROUP = Path("/sys/fs/cgroup")
Statistics = Callable[[Path], os.statvfs_result]


def list_needs(plan: Plan, *, is_installed: bool) -> dict[str, int]:
    """Return how many MiB the deployment writes below each folder."""
    if is_installed:
        return {plan.root: numbers.RELEASE_MIB, "/var": numbers.TEMPORARY_MIB, "/tmp": numbers.TEMPORARY_MIB}
    return {
        plan.root: numbers.RELEASE_MIB,
        "/usr": numbers.PACKAGES_MIB,
        "/var": numbers.DOWNLOADS_MIB + numbers.DATABASE_MIB,
        "/tmp": numbers.TEMPORARY_MIB,
    }


def find_existing(path: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def check_disk(
    plan: Plan,
    needs: dict[str, int],
    kept: int,
    measure: Statistics = os.statvfs,
) -> Iterator[Finding]:
    """Check the free space and the free inodes of every file system that the deployment writes to.

    Args:
        plan: the plan.
        needs: MiB by folder, see `list_needs`.
        kept: how many releases the host has.
        measure: what returns the free space of a folder.
    """
    folders: dict[int, list[str]] = {}
    for folder in needs:
        folders.setdefault(find_existing(Path(folder)).stat().st_dev, []).append(folder)
    for group in folders.values():
        found = measure(find_existing(Path(group[0])))
        free = found.f_bavail * found.f_frsize // MIB
        needed = sum(needs[folder] for folder in group)
        places = _join(group)
        rest = max(plan.kept_releases - kept, 0) * numbers.RELEASE_MIB if plan.root in group else 0
        if free < needed:
            yield stop(
                f"disk {group[0]}",
                f"{places} {'have' if len(group) > 1 else 'has'} {free:,} MB free; the deployment needs {needed:,} MB.",
                "Make room (`du -xh --max-depth=2 / | sort -h | tail`), or give the host a larger disk.",
            )
        elif free < needed + rest:
            yield note(
                f"disk {group[0]}",
                f"{places} {'have' if len(group) > 1 else 'has'} {free:,} MB free; {plan.kept_releases} releases of "
                f"{numbers.RELEASE_MIB} MB are kept, and then {needed + rest:,} MB are needed.",
                "Give the host a larger disk before the releases fill this one.",
            )
        if found.f_files and found.f_favail < numbers.RELEASE_INODES:
            yield stop(
                f"inodes {group[0]}",
                f"{places} can hold {found.f_favail:,} more files; a release has {numbers.RELEASE_INODES:,}.",
                "Delete small files there (`du --inodes -x / | sort -n | tail`), or make the file system anew.",
            )


def check_mounts(plan: Plan, proc: Path = Path("/proc")) -> Iterator[Finding]:
    """Check whether programs may run from where they are installed, and whether that can be written to."""
    for folder, use in ((plan.root, "the programs of a release"), ("/usr", "packages"), ("/var", "apt's scripts")):
        mount, options = find_mount(find_existing(Path(folder)), proc)
        if "ro" in options:
            yield stop(
                f"mount {mount}", f"{mount} is mounted read-only, and {use} go there.", f"mount -o remount,rw {mount}"
            )
        elif "noexec" in options:
            yield stop(
                f"mount {mount}",
                f"{mount} is mounted with noexec, and {use} have to run from {folder}.",
                f"mount -o remount,exec {mount}, and take noexec out of /etc/fstab.",
            )
    if "/proc" in {mount for mount, options in list_mounts(proc) if any(o.startswith("hidepid=") for o in options)}:
        yield note("proc", "/proc hides the processes of other users; the doctor needs root to see the servers.")


def read_memory_mib(proc: Path = Path("/proc"), cgroup: Path = CGROUP) -> tuple[int, int]:
    """Return how many MiB of memory the host has, and how many of them are free for programs.

    A container or a slice has the limit of its control group, where that is smaller than the machine's memory.
    """
    sizes = {}
    for name, _, value in (line.partition(":") for line in read_text(proc / "meminfo").splitlines()):
        sizes[name] = int((value.split() or ["0"])[0]) // 1024
    total, free = sizes.get("MemTotal", 0), sizes.get("MemAvailable", 0)
    for limit_file, usage_file in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        limit, usage = read_line(cgroup / limit_file), read_line(cgroup / usage_file)
        if limit.isdigit() and int(limit) // MIB < total:
            total = int(limit) // MIB
            free = min(free, total - int(usage or "0") // MIB)
    return total, free + sizes.get("SwapFree", 0)


def check_memory(plan: Plan, total: int, free: int, *, is_installed: bool) -> Iterator[Finding]:
    """Check the memory of the host, and what other programs leave of it. Sizes are in MiB."""
    if total < numbers.MIN_MEMORY_MIB:
        yield stop(
            "memory",
            f"This host has {total:,} MB of memory; a site needs a host with 1 GB.",
            "Use a machine with at least 1 GB, better 2 GB.",
        )
    elif not is_installed and free < numbers.MIN_FREE_MEMORY_MIB:
        yield stop(
            "memory",
            f"{free:,} of {total:,} MB of memory are free, with swap; a site needs {numbers.MIN_FREE_MEMORY_MIB:,} MB.",
            "Stop what uses the memory (`ps aux --sort=-rss | head`), add swap, or use a larger machine.",
        )


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
