"""Every row that the doctor knows has a test that injects it, and the catalogue's forty rows are all there."""

import ast
import re
from pathlib import Path

import pytest

from deploy.doctor import causes
from deploy.doctor.catalogue import ROWS, Row

assert causes  # importing it fills the table
CATALOGUE = range(1, 41)


def injected() -> set[tuple[int, str]]:
    """The number in a test's name, with each text in its body: the causes that it expects are among them."""
    return {
        (int(number[1]), text.value)
        for file in Path(__file__).parent.glob("test_*.py")
        for test in ast.walk(ast.parse(file.read_text()))
        if isinstance(test, ast.FunctionDef) and (number := re.match(r"test_(\d+)_", test.name))
        for text in ast.walk(test)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    }


INJECTED = injected()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number}-{row.hop.title}-{row.name}")
def test_every_cause_is_injected_by_a_test_of_its_number(row: Row) -> None:
    assert (row.number, row.name) in INJECTED


def test_no_row_of_the_catalogue_is_missing() -> None:
    assert sorted({row.number for row in ROWS} - {0}) == list(CATALOGUE)
