"""An array that is watched: what was submitted, and what is known of its children by now."""

from dataclasses import dataclass, field

from snakemake_executor_plugin_aws_batch_array.command_list import CommandList
from snakemake_executor_plugin_aws_batch_array.slices import balanced_slice, slice_holding
from snakemake_executor_plugin_aws_batch_array.status import (
    JobDetail,
)


@dataclass
class Watched:
    """A submitted list and what is known of it.

    Attributes
    ----------
    commands
        The list.
    job_id
        Batch job; empty as long as SubmitJob has not answered.
    undecided
        Indices of the commands without a verdict.
    """

    commands: CommandList
    job_id: str
    undecided: set[int] = field(init=False)
    seen: JobDetail | None = None
    final_children: set[int] = field(default_factory=set)
    tags: dict[int, str] = field(default_factory=dict)
    missing_since_s: float | None = None
    waiting_since_s: float | None = None
    is_told_to_wait: bool = False

    def __post_init__(self) -> None:
        self.undecided = set(range(len(self.commands.commands)))

    @property
    def n_children(self) -> int:
        """Number of children; 1 for a plain job."""
        return self.commands.n_children

    @property
    def is_piloted(self) -> bool:
        """Whether pilots run it, whose children do not end with it."""
        return bool(self.commands.pilots)

    def slice_of(self, child: int) -> range:
        """Return the commands of a child."""
        return balanced_slice(len(self.commands.commands), self.n_children, child)

    def child_of(self, command: int) -> int:
        """Return the child that runs a command."""
        return slice_holding(len(self.commands.commands), self.n_children, command)

    def child_id(self, child: int) -> str:
        """Return the Batch id of a child; that of the job itself for a plain job."""
        return f"{self.job_id}:{child}" if self.n_children > 1 else self.job_id
