"""A run and its jobs, dispatched to and watched on an AWS Batch that does what a test says."""

import pytest

from snakemake_executor_plugin_aws_batch_array.command_list import Command
from snakemake_executor_plugin_aws_batch_array.dispatch import Dispatcher
from snakemake_executor_plugin_aws_batch_array.parcels import Parcel, Run
from snakemake_executor_plugin_aws_batch_array.status import Status
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
def new_dispatcher(batch, store, parcel):
    """Make a dispatcher, as each start of a controller does."""
    files = frozenset(output for each in parcel.commands for output in each.outputs)

    def new(wanted=files):
        watcher = Watcher(batch, store, lambda *_: "", "", 100, lambda _: None)
        dispatcher = Dispatcher(batch, store, watcher, sleep=lambda _: None)
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

    return Watcher(batch, store, log_tail, "group", stuck_after_s, warnings.append)


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
