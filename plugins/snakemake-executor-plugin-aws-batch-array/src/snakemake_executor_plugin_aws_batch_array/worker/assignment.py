"""What this child is to do, from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.store import S3Path

LIST_VARIABLE = "LIST_FILE_S3_PATH"
CHECKSUM_VARIABLE = "LIST_FILE_SHA256"
SIZE_VARIABLE = "ARRAY_SIZE"


@dataclass(frozen=True)
class Assignment:
    """One child's part.

    Attributes
    ----------
    child, n_children
        0-based index and size of the array; ``0, 1`` for a plain job.
    attempt
        From 1.
    list_path, list_checksum
        The list of commands and its SHA-256.
    """

    child: int
    n_children: int
    attempt: int
    list_path: S3Path
    list_checksum: str

    @property
    def list_name(self) -> str:
        """Name of the list, which is that of the Batch job."""
        return self.list_path.key.rpartition("/")[2].removesuffix(".json")

    @property
    def run_root(self) -> S3Path:
        """Folder of the run, two above the list."""
        return S3Path(self.list_path.bucket, self.list_path.key.rsplit("/", 2)[0])


def submission_environment(list_path: S3Path, checksum: str, n_children: int) -> dict[str, str]:
    """Return the variables that `read_assignment` reads and AWS Batch does not set itself."""
    return {
        LIST_VARIABLE: str(list_path),
        CHECKSUM_VARIABLE: checksum,
        SIZE_VARIABLE: str(n_children),
    }


def read_assignment(environment: Mapping[str, str]) -> Assignment:
    """Read ``LIST_FILE_S3_PATH, LIST_FILE_SHA256, ARRAY_SIZE`` and what AWS Batch sets.

    Raises
    ------
    UserError
        If a variable is missing or no number.
    """
    try:
        n_children = int(environment[SIZE_VARIABLE])
        child = int(environment.get("AWS_BATCH_JOB_ARRAY_INDEX", "0"))
        attempt = int(environment.get("AWS_BATCH_JOB_ATTEMPT", "1"))
        list_path = S3Path.parse(environment[LIST_VARIABLE])
        list_checksum = environment[CHECKSUM_VARIABLE]
    except KeyError as error:
        raise UserError(
            f"{error.args[0]} is not set: the worker is started by the executor, not by hand."
        ) from None
    except ValueError as error:
        raise UserError(f"{SIZE_VARIABLE} or a variable of AWS Batch: {error}") from None
    if not 0 <= child < n_children:
        raise UserError(f"child {child} is outside the array of {n_children}.")
    return Assignment(child, n_children, attempt, list_path, list_checksum)
