"""What a Batch job is, and the states it goes through.

No clock, no thread and no process in here: every function takes the time as an
argument and changes only the job it is given, so the life of a job can be tested
as plain data.
"""

from dataclasses import dataclass, field
from typing import Any

from aws_batch_emulator.endings import Ending
from aws_batch_emulator.machine_sizes import Size
from aws_batch_emulator.retries import RetryStrategy, wants_retry
from aws_batch_emulator.states import Status
from aws_batch_emulator.summaries import Summary


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine a child runs on, as its instance metadata tells it."""

    instance_id: str
    instance_type: str
    zone: str
    market: str  # "spot" or "on-demand"
    launched: str = ""  # in ISO 8601


@dataclass(slots=True)
class Attempt:
    """One run of a child's command on one machine."""

    number: int
    task_id: str
    machine: Machine
    log_stream: str
    started_ms: int | None = None
    stopped_ms: int | None = None
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What one SubmitJob call asked for: shared by an array's parent and all its children.

    `container` holds the fields of DescribeJobs' container that do not depend on the
    attempt, already merged from the job definition and the overrides.
    """

    name: str
    region: str
    account_id: str
    queue_name: str
    queue_arn: str
    environment_name: str
    instance_types: tuple[str, ...]
    market: str
    definition_name: str
    definition_arn: str
    container: dict[str, Any]
    retry: RetryStrategy
    timeout_s: int | None
    parameters: dict[str, str]
    depends_on: list[dict[str, str]]
    propagate_tags: bool
    log_group: str
    log_prefix: str
    waiting_limits_s: dict[str, float] = field(default_factory=dict)
    """How long a child may wait at the head of its queue, by how the reason begins."""
    is_fargate: bool = False
    """Whether a child is a task on Fargate, which has no machine of its own."""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    """Of its compute environment."""
    obstacle: str | None = None
    """Why no machine can ever take a child, in Batch's words; empty where it has none."""

    @property
    def size(self) -> Size:
        """What one child asks for."""
        sizes = {item["type"]: item["value"] for item in self.container["resourceRequirements"]}
        return Size(
            vcpus=float(sizes.get("VCPU", 1)),
            memory_mib=float(sizes.get("MEMORY", 0)),
            gpus=float(sizes.get("GPU", 0)),
        )

    @property
    def has_public_address(self) -> bool:
        """Whether a task on Fargate is given one."""
        network = self.container.get("networkConfiguration") or {}
        return bool(network.get("assignPublicIp") == "ENABLED")

    @property
    def command(self) -> list[str]:
        """The command, `Ref::name` parameters filled in."""
        command: list[str] = self.container["command"]
        return [
            self.parameters.get(word.removeprefix("Ref::"), word)
            if word.startswith("Ref::")
            else word
            for word in command
        ]

    @property
    def role_arn(self) -> str:
        """The role whose keys the command is given; empty for none."""
        return str(self.container.get("jobRoleArn") or "")

    @property
    def execution_role_arn(self) -> str:
        """The role that fetches the image and opens the log stream; empty for none."""
        return str(self.container.get("executionRoleArn") or "")

    @property
    def environment(self) -> dict[str, str]:
        """The job's own environment variables."""
        return {item["name"]: item["value"] for item in self.container["environment"]}


@dataclass(slots=True, eq=False)
class Job:
    """A plain job, the parent of an array, or one child of an array."""

    id: str
    spec: JobSpec
    created_ms: int
    index: int | None = None
    parent: "Job | None" = None
    children: "list[Job]" = field(default_factory=list)
    summary: Summary | None = None
    status: Status = Status.SUBMITTED
    status_reason: str | None = None
    started_ms: int | None = None
    stopped_ms: int | None = None
    attempts: list[Attempt] = field(default_factory=list)
    unmet_dependencies: int = 0
    is_cancelled: bool = False
    is_terminated: bool = False
    history: list[tuple[int, Status]] = field(default_factory=list)

    def status_at(self, time_ms: int) -> Status | None:
        """Return the status the job had at a time; None before it was submitted."""
        if time_ms < self.created_ms:
            return None
        past = [status for since_ms, status in self.history if since_ms <= time_ms]
        return past[-1] if past else Status.SUBMITTED

    @property
    def arn(self) -> str:
        """The job's ARN."""
        spec = self.spec
        return f"arn:aws:batch:{spec.region}:{spec.account_id}:job/{self.id}"

    @property
    def is_array(self) -> bool:
        """Whether this is the parent of an array."""
        return bool(self.children)

    @property
    def current_attempt(self) -> Attempt | None:
        """The newest attempt, running or ended."""
        return self.attempts[-1] if self.attempts else None


def make_array(job_id: str, spec: JobSpec, size: int, created_ms: int) -> Job:
    """Make the parent of an array with its children, all SUBMITTED."""
    parent = Job(job_id, spec, created_ms, summary=Summary.of_new(size, created_ms))
    parent.children = [
        Job(f"{job_id}:{index}", spec, created_ms, index=index, parent=parent)
        for index in range(size)
    ]
    return parent


def move(job: Job, status: Status, now_ms: int, reason: str | None = None) -> None:
    """Put a job into a state, and its parent into the state that follows from it.

    An array's parent is PENDING from its first RUNNABLE child until all are final, then
    SUCCEEDED only if every child is; it is never RUNNABLE, STARTING or RUNNING.
    """
    previous, job.status = job.status, status
    job.history.append((now_ms, status))
    if reason is not None:
        job.status_reason = reason
    if status is Status.RUNNING:
        job.started_ms = now_ms
    if status.is_final:
        job.stopped_ms = now_ms
    if job.parent is not None and job.parent.summary is not None:
        job.parent.summary.move(previous, status, now_ms)
        _roll_up(job.parent, job.parent.summary.counts, now_ms)


def _roll_up(parent: Job, counts: dict[Status, int], now_ms: int) -> None:
    failed = counts[Status.FAILED]
    if failed + counts[Status.SUCCEEDED] == len(parent.children):
        reason = parent.status_reason or ("Array Child Job failed" if failed else None)
        move(parent, Status.FAILED if failed else Status.SUCCEEDED, now_ms, reason)
    elif parent.status is Status.SUBMITTED:
        move(parent, Status.PENDING, now_ms)


def end_attempt(job: Job, ending: Ending, now_ms: int) -> None:
    """Close the current attempt: the job is RUNNABLE again, SUCCEEDED or FAILED."""
    attempt = job.attempts[-1]
    attempt.ending = ending
    attempt.stopped_ms = now_ms
    if ending.succeeded:
        move(job, Status.SUCCEEDED, now_ms, ending.status_reason)
    elif wants_retry(job.spec.retry, len(job.attempts), ending):
        move(job, Status.RUNNABLE, now_ms, ending.status_reason)
    else:
        move(job, Status.FAILED, now_ms, ending.status_reason)
