"""The documents agree with the code."""

import re
import subprocess
from pathlib import Path

from django.core.management import call_command

REPO = Path(__file__).parent.parent.parent


def test_the_asyncapi_document_is_generated_from_the_protocol():
    call_command("asyncapi", check=True)


def test_the_make_targets_in_the_readme_exist():
    targets = set(re.findall(r"^make (\w+)", (REPO / "README.md").read_text(), re.MULTILINE))
    targets |= set(re.findall(r"`make (\w+)`", (REPO / "README.md").read_text()))
    assert {"run", "test", "check"} <= targets
    for target in targets:
        subprocess.run(["make", "--dry-run", target], cwd=REPO, check=True, capture_output=True)


def test_the_way_of_a_message_in_the_readme_leads_through_short_files_that_exist():
    text = (REPO / "README.md").read_text()
    way = text[text.index("## The way of a message") : text.index("## Layout")]
    steps = re.findall(r"\b[1-8] +(\S+\.(?:py|js))", way)
    assert len(steps) == len(set(steps)) == 8
    for step in steps:
        (file,) = (REPO / "app").rglob(f"**/{step}") if "/" not in step else (REPO / "app").glob(f"**/{step}")
        assert len(file.read_text().splitlines()) <= 300, f"{step} is too long to read on the way"


def test_no_file_has_more_than_300_lines():
    long = {
        str(file.relative_to(REPO)): lines
        for kind in ("py", "js", "css")
        for file in (REPO / "app").rglob(f"*.{kind}")
        if "migrations" not in file.parts and (lines := len(file.read_text().splitlines())) > 400
    }
    assert long == {}
