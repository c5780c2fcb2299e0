"""One array that a run has submitted, and in which state its commands are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from snakemake_executor_plugin_aws_batch_array.command_list import Attempt, CommandList
from snakemake_executor_plugin_aws_batch_array.slices import balanced_slice, slice_holding
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, Status


class State(StrEnum):
    """What has become of a command."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_STATES = {
    Status.SUBMITTED: State.QUEUED,
    Status.PENDING: State.QUEUED,
    Status.RUNNABLE: State.QUEUED,
    Status.STARTING: State.STARTING,
    Status.RUNNING: State.RUNNING,
    Status.SUCCEEDED: State.DONE,
    Status.FAILED: State.FAILED,
}


@dataclass(frozen=True)
class Submitted:
    """A list of commands and what is known of the job that runs it.

    Attributes
    ----------
    commands
        The list.
    detail
        The job; None if Batch does not know it, or no longer.
    attempts
        Child to the attempts it started, in order.
    running, failed
        Children in these states.
    ended
        Children that failed and that somebody ended, each by Batch's word; left empty where Batch
        says it of the whole job.
    done
        Indices of the commands whose results are there; asked for only where the state of the
        children does not tell, because each has several commands.
    ended_by
        Command to the pilot that brought it to an end, where pilots run the list; `detail` is
        that of their array then.
    closed
        Whether the controller has heard of every outcome.
    is_new
        Whether its job may have been submitted so lately that Batch does not list it yet.
    """

    commands: CommandList
    detail: JobDetail | None
    attempts: Mapping[int, Sequence[Attempt]] = field(default_factory=dict)
    running: frozenset[int] = frozenset()
    failed: frozenset[int] = frozenset()
    ended: frozenset[int] = frozenset()
    done: frozenset[int] = frozenset()
    ended_by: Mapping[int, int] = field(default_factory=dict)
    closed: bool = False
    is_new: bool = False

    @property
    def is_live(self) -> bool:
        """Whether a child of it may still run."""
        return self.is_unlisted if self.detail is None else not self.detail.status.is_final

    @property
    def is_unlisted(self) -> bool:
        """Whether it may have a job that Batch does not show yet."""
        return self.detail is None and self.is_new and not self.closed

    @property
    def cancelled(self) -> frozenset[int]:
        """Children that failed because somebody ended them, and not by themselves before."""
        if self.detail is None:
            return frozenset()
        return (self.failed if self.detail.is_ended else self.ended) & self.cut_off

    @property
    def cut_off(self) -> frozenset[int]:
        """Children that failed without having come to an end of their own."""
        return frozenset(
            child
            for child in self.failed
            if child not in self.attempts or not self.attempts[child][-1].finished
        )

    @property
    def n_reclaimed(self) -> int:
        """How many attempts lost their machine: those that another one followed.

        By the numbers that Batch gives them: some lose it before they can say that they started.
        """
        return sum(attempts[-1].number - 1 for attempts in self.attempts.values())

    @property
    def machines(self) -> set[str]:
        """Ids of the machines in use."""
        return {
            self.attempts[child][-1].instance_id or f"{self.commands.name}:{child}"
            for child in self.running
            if child in self.attempts
        }

    def child_of(self, command: int) -> int:
        """Return the child that runs a command, or ran it."""
        n_commands, n_children = len(self.commands.commands), self.commands.n_children
        return self.ended_by.get(command, slice_holding(n_commands, n_children, command))

    def has_failed(self, command: int) -> bool:
        """Whether a command came to an end, and not a good one."""
        if self.commands.pilots:
            return command in self.ended_by and command not in self.done
        return self.child_of(command) in self.failed - self.cancelled and command not in self.done

    def count(self) -> Counter[State]:
        """Count its commands by state."""
        n_commands, n_children = len(self.commands.commands), self.commands.n_children
        if self.commands.pilots:
            return self._count_piloted(n_commands)
        if self.detail is None:
            if self.is_unlisted:
                return Counter({State.QUEUED: n_commands})
            # Batch forgets a job a week after its end: what was heard of is done.
            return Counter({State.DONE: n_commands}) if self.closed else Counter()
        if self.detail.status is Status.SUCCEEDED:
            return Counter({State.DONE: n_commands})
        children = self.count_children()
        if n_commands == n_children:
            return children
        return self._count_slices(n_commands, n_children, children)

    def count_children(self) -> Counter[State]:
        """Count its children by state; none as long as Batch does not know the job."""
        if self.detail is None:
            return Counter()
        n_children = self.commands.n_children
        children = _by_state(self.detail.children or {self.detail.status: n_children})
        # The array's counts lag behind what is known of each child.
        n_cancelled = min(len(self.cancelled), children[State.FAILED])
        children[State.FAILED] -= n_cancelled
        children[State.CANCELLED] += n_cancelled
        return children

    def _count_slices(
        self, n_commands: int, n_children: int, children: Counter[State]
    ) -> Counter[State]:
        """Count where every child works on a slice of commands, one after the other."""
        counts = Counter({State.DONE: len(self.done)})
        for child in self.failed:
            state = State.CANCELLED if child in self.cancelled else State.FAILED
            left = set(balanced_slice(n_commands, n_children, child)) - self.done
            counts[state] += len(left)
        for state in (State.RUNNING, State.STARTING):
            counts[state] = min(children[state], n_commands - counts.total())
        counts[State.QUEUED] = n_commands - counts.total()
        return counts

    def _count_piloted(self, n_commands: int) -> Counter[State]:
        """Count where pilots run the commands, which don't end with them."""
        counts = Counter({State.DONE: len(self.done)})
        counts[State.FAILED] = len(self.ended_by.keys() - self.done)
        if self.is_live and not self.closed:
            children = _by_state({} if self.detail is None else self.detail.children)
            for state in (State.RUNNING, State.STARTING):
                counts[state] = min(children[state], n_commands - counts.total())
            left = State.QUEUED
        else:
            is_ended = self.detail is not None and self.detail.is_ended
            left = State.CANCELLED if is_ended else State.FAILED
        counts[left] += n_commands - counts.total()
        return counts


def _by_state(children: Mapping[Status, int]) -> Counter[State]:
    counts: Counter[State] = Counter()
    for status, count in children.items():
        counts[_STATES[status]] += count
    return counts
