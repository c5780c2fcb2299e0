"""Retry strategies as pure data: which endings Batch tries again."""

import pytest

from aws_batch_emulator.endings import Ending
from aws_batch_emulator.retries import RetryStrategy, wants_retry

RECLAIMED = Ending(None, "Host EC2 (instance i-0123) terminated.")
FAILED = Ending(1, "Essential container in task exited")
KILLED = Ending(137, "Essential container in task exited", "OutOfMemoryError: Container killed")
TIMED_OUT = Ending(143, "Job attempt duration exceeded timeout", final=True)

SPOT = [
    {"onStatusReason": "Host EC2*", "action": "RETRY"},
    {"onReason": "*", "action": "EXIT"},
]


@pytest.mark.parametrize(
    ("rules", "ending", "expected"),
    [
        pytest.param([], FAILED, True, id="no rules: every failure is retried"),
        pytest.param([], TIMED_OUT, False, id="a time limit is never retried"),
        pytest.param(SPOT, RECLAIMED, True, id="a reclaim is retried"),
        pytest.param(SPOT, FAILED, False, id="the last rule catches a failure without a reason"),
        pytest.param(SPOT, KILLED, False, id="the last rule catches a failure with a reason"),
        pytest.param(SPOT[:1], FAILED, True, id="no match: retried"),
        pytest.param(
            [{"onExitCode": "1", "action": "exit"}], FAILED, False, id="action in lower case"
        ),
        pytest.param([{"onExitCode": "13*", "action": "EXIT"}], KILLED, False, id="exit code glob"),
        pytest.param(
            [{"onExitCode": "13", "action": "EXIT"}], KILLED, True, id="a code is not a prefix"
        ),
        pytest.param(
            [{"onExitCode": "1*", "action": "EXIT"}], RECLAIMED, True, id="no code, no match"
        ),
        pytest.param(
            [{"onExitCode": "137", "onReason": "OutOfMemory*", "action": "EXIT"}],
            KILLED,
            False,
            id="both conditions hold",
        ),
        pytest.param(
            [{"onExitCode": "137", "onReason": "Cannot*", "action": "EXIT"}],
            KILLED,
            True,
            id="all conditions must hold",
        ),
        pytest.param(
            [{"onExitCode": "1", "action": "RETRY"}, {"onExitCode": "1", "action": "EXIT"}],
            FAILED,
            True,
            id="the first match decides",
        ),
    ],
)
def test_first_attempt(rules, ending, expected):
    strategy = RetryStrategy.from_api({"attempts": 3, "evaluateOnExit": rules})
    assert wants_retry(strategy, 1, ending) is expected


@pytest.mark.parametrize(("made", "expected"), [(1, True), (2, True), (3, False)])
def test_attempts_run_out(made, expected):
    assert wants_retry(RetryStrategy(attempts=3), made, FAILED) is expected


def test_one_attempt_without_a_strategy():
    assert RetryStrategy.from_api(None) == RetryStrategy(attempts=1, rules=())


def test_goes_through_the_api_form():
    form = {"attempts": 3, "evaluateOnExit": SPOT}
    assert RetryStrategy.from_api(form).to_api() == form
