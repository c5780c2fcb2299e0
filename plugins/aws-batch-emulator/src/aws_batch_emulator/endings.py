"""How attempts end, in the words AWS has for it."""

from dataclasses import dataclass

_EXITED = "Essential container in task exited"
_NOT_STARTED = "Task failed to start"
TIMED_OUT = "Job attempt duration exceeded timeout"
DEPENDENCY_FAILED = "Dependent Job failed"
STUCK = (
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) "
    "is higher than that can be met by the CE(s) attached to the job queue."
)
BEYOND_THE_ENVIRONMENT = (
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue "
    "cannot meet the CPU requirement of the job."
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How one attempt ended.

    A reclaimed machine leaves no exit code, only a status reason. `final` endings
    (a time limit, a TerminateJob) are never retried.
    """

    exit_code: int | None
    status_reason: str
    reason: str | None = None
    final: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the command ran to its end and returned zero."""
        return self.exit_code == 0 and not self.final


def exited(exit_code: int) -> Ending:
    """Return the ending of a command that ended by itself."""
    return Ending(exit_code, _EXITED)


def stopped(exit_code: int, reason: str) -> Ending:
    """Return the ending of a command that Batch stopped."""
    return Ending(exit_code, reason, final=True)


def reclaimed(instance_id: str) -> Ending:
    """Return the ending of a command whose machine was taken away."""
    return Ending(None, f"Host EC2 (instance {instance_id}) terminated.")


def interrupted(exit_code: int) -> Ending:
    """Return the ending of a task on Fargate Spot that was taken back, after its time of grace."""
    return Ending(exit_code, "Your Spot Task was interrupted.")


def out_of_memory() -> Ending:
    """Return the ending of a command that used more memory than it asked for."""
    return Ending(137, _EXITED, "OutOfMemoryError: Container killed due to memory usage")


def cannot_pull(detail: str) -> Ending:
    """Return the ending of an attempt whose image could not be had."""
    return Ending(None, _NOT_STARTED, f"CannotPullContainerError: {detail}")


def cannot_reach(service: str, region: str) -> Ending:
    """Return the ending of a task on Fargate that reaches no service, or no registry elsewhere.

    ECS developer guide, "Stopped tasks error messages".
    """
    host = f"{service}.{region}.amazonaws.com" if service else "registry-1.docker.io"
    timeout = f'Post "https://{host}/": dial tcp: i/o timeout'
    if service.startswith("ecr"):
        return Ending(
            None,
            "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot "
            "pull registry auth from Amazon ECR: There is a connection issue between the task and "
            f"Amazon ECR. Check your task network configuration. {timeout}",
        )
    if service == "logs":
        return Ending(
            None,
            "ResourceInitializationError: failed to validate logger args: The task cannot find the "
            "Amazon CloudWatch log group defined in the task definition. There is a connection "
            f"issue between the task and Amazon CloudWatch. {timeout}",
        )
    return cannot_pull(f"pull image manifest has been retried 7 time(s): {timeout}")


def cannot_take_role(arn: str) -> Ending:
    """Return the ending of an attempt whose role the task could not take."""
    return Ending(
        None,
        f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify "
        "that the role being passed has the proper trust relationship and permissions and that "
        "your IAM user has permissions to pass this role.",
    )


def cannot_log(detail: str) -> Ending:
    """Return the ending of an attempt whose log stream could not be opened."""
    problem = "failed to initialize logging driver: failed to create Cloudwatch log stream"
    return Ending(None, _NOT_STARTED, f"CannotStartContainerError: {problem}: {detail}")


def cannot_start(detail: str) -> Ending:
    """Return the ending of an attempt whose command could not be started."""
    return Ending(127, _NOT_STARTED, f"CannotStartContainerError: {detail}")
