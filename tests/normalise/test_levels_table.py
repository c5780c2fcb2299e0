"""Every row of the table of levels is right, or said to be wrong."""

from pathlib import Path

import pytest
from tests.normalise.levels import CASES, Case, outcome

# Of a line integral, where the flats tell the beam; and of the scale elsewhere.
LARGEST_ERROR, LARGEST_SCALE_ERROR = 0.005, 0.05


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_right_or_it_is_said(case: Case, tmp_path: Path) -> None:
    found = outcome(case, tmp_path / "scan.h5")
    if case.name.startswith("flats of two levels"):
        assert found.error < LARGEST_ERROR
    assert found.warnings or abs(found.scale - 1) < LARGEST_SCALE_ERROR


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("the beam falls 30%", "the beam changes by"),
        ("recovers", "the beam changes by"),
        ("ends at 70%", "saturated at"),
        ("ends at 50%", "saturated at"),
    ],
)
def test_what_is_wrong_is_said_in_its_own_words(name: str, words: str, tmp_path: Path) -> None:
    (case,) = [one for one in CASES if name in one.name and "two levels" not in one.name]
    assert any(words in line for line in outcome(case, tmp_path / "scan.h5").warnings)


@pytest.mark.parametrize("photons", [300.0, 20_000.0])
def test_a_steady_beam_is_not_doubted(photons: float, tmp_path: Path) -> None:
    assert outcome(Case("", photons=photons), tmp_path / "scan.h5").warnings == ()
