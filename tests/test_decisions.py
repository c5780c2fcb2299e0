"""Decisions lead somewhere: the index names each of them, and so does the module it governs."""

import re
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1]
FOLDER = SOURCES / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
GOVERNED = [
    path
    for folder in ("src", "rules", "scripts", "plugins", "cloudformation", "docker")
    for path in (SOURCES / folder).rglob("*")
    if path.suffix in (".py", ".smk", ".cl", ".yaml") or path.name == "Dockerfile"
] + [SOURCES / "pyproject.toml", SOURCES / "mkdocs.yml"]
CITATION = re.compile(r"[Dd]ecisions? ((?:\d+(?:, | and )?)+)")


@pytest.fixture(scope="module")
def cited() -> set[int]:
    texts = [path.read_text(encoding="utf-8") for path in GOVERNED if path.is_file()]
    lists = [numbers for text in texts for numbers in CITATION.findall(text)]
    return {int(number) for numbers in lists for number in re.findall(r"\d+", numbers)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_is_in_the_index_and_cited_where_it_governs(page, cited):
    number = int(page.name[:4])
    title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix(f"# {number}. ")
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"| {number} | [{title}]({page.name}) |" in index
    assert number in cited


def test_nothing_cites_a_decision_that_is_not_there(cited):
    assert cited - {int(page.name[:4]) for page in PAGES} == set()


def test_a_number_is_one_decision():
    numbers = [page.name[:4] for page in PAGES]
    assert len(set(numbers)) == len(numbers)
