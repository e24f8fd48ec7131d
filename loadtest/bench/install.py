"""Install what a contender needs: Debian packages as root, npm packages into a cache outside the repository."""

import hashlib
import os
import pwd
import shutil
import subprocess
from functools import cache
from pathlib import Path

from loadtest.core.host import REPO, clean_environment
from loadtest.core.program import OURS

NPM_FILES = (".npmrc", "package.json", "package-lock.json")


def find_program(name: str) -> str | None:
    """Return the full path of a program; None if it is not installed."""
    return shutil.which(name, path=clean_environment()["PATH"])


@cache
def install_debian_package(package: str) -> str | None:
    """Install a package that is missing; return why that was not possible, and None if it is installed now."""
    advice = f"Type: sudo apt-get install -y --no-install-recommends {package}"
    if not find_program("apt-get"):
        return f"{package} is not installed, and this is no Debian"
    if os.geteuid() != 0:
        return f"{package} is not installed. {advice}"
    print(f"bench: installing {package}", flush=True)
    command = ["sh", str(REPO / "deploy/bootstrap.sh"), "install", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        return f"apt could not install {package}. {advice}"
    stop_service(package)
    return None


def current_user_name() -> str:
    """Return the name of our user. Workers of nginx run under it, because other users cannot enter our folders."""
    return pwd.getpwuid(os.geteuid()).pw_name


def stop_service(name: str) -> None:
    """Stop and disable the service that came with a package: the benchmark starts its own processes."""
    if systemctl := find_program("systemctl"):
        command = [systemctl, "--quiet", "disable", "--now", name]
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603


@cache
def install_npm_packages(folder: Path) -> Path | str:
    """Install what the lock file in `folder` names; return where, or why that was not possible."""
    npm, node = find_program("npm"), find_program("node")
    if not npm or not node:
        return "Node.js and npm are not installed. Type: sudo apt-get install -y nodejs npm"
    lock = hashlib.sha256(b"".join((folder / name).read_bytes() for name in NPM_FILES)).hexdigest()[:12]
    place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / f"{OURS}-bench" / f"{folder.name}-{lock}"
    complete = place / ".installed"
    if not complete.exists():
        print(f"bench: npm ci for {folder.name}", flush=True)
        place.mkdir(parents=True, exist_ok=True)
        for name in NPM_FILES:
            shutil.copy(folder / name, place / name)
        done = subprocess.run([npm, "ci", "--silent"], cwd=place, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            return f"npm ci failed: {' '.join(done.stderr.split())[-200:]}"
        complete.touch()
    return place
