"""The environment variables of the user's shell and of a child."""

from __future__ import annotations

from aws_batch_emulator.jobs import Attempt, Job
from aws_batch_emulator.machines import METADATA_PATH

# Two key ids, so that the emulator can count the user's calls apart from the jobs' own.
USER_KEY_ID = "emulated-user"
JOB_KEY_ID = "emulated-job"

# Settings of the user's real account, which would otherwise win over the ones below.
UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")


def user_environment(endpoint_url: str, region: str) -> dict[str, str]:
    """Return what points every AWS client, the object store library included, at the emulator."""
    return {
        **_aws_environment(endpoint_url, region, USER_KEY_ID),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def child_environment(endpoint_url: str, job: Job, attempt: Attempt) -> dict[str, str]:
    """Return a child's environment: AWS access, the job's own variables, then Batch's."""
    spec = job.spec
    batch = {
        "AWS_BATCH_CE_NAME": spec.environment_name,
        "AWS_BATCH_JOB_ATTEMPT": str(attempt.number),
        "AWS_BATCH_JOB_ID": job.id,
        "AWS_BATCH_JQ_NAME": spec.queue_name,
    }
    if job.parent is not None:
        batch["AWS_BATCH_JOB_ARRAY_INDEX"] = str(job.index)
        batch["AWS_BATCH_JOB_ARRAY_SIZE"] = str(len(job.parent.children))
    metadata = f"{endpoint_url}{METADATA_PATH}{attempt.machine.instance_id}/"
    return {
        **_aws_environment(endpoint_url, spec.region, JOB_KEY_ID),
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata,
        **spec.environment,
        **batch,
    }


def _aws_environment(endpoint_url: str, region: str, key_id: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ALLOW_HTTP": "true",  # obstore refuses plain HTTP without it
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": "emulated",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }
