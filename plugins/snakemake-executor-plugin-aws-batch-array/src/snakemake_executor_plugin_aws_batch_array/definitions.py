"""Job definitions: those of the stack as they are, or one registered per content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from snakemake_executor_plugin_aws_batch_array.deployment import Deployment
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.resources import DEFAULT_MEMORY_MIB
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient


class JobDefinitions:
    """Finds the job definition of a queue; registers one only if no equal one is active.

    Parameters
    ----------
    client
        AWS Batch.
    deployment
        Knows the definitions to use as they are.
    settings
        Roles and log group of definitions registered here.
    image
        Container image of definitions registered here.
    """

    def __init__(
        self,
        client: BatchClient,
        deployment: Deployment,
        settings: ExecutorSettings,
        image: str,
    ) -> None:
        self._client = client
        self._deployment = deployment
        self._settings = settings
        self._image = image
        self._registered: str | None = None

    def for_queue(self, queue: str) -> str:
        """Return the name or ARN of the job definition for a queue.

        Raises
        ------
        UserError
            If there is none and none can be registered.
        """
        given = self._deployment.job_definition(queue)
        if given is not None:
            return given
        if self._registered is None:
            self._registered = self._find_or_register()
        return self._registered

    def _find_or_register(self) -> str:
        if self._settings.job_role is None:
            raise UserError(
                "No job definition and no role for one: set --aws-batch-array-job-definitions "
                "or --aws-batch-array-stack, or --aws-batch-array-job-role and --container-image."
            )
        properties = container_properties(self._settings, self._image)
        name = definition_name(properties)
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
    """Return the container properties of a definition; every job overrides the amounts."""
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


def definition_name(properties: Mapping[str, Any]) -> str:
    """Return a name that is equal for equal properties."""
    content = json.dumps(properties, sort_keys=True).encode()
    return f"snakemake-{hashlib.sha256(content).hexdigest()[:16]}"
