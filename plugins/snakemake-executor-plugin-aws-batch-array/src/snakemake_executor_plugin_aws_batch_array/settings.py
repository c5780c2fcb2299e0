"""Settings of the executor: flags ``--aws-batch-array-<field>`` and environment variables.

The names shared with snakemake-executor-plugin-aws-batch (region, job_queue, job_role, tags,
task_timeout) mean the same here.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

from snakemake_executor_plugin_aws_batch_array.arrays import MAX_ARRAY_SIZE, ByWork
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.identity import MAX_TAG_VALUE


def parse_pairs(text: str) -> dict[str, str]:
    """Read ``name=value,name=value``.

    Raises
    ------
    UserError
        If a part has no name or no value.
    """
    pairs = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        if not name or not value:
            raise UserError(f"{part!r} in {text!r} is not of the form NAME=VALUE,NAME=VALUE.")
        pairs[name.strip()] = value.strip()
    return pairs


def format_pairs(pairs: dict[str, str]) -> str:
    """Write what `parse_pairs` reads."""
    return ",".join(f"{name}={value}" for name, value in pairs.items())


def parse_names(text: str) -> list[str]:
    """Read ``name,name``."""
    return [name for name in (part.strip() for part in text.split(",")) if name]


def _option(help_text: str, kind: type = str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"help": help_text, "env_var": True, "required": False, "type": kind, **more}


def _pairs(help_text: str) -> dict[str, Any]:
    return _option(help_text, parse_func=parse_pairs, unparse_func=format_pairs)


@dataclass
class ExecutorSettings(ExecutorSettingsBase):
    """What a user may set; each field has a flag and an environment variable."""

    size: int = field(
        default=MAX_ARRAY_SIZE,
        metadata=_option(
            "Most children of one array job, 1 to 10,000, and so the most machines of one step. "
            "If more jobs are ready, each child runs a slice of them, one after the other.",
            int,
        ),
    )
    pilots: int | None = field(
        default=None,
        metadata=_option(
            "Start up to so many children once, 0 to 10,000, that stay until the run is over and "
            "take the jobs of all steps, in place of an array for every step. A step that needs "
            "another queue or image gets pilots of its own, one that needs more memory or vCPUs an "
            "array. 0 for an array for every step, as by default.",
            int,
        ),
    )
    child_minutes: float = field(
        default=4.0,
        metadata=_option(
            "Minutes of work that a child is to have, so that it is worth its start: jobs whose "
            "rules tell by the resource `work_s` how many seconds they take share fewer children "
            "than the two settings above allow, and so do the jobs of a run its pilots. 0 for as "
            "many children as those allow. Start-up and scale-down take minutes: 3 to 5 are right.",
            float,
        ),
    )
    stack: str | None = field(
        default=None,
        metadata=_option(
            "Prefix of the names of CloudFormation stacks, such as tomobatch for tomobatch-batch "
            "and tomobatch-storage. What the settings below leave out is taken from their outputs "
            "CpuJobQueue, GpuJobQueue, FargateJobQueue, CpuJobDefinition, GpuJobDefinition, "
            "FargateJobDefinition, DataBucket, LogGroup, PilotClaims.",
        ),
    )
    region: str | None = field(
        default=None, metadata=_option("AWS Region; by default that of the AWS environment.")
    )
    queues: dict[str, str] | None = field(
        default=None,
        metadata=_pairs(
            "Names for job queues, as in cpu=ARN,gpu=ARN. The resource `queue` of a rule is such "
            "a name, or the name or ARN of a queue. Jobs without it go to `gpu` if they ask for "
            "a GPU, else to `cpu`. That of tasks on Fargate must be named `fargate`.",
        ),
    )
    job_queue: str | None = field(
        default=None,
        metadata=_option("Job queue, name or ARN, of all jobs that no other setting sends away."),
    )
    job_definitions: dict[str, str] | None = field(
        default=None,
        metadata=_pairs(
            "Job definitions to use as they are, by queue: cpu=ARN,gpu=ARN. For other queues one "
            "is registered from --container-image, --aws-batch-array-job-role and "
            "--aws-batch-array-log-group, once for all jobs.",
        ),
    )
    job_role: str | None = field(
        default=None,
        metadata=_option("ARN of the role of the jobs, for job definitions registered here."),
    )
    execution_role: str | None = field(
        default=None,
        metadata=_option(
            "ARN of the role that pulls the image, for job definitions registered here."
        ),
    )
    log_group: str | None = field(
        default=None,
        metadata=_option("CloudWatch log group of the jobs; as their definition says."),
    )
    s3_prefix: str | None = field(
        default=None,
        metadata=_option(
            "Where lists of commands and their outcomes go, s3://bucket/prefix; by default "
            ".aws-batch-array under the default storage prefix.",
        ),
    )
    run_id: str | None = field(
        default=None,
        metadata=_option(
            "Name of this run. A controller that starts under the same name takes up what an "
            "earlier one left running. By default made of the working directory's name, the "
            "Snakefile and the default storage prefix.",
        ),
    )
    tags: dict[str, str] | None = field(
        default=None, metadata=_pairs("Tags of every job: KEY=VALUE,KEY=VALUE.")
    )
    leave_out: list[str] | None = field(
        default=None,
        metadata=_option(
            "Folders of the workflow's repository of which no job needs anything, docs,tests for "
            "one: they are not sent to jobs, each of which unpacks what it is sent.",
            parse_func=parse_names,
            unparse_func=",".join,
        ),
    )
    task_timeout: int | None = field(
        default=None,
        metadata=_option(
            "Seconds one job may take, at least 60, if its rule sets no `runtime`; no limit by "
            "default.",
            int,
        ),
    )
    attempts: int = field(
        default=5,
        metadata=_option(
            "Attempts Batch makes, 1 to 10, when an instance is reclaimed or a container cannot "
            "be started. A command that fails is left to Snakemake's --retries.",
            int,
        ),
    )
    stuck_after: int = field(
        default=1800,
        metadata=_option(
            "Seconds a job may wait for an instance while AWS Batch names a misconfiguration for "
            "which it never gets one; then it is an error. How long it waits for capacity, its "
            "queue decides.",
            int,
        ),
    )
    share_identifier: str | None = field(
        default=None,
        metadata=_option(
            "Share of the queue that all jobs count for. A queue with a fair-share policy takes no "
            "job without one, any other queue none with one. By default your user name, where the "
            "stack's parameter FairShare is `yes`.",
        ),
    )
    priority: int | None = field(
        default=None,
        metadata=_option(
            "Priority of all jobs within their share, 0 to 9,999; the highest goes first.", int
        ),
    )
    pass_envvars: str | None = field(
        default=None,
        metadata=_option(
            "Names of environment variables, separated by commas, whose values are written into "
            "the list of commands. Never name secrets: those belong in the job definition.",
        ),
    )

    @property
    def by_work(self) -> ByWork:
        """How many children some work is worth."""
        return ByWork(60 * self.child_minutes)


_LIMITS = {
    "size": (1, MAX_ARRAY_SIZE),
    "pilots": (0, MAX_ARRAY_SIZE),
    "child_minutes": (0, None),
    "attempts": (1, 10),
    "task_timeout": (60, None),
    "priority": (0, 9999),
}

_MAX_TAGS = 46
"""Of the 50 that AWS takes, some are the executor's own."""

