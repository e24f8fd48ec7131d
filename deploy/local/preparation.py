"""The last part before the servers start: the steps of a release, and a configuration that nginx accepts."""

import subprocess

from deploy.local import site
from deploy.local.layout import REPO, Layout
from deploy.local.services import Application

# The servers start right after these steps and would fail at an import as clearly, so that step is left out: `make run`
# has to start fast.
RELEASE_STEPS = (str(REPO / "deploy" / "release_steps.py"), "--skip", "import_servers", "--quiet")


def prepare_site(layout: Layout, application: Application) -> list[str]:
    """Run the release steps and, at the same time, have nginx test its configuration.

    Args:
        layout: the folders of the run.
        application: whose database and static files are prepared.

    Returns:
        A sentence for each problem; none when the servers can start.
    """
    command = [application.python, *RELEASE_STEPS]
    steps = subprocess.Popen(command, cwd=application.folder, env=application.env, stderr=subprocess.PIPE, text=True)
    try:
        nginx = subprocess.run([*site.command(layout), "-t", "-q"], capture_output=True, text=True, check=False)
        _, complaint = steps.communicate()
    finally:
        if steps.poll() is None:
            steps.kill()
            steps.wait()
    problems = []
    if nginx.returncode != 0:
        problems.append(f"nginx refuses its configuration: {nginx.stderr.strip()}")
    if steps.returncode != 0:
        problems.append(complaint.strip() or "the release steps failed without a message.")
    return problems
