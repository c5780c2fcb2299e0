"""The one place that decides in which AWS Region everything happens.

boto3 reads ``AWS_DEFAULT_REGION`` and the configuration file but not ``AWS_REGION``, other
clients read the variables but not the file, and Snakemake's S3 storage takes us-east-1 where it is
told none. So every client is given the answer of this function.
"""

import os

from snakemake_executor_plugin_aws_batch_array.errors import UserError


def find_region(given: str | None = None) -> str:
    """Return the Region: the given one, else the environment's, else that of the AWS profile.

    ``AWS_REGION`` comes before ``AWS_DEFAULT_REGION``, as with the AWS command line.

    Raises
    ------
    UserError
        If no Region is known.
    """
    region = given or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        # It takes a third of a second to import, and is not needed where a variable is set.
        from botocore.session import Session

        region = Session().get_config_variable("region")
    if not region:
        raise UserError(
            "No AWS Region is known: set AWS_REGION, or a region in the AWS profile that is used "
            "(`aws configure`, AWS_PROFILE)."
        )
    return region


def region_environment(region: str) -> dict[str, str]:
    """Return the variables by which every client of another process takes this Region."""
    return {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "SNAKEMAKE_STORAGE_S3_REGION": region,
    }
