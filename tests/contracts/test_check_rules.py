"""The rules that `make check` adds to other people's tools find what they are for."""

import re
import subprocess
from pathlib import Path
from types import ModuleType

import grimp
import pytest

from tests import fast, words
from tests.import_contracts import find_circle, find_foreign_imports
from tests.words import Allowance, Word, WordList

REPO = Path(__file__).parent.parent.parent

# In two parts, because the list is also about this file.
BELL, RIDDLE = "door" + "bell", "who" + "m"


@pytest.fixture
def word_list() -> WordList:
    return WordList(
        [Word(BELL, "publisher"), Word(f"(?<![a-z]){RIDDLE}(?![a-z])", "the noun")],
        [Allowance("old/*", "an alias", BELL)],
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"\nimport {BELL}\n", 2),
        (f"RING_{BELL.upper()}_SECONDS = 1", 1),
        (f"a{BELL}s", 1),
        (f"1\n2\nof {RIDDLE} it speaks", 3),
    ],
)
def test_a_banned_word_is_found_in_any_case_and_inside_an_identifier(word_list: WordList, text: str, line: int):
    (hit,) = word_list.search("app/any.py", text)
    assert hit.line == line


def test_a_banned_word_in_the_name_of_a_file_is_found(word_list: WordList):
    (hit,) = word_list.search(f"app/{BELL}.py", "")
    assert (hit.line, hit.word.say) == (0, "publisher")


def test_a_pattern_with_borders_leaves_longer_words_alone(word_list: WordList):
    assert word_list.search("app/any.py", f"a{RIDDLE}b") == []


def test_an_exception_holds_for_its_files_and_its_word_only(word_list: WordList):
    text = f"{BELL} {RIDDLE}"
    assert [hit.found for hit in word_list.search("old/alias.py", text)] == [RIDDLE]
    assert len(word_list.search("app/alias.py", text)) == 2


def test_an_exception_that_nothing_needs_is_reported(word_list: WordList):
    assert len(word_list.unused()) == 1
    word_list.search("old/alias.py", BELL)
    assert word_list.unused() == []


def test_every_word_of_the_list_is_in_lower_case_and_finds_something():
    for word in WordList.load(words.LIST).words:
        assert word.pattern == word.pattern.lower()
        assert word.say
        assert not re.search(word.pattern, ""), f"{word.pattern} finds everything"


def test_the_doctors_contract_finds_an_import_from_outside_the_standard_library():
    graph = grimp.ImportGraph()
    for name in ("ours", "ours.part"):
        graph.add_module(name)
    for name in ("json", "httpx"):
        graph.add_module(name, is_squashed=True)
    graph.add_import(importer="ours", imported="ours.part")
    graph.add_import(importer="ours.part", imported="json")
    assert find_foreign_imports(graph, ["ours"]) == []
    graph.add_import(importer="ours.part", imported="httpx")
    assert find_foreign_imports(graph, ["ours"]) == [("ours.part", "httpx")]


def test_a_circle_of_imports_is_found():
    graph = grimp.ImportGraph()
    for name in ("a", "b", "c"):
        graph.add_module(name)
    graph.add_import(importer="a", imported="b")
    graph.add_import(importer="b", imported="c")
    assert find_circle(graph) == []
    graph.add_import(importer="c", imported="a")
    assert find_circle(graph) in (["a", "b", "c", "a"], ["b", "c", "a", "b"], ["c", "a", "b", "c"])


@pytest.mark.parametrize("pipeline", [".github/workflows/test.yml", ".gitlab-ci.yml"])
def test_every_command_of_a_pipeline_is_in_the_makefile(pipeline: str):
    commands = set(re.findall(r"(?:run: |- )make ([\w-]+)", (REPO / pipeline).read_text()))
    assert {"test", "check", "test-docker", "test-vm"} <= commands
    for command in commands:
        made = ["make", "--dry-run", command, "TEST_INVENTORY=hosts.ini"]
        subprocess.run(made, cwd=REPO, check=True, capture_output=True)


def test_the_fast_run_leaves_out_what_imports_a_helper_that_starts_programs():
    module = ModuleType("tests.any")
    module.client = pytest.Item  # type: ignore[attr-defined]
    assert not fast.imports_from(module, "tests.running")
    module.stack = type("Stack", (), {"__module__": "tests.running"})  # type: ignore[attr-defined]
    assert fast.imports_from(module, "tests.running")
