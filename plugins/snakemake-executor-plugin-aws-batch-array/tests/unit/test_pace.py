"""Pauses between two looks at the jobs."""

import pytest

from snakemake_executor_plugin_aws_batch_array.pace import Pace


@pytest.fixture
def pace():
    pace = Pace()
    pace.usual_s = 10
    return pace


def test_pauses_grow_while_nothing_happens_and_shrink_when_something_does(pace):
    pace.after_poll(moved=True)
    shortest_s = pace.pause_s
    for _ in range(20):
        pace.after_poll(moved=False)
    longest_s = pace.pause_s
    pace.hurry()

    assert (shortest_s, longest_s) == (2, 30)
    assert pace.pause_s == shortest_s


def test_polling_in_earnest_never_spins(pace):
    pace.usual_s = 0
    pace.after_poll(moved=True)

    assert pace.pause_s > 0


def test_a_wait_is_ended_by_a_wake(pace):
    pace.wake()
    pace.pause_s = 3600
    pace.wait()
