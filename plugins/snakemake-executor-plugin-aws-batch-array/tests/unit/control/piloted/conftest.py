"""Controllers that have pilots: an S3 in this process, and a Batch that does what a test says."""

from dataclasses import replace

import pytest

from snakemake_executor_plugin_aws_batch_array.arrays import A_JOB_EACH
from snakemake_executor_plugin_aws_batch_array.command_list import ChildOutcomes
from snakemake_executor_plugin_aws_batch_array.dispatch import Dispatcher
from snakemake_executor_plugin_aws_batch_array.pilot_dispatch import PilotDispatch
from snakemake_executor_plugin_aws_batch_array.pilots.control import Claim, Kind
from snakemake_executor_plugin_aws_batch_array.pilots.fleet import Fleet
from snakemake_executor_plugin_aws_batch_array.pilots.sizes import Ahead
from snakemake_executor_plugin_aws_batch_array.pilots.watch import PilotWatcher
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.watch import Watcher


@pytest.fixture
def warned():
    return []


@pytest.fixture
def new_controller(batch, real_store, channel, parcel, warned):
    """Make a dispatcher with three pilots, as each start of a controller does."""
    files = frozenset(output for each in parcel.commands for output in each.outputs)

    kind = Kind(parcel.queue, parcel.definition, parcel.vcpus, parcel.memory_mib, parcel.gpus)
    ready = [Ahead(kind, len(parcel.commands))]

    def new(wanted=files, n_pilots=3, ahead=None, by_work=A_JOB_EACH):
        fleet = Fleet(channel, real_store, batch, warned.append)
        piloted = PilotWatcher(batch, real_store, fleet, lambda *_: "the log", "group")
        watcher = Watcher(batch, real_store, lambda *_: "", "group", 100, warned.append, piloted)
        pilots = PilotDispatch(
            n_pilots,
            fleet,
            batch,
            real_store,
            lambda: ready if ahead is None else ahead,
            warned.append,
            by_work=by_work,
        )
        dispatcher = Dispatcher(batch, real_store, watcher, pilots, lambda _: None)
        dispatcher.complaints = dispatcher.inherit(wanted)
        return dispatcher

    return new


@pytest.fixture
def controller(new_controller):
    return new_controller()


@pytest.fixture
def report(real_store, channel, make_outcome):
    """Let a pilot begin a command, and end it unless its exit code is None."""

    def report(name, pilot, command, exit_code=0, attempt=1):
        assert channel.take_claim(name, command, Claim(pilot, attempt, 1000), "")
        if exit_code is not None:
            outcomes = real_store.get_outcomes(name, pilot)
            outcomes.by_command[command] = make_outcome(command, exit_code, attempt=attempt)
            real_store.put_outcomes(name, ChildOutcomes(pilot, outcomes.by_command))

    return report


@pytest.fixture
def ended(batch):
    """Let Batch say that attempts of a pilot have ended."""

    def ended(pilot, n_ended, status):
        batch.details[f"job1:{pilot}"] = replace(
            batch.details[f"job1:{pilot}"], status=status, n_ended=n_ended
        )
        parent = batch.details["job1"]
        batch.details["job1"] = replace(parent, children={**parent.children, status: pilot + 7})

    return ended


@pytest.fixture
def start(batch, run, parcel):
    """Submit to pilots in some states."""

    def start(controller, *children):
        tickets = controller.submit(run, parcel)
        batch.set("job1", Status.PENDING, children=children or [Status.RUNNING] * 3)
        return tickets

    return start


@pytest.fixture
def verdicts():
    """Poll, and return what is known of some commands."""

    def verdicts(controller, tickets, now_s=0.0):
        controller.poll(now_s)
        return [controller.verdict(ticket) for ticket in tickets]

    return verdicts
