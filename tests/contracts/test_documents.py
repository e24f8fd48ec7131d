"""The documents agree with the code: commands, files, links, and the way of a message."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import call_command

from config.variables import VARIABLES
from deploy.doctor.causes import CAUSES

REPO = Path(__file__).parent.parent.parent
DOCUMENTS = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=REPO, capture_output=True, text=True, check=True
).stdout.split()
# Documents that say where something is. A changelog names files that are gone.
GUIDES = [name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "tests/README.md") if name in DOCUMENTS]
MAX_FILE_LINES = 400


def read(name: str) -> str:
    return (REPO / name).read_text()


def find_make_commands(text: str) -> list[str]:
    """Return the arguments of each `make ...` in code: in the lines of a block, and between backticks."""
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"^make ([^#\n]+)", blocks, re.MULTILINE) + re.findall(r"`make ([^`]+)`", prose)
    return [arguments.strip() for arguments in found]


def test_the_asyncapi_document_is_generated_from_the_protocol():
    call_command("asyncapi", check=True)


def test_the_readme_begins_with_the_two_commands():
    assert find_make_commands(read("README.md"))[:2] == ["run", "test"]


@pytest.mark.parametrize("name", GUIDES)
def test_every_make_command_of_a_guide_has_a_target(name):
    targets = {re.match(r"[\w-]+", arguments)[0] for arguments in find_make_commands(read(name))}
    for target in sorted(targets):
        done = subprocess.run(["make", "--dry-run", target], cwd=REPO, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"make {target}: {done.stderr}"


def anchor_of(heading: str) -> str:
    """Return the anchor that a code host gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_within_the_repository_leads_somewhere(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", read(name)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (REPO / name).parent / path if path else REPO / name
        assert file.exists(), f"{name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in map(anchor_of, headings), f"{name} links to {target}"


@pytest.mark.parametrize("name", GUIDES)
def test_every_file_that_a_guide_names_exists(name):
    roots = "app|deploy|nginx|systemd|docker|ansible|loadtest|requirements|tests"
    for path in re.findall(rf"`((?:{roots})/[\w@./*-]+)`", read(name)):
        pattern = path.replace("NAME", "*")  # parley-NAME.service: a name that the reader chooses
        assert any(REPO.glob(pattern.rstrip("/"))), f"{name} names {path}"


def test_the_changelog_names_every_variable_and_cause_that_still_has_an_old_name():
    renamed = {(variable.old_name, name) for name, variable in VARIABLES.items() if variable.old_name}
    renamed |= {(cause.former_name, cause.name) for cause in CAUSES if cause.former_name}
    assert len(renamed) >= 6
    rows = set(re.findall(r"^\|[^|\n]*\| `([^`]+)` \| `([^`]+)` \|$", read("CHANGELOG.md"), re.MULTILINE))
    assert renamed - rows == set()


def test_the_readme_of_the_tests_describes_every_folder_and_only_files_that_exist():
    tests = REPO / "tests"
    names = set(re.findall(r"^\| `([^`]+)`", read("tests/README.md"), re.MULTILINE))
    names |= set(re.findall(r"`(\w+\.py)`", read("tests/README.md"))) - {"screenshots.py"}
    folders = {f"{folder.parent.name}/" for folder in tests.glob("*/*") if folder.suffix in (".py", ".js")}
    assert {name for name in names if name.endswith("/")} == folders
    assert [name for name in names if not (tests / name).exists()] == []


# --- The way of a message


class Step(NamedTuple):
    """A row of the table in the README: `reached` is "from N", or the border that the message crosses."""

    number: int
    file: str
    function: str
    reached: str


def read_steps() -> list[Step]:
    text = read("README.md")
    way = text[text.index("## The way of a message") : text.index("## Settings that matter")]
    rows = re.findall(r"^\| (\d+) \| `([^`]+)` \| `([^`]+)` \| ([^|]+) \|", way, re.MULTILINE)
    return [Step(int(number), file, function, reached.strip()) for number, file, function, reached in rows]


STEPS = read_steps()
BY_NUMBER = {step.number: step for step in STEPS}
# What carries the message where no call does, and what both sides of that border must contain.
BORDERS = {
    "from the page": [("app/chat/static/chat/room_page.js", r"\.send\(")],
    "through nginx": [
        ("app/chat/static/chat/connection.js", r"new WebSocket\("),
        ("nginx/sites/parley.conf", r"location /ws/ \{"),
        ("app/channels_realtime/server.py", r"WebSocketFactory\.protocol = Connection"),
    ],
    "by ASGI": [
        ("app/channels_realtime/connection.py", r"def put_nowait\("),
        ("app/channels_realtime/server.py", r"queue = ReceiveQueue\(\)"),
        ("app/channels_realtime/consumer.py", r'case "websocket\.receive":\s+await self\._receive\('),
    ],
    "through Redis": [
        ("app/channels_realtime/publisher.py", r"layer\.group_send\(announcement\[\"stream\"\], announcement\)"),
        ("app/channels_realtime/hub.py", r"announcement = await self\._layer\.receive\(channel\)"),
        # In the process that stored the event, without Redis.
        ("app/channels_realtime/publisher.py", r"self\._receiver\(announcement\)"),
        ("app/channels_realtime/hub.py", r"publisher\.attach\(self\.receive\)"),
    ],
}


@cache
def defined_names(file: str) -> set[str]:
    """Return the functions, methods and classes that a file defines."""
    text = read(file)
    if file.endswith(".py"):
        definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        return {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, definitions)}
    methods = re.findall(r"^\s+(?:async )?(#?\w+)\([^;]*\) \{$", text, re.MULTILINE)
    return {*methods, *re.findall(r"\b(\w+): ?\S", text), *re.findall(r"\.(\w+) = ", text)}


