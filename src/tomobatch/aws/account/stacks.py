"""The CloudFormation stacks in the order they are deployed, and what they export (decision 87)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tomobatch.aws.account.quotas import MakeClient
from tomobatch.errors import UserError
from tomobatch.workflow import workflow_folder

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

DEFAULT_PREFIX = "tomobatch"

NEVER_CREATED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}
"""Statuses of a stack whose creation failed: it can only be deleted."""


@dataclass(frozen=True)
class Stack:
    """One stack: the name of its template, and what a user would call it."""

    name: str
    title: str
    tags_change: bool = True
    """Whether a stack that is there may be given tags without being made anew."""

    def full_name(self, prefix: str) -> str:
        """Name of the stack in AWS."""
        return f"{prefix}-{self.name}"

    def template(self) -> str:
        """Text of the template.

        Raises
        ------
        UserError
            If the templates are not there, as in the image of the jobs.
        """
        path = workflow_folder() / "cloudformation" / f"{self.name}.yaml"
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise UserError(
                f"The template {path} does not exist: deploy where tomobatch was installed."
            ) from None


STACKS = (
    Stack("iam", "roles"),
    Stack("storage", "bucket and log group"),
    Stack("ecr", "image repository"),
    Stack("network", "network"),
    Stack("gpu-ami", "machine image of the GPU hosts"),
    # To give a compute environment other tags, CloudFormation would replace it, with all its jobs.
    Stack("batch", "queues and job definitions", tags_change=False),
)


BUCKET_IS_GONE = ("404", "NoSuchBucket")
"""Codes of S3 for a bucket that is not there."""

ANEW = "run tomobatch teardown, which keeps nothing of it, then tomobatch setup"
"""How to mend a deployment whose bucket is gone."""


def own_parameters(prefix: str) -> dict[str, str]:
    """Parameters that follow from the prefix and are nobody's to choose."""
    return {"Prefix": prefix, "GpuAmi": f"/{prefix}/gpu-ami"}


def declared_parameters(client: "CloudFormationClient", template: str) -> dict[str, str]:
    """Return the parameters that a template declares, with their defaults."""
    summary = client.get_template_summary(TemplateBody=template)
    return {item["ParameterKey"]: item.get("DefaultValue", "") for item in summary["Parameters"]}


def present_parameters(client: "CloudFormationClient", full_name: str) -> dict[str, str]:
    """Return the parameters that a stack has; none if there is no such stack, or it never was."""
    found = find_stack(client, full_name)
    if found is None or found["StackStatus"] in NEVER_CREATED | {"REVIEW_IN_PROGRESS"}:
        return {}
    return {item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", [])}


def find_stack(client: "CloudFormationClient", full_name: str) -> "StackTypeDef | None":
    """Return what AWS says of a stack, ``None`` if there is no such stack."""
    try:
        return client.describe_stacks(StackName=full_name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise


def read_outputs(client: "CloudFormationClient", prefix: str) -> dict[str, str]:
    """Read the outputs of all stacks, named as in profiles (``DataBucket``, ``CpuJobQueue``, ...).

    Raises
    ------
    UserError
        If a stack is missing or half-deployed.
    """
    outputs: dict[str, str] = {}
    for stack in STACKS:
        full_name = stack.full_name(prefix)
        found = find_stack(client, full_name)
        status = "does not exist" if found is None else found["StackStatus"]
        if found is None or not is_ready(status):
            raise UserError(
                f"Stack {full_name} in {client.meta.region_name} is not ready ({status}): "
                "run `tomobatch setup`, or give another --prefix or --region."
            )
        outputs |= {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}
    return outputs


def refuse_lost_bucket(make_client: MakeClient, prefix: str) -> None:
    """Refuse to go on with a storage stack whose bucket somebody deleted.

    CloudFormation takes it to be there, and neither makes it anew nor changes it.

    Raises
    ------
    UserError
        Saying how to begin anew.
    """
    found = find_stack(make_client("cloudformation"), f"{prefix}-storage")
    outputs = [] if found is None else found.get("Outputs", [])
    for bucket in (each["OutputValue"] for each in outputs if each["OutputKey"] == "DataBucket"):
        try:
            make_client("s3").head_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] in BUCKET_IS_GONE:
                raise UserError(f"bucket {bucket} was deleted by hand: {ANEW}") from error


def is_ready(status: str) -> bool:
    """Whether a stack in this status is complete, if perhaps not its newest version."""
    return status in {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "IMPORT_COMPLETE",
    }
