"""A list that this controller waits for."""

from dataclasses import dataclass, field

from snakemake_executor_plugin_aws_batch_array.verdicts import Verdict
from snakemake_executor_plugin_aws_batch_array.watched import Watched


@dataclass(frozen=True)
class Ticket:
    """Where the command of one job is: the name of its list and its index there."""

    list_name: str
    command: int


@dataclass
class Tracked:
    """A list with the verdicts that Snakemake has yet to hear."""

    watched: Watched
    awaited: set[int]
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
