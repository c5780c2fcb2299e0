"""Commands that are submitted together: their list on S3, and what SubmitJob is asked for."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

from snakemake_executor_plugin_aws_batch_array.command_list import Command, CommandList
from snakemake_executor_plugin_aws_batch_array.identity import safe_name, tag_value
from snakemake_executor_plugin_aws_batch_array.resources import MIN_TIMEOUT_S
from snakemake_executor_plugin_aws_batch_array.slices import longest_slice
from snakemake_executor_plugin_aws_batch_array.submission import Submission

WORKER_COMMAND = ("python", "-m", "snakemake_executor_plugin_aws_batch_array.worker")

START_UP_S = 30
"""Added to the time limit of a child: until its first command starts."""


@dataclass(frozen=True)
class Run:
    """What all submissions of a run have in common.

    Attributes
    ----------
    run_id
        Name of the run.
    region
        AWS Region the jobs work in.
    attempts
        Attempts Batch makes after a reclaim.
    tags
        Tags of every job.
    versions, environment, sources, arguments
        See `CommandList`.
    share, priority
        See `Submission`.
    """

    run_id: str
    region: str
    attempts: int
    tags: Mapping[str, str]
    versions: Mapping[str, str]
    environment: Mapping[str, str]
    sources: str
    arguments: tuple[str, ...]
    share: str = ""
    priority: int | None = None


@dataclass(frozen=True)
class Parcel:
    """Commands to be submitted together, and what each of their children needs."""

    rule: str
    queue: str
    definition: str
    vcpus: int
    memory_mib: int
    gpus: int
    command_timeout_s: int | None
    commands: tuple[Command, ...]
    n_children: int


def command_list(run: Run, parcel: Parcel, pilots: str = "") -> CommandList:
    """Return the list of a parcel, under a name that no other list has.

    Parameters
    ----------
    pilots
        Name of the array of pilots that runs it, if one does.
    """
    now_ms = time.time_ns() // 1_000_000
    content = [str(now_ms), *(command.identity for command in parcel.commands)]
    digest = hashlib.sha256("".join(content).encode()).hexdigest()[:12]
    return CommandList(
        name=f"{run.run_id}-{safe_name(parcel.rule, 60)}-{digest}",
        run=run.run_id,
        rule=parcel.rule,
        queue=parcel.queue,
        submitted_ms=now_ms,
        n_children=parcel.n_children,
        vcpus=parcel.vcpus,
        command_timeout_s=parcel.command_timeout_s,
        versions=run.versions,
        environment=run.environment,
        sources=run.sources,
        arguments=run.arguments,
        commands=parcel.commands,
        pilots=pilots,
    )


def submission_of(
    run: Run, parcel: Parcel, commands: CommandList, environment: Mapping[str, str]
) -> Submission:
    """Return what SubmitJob is asked for."""
    timeout_s = None
    if parcel.command_timeout_s is not None:
        n_commands = longest_slice(len(parcel.commands), parcel.n_children)
        timeout_s = max(MIN_TIMEOUT_S, parcel.command_timeout_s * n_commands + START_UP_S)
    return Submission(
        name=commands.name,
        queue=parcel.queue,
        definition=parcel.definition,
        n_children=parcel.n_children,
        command=WORKER_COMMAND,
        environment=environment,
        vcpus=parcel.vcpus,
        memory_mib=parcel.memory_mib,
        gpus=parcel.gpus,
        timeout_s=timeout_s,
        attempts=run.attempts,
        tags={**run.tags, "snakemake-rule": tag_value(parcel.rule)},
        share=run.share,
        priority=run.priority,
    )
