"""What Snakemake is told of commands, and where it is learnt."""

from dataclasses import dataclass
from typing import Protocol

from snakemake_executor_plugin_aws_batch_array.command_list import ChildOutcomes

MAX_LOGS = 10
"""Most log streams read in one poll: a scatter that fails as a whole fails for one reason."""


class OutcomeReader(Protocol):
    """Where outcomes are read."""

    def get_outcomes(self, name: str, child: int) -> ChildOutcomes:
        """Read a child's outcomes; empty if it has reported none."""
        ...

    def outcome_tags(self, name: str) -> dict[int, str]:
        """Return a tag for each child's outcomes that changes with them."""
        ...


@dataclass(frozen=True)
class Verdict:
    """How a command ended, as Snakemake is told; `message` is empty for success."""

    message: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the command succeeded."""
        return not self.message


SUCCESS = Verdict()


Verdicts = dict[int, Verdict]
"""Command index to verdict."""
