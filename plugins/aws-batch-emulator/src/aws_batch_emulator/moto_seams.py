"""Everything this package knows about moto's insides, in one place.

moto's WSGI application serves every call but the five about jobs (SubmitJob, DescribeJobs,
ListJobs, TerminateJob, CancelJob); those are answered by this package, which reads the queues and
definitions moto holds, and writes logs into moto's CloudWatch, in ``moto_logs``. Only its
CloudFormation is mended, in ``moto_stacks``. So only the names there and below can break with a new
version of moto.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)

from aws_batch_emulator import fargate
from aws_batch_emulator.moto_conditions import mend_conditions
from aws_batch_emulator.moto_listings import mend_listings
from aws_batch_emulator.moto_logs import mend_pages
from aws_batch_emulator.moto_stacks import mend_stacks
from aws_batch_emulator.validation import ClientError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from moto.batch.models import BatchBackend

ACCOUNT_ID: str = DEFAULT_ACCOUNT_ID


class RequestHandler(MotoRequestHandler):
    """moto's request handler, quiet and fast.

    Replies go out in several small writes: with Nagle's algorithm on and connections kept
    open, each waits for the client's delayed acknowledgement (40 ms).
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def make_environ(self) -> Any:  # noqa: ANN401 - as werkzeug has it
        """Return what is known of a request, with the version of TLS it came by."""
        environ = super().make_environ()
        if isinstance(self.connection, ssl.SSLSocket):
            version = self.connection.version() or ""
            environ["emulator.tls_version"] = version.removeprefix("TLSv")
        return environ

    def log(self, type: str, message: str, *args: object) -> None:
        """Print nothing: the emulator counts calls itself."""


class Dispatcher(DomainDispatcherApplication):
    """moto's dispatcher, which remembers the service of each host.

    moto lists its own package's folders on the disk for every request to find it: a fifth of the
    time of an S3 call, and that under a lock.
    """

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._services: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:  # noqa: ANN401 - as moto has it
        """Return the service that a host name stands for."""
        if host not in self._services:
            self._services[host] = super().get_backend_for_host(host)
        return self._services[host]


def moto_application() -> "WSGIApplication":
    """Return moto's WSGI application, all services in one."""
    mend_stacks()
    mend_pages()
    mend_listings()
    mend_conditions()
    return Dispatcher()


@dataclass(frozen=True, slots=True)
class Queue:
    """A job queue as moto holds it, with what its first compute environment offers.

    `machines` are the instance types of all that are enabled, each with its market; `max_vcpus`
    is the most that one of those may have at once. `waiting_limits_s` tells how long a job may
    wait at the head for each reason.
    """

    name: str
    arn: str
    enabled: bool
    environment_name: str
    environment_type: str
    instance_types: tuple[str, ...]
    market: str
    machines: tuple[tuple[str, str], ...]
    max_vcpus: int
    is_shared: bool
    waiting_limits_s: dict[str, float]
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """A revision of a job definition as moto holds it."""

    name: str
    arn: str
    container: dict[str, Any]
    platforms: tuple[str, ...]
    parameters: dict[str, str]
    retry_strategy: dict[str, Any] | None
    timeout: dict[str, int] | None
    propagate_tags: bool


def find_queue(region: str, identifier: str) -> Queue | None:
    """Look a job queue up by name or ARN."""
    queue = _batch(region).get_job_queue(identifier)
    if queue is None:
        return None
    types, market = _offer(queue.environments[0])
    resources = queue.environments[0].compute_resources or {}
    enabled = [each for each in queue.environments if each.state == "ENABLED"]
    return Queue(
        name=queue.name,
        arn=queue.arn,
        enabled=queue.state == "ENABLED",
        environment_name=queue.environments[0].name,
        environment_type=str(resources.get("type", "")),
        instance_types=types,
        market=market,
        machines=tuple(
            (each, its_market) for offered, its_market in map(_offer, enabled) for each in offered
        ),
        max_vcpus=max((_max_vcpus(each) for each in enabled), default=0),
        is_shared=bool(queue.schedule_policy),
        # moto knows nothing of them; those of templates are noted when the stack is made.
        waiting_limits_s={
            limit["Reason"]: float(limit["MaxTimeSeconds"])
            for limit in getattr(queue, "time_limits", ())
        },
        subnets=tuple(resources.get("subnets") or ()),
        security_groups=tuple(resources.get("securityGroupIds") or ()),
    )


def check_order(region: str, request: Mapping[str, Any]) -> None:
    """Refuse a job queue of compute environments that don't go together.

    Raises
    ------
    ClientError
        If it is one.
    """
    order = request.get("computeEnvironmentOrder") or []
    found = [_batch(region).get_compute_environment(each["computeEnvironment"]) for each in order]
    types = (str((each.compute_resources or {}).get("type", "")) for each in found if each)
    if refusal := fargate.refuse_order(types):
        raise ClientError(refusal)


def _offer(environment: Any) -> tuple[tuple[str, ...], str]:  # noqa: ANN401 - as moto has it
    """Return a compute environment's instance types and its market."""
    resources = environment.compute_resources or {}
    types = tuple(resources.get("instanceTypes") or ["optimal"])
    if fargate.is_fargate(resources.get("type", "")):
        types = (fargate.INSTANCE_TYPE,)
    market = "spot" if "SPOT" in resources.get("type", "") else "on-demand"
    return types, market


def _max_vcpus(environment: Any) -> int:  # noqa: ANN401 - as moto has it
    return int((environment.compute_resources or {}).get("maxvCpus", 0))


def find_definition(region: str, identifier: str) -> Definition | None:
    """Look a job definition up by name (its newest active revision), name:revision or ARN."""
    backend = _batch(region)
    name, _, revision = identifier.rpartition("/")[2].partition(":")
    active = [
        definition
        for definition in backend.describe_job_definitions()
        if definition.name == name
        and definition.status == "ACTIVE"
        and (not revision or str(definition.revision) == revision)
    ]
    if not active:
        return None
    found = max(active, key=lambda definition: int(definition.revision))
    return Definition(
        name=found.name,
        arn=found.arn,
        container=found.container_properties or {},
        platforms=tuple(found.platform_capabilities or ["EC2"]),
        parameters=found.parameters or {},
        retry_strategy=found.retry_strategy,
        timeout=found.timeout,
        propagate_tags=bool(found.propagate_tags),
    )


def stack_arn(region: str, name: str) -> str | None:
    """Return the ARN of a stack, None where there is none of this name."""
    for stack in get_backend("cloudformation")[ACCOUNT_ID][region].stacks.values():
        if stack.name == name:
            return str(stack.stack_id)
    return None


def region_of_bucket(name: str) -> str | None:
    """Return the Region of a bucket, None where there is none of this name."""
    bucket = get_backend("s3")[ACCOUNT_ID]["aws"].buckets.get(name)
    return None if bucket is None else str(bucket.region_name)


def tag_job(region: str, arn: str, tags: dict[str, str]) -> None:
    """Store a job's tags where TagResource and ListTagsForResource find them."""
    _batch(region).tag_resource(arn, tags)


def tags_of_job(region: str, arn: str) -> dict[str, str]:
    """Return a job's tags."""
    tags: dict[str, str] = _batch(region).list_tags_for_resource(arn)
    return tags


def _batch(region: str) -> "BatchBackend":
    backend: BatchBackend = get_backend("batch")[ACCOUNT_ID][region]
    return backend