_MAX_TAG_KEY = 128
_OTHER_SIGNS = re.compile(r"[^\w\s.:/=+@-]")
_SHARE_IDENTIFIER = re.compile(r"[A-Za-z0-9]{1,255}")


def check_settings(settings: ExecutorSettings) -> None:
    """Refuse values that AWS Batch does not accept.

    Raises
    ------
    UserError
        If a number is out of its limits, or a tag or the share identifier has other signs or more
        than AWS takes.
    """
    for name, (low, high) in _LIMITS.items():
        value = getattr(settings, name)
        if value is not None and (value < low or (high is not None and value > high)):
            limits = f"{low} to {high}" if high is not None else f"at least {low}"
            flag = name.replace("_", "-")
            raise UserError(f"--aws-batch-array-{flag} is {value}: give a number of {limits}.")
    share = settings.share_identifier
    if share is not None and not _SHARE_IDENTIFIER.fullmatch(share):
        raise UserError(
            f"--aws-batch-array-share-identifier is {share!r}: give letters and digits alone."
        )
    _check_tags(settings.tags or {})


def _check_tags(tags: dict[str, str]) -> None:
    if len(tags) > _MAX_TAGS:
        raise UserError(
            f"--aws-batch-array-tags has {len(tags)} tags: AWS takes {_MAX_TAGS} beside those of "
            "the executor."
        )
    for key, value in tags.items():
        wrong = ""
        if key.lower().startswith("aws:"):
            wrong = "begins with aws:, which AWS keeps for itself"
        elif len(key) > _MAX_TAG_KEY or len(value) > MAX_TAG_VALUE:
            wrong = f"is longer than {_MAX_TAG_KEY} characters or {MAX_TAG_VALUE} of its value"
        elif _OTHER_SIGNS.search(key + value):
            wrong = "has other signs than letters, digits, spaces and . : / = + @ _ -"
        if wrong:
            raise UserError(f"--aws-batch-array-tags: {key}={value} {wrong}.")


common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=True,
    # The executor keeps the sources beside its lists: Snakemake's own archive is shared by all runs
    # of the same workflow, and the first to end deletes it.
    job_deploy_sources=False,
    pass_default_storage_provider_args=True,
    pass_default_resources_args=True,
    # Values of variables would be readable by all who may describe the job.
    pass_envvar_declarations_to_cmd=False,
    # Plugins come with the image: an installation a job costs time and is not reproducible.
    auto_deploy_default_storage_provider=False,
    init_seconds_before_status_checks=0,
    pass_group_args=True,
)
