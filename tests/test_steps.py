"""The tables of steps and of results, held against the rules that really run."""

import re
from pathlib import Path

import pytest

from tomobatch import results
from tomobatch.steps import RECORDED, steps_with
from tomobatch.stores.settings import VolumeSettings

REPOSITORY = Path(__file__).parents[1]
RULES = "\n".join(path.read_text() for path in sorted((REPOSITORY / "rules").glob("*.smk")))
BLOCKS = dict(re.findall(r"^rule (\w+):\n(.*?)(?=^rule |^\w|\Z)", RULES, re.MULTILINE | re.DOTALL))
ALL_STEPS = steps_with(results.EXPORTS, checked=True, aligned=True, keep_intermediates=False)


def outputs(rule: str) -> str:
    """Return the text of what a rule writes."""
    return BLOCKS[rule].partition("    output:\n")[2].partition("    log:\n")[0]


def test_the_steps_are_the_rules():
    assert {step.rule for step in ALL_STEPS} == set(BLOCKS)
    assert VolumeSettings(export=list(results.EXPORTS)).export == list(results.EXPORTS)


@pytest.mark.parametrize("step", ALL_STEPS, ids=lambda step: step.rule)
def test_a_step_is_cut_as_its_rule_is(step):
    wildcard = {"one": None, "projections": "{{i}}", "rows": "{{k}}", "slices": "{{k}}"}[
        step.chunks
    ]
    used = {each for each in ("{{i}}", "{{k}}") if each in outputs(step.rule)}
    assert used == ({wildcard} if wildcard else set())


@pytest.mark.parametrize("step", ALL_STEPS, ids=lambda step: step.rule)
def test_a_step_that_is_recorded_writes_its_record(step):
    folder = f"/{results.RECORDS}/{step.rule}"
    assert (f'{folder}.json"' in outputs(step.rule) or folder in outputs(step.rule)) == (
        step.rule in RECORDED
    )


@pytest.mark.parametrize("step", ALL_STEPS, ids=lambda step: step.rule)
def test_a_step_states_its_work_and_gpus_where_it_may_have_some(step):
    assert f'work_s=seconds_of("{step.rule}"),' in BLOCKS[step.rule]
    assert ("gpu=gpus_of_slices," in BLOCKS[step.rule]) == step.on_device


def test_the_names_of_results_are_those_of_the_rules():
    written = set(re.findall(r'f"\{RESULTS\}/\{+scan\}+/([\w.]+)', RULES)) | {results.SETTINGS}
    owned = [value for name, value in vars(results).items() if name.isupper() and name != "TABLE"]
    single = {value for value in owned if isinstance(value, str)}
    assert written == single | set(results.EXPORTS.values())
