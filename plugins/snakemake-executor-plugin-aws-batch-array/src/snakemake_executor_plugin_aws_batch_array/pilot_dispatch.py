"""Sends commands to pilots where some hold them, or starts some (decision 68)."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event

from botocore.exceptions import BotoCoreError, ClientError

from snakemake_executor_plugin_aws_batch_array.arrays import A_JOB_EACH, ByWork
from snakemake_executor_plugin_aws_batch_array.batch import BatchApi
from snakemake_executor_plugin_aws_batch_array.command_list import CommandList
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.parcels import (
    Parcel,
    Run,
    command_list,
    submission_of,
)
from snakemake_executor_plugin_aws_batch_array.pilots.control import Kind, Offer
from snakemake_executor_plugin_aws_batch_array.pilots.crew import (
    Crew,
    TakenOverError,
    UnconditionalStoreError,
)
from snakemake_executor_plugin_aws_batch_array.pilots.fleet import Fleet
from snakemake_executor_plugin_aws_batch_array.pilots.sizes import (
    Ahead,
    number_of_pilots,
    size_of_pilots,
)
from snakemake_executor_plugin_aws_batch_array.region import region_environment
from snakemake_executor_plugin_aws_batch_array.store import RunStore
from snakemake_executor_plugin_aws_batch_array.watched import Watched
from snakemake_executor_plugin_aws_batch_array.worker.assignment import submission_environment

RULE = "pilots"
"""Stands where a rule stands in the name of an array of pilots."""

GIVE_WAY_S = 15.0
"""So long an array of its own waits before pilots without work end: they may hold the machines that
it waits for, and would for ever."""


LONGEST_S = 14 * 86_400
"""Time limit of a pilot, as of whatever runs for days: that of its job definition is made for jobs,
would end it amid one, and is not what a retry is for. Its commands keep theirs, and without a
controller it ends by itself (``PATIENCE_S``)."""


class NoPilotsError(Exception):
    """Commands have to go to an array of their own."""


@dataclass
class PilotDispatch:
    """Starts pilots, and offers them lists.

    Attributes
    ----------
    n_pilots
        How many of a kind at most; 0 for none.
    fleet, batch, store
        The pilots that there are; Batch; lists.
    ahead
        Returns what the steps need that are not done yet.
    warn
        Told what the user should know.
    sized
        Returns a size of pilots that their queue has, no less than the given one.
    by_work
        How many children some work is worth.
    """

    n_pilots: int
    fleet: Fleet
    batch: BatchApi
    store: RunStore
    ahead: Callable[[], list[Ahead]]
    warn: Callable[[str], object]
    sized: Callable[[Kind], Kind] = lambda kind: kind
    by_work: ByWork = A_JOB_EACH

    def find_crew(self, run: Run, parcel: Parcel) -> Crew | None:
        """Return the pilots that are to run some commands, which may have to be started first."""
        if not self.n_pilots:
            return None
        kind = Kind(parcel.queue, parcel.definition, parcel.vcpus, parcel.memory_mib, parcel.gpus)
        crew = self.fleet.find(kind, run.versions)
        if crew is not None and self._lives(crew):
            if not crew.control.kind.holds(kind):
                return None
            # Steps can turn out to be larger than was known, as after a checkpoint.
            if crew.n_pilots >= min(self.n_pilots, parcel.n_children):
                return crew
        ahead = self.ahead()
        n_pilots = number_of_pilots(self.n_pilots, kind, parcel.n_children, ahead, self.by_work)
        kind = self.sized(size_of_pilots(kind, ahead))
        name = command_list(run, replace(parcel, rule=RULE)).name
        makes = next((digest for each in parcel.commands for digest in each.outputs), "")
        return self.fleet.add(name, kind, n_pilots, run.versions, makes)

    def send(self, run: Run, parcel: Parcel, item: Watched, cancelled: Event) -> None:
        """Write a list and offer it to its pilots, which are submitted if they are new.

        Raises
        ------
        NoPilotsError
            If these pilots cannot be had; nothing has been begun then.
        """
        crew = self.fleet.crew(item.commands.pilots)
        try:
            if not crew.job_id:
                self._start(run, parcel, crew, cancelled)
            item.job_id = crew.job_id
            checksum = self.store.put_list(item.commands)
            _go_on(cancelled)
            crew.offer(Offer(item.commands.name, checksum, len(item.commands.commands)))
        except UnconditionalStoreError as error:
            self.n_pilots = 0
            self.fleet.forget(crew)
            self.warn(
                "The storage knows no conditional writes, which pilots need: every step gets an "
                "array of its own."
            )
            raise NoPilotsError from error
        except TakenOverError as error:
            if not crew.control.closed:
                self.fleet.forget(crew)
                self.warn(f"Another controller of this run has taken over the pilots {crew.name}.")
            raise NoPilotsError from error
        except Exception:
            if not crew.job_id:
                self.fleet.forget(crew)
            raise

    def give_way(self, items: Collection[Watched], now_s: float) -> None:
        """Let pilots without work end, where something else waits for machines of their queue."""
        decided = {item.commands.name for item in items if not item.undecided}
        for item in items:
            since_s = item.waiting_since_s
            if item.undecided and since_s is not None and now_s - since_s >= GIVE_WAY_S:
                self.fleet.release(item.commands.queue, decided)

    def dismiss(self, sleep: Callable[[float], object]) -> list[str]:
        """Let all pilots end, and close their lists; return the arrays that may run on."""
        left = self.fleet.dismiss(sleep)
        with suppress(ClientError, BotoCoreError):
            for name in self.fleet.job_ids.keys() - {*left}:
                self.store.close(name)
        return left

    def _start(self, run: Run, parcel: Parcel, crew: Crew, cancelled: Event) -> None:
        kind = crew.control.kind
        parcel = replace(
            parcel,
            rule=RULE,
            vcpus=kind.vcpus,
            memory_mib=kind.memory_mib,
            command_timeout_s=None,
            commands=(),
            n_children=crew.n_pilots,
        )
        commands: CommandList = replace(command_list(run, parcel), name=crew.name, pilots=crew.name)
        crew.open()
        checksum = self.store.put_list(commands)
        environment = submission_environment(
            self.store.list_path(crew.name), checksum, crew.n_pilots
        )
        environment |= region_environment(run.region)
        _go_on(cancelled)
        submission = submission_of(run, parcel, commands, environment)
        crew.job_id = self.batch.submit(replace(submission, timeout_s=LONGEST_S))

    def _lives(self, crew: Crew) -> bool:
        """Whether pilots may take more; those that are over are forgotten."""
        detail = self.batch.describe([crew.job_id]).get(crew.job_id)
        if detail is not None and detail.status.is_final:
            self.fleet.forget(crew)
            return False
        return True


def _go_on(cancelled: Event) -> None:
    if cancelled.is_set():
        raise UserError("the run was interrupted before")
