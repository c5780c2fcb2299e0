import pytest

from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.store import S3Path
from snakemake_executor_plugin_aws_batch_array.worker.assignment import (
    read_assignment,
    submission_environment,
)

LIST_PATH = S3Path("bucket", "prefix/run/lists/run-a-1.json")


@pytest.fixture
def array():
    return {
        **submission_environment(LIST_PATH, "abc", 10),
        "AWS_BATCH_JOB_ARRAY_INDEX": "9",
        "AWS_BATCH_JOB_ATTEMPT": "2",
    }


def test_a_child_reads_what_was_submitted(array):
    assignment = read_assignment(array)

    assert (assignment.child, assignment.n_children, assignment.attempt) == (9, 10, 2)
    assert assignment.list_path == LIST_PATH
    assert assignment.list_checksum == "abc"
    assert assignment.list_name == "run-a-1"
    assert assignment.run_root == S3Path("bucket", "prefix/run")


def test_a_plain_job_is_child_0_of_1():
    assignment = read_assignment(submission_environment(LIST_PATH, "abc", 1))

    assert (assignment.child, assignment.n_children, assignment.attempt) == (0, 1, 1)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LIST_FILE_S3_PATH", None, "LIST_FILE_S3_PATH is not set"),
        ("LIST_FILE_S3_PATH", "/some/file", "not an S3 address"),
        ("LIST_FILE_SHA256", None, "LIST_FILE_SHA256 is not set"),
        ("ARRAY_SIZE", "ten", "invalid literal"),
        ("AWS_BATCH_JOB_ARRAY_INDEX", "10", "outside the array of 10"),
    ],
)
def test_a_wrong_environment_is_refused(array, name, value, message):
    if value is None:
        del array[name]
    else:
        array[name] = value

    with pytest.raises(UserError, match=message):
        read_assignment(array)
