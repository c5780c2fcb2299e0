"""Writes on a condition, of which one in any number succeeds."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

BUCKET = "tomobatch-data"


@pytest.fixture
def s3(account):
    return account.client("s3")


def write(s3, body, key, **condition):
    """Write an object; return its tag, or the status of the refusal."""
    try:
        return s3.put_object(Bucket=BUCKET, Key=key, Body=body, **condition)["ETag"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


def test_of_many_that_begin_an_object_one_does(s3):
    with ThreadPoolExecutor(8) as pool:
        bodies = [f"{i}".encode() for i in range(40)]
        found = list(pool.map(lambda body: write(s3, body, "one", IfNoneMatch="*"), bodies))

    assert found.count(412) == 39


def test_only_the_version_that_was_read_is_written_over(s3):
    tag = write(s3, b"0", "another")
    newer = write(s3, b"1", "another", IfMatch=tag)

    assert isinstance(newer, str)
    assert write(s3, b"2", "another", IfMatch=tag) == 412


def test_nothing_is_written_over_what_is_not_there(s3):
    assert write(s3, b"", "none", IfMatch='"a"') == 404
