"""``calibrate-fleet`` on an emulator that starts jobs late: what it is told, it finds again."""

import pytest
from tests.cli.calling import tomobatch

from aws_batch_emulator import Fault
from tomobatch.aws.runs import measure, sleepers
from tomobatch.aws.runs.place import find_place
from tomobatch.aws.runs.seen import read_seen

LATE_S = 3.0


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(measure, "CHILDREN", 2)
    monkeypatch.setattr(measure, "SLEEP_S", 0.1)
    monkeypatch.setattr(measure, "PAUSES_S", (2.0,))
    monkeypatch.setattr(sleepers, "_POLL_S", 0.2)


def test_what_the_account_is_like_is_found_and_later_estimates_learn_it(emulator):
    emulator.inject(Fault("slow-start", match="*", count=None, duration_s=LATE_S, reason=""))
    said = tomobatch("calibrate-fleet", "--queue", "cpu", "--yes")
    assert said.code == 0, said.err

    *_, seen = (each for each in read_seen(find_place()) if not each.steps)
    assert len(seen.warm_s) == 2
    assert all(LATE_S <= each < LATE_S + 30 for each in seen.warm_s)
    # A machine that idled for the pause, and was there: no emulated one goes away.
    assert seen.kept_idle_s >= 2.0
    assert seen.gone_idle_s == 0.0
    assert "an idle machine stays longer than" in said.out
    assert f"until a job starts on a machine that is there: {LATE_S:.0f}"[:-1] in said.out
    assert emulator.live_jobs() == []


def test_nothing_is_measured_unasked_or_where_there_is_nothing(emulator):
    assert "add --yes" in tomobatch("calibrate-fleet", "--queue", "cpu").err
    refused = tomobatch("calibrate-fleet", "--queue", "fargate", "--yes").err
    assert "--queue fargate: the stacks have cpu, gpu" in refused
    assert "batch:SubmitJob" not in emulator.calls()


def test_a_job_that_cannot_start_ends_the_measurement(emulator):
    emulator.inject(Fault("cannot-pull", match="*", count=None))
    refused = tomobatch("calibrate-fleet", "--queue", "cpu", "--yes").err

    assert "calibrate-fleet-" in refused
    assert "failed: Task failed to start" in refused
    assert "Traceback" not in refused


def test_jobs_that_wait_for_ever_are_ended_and_said_to(emulator, monkeypatch):
    monkeypatch.setattr(sleepers, "_PATIENCE_S", 1.0)
    emulator.inject(Fault("slow-start", match="*", count=None, reason="CAPACITY:NONE - none left"))
    refused = tomobatch("calibrate-fleet", "--queue", "cpu", "--yes").err

    assert "have waited for half an hour on the queue cpu: CAPACITY:NONE" in refused
    emulator.wait_until_idle()
