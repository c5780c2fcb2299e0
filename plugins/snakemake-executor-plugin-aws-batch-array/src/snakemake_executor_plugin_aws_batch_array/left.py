"""A command that an earlier controller submitted, and whether it meets a demand."""

from dataclasses import dataclass

from snakemake_executor_plugin_aws_batch_array.command_list import Command
from snakemake_executor_plugin_aws_batch_array.watched import Watched


@dataclass(frozen=True)
class Demand:
    """Why a job is wanted, as far as it bears on taking up what is there.

    Attributes
    ----------
    forced
        Whether the user wants it to run whatever is there.
    inputs_s
        When the newest of its inputs was written, in whole seconds since 1970; None without any.
    has_outputs
        Whether all its outputs are there.
    """

    forced: bool = False
    inputs_s: float | None = None
    has_outputs: bool = True


@dataclass(frozen=True)
class Left:
    """A command that an earlier controller submitted, and that succeeded or may still run.

    Attributes
    ----------
    item, index
        The list, and which of its commands.
    since_ms
        Before this moment it read no input, milliseconds since 1970; None if it has not begun.
    succeeded
        Whether it is done.
    is_ending
        Whether somebody has told it to end, so that it can only fail.
    """

    item: Watched
    index: int
    since_ms: int | None
    succeeded: bool
    is_ending: bool = False

    @property
    def command(self) -> Command:
        """What was submitted."""
        return self.item.commands.commands[self.index]

    def serves(self, command: Command, demand: Demand) -> bool:
        """Whether a demand is met by this, so that the command need not be submitted again."""
        if demand.forced or self.command.identity != command.identity:
            return False
        if self.is_ending or (self.succeeded and not demand.has_outputs):
            return False
        if self.since_ms is None or demand.inputs_s is None:
            return True
        # S3 tells whole seconds: an input of the same second may be newer.
        return demand.inputs_s + 1 <= self.since_ms / 1000
