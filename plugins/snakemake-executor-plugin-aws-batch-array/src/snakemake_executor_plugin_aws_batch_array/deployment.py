"""Where jobs go: queues, job definitions and the S3 prefix, from settings and stack outputs."""

import getpass
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.fargate import FARGATE
from snakemake_executor_plugin_aws_batch_array.identity import share_of
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings
from snakemake_executor_plugin_aws_batch_array.store import S3Path

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

STACK_SUFFIXES = ("storage", "iam", "ecr", "network", "batch")
"""Stacks looked at for outputs: ``<prefix>-<suffix>``."""

FAIR_SHARE = "FairShare"
"""Parameter of a stack: ``yes`` if its queues have a fair-share policy."""

PILOT_CLAIMS = "PilotClaims"
"""Output of a stack: what its jobs may write so that no two pilots begin one command."""

LIST_FOLDER = ".aws-batch-array"


@dataclass(frozen=True)
class Deployment:
    """Where jobs go.

    Attributes
    ----------
    queues
        Short name to name or ARN of a job queue.
    job_definitions
        Short name of a queue to the job definition of its jobs.
    default_queue
        Queue of jobs that name none; empty if there is none.
    log_group
        CloudWatch log group; empty to ask the job definition.
    lists
        Where runs keep their lists.
    share
        Share identifier of all jobs; empty where the queues have no fair-share policy.
    may_pilot
        Whether jobs may claim commands, as pilots do: those of stacks that say nothing of it may
        not.
    """

    queues: Mapping[str, str]
    job_definitions: Mapping[str, str]
    default_queue: str
    log_group: str
    lists: S3Path
    share: str = ""
    may_pilot: bool = True
    queue_names: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        by_queue = {queue: name for name, queue in self.queues.items()}
        object.__setattr__(self, "queue_names", by_queue)

    @property
    def _by_plain_name(self) -> dict[str, str]:
        """The queues by the last part of their ARN."""
        return {queue.rpartition("/")[2]: queue for queue in self.queues.values()}

    def queue(self, asked: str, n_gpus: int) -> str:
        """Return the queue, name or ARN, of a job.

        Parameters
        ----------
        asked
            The resource ``queue``: a short name, a name or an ARN; may be empty.
        n_gpus
            GPUs the job asks for.

        Raises
        ------
        UserError
            If no queue fits.
        """
        if asked:
            return self.queues.get(asked) or self._by_plain_name.get(asked, asked)
        short_name = "gpu" if n_gpus > 0 else "cpu"
        queue = self.queues.get(short_name, self.default_queue)
        if not queue:
            raise UserError(
                f"No job queue for jobs {'with' if n_gpus else 'without'} a GPU: set the "
                f"resource `queue` of the rule, --aws-batch-array-queues {short_name}=ARN, "
                "--aws-batch-array-job-queue or --aws-batch-array-stack."
            )
        return queue

    def is_fargate(self, queue: str) -> bool:
        """Whether the children of a queue, name or ARN, are tasks on Fargate."""
        return self.queue_names.get(queue) == FARGATE

    def job_definition(self, queue: str) -> str | None:
        """Return the job definition for a queue, None if one is to be registered."""
        return self.job_definitions.get(self.queue_names.get(queue, queue))


def resolve_deployment(
    settings: ExecutorSettings,
    default_storage_prefix: str | None,
    cloudformation: "Callable[[], CloudFormationClient]",
) -> Deployment:
    """Combine settings and, where a stack prefix is set, the outputs of its stacks.

    Raises
    ------
    UserError
        If a stack or the place of the lists is missing.
    """
    outputs = {} if settings.stack is None else stack_outputs(cloudformation(), settings.stack)

    def named(given: dict[str, str] | None, kind: str) -> dict[str, str]:
        deployed = {
            name: outputs[output]
            for name in ("cpu", "gpu", FARGATE)
            if (output := f"{name.capitalize()}Job{kind}") in outputs
        }
        return deployed | (given or {})

    return Deployment(
        queues=named(settings.queues, "Queue"),
        job_definitions=named(settings.job_definitions, "Definition"),
        default_queue=settings.job_queue or "",
        log_group=settings.log_group or outputs.get("LogGroup", ""),
        lists=_list_root(settings, default_storage_prefix, outputs),
        share=settings.share_identifier or share_in(outputs),
        may_pilot="CpuJobDefinition" not in outputs or PILOT_CLAIMS in outputs,
    )


def share_in(outputs: Mapping[str, str]) -> str:
    """Return this user's share identifier if the queues of the stacks want one, else nothing."""
    return share_of(getpass.getuser()) if outputs.get(FAIR_SHARE) == "yes" else ""


def stack_outputs(client: "CloudFormationClient", prefix: str) -> dict[str, str]:
    """Return the outputs of the stacks ``<prefix>-storage``, ``<prefix>-batch`` and so on.

    With them the parameter ``FairShare``: it tells whether jobs need a share identifier.

    Raises
    ------
    UserError
        If there is no such stack at all.
    """
    outputs: dict[str, str] = {}
    found = False
    for suffix in STACK_SUFFIXES:
        try:
            reply = client.describe_stacks(StackName=f"{prefix}-{suffix}")
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                continue
            raise
        found = True
        stack = reply["Stacks"][0]
        for output in stack.get("Outputs", []):
            outputs[output["OutputKey"]] = output["OutputValue"]
        for parameter in stack.get("Parameters", []):
            if parameter["ParameterKey"] == FAIR_SHARE:
                outputs[FAIR_SHARE] = parameter["ParameterValue"]
    if not found:
        raise UserError(
            f"No CloudFormation stack {prefix}-batch or the like in this account and Region: "
            "deploy it, or correct --aws-batch-array-stack or the Region."
        )
    return outputs


def _list_root(
    settings: ExecutorSettings, default_storage_prefix: str | None, outputs: Mapping[str, str]
) -> S3Path:
    if settings.s3_prefix is not None:
        return S3Path.parse(settings.s3_prefix)
    if default_storage_prefix is not None and default_storage_prefix.startswith("s3://"):
        return S3Path.parse(default_storage_prefix) / LIST_FOLDER
    if "DataBucket" in outputs:
        return S3Path(outputs["DataBucket"], LIST_FOLDER)
    raise UserError(
        "There is no place for the lists of commands: set --aws-batch-array-s3-prefix "
        "s3://bucket/prefix, or use S3 as default storage."
    )
