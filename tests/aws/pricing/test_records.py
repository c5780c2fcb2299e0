"""Attempts read back from a run's store: finished, cut off, and gone without a word."""

import boto3
import pytest
from moto import mock_aws

from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    Command,
    CommandList,
    Outcome,
)
from snakemake_executor_plugin_aws_batch_array.store import RunStore, S3Path
from tomobatch.aws.pricing.records import read_uses

WHERE = ("c6i.large", "us-east-1a", "spot")


def attempt(number, start_ms, seen_ms, finished, machine="i-1"):
    return Attempt(number, start_ms, seen_ms, finished, machine, *WHERE)


def outcome(command, attempt, start_ms, stop_ms, exit_code=0):
    return Outcome(command, exit_code, "", attempt, start_ms, stop_ms, 1, *WHERE)


@pytest.fixture
def store(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="data")
        store = RunStore(s3, S3Path("data", "scratch/run"))
        commands = tuple(Command((f"a:i={i}",), (), str(i)) for i in range(4))
        store.put_list(
            CommandList("run-a-1", "run", "a", "cpu", 1, 2, 2, None, {}, {}, (), (), commands)
        )
        yield store


def put(store, child, starts, outcomes):
    for start in starts:
        store.put_start("run-a-1", child, start)
    if outcomes is not None:
        store.put_outcomes("run-a-1", outcomes)


def test_an_attempt_that_came_to_its_end(store):
    done = attempt(1, 100, 900, finished=True)
    put(store, 0, [done], ChildOutcomes(0, [done], {0: outcome(0, 1, 150, 900)}))
    store.close("run-a-1")

    (use,) = read_uses(store, now_ms=5000)

    assert (use.step, use.instance_id, use.instance_type, use.vcpus) == ("a", "i-1", "c6i.large", 2)
    assert (use.start_ms, use.stop_ms, use.lost_ms, use.reclaimed) == (100, 900, 0, False)


def test_a_command_that_failed_is_lost(store):
    done = attempt(1, 100, 900, finished=True)
    known = {0: outcome(0, 1, 150, 400), 1: outcome(1, 1, 400, 900, exit_code=1)}
    put(store, 0, [done], ChildOutcomes(0, [done], known))

    (use,) = read_uses(store, now_ms=5000)

    assert use.lost_ms == 500


def test_of_a_reclaimed_attempt_what_it_finished_is_not_lost(store):
    cut, done = attempt(1, 100, 700, finished=False), attempt(2, 2000, 2500, True, "i-2")
    known = {0: outcome(0, 1, 150, 450), 1: outcome(1, 2, 2050, 2500)}
    put(store, 0, [cut, done], ChildOutcomes(0, [cut, done], known))
    store.close("run-a-1")

    first, second = read_uses(store, now_ms=5000)

    assert (first.stop_ms, first.lost_ms, first.reclaimed) == (700, 300, True)
    assert (second.instance_id, second.lost_ms, second.reclaimed) == ("i-2", 0, False)


@pytest.mark.parametrize(("next_ms", "stop_ms"), [(300, 300), (90_000, 600)])
def test_an_attempt_gone_without_a_word_ended_before_the_next(store, next_ms, stop_ms):
    done = attempt(2, next_ms, next_ms + 500, finished=True)
    known = {0: outcome(0, 2, next_ms, next_ms + 500)}
    put(store, 0, [attempt(1, 100, 100, False), done], ChildOutcomes(0, [done], known))
    store.close("run-a-1")

    first, _ = read_uses(store, now_ms=500_000)

    assert (first.stop_ms, first.lost_ms, first.reclaimed) == (stop_ms, stop_ms - 100, True)


def test_an_attempt_that_runs_counts_until_now(store):
    put(store, 1, [attempt(1, 100, 100, False)], None)

    (use,) = read_uses(store, now_ms=5000)

    assert (use.stop_ms, use.lost_ms, use.reclaimed) == (5000, 0, False)
