"""The environment variables of a person's shell and of a child."""

from dataclasses import dataclass

from aws_batch_emulator.child_addresses import CREDENTIALS_PATH, METADATA_PATH, TASK_PATH
from aws_batch_emulator.jobs import Attempt, Job


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the account, with a key that lasts."""

    name: str
    key_id: str
    secret: str


# Who set the account up and may do everything, and who works in it and may do what was granted.
ADMINISTRATOR = Person("administrator", "AKIAEMULATEDADMIN001", "emulated-administrator")
USER = Person("user", "AKIAEMULATEDUSER0001", "emulated-user")

# Settings of the user's real account, which would otherwise win over the ones below.
UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")


def person_environment(person: Person, endpoint_url: str, region: str) -> dict[str, str]:
    """Return what points every AWS client at the emulator, as a person."""
    return {
        **_aws_environment(endpoint_url, region),
        # The documentation names AWS_REGION alone, but boto3 by itself reads this one.
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": person.key_id,
        "AWS_SECRET_ACCESS_KEY": person.secret,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def child_environment(
    endpoint_url: str, job: Job, attempt: Attempt, *, tell: bool = True
) -> dict[str, str]:
    """Return a child's environment: what ECS gives, the job's own variables, then Batch's."""
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
    machine = {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": (
            f"{endpoint_url}{METADATA_PATH}{attempt.machine.instance_id}/"
        ),
        "AWS_EXECUTION_ENV": "AWS_ECS_EC2",
    }
    ecs = {
        **({"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"} if spec.is_fargate else machine),
        "ECS_CONTAINER_METADATA_URI_V4": f"{endpoint_url}{TASK_PATH}{attempt.task_id}",
    }
    if spec.role_arn:
        address = f"{endpoint_url}{CREDENTIALS_PATH}{attempt.task_id}"
        ecs["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = address
    aws = _aws_environment(endpoint_url if tell else None, spec.region)
    return {**aws, **ecs, **spec.environment, **batch}


def _aws_environment(endpoint_url: str | None, region: str) -> dict[str, str]:
    endpoint = {"AWS_ENDPOINT_URL": endpoint_url} if endpoint_url else {}
    return {**endpoint, "AWS_REGION": region}
