"""The logs of a run's jobs: which stream of CloudWatch holds what one command printed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from snakemake_executor_plugin_aws_batch_array.logs import DEFAULT_LOG_GROUP
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, Status
from tomobatch.aws.runs.observe import HEAD, Look
from tomobatch.aws.runs.place import Place
from tomobatch.aws.runs.submitted import Submitted
from tomobatch.aws.runs.targets import Target, parse_target


@dataclass(frozen=True)
class Source:
    """Where the output of one command is, and when it was written.

    Attributes
    ----------
    title
        What the command makes.
    job_id
        The child.
    shared
        List, child and index of the command, if the child ran several.
    """

    title: str
    job_id: str
    shared: tuple[str, int, int] | None = None


@dataclass(frozen=True)
class Stream:
    """One attempt of a job: its log stream, and how it ended; empty while it runs."""

    group: str
    name: str
    ending: str = ""


def find_sources(look: Look, rule: str | None, chunk: int | None, *, failed: bool) -> list[Source]:
    """Return the jobs of a run whose logs are asked for.

    Each command counts where it was submitted last.

    Parameters
    ----------
    rule, chunk
        Only these; None for all. The rule ``head`` is the controller.
    failed
        Only commands that failed.
    """
    found: dict[Target, Source] = {}
    for submitted in look.submitted:
        if submitted.detail is None or rule not in (None, submitted.commands.rule):
            continue
        for index, command in enumerate(submitted.commands.commands):
            target = parse_target(command.target)
            found.pop(target, None)
            if chunk not in (None, target.chunk):
                continue
            if failed and not submitted.has_failed(index):
                continue
            found[target] = _source(submitted, submitted.detail.job_id, index, target)
    sources = list(found.values())
    if look.head is not None and chunk is None and _head_is_wanted(look.head, rule, failed):
        sources.insert(0, Source("controller", look.head.job_id))
    return sources


def find_streams(place: Place, job_id: str) -> list[Stream]:
    """Return the log streams of every attempt of a job, the oldest first."""
    jobs = place.batch_calls.describe_jobs(jobs=[job_id])["jobs"]
    if not jobs:
        return []
    job = jobs[0]
    container: dict[str, Any] = dict(job.get("container", {}))
    options = container.get("logConfiguration", {}).get("options", {})
    group = options.get("awslogs-group") or place.outputs.get("LogGroup", DEFAULT_LOG_GROUP)
    streams = [
        Stream(group, attempt.get("container", {}).get("logStreamName", ""), _ending(attempt))
        for attempt in job.get("attempts", [])
    ]
    current = container.get("logStreamName", "")
    if current and current not in (stream.name for stream in streams):
        streams.append(Stream(group, current))
    return [stream for stream in streams if stream.name]


def find_span(place: Place, run: str, source: Source) -> tuple[int, int] | None:
    """Return when a command ran, in milliseconds since 1970, if its child ran others as well."""
    if source.shared is None:
        return None
    list_name, child, index = source.shared
    outcome = place.store(run).get_outcomes(list_name, child).by_command.get(index)
    return None if outcome is None else (outcome.started_ms, outcome.stopped_ms)


def is_over(place: Place, job_id: str) -> bool:
    """Tell whether a job will write nothing more."""
    detail = place.batch.describe([job_id]).get(job_id)
    return detail is None or detail.status.is_final


def read_lines(
    place: Place, stream: Stream, between_ms: tuple[int, int] | None, token: str | None = None
) -> Iterator[tuple[str, str]]:
    """Walk what is there of a stream: each line, and the token to go on from after it."""
    request: dict[str, Any] = {}
    if between_ms is not None:
        # The end is exclusive.
        request = {"startTime": between_ms[0], "endTime": between_ms[1] + 1}
    while True:
        if token is not None:
            request["nextToken"] = token
        try:
            reply = place.logs.get_log_events(
                logGroupName=stream.group,
                logStreamName=stream.name,
                startFromHead=True,
                **request,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                # Nothing has been written yet, or the stream has expired.
                return
            raise
        following = reply["nextForwardToken"]
        for event in reply["events"]:
            yield event["message"].rstrip("\n"), following
        # A page may be empty though another has some (API reference, GetLogEvents).
        if following == token:
            return
        token = following


def _head_is_wanted(head: JobDetail, rule: str | None, failed: bool) -> bool:
    if failed and head.status is not Status.FAILED:
        return False
    return rule in (None, HEAD)


def _source(submitted: Submitted, parent: str, index: int, target: Target) -> Source:
    commands = submitted.commands
    n_commands, n_children = len(commands.commands), commands.n_children
    child = submitted.child_of(index)
    is_shared = n_commands > n_children or bool(commands.pilots)
    return Source(
        title=str(target),
        job_id=f"{parent}:{child}" if n_children > 1 else parent,
        shared=(commands.name, child, index) if is_shared else None,
    )


def _ending(attempt: Any) -> str:  # noqa: ANN401 - the reply of DescribeJobs
    container = attempt.get("container", {})
    facts = [container.get("reason", ""), attempt.get("statusReason", "")]
    if "exitCode" in container:
        facts.insert(0, f"exit code {container['exitCode']}")
    return "; ".join(fact for fact in facts if fact)
