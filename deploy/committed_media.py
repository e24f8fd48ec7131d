#!/usr/bin/env python3
"""Copy uploads that belong to a project, such as a default picture, to the site's folder of uploaded files.

deploy/pre-release starts it in the folder of manage.py, with the variables of deploy/run-in-release.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

RELEASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(RELEASE))  # imports start at its root

from deploy.site_files import copy_committed_media  # noqa: E402


def main() -> None:
    """Copy the files that the site does not have yet."""
    media = json.loads(Path(os.environ["SITE_FILE"]).read_text())["media_root"]
    if not media:
        return
    command = [sys.executable, "-m", "channels_stack.overrides", "--json"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    own = json.loads(printed.splitlines()[-1])["project_media_root"]
    if own:
        copy_committed_media(Path(own), Path(media), source=RELEASE / "project")


if __name__ == "__main__":
    main()
