"""The worker without Snakemake: which commands run, and what is reported of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from snakemake_executor_plugin_aws_batch_array.command_list import OUT_OF_MEMORY, TIMED_OUT
from snakemake_executor_plugin_aws_batch_array.store import S3Path
from snakemake_executor_plugin_aws_batch_array.submission import TRY_AGAIN_EXIT_CODE
from snakemake_executor_plugin_aws_batch_array.worker import work as work_module
from snakemake_executor_plugin_aws_batch_array.worker.assignment import Assignment
from snakemake_executor_plugin_aws_batch_array.worker.host import Host
from snakemake_executor_plugin_aws_batch_array.worker.process import Ended
from snakemake_executor_plugin_aws_batch_array.worker.work import Work

HOST = Host("c7a.large", "eu-central-1a", "spot", "i-1")


class FakeRunner:
    """Calls functions in this process; told by the test how the call of a command ends."""

    def __init__(self):
        self.stopping = False
        self.limits = []

    def run(self, function, timeout_s=None):
        self.limits.append(timeout_s)
        exit_code = function()
        return Ended(exit_code, timed_out=exit_code == 124, peak_memory_mib=7)


class Child:
    """A child of an array of two with four commands, whose exit codes the test sets."""

    def __init__(self, store, make_list):
        self.store = store
        self.runner = FakeRunner()
        self.list = make_list(
            arguments=("--snakefile", "Snakefile"),
            sources="checksum",
            environment={"LANG": "C"},
            command_timeout_s=600,
        )
        self.calls = []
        self.exit_codes = {}
        self.stop_at = None

    def call(self, arguments, environment):
        assert environment == {"LANG": "C"}
        name = arguments[-1]
        self.calls.append(name)
        if name == self.stop_at:
            self.runner.stopping = True
        return self.exit_codes.get(name, 0)

    def run(self, child=0, attempt=1):
        self.calls.clear()
        assignment = Assignment(child, 2, attempt, S3Path("b", "run/lists/run-a-1.json"), "")
        return Work(assignment, self.list, self.store, self.runner, self.call, HOST).run()

    def outcomes(self, child=0):
        return self.store.get_outcomes(self.list.name, child).by_command


@pytest.fixture
def child(store, make_list, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Child(store, make_list)


@pytest.mark.parametrize(("index", "calls"), [(0, ["a:i=0", "a:i=1"]), (1, ["a:i=2", "a:i=3"])])
def test_sources_are_unpacked_and_then_the_slice_runs(child, index, calls):
    assert not Path("Snakefile").exists()
    assert child.run(index) == 0
    assert child.calls == calls
    assert Path("Snakefile").exists()


def test_one_bad_command_does_not_stop_the_others(child):
    child.exit_codes["a:i=0"] = 3

    assert child.run() == 1
    assert {index: o.exit_code for index, o in child.outcomes().items()} == {0: 3, 1: 0}


def test_an_outcome_tells_where_and_when(child):
    child.run()

    outcome = child.outcomes()[0]
    assert (outcome.instance_type, outcome.zone, outcome.market) == (
        "c7a.large",
        "eu-central-1a",
        "spot",
    )
    assert outcome.started_ms <= outcome.stopped_ms
    assert outcome.peak_memory_mib == 7
    assert outcome.attempt == 1


def test_every_attempt_tells_its_machine_and_whether_it_came_to_its_end(child):
    child.stop_at = "a:i=0"
    child.exit_codes["a:i=0"] = 143
    child.run()
    child.stop_at, child.exit_codes = None, {}
    child.runner.stopping = False
    child.run(attempt=2)

    assert {(name, index) for name, index, _ in child.store.noted} == {(child.list.name, 0)}
    begun, reclaimed, begun_again, finished = (attempt for _, _, attempt in child.store.noted)
    assert (begun.number, begun.stopped_ms, begun.finished) == (1, None, False)
    assert (reclaimed.number, reclaimed.finished) == (1, False)
    assert begun == replace(reclaimed, stopped_ms=None)
    assert (finished.number, finished.finished) == (2, True)
    assert begun_again == replace(finished, stopped_ms=None, finished=False)
    assert (finished.instance_id, finished.instance_type) == ("i-1", "c7a.large")
    assert reclaimed.started_ms <= reclaimed.stopped_ms
    assert reclaimed.stopped_ms <= finished.started_ms <= finished.stopped_ms


def test_an_attempt_without_anything_left_to_do_comes_to_its_end(child):
    child.run()
    child.run(attempt=2)

    assert child.store.noted[-1][2].finished is True


def test_an_attempt_that_cannot_read_the_sources_says_that_it_ends(child):
    child.store.error = ConnectionError("S3 is busy")
    with pytest.raises(ConnectionError):
        child.run()

    last = child.store.noted[-1][2]
    assert last.stopped_ms is not None
    assert last.finished is False
    assert child.calls == []


def test_a_second_attempt_runs_only_what_is_left(child):
    child.exit_codes["a:i=1"] = 1
    child.run()
    child.exit_codes.clear()

    assert child.run(attempt=2) == 0
    assert child.calls == ["a:i=1"]
    assert {index: o.attempt for index, o in child.outcomes().items()} == {0: 1, 1: 2}


def test_a_first_attempt_believes_no_earlier_outcome(child):
    child.run()

    assert child.run() == 0
    assert child.calls == ["a:i=0", "a:i=1"]


def test_a_worker_told_to_stop_starts_nothing_more(child):
    child.stop_at = "a:i=0"
    child.exit_codes["a:i=0"] = 143

    assert child.run() == TRY_AGAIN_EXIT_CODE
    assert child.calls == ["a:i=0"]
    assert child.outcomes() == {}


def test_a_command_that_ended_well_while_being_stopped_counts(child):
    child.stop_at = "a:i=0"

    assert child.run() == TRY_AGAIN_EXIT_CODE
    assert child.outcomes().keys() == {0}


def test_a_stop_after_the_last_command_is_success(child):
    child.stop_at = "a:i=1"

    assert child.run() == 0


def test_each_command_has_the_time_limit(child):
    child.run()

    assert child.runner.limits == [600, 600]


def test_a_command_over_its_limit_is_told_from_others(child):
    child.exit_codes["a:i=0"] = 124
    child.run()

    assert child.outcomes()[0].reason == TIMED_OUT


def test_a_kill_for_memory_in_the_container_is_noticed(child, monkeypatch):
    kills = iter([0, 1, 1])
    monkeypatch.setattr(work_module, "count_memory_kills", lambda: next(kills))
    child.exit_codes["a:i=0"] = 1
    child.run()

    assert child.outcomes()[0].reason == OUT_OF_MEMORY
    assert child.outcomes()[1].reason == ""
