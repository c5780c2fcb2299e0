"""What a profile says of where it runs, completed from the outputs of the deployed stacks."""

import os
from pathlib import Path

import yaml

from tomobatch.errors import UserError


def data_url(profile: str) -> str | None:
    """Return where a profile keeps its data on S3; None if it keeps them on this machine.

    A profile for AWS names no account: it reads ``AWS_REGION``, ``TOMOBATCH_STACK`` and
    ``TOMOBATCH_BUCKET`` from the environment. They are set for the Snakemake that runs next: the
    Region in any case, the others, where the bucket is not set, from the outputs of the stacks.

    Raises
    ------
    UserError
        If there is no such profile, no Region is known, or neither environment nor stacks tell
        the bucket.
    """
    file = Path(profile) / "config.yaml"
    if not file.is_file():
        raise UserError(f"{profile}: holds no config.yaml; give a folder of profiles/")
    prefix = yaml.safe_load(file.read_text(encoding="utf-8")).get("default-storage-prefix")
    if prefix is None:
        return None
    _set_region()
    if "$TOMOBATCH_BUCKET" in prefix and "TOMOBATCH_BUCKET" not in os.environ:
        # boto3 takes a third of a second to import, which runs on this machine need not spend.
        from tomobatch.aws.account.mistakes import aws_mistakes
        from tomobatch.aws.runs.place import find_place

        with aws_mistakes():
            find_place()
    url = os.path.expandvars(str(prefix))
    if "$" in url:
        raise UserError(f"{file}: {prefix} needs an environment variable that is not set")
    return url


def _set_region() -> None:
    from snakemake_executor_plugin_aws_batch_array.region import find_region, region_environment
    from tomobatch.aws.account.mistakes import aws_mistakes

    with aws_mistakes():
        os.environ.update(region_environment(find_region()))
