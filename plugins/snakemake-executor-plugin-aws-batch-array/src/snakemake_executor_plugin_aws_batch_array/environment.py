"""Which environment variables travel with the jobs: settings, never secrets."""

from collections.abc import Iterable, Mapping

from snakemake_executor_plugin_aws_batch_array.errors import UserError

_ALWAYS_PASSED = ("SNAKEMAKE_STORAGE_S3_ENDPOINT_URL", "SNAKEMAKE_STORAGE_S3_REGION")

_NEVER_PASSED = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "SNAKEMAKE_STORAGE_S3_ACCESS_KEY",
    "SNAKEMAKE_STORAGE_S3_SECRET_KEY",
    "SNAKEMAKE_STORAGE_S3_TOKEN",
)


def passed_variables(declared: Mapping[str, str], named: Iterable[str]) -> dict[str, str]:
    """Return the variables to write into the list of commands.

    Parameters
    ----------
    declared
        Variables that the workflow and its storage declare, with their values.
    named
        Names that the user wants passed.

    Raises
    ------
    UserError
        If one of the names is that of a credential: jobs have those of their role.
    """
    wanted = set(named)
    refused = sorted(wanted.intersection(_NEVER_PASSED))
    if refused:
        raise UserError(
            f"--aws-batch-array-pass-envvars names {', '.join(refused)}: jobs have the "
            "credentials of their role; take it out."
        )
    return {
        name: value for name, value in declared.items() if name in wanted or name in _ALWAYS_PASSED
    }


def left_behind(declared: Iterable[str], passed: Iterable[str]) -> list[str]:
    """Return the declared variables that jobs must get from their job definition or image."""
    known = {*passed, *_NEVER_PASSED}
    return sorted(name for name in declared if name not in known)