@cache
def used_names(file: str) -> set[str]:
    """Return the names that a file calls, or hands on for another one to call."""
    text = read(file)
    if file.endswith(".py"):
        nodes = list(ast.walk(ast.parse(text)))
        names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return set(re.findall(r"\.(#?\w+)\(", text)) | set(re.findall(r"\bhandlers\.(\w+)", text))


def test_the_steps_are_numbered_and_begin_and_end_in_a_browser():
    assert [step.number for step in STEPS] == list(range(1, len(STEPS) + 1))
    assert len(STEPS) > 20
    assert STEPS[0].file.endswith("chat_session.js")
    assert STEPS[-1].file.endswith("room.js")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.number}-{step.function}")
def test_the_function_of_a_step_is_in_its_file(step: Step):
    assert step.function in defined_names(step.file)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.number}-{step.function}")
def test_a_step_is_reached_as_the_table_says(step: Step):
    if caller := re.fullmatch(r"from (\d+)", step.reached):
        before = BY_NUMBER[int(caller[1])]
        assert before.number < step.number
        assert step.function in used_names(before.file), f"{before.file} does not use {step.function}"
    else:
        for file, pattern in BORDERS[step.reached]:
            assert re.search(pattern, read(file)), f"{file} does not contain {pattern}"


def test_each_border_of_the_walk_is_crossed_once_each_way():
    borders = [step.reached for step in STEPS if step.reached in BORDERS]
    assert borders == ["from the page", "through nginx", "by ASGI", "through Redis", "through nginx"]


def test_the_functions_that_fill_a_gap_are_where_the_readme_says():
    names = re.findall(r"`(_\w+)`", read("README.md"))
    assert {"_fill_gap", "_compare_heads"} <= set(names)
    assert set(names) - {step.function for step in STEPS} <= defined_names("app/channels_realtime/hub.py")


def test_no_file_has_more_than_400_lines():
    long = {
        str(file.relative_to(REPO)): lines
        for kind in ("py", "js", "css")
        for file in (REPO / "app").rglob(f"*.{kind}")
        if "migrations" not in file.parts and (lines := len(file.read_text().splitlines())) > MAX_FILE_LINES
    }
    assert long == {}
