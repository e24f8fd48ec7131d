"""Complete the static files and the uploads of a project's release: publish_project.py SETTINGS SOURCE.

SETTINGS is what `python -m channels_stack.overrides --json` printed, SOURCE the folder of the project.
collectstatic has filled the volume of the static files already.
"""

import json
import os
import sys
from pathlib import Path

from deploy.site_files import copy_committed_media, rewrite_static_files

STATIC, MEDIA = Path("/made/static"), Path("/made/media")


def main(settings_file: Path, source: Path) -> None:
    """Do both."""
    own_folder = json.loads(settings_file.read_text().splitlines()[-1])["project_media_root"]
    if own_folder and os.path.ismount(MEDIA):
        copy_committed_media(Path(own_folder), MEDIA, source=source)
    if os.environ.get("REWRITES_WS"):
        rewrite_static_files(STATIC)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
