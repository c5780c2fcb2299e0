"""What a profile says of where it runs, completed from the outputs of the deployed stacks."""

import os
from pathlib import Path

import yaml

from tomobatch.errors import UserError


def data_url(profile: str) -> str | None:
    """Return where a profile keeps its data on S3; None if it keeps them on this machine.

    A profile for AWS names no account: it reads ``TOMOBATCH_STACK`` and ``TOMOBATCH_BUCKET`` from
    the environment. Where the bucket is not set, both are, for the Snakemake that runs next, from
    the outputs of the stacks.

    Raises
    ------
    UserError
        If there is no such profile, or neither environment nor stacks tell the bucket.
    """
    file = Path(profile) / "config.yaml"
    if not file.is_file():
        raise UserError(f"{profile}: holds no config.yaml; give a folder of profiles/")
    prefix = yaml.safe_load(file.read_text(encoding="utf-8")).get("default-storage-prefix")
    if prefix is None:
        return None
    if "$TOMOBATCH_BUCKET" in prefix and "TOMOBATCH_BUCKET" not in os.environ:
        _take_from_stacks()
    url = os.path.expandvars(str(prefix))
    if "$" in url:
        raise UserError(f"{file}: {prefix} needs an environment variable that is not set")
    return url


def _take_from_stacks() -> None:
    # boto3 takes a third of a second to import, which runs on this machine need not spend.
    from snakemake_executor_plugin_aws_batch_array.aws import make_client
    from snakemake_executor_plugin_aws_batch_array.deployment import stack_outputs
    from tomobatch.aws.account.mistakes import aws_mistakes

    stack = os.environ.setdefault("TOMOBATCH_STACK", "tomobatch")
    with aws_mistakes():
        outputs = stack_outputs(make_client("cloudformation"), stack)
    if "DataBucket" not in outputs:
        raise UserError(f"the stacks {stack}-* have no output DataBucket; deploy {stack}-storage")
    os.environ["TOMOBATCH_BUCKET"] = outputs["DataBucket"]
