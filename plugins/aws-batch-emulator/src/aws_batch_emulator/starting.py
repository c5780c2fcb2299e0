"""What the container agent does before a command runs, with the roles that do it on AWS.

The task takes the job's role, the execution role fetches the image and opens the log stream (ECS
developer guide, "Task execution IAM role"). What one of them may not do ends the attempt.
"""

from typing import Any

from aws_batch_emulator import endings, network
from aws_batch_emulator.access.gate import Gate
from aws_batch_emulator.access.policies import Request
from aws_batch_emulator.child_credentials import ChildCredentials
from aws_batch_emulator.endings import Ending
from aws_batch_emulator.jobs import Attempt, Job, JobSpec
from aws_batch_emulator.moto_iam import Caller

_PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")


class Agent:
    """The ECS agent of every machine."""

    def __init__(self, gate: Gate, credentials: ChildCredentials) -> None:
        self._gate = gate
        self._credentials = credentials

    def prepare(self, job: Job, attempt: Attempt, *, enforced: bool) -> Ending | None:
        """Get all ready for a command; how the attempt ends if that can't be done, else None."""
        spec = job.spec
        if cut_off := network.unreachable(spec, attempt.task_id):
            return cut_off
        if spec.is_fargate:
            self._credentials.describe(attempt.task_id, _task(spec, attempt))
        if spec.role_arn:
            self._credentials.register(attempt.task_id, spec.role_arn)
        return self._refusal(spec, attempt) if enforced else None

    def _refusal(self, spec: JobSpec, attempt: Attempt) -> Ending | None:
        for role in (spec.execution_role_arn, spec.role_arn):
            if role and not self._credentials.can_take(role):
                return endings.cannot_take_role(role)
        if not spec.execution_role_arn:
            return None
        agent = _session(spec, attempt)
        for request in _pulling(spec):
            if refusal := self._gate.judge(agent, request, request.action):
                return endings.cannot_pull(f"AccessDeniedException: {refusal.message}")
        stream = f"log-group:{spec.log_group}:log-stream:{attempt.log_stream}"
        arn = f"arn:aws:logs:{spec.region}:{spec.account_id}:{stream}"
        for action in _LOG:
            if refusal := self._gate.judge(agent, Request(action, arn), action):
                return endings.cannot_log(f"AccessDeniedException: {refusal.message}")
        return None


def _task(spec: JobSpec, attempt: Attempt) -> dict[str, Any]:
    """Return what the metadata of a task on Fargate tell beside its ids.

    ECS developer guide, "Task metadata endpoint version 4 for tasks on Fargate": how the task is
    bought is not among it.
    """
    return {
        "AvailabilityZone": attempt.machine.zone,
        "LaunchType": "FARGATE",
        "Limits": {"CPU": spec.size.vcpus, "Memory": int(spec.size.memory_mib)},
        "PullStartedAt": attempt.machine.launched,
    }


def _session(spec: JobSpec, attempt: Attempt) -> Caller:
    role = spec.execution_role_arn
    name = role.rpartition("/")[2]
    arn = f"arn:aws:sts::{spec.account_id}:assumed-role/{name}/{attempt.task_id}"
    return Caller(arn, role, name, True)


def _pulling(spec: JobSpec) -> list[Request]:
    """Return what the execution role needs for an image of the account's own registry."""
    registry, _, rest = spec.container.get("image", "").partition("/")
    if not registry.startswith(f"{spec.account_id}.dkr.ecr."):
        return []
    name = rest.partition("@")[0].partition(":")[0]
    arn = f"arn:aws:ecr:{registry.split('.')[3]}:{spec.account_id}:repository/{name}"
    token = Request("ecr:GetAuthorizationToken", "*")
    return [token, *(Request(action, arn) for action in _PULL)]
