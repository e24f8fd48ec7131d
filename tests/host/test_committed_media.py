"""A release adds the uploads that belong to the project, and keeps those of the site."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.host.sites import REPO

TUTORIAL = REPO / "tests" / "guests" / "tutorial"


def test_the_files_that_the_site_does_not_have_are_copied(tmp_path: Path) -> None:
    release = tmp_path / "release"
    shutil.copytree(TUTORIAL, release / "project")
    (release / "stack").mkdir()
    for name in ("channels_realtime", "channels_stack"):
        (release / "stack" / name).symlink_to(REPO / "app" / name)
    (release / "deploy").mkdir()
    for name in ("__init__.py", "committed_media.py", "site_files.py"):
        if (REPO / "deploy" / name).exists():
            shutil.copyfile(REPO / "deploy" / name, release / "deploy" / name)
    with (release / "project/mysite/settings.py").open("a") as settings:
        settings.write("\nMEDIA_ROOT = BASE_DIR / 'uploads'\n")
    own, media = release / "project/uploads/faces", tmp_path / "media"
    own.mkdir(parents=True)
    media.mkdir()
    (own / "default.png").write_text("the project's")
    (own / "new.png").write_text("new")
    (media / "faces").mkdir()
    (media / "faces/default.png").write_text("the site's")
    description = {
        "name": "tutorial",
        "settings": "mysite.settings",
        "hosts": ["t.example.org"],
        "media_root": str(media),
    }
    (release / "site.json").write_text(json.dumps(description))
    environment = {
        "PATH": os.environ["PATH"],
        "SITE_FILE": str(release / "site.json"),
        "DJANGO_SETTINGS_MODULE": "channels_stack.settings",
        "PYTHONPATH": f"{release}/project:{release}/stack",
        "SECRET_KEY": "k" * 60,
    }
    script = release / "deploy/committed_media.py"
    done = subprocess.run(
        [sys.executable, script], cwd=release / "project", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (media / "faces/default.png").read_text() == "the site's"
    assert (media / "faces/new.png").read_text() == "new"
