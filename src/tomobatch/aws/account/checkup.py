"""Look over an account and its stacks: what keeps jobs from running, and what mends it."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tomobatch.aws.account.finding import Finding, State
from tomobatch.aws.account.mistakes import aws_mistakes, reason_of
from tomobatch.aws.account.network import examine_network
from tomobatch.aws.account.quotas import (
    FARGATE,
    LEAST_VCPUS,
    QUOTAS,
    MakeClient,
    quota_page,
    read_quota,
)
from tomobatch.aws.account.stacks import ANEW, BUCKET_IS_GONE, STACKS, find_stack, is_ready

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_cloudformation import CloudFormationClient

_STUCK_AFTER_S = 15 * 60
_QUEUES = {"CPU": "CpuJobQueue", "GPU": "GpuJobQueue", FARGATE: "FargateJobQueue"}
"""Kind of machines to the output that names their queue."""


def examine_aws(make_client: MakeClient, prefix: str) -> Iterator[Finding]:
    """Look at credentials, stacks, bucket, network, image, queues with their jobs, and quotas.

    Parameters
    ----------
    make_client
        Makes a boto3 client of a service.
    prefix
        First part of the names of the stacks.

    Raises
    ------
    UserError
        If there are no usable credentials, or AWS can't be reached.
    """
    with aws_mistakes():
        identity = make_client("sts").get_caller_identity()
        cloudformation = make_client("cloudformation")
        region = cloudformation.meta.region_name
        yield Finding("credentials", "ok", f"{identity['Arn']} in {region}")
        outputs: dict[str, str] = {}
        for finding, found in _stacks(cloudformation, prefix):
            outputs |= found
            yield finding
    if "DataBucket" in outputs:
        yield _bucket(make_client, outputs["DataBucket"], identity["Account"])
    if "Subnets" in outputs:
        yield from examine_network(make_client("ec2"), outputs["Subnets"].split(","))
    batch = make_client("batch")
    if "CpuJobDefinition" in outputs:
        yield _image(make_client, batch, outputs["CpuJobDefinition"])
    for kind, output in _QUEUES.items():
        if output in outputs:
            yield from _queue(batch, kind, outputs[output])
    for name in QUOTAS:
        if not name.startswith(FARGATE) or _QUEUES[FARGATE] in outputs:
            yield _quota(make_client, name, region)


def _stacks(
    client: "CloudFormationClient", prefix: str
) -> Iterator[tuple[Finding, dict[str, str]]]:
    for stack in STACKS:
        name = stack.full_name(prefix)
        found = find_stack(client, name)
        if found is None:
            text = f"there is none in {client.meta.region_name}"
            fix = "run tomobatch setup, or give the --region or --prefix it was set up with"
            yield Finding(f"stack {name}", "failed", text, fix), {}
            continue
        status = found["StackStatus"]
        outputs = {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}
        if is_ready(status):
            yield Finding(f"stack {name}", "ok", status.lower().replace("_", " ")), outputs
        else:
            fix = "run tomobatch setup again, which goes on from here"
            yield Finding(f"stack {name}", "failed", f"half-deployed: {status}", fix), {}


def _bucket(make_client: MakeClient, bucket: str, account: str) -> Finding:
    subject = f"bucket {bucket}"
    try:
        make_client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["Error"]["Code"] in BUCKET_IS_GONE:
            return Finding(subject, "failed", "was deleted by hand", ANEW)
        fix = "sign in to the account of the stacks, or ask its owner for access to the bucket"
        return Finding(subject, "failed", "belongs to another account, or is closed to you", fix)
    return Finding(subject, "ok", "yours")


def _image(make_client: MakeClient, batch: "BatchClient", definition: str) -> Finding:
    found = batch.describe_job_definitions(jobDefinitions=[definition])["jobDefinitions"]
    image = found[0]["containerProperties"]["image"] if found else ""
    repository, _, tag = image.rpartition("/")[2].partition(":")
    subject = f"image {repository}:{tag}"
    try:
        make_client("ecr").describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("ImageNotFoundException", "RepositoryNotFoundException"):
            text = "is not in ECR, so that no job can start"
            return Finding(subject, "failed", text, f"run tomobatch push --tag {tag}")
        return Finding(subject, "unknown", reason_of(error), "allow ecr:DescribeImages")
    return Finding(subject, "ok", "in ECR")


def _queue(batch: "BatchClient", kind: str, arn: str) -> Iterator[Finding]:
    queues = batch.describe_job_queues(jobQueues=[arn])["jobQueues"]
    subject = f"{kind} queue"
    if not queues:
        yield Finding(subject, "failed", f"{arn} was deleted", "run tomobatch setup")
        return
    queue = queues[0]
    if queue["state"] != "ENABLED" or queue["status"] != "VALID":
        text = f"{queue['state']}, {queue['status']} {queue.get('statusReason', '')}".strip()
        fix = "turn it on in the Batch console, or run tomobatch setup"
        yield Finding(subject, "failed", text, fix)
    else:
        yield Finding(subject, "ok", "enabled")
    order = sorted(queue["computeEnvironmentOrder"], key=lambda item: item["order"])
    arns = [item["computeEnvironment"] for item in order]
    described = batch.describe_compute_environments(computeEnvironments=arns)
    for environment in described["computeEnvironments"]:
        yield _environment(kind, dict(environment))
    yield from _waiting(batch, kind, arn)


def _environment(kind: str, environment: dict[str, Any]) -> Finding:
    resources = environment.get("computeResources", {})
    market = "spot" if "SPOT" in resources.get("type", "") else "on-demand"
    subject = f"{kind} {market} machines"
    if environment.get("status", "VALID") not in ("VALID", "UPDATING"):
        text = f"{environment['status']}: {environment.get('statusReason', 'no reason given')}"
        return Finding(subject, "failed", text, "run tomobatch setup; if it stays, mend the reason")
    if environment["state"] != "ENABLED":
        # On-demand machines may have been turned off on purpose.
        state: State = "failed" if market == "spot" else "ok"
        fix = "turn the compute environment on in the Batch console" if market == "spot" else ""
        return Finding(subject, state, "disabled", fix)
    return Finding(subject, "ok", f"at most {resources.get('maxvCpus', 0)} vCPUs at once")


def _waiting(batch: "BatchClient", kind: str, arn: str) -> Iterator[Finding]:
    jobs = batch.list_jobs(jobQueue=arn, jobStatus="RUNNABLE")["jobSummaryList"]
    now_s = time.time()
    for job in jobs:
        reason = job.get("statusReason", "")
        waits_s = now_s - job["createdAt"] / 1000
        if reason.startswith("MISCONFIGURATION"):
            fix = "lower mem_mb or threads of the rule in your profile, or widen the instance types"
        elif reason.startswith("CAPACITY"):
            fix = "wait, or add instance types: tomobatch setup --set GpuInstanceTypes=..."
        elif waits_s > _STUCK_AFTER_S:
            reason, fix = "for no reason that AWS gives", "look at the quotas below"
        else:
            continue
        text = f"{job['jobName']} has waited {waits_s / 60:.0f} minutes: {reason}"
        yield Finding(f"{kind} queue", "warning", text, fix)


def _quota(make_client: MakeClient, name: str, region: str) -> Finding:
    subject = f"{name} quota"
    page = quota_page(region, name)
    try:
        vcpus = read_quota(make_client, name)
    except (ClientError, BotoCoreError) as error:
        return Finding(subject, "unknown", reason_of(error), f"look it up: {page}")
    fix = f"ask for more: {page}"
    if vcpus < LEAST_VCPUS:
        return Finding(subject, "failed" if "spot" in name else "warning", f"{vcpus} vCPUs", fix)
    if vcpus < 10 * LEAST_VCPUS:
        return Finding(subject, "warning", f"{vcpus} vCPUs: a few machines at once", fix)
    return Finding(subject, "ok", f"{vcpus} vCPUs at once")
