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
        # boto3 takes a third of a second to import, which runs on this machine need not spend.
        from tomobatch.aws.account.mistakes import aws_mistakes
        from tomobatch.aws.runs.place import find_place

        with aws_mistakes():
            find_place()
    url = os.path.expandvars(str(prefix))
    if "$" in url:
        raise UserError(f"{file}: {prefix} needs an environment variable that is not set")
    return url
