"""Job definitions: those of the stack as they are, or one registered per content."""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from snakemake_executor_plugin_aws_batch_array.deployment import Deployment
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.resources import DEFAULT_MEMORY_MIB
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient


class JobDefinitions:
    """Finds the job definition of a job; registers one only if no equal one is active.

    Parameters
    ----------
    client
        AWS Batch.
    deployment
        Knows the definitions to use as they are.
    settings
        Roles and log group of definitions registered here.
    default_image
        Container image of definitions registered here.
    asked_image
        Container image that the user asks for in place of those of the deployment; may be empty.
    """

    def __init__(
        self,
        client: "BatchClient",
        deployment: Deployment,
        settings: ExecutorSettings,
        default_image: str,
        asked_image: str = "",
    ) -> None:
        self._client = client
        self._deployment = deployment
        self._settings = settings
        self._default_image = default_image
        self._asked_image = asked_image
        self._found: dict[tuple[str, str, int | None], str] = {}

    def for_job(self, queue: str, image: str = "", shared_memory_mib: int | None = None) -> str:
        """Return the name or ARN of the job definition of a job.

        Neither image nor shared memory can be told to SubmitJob: where a job asks for another than
        its queue's definition has, a copy of that is registered, once for each content.

        Parameters
        ----------
        queue
            Name or ARN.
        image, shared_memory_mib
            What the job asks for; empty and None for nothing.

        Raises
        ------
        UserError
            If there is none and none can be registered.
        """
        image = image or self._asked_image
        key = (queue, image, shared_memory_mib)
        if key not in self._found:
            self._found[key] = self._find(*key)
        return self._found[key]

    def _find(self, queue: str, image: str, shared_memory_mib: int | None) -> str:
        given = self._deployment.job_definition(queue)
        if given is not None and not image and shared_memory_mib is None:
            return given
        try:
            return self._find_or_register(*self._content(given, image, shared_memory_mib))
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            raise UserError(
                "you may not register the job definition that a job of its own image or shared "
                "memory needs: take `image` and `shm_mb` out of the rule, or ask whoever set AWS "
                "up for batch:DescribeJobDefinitions, batch:RegisterJobDefinition and iam:PassRole "
                f"({error})"
            ) from error

    def _content(
        self, given: str | None, image: str, shared_memory_mib: int | None
    ) -> tuple[str, dict[str, Any]]:
        """Return name and container properties of what a job needs."""
        if given is None:
            base = "snakemake"
            properties = container_properties(self._settings, self._default_image)
        else:
            (definition,) = self._client.describe_job_definitions(jobDefinitions=[given])[
                "jobDefinitions"
            ]
            base = definition["jobDefinitionName"]
            properties = dict(definition["containerProperties"])
        if image:
            properties["image"] = image
        if shared_memory_mib is not None:
            linux = {**properties.get("linuxParameters", {}), "sharedMemorySize": shared_memory_mib}
            properties["linuxParameters"] = linux
        return definition_name(base, properties), properties

    def _find_or_register(self, name: str, properties: dict[str, Any]) -> str:
        known = self._client.describe_job_definitions(jobDefinitionName=name, status="ACTIVE")
        if known["jobDefinitions"]:
            return known["jobDefinitions"][0]["jobDefinitionArn"]
        reply = self._client.register_job_definition(
            jobDefinitionName=name,
            type="container",
            platformCapabilities=["EC2"],
            containerProperties=properties,  # type: ignore[arg-type]
            propagateTags=True,
        )
        return reply["jobDefinitionArn"]


def container_properties(settings: ExecutorSettings, image: str) -> dict[str, Any]:
    """Return the container properties of a definition; every job overrides the amounts.

    Raises
    ------
    UserError
        If no role for the jobs is set.
    """
    if settings.job_role is None:
        raise UserError(
            "No job definition and no role for one: set --aws-batch-array-job-definitions "
            "or --aws-batch-array-stack, or --aws-batch-array-job-role and --container-image."
        )
    properties: dict[str, Any] = {
        "image": image,
        "jobRoleArn": settings.job_role,
        "command": ["true"],
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": str(DEFAULT_MEMORY_MIB)},
        ],
    }
    if settings.execution_role is not None:
        properties["executionRoleArn"] = settings.execution_role
    if settings.log_group is not None:
        properties["logConfiguration"] = {
            "logDriver": "awslogs",
            "options": {"awslogs-group": settings.log_group},
        }
    return properties


def definition_name(base: str, properties: Mapping[str, Any]) -> str:
    """Return a name that is equal for equal properties.

    Parameters
    ----------
    base
        Name of the definition of which it is a copy: rights go by how names begin, and an
        underscore tells a copy from the definitions of another deployment.
    """
    content = json.dumps(properties, sort_keys=True).encode()
    return f"{base[:100]}_{hashlib.sha256(content).hexdigest()[:16]}"
