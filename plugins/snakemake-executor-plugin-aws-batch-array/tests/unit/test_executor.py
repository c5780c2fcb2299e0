"""The executor between Snakemake and the dispatcher, with both of them replaced."""

import asyncio
import threading
from types import SimpleNamespace

import pytest
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo

from snakemake_executor_plugin_aws_batch_array.dispatch import Ticket
from snakemake_executor_plugin_aws_batch_array.executor import Executor
from snakemake_executor_plugin_aws_batch_array.outputs import Outputs
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings
from snakemake_executor_plugin_aws_batch_array.watch import SUCCESS, Verdict


class Log:
    """Keeps every line."""

    def __init__(self):
        self.lines = []

    def __getattr__(self, level):
        return lambda text: self.lines.append((level, text))


class Limiter:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return False


class FakeDispatcher:
    def __init__(self):
        self.verdicts = {}
        self.settled = []
        self.cancelled = []
        self.error = None

    def poll(self, now_s):
        if self.error is not None:
            raise self.error
        return bool(self.verdicts)

    def verdict(self, ticket):
        return self.verdicts.get(ticket)

    def settle(self, ticket):
        self.settled.append(ticket)

    def cancel(self, reason):
        self.cancelled.append(reason)

    def claim(self, command):
        raise self.error


class FakeJob:
    """A job that records what it is told."""

    def __init__(self, is_group=False):
        self.errors = []
        self.resources = {"mem_mb": 100}
        self.rules = ["a"]
        self._is_group = is_group
        self.jobs = []
        self.output = []
        self.log = []

    def is_group(self):
        return self._is_group

    def log_info(self):
        pass

    def log_error(self, msg, **_):
        self.errors.append(msg)

    def get_target_spec(self):
        raise RuntimeError("a job nobody can name")


@pytest.fixture
def executor():
    executor = Executor.__new__(Executor)
    finished, failed = [], []
    executor.logger = Log()
    executor.workflow = SimpleNamespace(
        remote_execution_settings=SimpleNamespace(seconds_between_status_checks=10),
        scheduler=SimpleNamespace(finish_callback=finished.append, error_callback=failed.append),
    )
    executor.finished, executor.failed = finished, failed
    executor.status_rate_limiter = Limiter()
    executor._dispatcher = FakeDispatcher()
    executor._outputs = Outputs()
    executor._settings = ExecutorSettings()
    executor._wake = threading.Event()
    executor._pause_s = 10.0
    executor.wait = True
    return executor


def active(*jobs):
    return [
        SubmittedJobInfo(job, f"id{i}", {"ticket": Ticket("list", i)}) for i, job in enumerate(jobs)
    ]


def check(executor, infos):
    async def collect():
        return [info async for info in executor.check_active_jobs(infos)]

    return asyncio.run(collect())


def test_each_job_is_reported_or_stays_active(executor):
    infos = active(FakeJob(), FakeJob(), FakeJob())
    executor._dispatcher.verdicts = {Ticket("list", 0): SUCCESS, Ticket("list", 1): Verdict("bad")}

    assert check(executor, infos) == [infos[2]]
    assert executor.finished == [infos[0].job]
    assert executor.failed == [infos[1].job]
    assert infos[1].job.errors[0].startswith("bad\n")
    assert sorted(ticket.command for ticket in executor._dispatcher.settled) == [0, 1]


class NotedOutputs(Outputs):
    """Notes which jobs' outputs are listed, beside what else happens."""

    def __init__(self, events):
        super().__init__()
        self.events = events

    def have_changed(self, jobs):
        self.events.append(list(jobs))


def test_outputs_are_listed_once_for_all_that_succeeded_before_any_is_reported(executor):
    infos = active(FakeJob(), FakeJob(), FakeJob())
    executor._outputs = NotedOutputs(executor.finished)
    executor._dispatcher.verdicts = {
        Ticket("list", 0): SUCCESS,
        Ticket("list", 1): Verdict("bad"),
        Ticket("list", 2): SUCCESS,
    }

    check(executor, infos)

    good = [infos[0].job, infos[2].job]
    assert executor.finished == [good, *good]


def test_a_poll_that_fails_leaves_every_job_active(executor):
    infos = active(FakeJob(), FakeJob())
    executor._dispatcher.error = ConnectionError("no route")

    assert check(executor, infos) == infos
    assert "no route" in executor.logger.lines[0][1]


def test_the_message_of_a_group_is_shown_although_snakemake_drops_it(executor):
    infos = active(FakeJob(is_group=True))
    executor._dispatcher.verdicts = {Ticket("list", 0): Verdict("bad")}

    check(executor, infos)

    assert ("error", "bad") in executor.logger.lines


def test_a_job_that_cannot_be_prepared_is_an_error_and_no_exception(executor):
    job = FakeJob()

    executor.run_jobs([job])

    assert executor.failed == [job]
    assert "a job nobody can name" in job.errors[0]


def test_ctrl_c_ends_all_although_snakemakes_list_is_empty(executor):
    executor.cancel_jobs([])

    assert len(executor._dispatcher.cancelled) == 1


def test_pauses_grow_while_nothing_happens_and_shrink_when_something_does(executor):
    executor._pace(moved=True)
    shortest_s = executor._pause_s
    for _ in range(20):
        executor._pace(moved=False)
    longest_s = executor._pause_s
    executor._pace(moved=True)

    assert (shortest_s, longest_s) == (2, 30)
    assert executor._pause_s == shortest_s


def test_polling_in_earnest_never_spins(executor):
    executor.workflow.remote_execution_settings.seconds_between_status_checks = 0
    executor._pace(moved=True)

    assert executor._pause_s > 0
