"""A run and its jobs, dispatched to and watched on an AWS Batch that does what a test says; and an
executor between Snakemake and a dispatcher, with both of them replaced.
"""

import asyncio
from types import SimpleNamespace

import pytest
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo

from snakemake_executor_plugin_aws_batch_array.command_list import Command
from snakemake_executor_plugin_aws_batch_array.dispatch import Dispatcher
from snakemake_executor_plugin_aws_batch_array.executor import Executor
from snakemake_executor_plugin_aws_batch_array.outputs import Outputs
from snakemake_executor_plugin_aws_batch_array.pace import Pace
from snakemake_executor_plugin_aws_batch_array.parcels import Parcel, Run
from snakemake_executor_plugin_aws_batch_array.preparing import Preparation
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.tracked import Ticket
from snakemake_executor_plugin_aws_batch_array.watch import Watcher
from snakemake_executor_plugin_aws_batch_array.watched import Watched


@pytest.fixture
def run():
    return Run("run", "eu-central-1", 5, {"project": "x"}, {}, {}, "", ())


@pytest.fixture
def parcel():
    return Parcel(
        rule="a",
        queue="cpu",
        definition="definition:1",
        vcpus=2,
        memory_mib=3000,
        gpus=0,
        command_timeout_s=100,
        commands=tuple(Command((f"a:i={i}",), (), f"identity{i}", (f"out{i}",)) for i in range(5)),
        n_children=2,
    )


@pytest.fixture
def new_dispatcher(batch, store, parcel, pilots):
    """Make a dispatcher, as each start of a controller does."""
    files = frozenset(output for each in parcel.commands for output in each.outputs)

    def new(wanted=files):
        watcher = Watcher(batch, store, lambda *_: "", "", 100, lambda _: None, None)
        dispatcher = Dispatcher(batch, store, watcher, pilots, sleep=lambda _: None)
        dispatcher.complaints = dispatcher.inherit(wanted)
        return dispatcher

    return new


@pytest.fixture
def dispatcher(new_dispatcher):
    return new_dispatcher()


@pytest.fixture
def stuck_after_s():
    return 100


@pytest.fixture
def logs():
    """Log streams that were read."""
    return []


@pytest.fixture
def warnings():
    """What the user is warned of."""
    return []


@pytest.fixture
def watcher(batch, store, logs, warnings, stuck_after_s):
    def log_tail(group, stream, between_ms):
        logs.append((group, stream, between_ms))
        return "the last line"

    return Watcher(batch, store, log_tail, "group", stuck_after_s, warnings.append, None)


@pytest.fixture
def array(batch, make_list):
    """Four commands on two children."""
    batch.set("job1", Status.PENDING, children=[Status.RUNNABLE] * 2)
    return Watched(make_list(), "job1")


@pytest.fixture
def plain(batch, make_list):
    """Two commands in one plain job."""
    batch.set("job1", Status.RUNNABLE)
    return Watched(make_list(2, 1), "job1")


@pytest.fixture
def poll(watcher):
    """Return the new verdicts on one list."""

    def poll(item, now_s=0.0):
        news = watcher.poll([item], now_s)
        assert all(found is item for found, _ in news)
        return {index: verdict for _, verdicts in news for index, verdict in verdicts.items()}

    return poll


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
        self.left = []
        self.strangers = []

    def poll(self, now_s):
        if self.error is not None:
            raise self.error
        return bool(self.verdicts)

    def verdict(self, ticket):
        return self.verdicts.get(ticket)

    def settle(self, ticket):
        self.settled.append(ticket)

    def inherit(self, wanted):
        return []

    def cancel(self, reason):
        self.cancelled.append(reason)
        if self.error is not None:
            raise self.error
        return self.left

    def may_run(self):
        return self.left

    def left_alone(self):
        return self.strangers

    def end_refused(self):
        return []

    def pilots_of(self, ticket):
        return ""


class FakeJob:
    """A job that records what it is told."""

    def __init__(self, is_group=False):
        self.errors = []
        self.resources = {"mem_mb": 100}
        self.rules = ["a"]
        self._is_group = is_group
        self.jobs = []
        self.output = []
        self.benchmark = None
        self.log = []

    def is_group(self):
        return self._is_group

    def log_info(self):
        pass

    def log_error(self, msg, **_):
        self.errors.append(msg)


def cannot_prepare(job):
    raise RuntimeError("a job nobody can name")


class AsTold(Preparation):
    """Makes jobs ready as it is told, and puts them together as any other."""

    def __init__(self, prepare, run=None):
        self.prepare, self.run, self.settings = prepare, run, ExecutorSettings()


@pytest.fixture
def as_told():
    return AsTold


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
    executor._pace = Pace()
    executor._taken_up = {}
    executor._again = {}
    executor._reported = {}
    executor._preparation = AsTold(cannot_prepare)
    executor._run_id = "run"
    executor.recorded = set()
    executor.workflow.dag = SimpleNamespace(jobs=[], finished=executor.recorded.__contains__)
    executor.wait = True
    return executor


@pytest.fixture
def new_job():
    return FakeJob


@pytest.fixture
def active():
    """Jobs as Snakemake knows them that were submitted."""
    return lambda *jobs: [
        SubmittedJobInfo(job, f"id{i}", {"ticket": Ticket("list", i)}) for i, job in enumerate(jobs)
    ]


@pytest.fixture
def check():
    """Have an executor look at jobs once, and return those that stay active."""

    async def collect(executor, infos):
        return [info async for info in executor.check_active_jobs(infos)]

    return lambda executor, infos: asyncio.run(collect(executor, infos))
