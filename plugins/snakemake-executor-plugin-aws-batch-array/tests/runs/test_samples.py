"""A seeded sample of what foreign, kills and interrupted of benchmarks/ do at full size."""

import itertools
import random
import sys
from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[4] / "benchmarks"
SEED = 20261125
WHOLE_RUN_S = 15.0
"""Within so many seconds a controller is killed."""


def load(name):
    """Import a benchmark, with those that it imports."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(BENCHMARKS))


def sample():
    foreign = load("foreign")
    every = [(name, condition) for name in foreign.SHAPES for condition in foreign.CONDITIONS]
    return random.Random(SEED).sample(every, 3)  # noqa: S311


@pytest.mark.parametrize(("name", "condition"), sample())
def test_a_workflow_of_anothers_shape_comes_out_right(emulator, python, name, condition):
    assert load("foreign").run(emulator, name, condition, SEED, python).wrong == ""


def sample_of_interruptions():
    interrupted = load("interrupted")
    every = list(itertools.product(interrupted.ALL_CASES, interrupted.WAYS, interrupted.CONDITIONS))
    return random.Random(SEED).sample(every, 2)  # noqa: S311


@pytest.mark.parametrize(("case", "way", "condition"), sample_of_interruptions())
def test_an_interrupted_workflow_comes_out_right(emulator, python, case, way, condition):
    interrupted = load("interrupted")
    with interrupted.within(emulator, condition):
        assert interrupted.run_case(emulator, python, case, way, condition) == ""


def test_a_controller_that_is_killed_at_random_moments_comes_out_right(emulator, python):
    dice = random.Random(SEED)  # noqa: S311
    trial = load("kills").run_trial(emulator, dice, f"sample{SEED}", python, WHOLE_RUN_S)

    assert trial.wrong == ""
