"""Addresses on S3, taken apart in one place."""

from pathlib import Path

import pytest

from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote, parse_address


@pytest.mark.parametrize(
    ("address", "bucket", "key"),
    [
        ("s3://lab/scans/a.h5", "lab", "scans/a.h5"),
        (Path("s3://lab/scans/a.h5"), "lab", "scans/a.h5"),
        ("s3://lab", "lab", ""),
        ("s3://lab/", "lab", ""),
        ("s3://lab/scans/", "lab", "scans"),
        # Letters that mean something in other addresses, and nothing in a key.
        ("s3://lab/tooth #2?.h5", "lab", "tooth #2?.h5"),
        ("s3://lab/a;b=c%20d.h5", "lab", "a;b=c%20d.h5"),
    ],
)
def test_bucket_and_key(address: object, bucket: str, key: str) -> None:
    assert is_remote(address)
    place = parse_address(address)
    assert (place.bucket, place.key) == (bucket, key)


@pytest.mark.parametrize("address", ["s3://", "s3:///", "s3:/"])
def test_an_address_without_a_bucket(address: str) -> None:
    with pytest.raises(UserError, match=f"^{address}: names no bucket"):
        parse_address(address)


@pytest.mark.parametrize("path", ["scans/a.h5", "/s3/a.h5", "S3-data/a.h5", "https://s3/x"])
def test_paths_are_none(path: str) -> None:
    assert not is_remote(path)
