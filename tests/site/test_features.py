"""The page of features names tests that exist, and links and keys that are there."""

import re

import pytest
from tests.workflow.running import REPOSITORY

from tomobatch.config.schema import Config

PAGE = REPOSITORY / "docs" / "explanation" / "features.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| what ")
]


def test_there_are_rows_to_look_at():
    assert len(ROWS) > 15
    assert {len(row) for row in ROWS} == {5}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_feature_is_shown_by_tests_that_are_there(row):
    named = re.findall(r"`(tests/[\w/.]+)`", row[3])
    assert named
    for name in named:
        path = REPOSITORY / name
        files = [path] if path.is_file() else list(path.glob("test_*.py"))
        assert any("\ndef test_" in file.read_text(encoding="utf-8") for file in files), name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_it_names_exists(row):
    for link in re.findall(r"\]\(([^)#]+)", row[2]):
        assert (PAGE.parent / link).is_file(), link
    for section, key in re.findall(r"`(\w+)\.(\w+)`", row[2]):
        settings = Config.model_fields[section].annotation
        assert key in settings.model_fields
