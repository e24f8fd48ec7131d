"""Every cause in the catalogue has a test that makes the fault happen, and none of the forty numbers is missing."""

import ast
import re
from pathlib import Path

import pytest

from deploy.doctor import causes
from deploy.doctor.catalogue import Cause
from deploy.doctor.causes import CAUSES

NUMBERS = range(1, 41)
GUESTS = Path(__file__).parent.parent / "guests" / "test_doctor.py"  # faults that only a project of others can have


def find_tested_causes() -> set[tuple[int, str]]:
    """Return the number in each test's name with each text in its body: the causes that it expects are among them."""
    return {
        (int(number[1]), text.value)
        for file in [*Path(__file__).parent.glob("test_*.py"), GUESTS]
        for test in ast.walk(ast.parse(file.read_text()))
        if isinstance(test, ast.FunctionDef) and (number := re.match(r"test_(\d+)_", test.name))
        for text in ast.walk(test)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    }


TESTED_CAUSES = find_tested_causes()


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: f"{cause.number}-{cause.hop.title}-{cause.name}")
def test_every_cause_has_a_test_of_its_number(cause: Cause) -> None:
    assert (cause.number, cause.name) in TESTED_CAUSES


def test_no_number_of_the_catalogue_is_missing() -> None:
    assert sorted({cause.number for cause in CAUSES} - {0}) == list(NUMBERS)


def test_every_module_of_causes_is_in_the_list() -> None:
    files = {file.stem for file in Path(causes.__file__).parent.glob("*.py")} - {"__init__"}
    assert {module.__name__.rpartition(".")[2] for module in causes.MODULES} == files
