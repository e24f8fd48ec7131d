"""What must be in place before the servers start: tables, static files, and a configuration that nginx takes."""

import subprocess
import sys
from pathlib import Path

from deploy.local import site
from deploy.local.layout import REPO, Layout

SCRIPT = Path(__file__).with_name("django_commands.py")


def site_and_database(layout: Layout, env: dict[str, str]) -> list[str]:
    """Migrate, collect static files, and test nginx's configuration meanwhile; return the problems."""
    django = subprocess.Popen([sys.executable, SCRIPT], cwd=REPO / "app", env=env, stderr=subprocess.PIPE, text=True)
    try:
        nginx = subprocess.run([*site.command(layout), "-t", "-q"], capture_output=True, text=True, check=False)
        _, complaint = django.communicate()
    finally:
        if django.poll() is None:
            django.kill()
            django.wait()
    problems = []
    if nginx.returncode != 0:
        problems.append(f"nginx refuses its configuration: {nginx.stderr.strip()}")
    if django.returncode != 0:
        problems.append(complaint.strip() or "the database could not be prepared.")
    return problems
