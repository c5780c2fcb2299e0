"""Scans on S3, read by byte range over real HTTP from moto's server."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import numpy as np
import obstore
import pytest
from tests.scan import stacks

from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote
from tomobatch.s3.read import object_exists, open_object, open_store
from tomobatch.scan.identity import identify
from tomobatch.scan.inspection import inspect
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings
from tomobatch.view.raw import read_piece

BUCKET = "scans-of-a-test"


@contextmanager
def moto_server() -> Iterator[str]:
    """Run a server in a process of its own, as a server is, and give its address.

    In a thread of this process its garbage collection may wait for the lock of h5py, which is held
    here while a request is waited for.
    """
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            lines = iter(server.stderr.readline, "")
            found = (re.search(r"Running on (http://127\.0\.0\.1:\d+)", line) for line in lines)
            endpoint = next(match[1] for match in found if match)
            # Whatever it says of requests is read away, so that its pipe never fills.
            threading.Thread(target=server.stderr.read, daemon=True).start()
            yield endpoint
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bucket that holds one scan as HDF5 and as Zarr."""
    folder = tmp_path_factory.mktemp("remote")
    with moto_server() as endpoint, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL_S3"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        client = boto3.client("s3")
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        path = stacks.write_data_exchange(folder / "a.h5")
        client.upload_file(str(path), BUCKET, "lab/a.h5")
        client.put_object(Bucket=BUCKET, Key="lab/words.h5", Body=b"not a scan" * 100)
        client.put_object(Bucket=BUCKET, Key="lab/short.h5", Body=path.read_bytes()[:3000])
        client.put_object(Bucket=BUCKET, Key="lab/large", Body=bytes(range(256)) * 2**14)
        group = stacks.write_zarr(folder / "a.zarr", 3)
        for item in group.rglob("*"):
            if item.is_file():
                key = f"lab/a.zarr/{item.relative_to(group)}"
                client.upload_file(str(item), BUCKET, key)
        client.close()
        yield f"s3://{BUCKET}/lab"


@pytest.mark.parametrize("name", ["a.h5", "a.zarr", "a.zarr/projections"])
def test_a_scan_is_read_where_it_lies(bucket: str, name: str) -> None:
    with open_scan(f"{bucket}/{name}") as scan:
        assert scan.header.path == f"{bucket}/{name}"
        assert scan.header.pixel_size_um == 2.5
        np.testing.assert_array_equal(
            scan.read_projections(3, 9, slice(1, 4)), stacks.PROJECTIONS[3:9, 1:4]
        )
        (before, _, _), (after, _, _) = scan.flat_series()
        np.testing.assert_array_equal(before, stacks.FLATS_BEFORE)
        np.testing.assert_array_equal(after, stacks.FLATS_AFTER)
        np.testing.assert_array_equal(scan.darks(), stacks.DARKS)


def test_an_url_that_went_through_path_still_works(bucket: str) -> None:
    path = Path(f"{bucket}/a.h5")
    assert is_remote(path)
    with open_scan(path) as scan:
        assert scan.header.n_projections == stacks.N_PROJECTIONS


def test_small_reads_share_a_request_and_large_ones_are_whole(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[int] = []
    ask = obstore.get_range

    def counted(*args: object, start: int, length: int) -> object:
        requests.append(length)
        return ask(*args, start=start, length=length)

    monkeypatch.setattr(obstore, "get_range", counted)
    pattern = np.tile(np.arange(256, dtype=np.uint8), 2**14)
    with open_object(f"{bucket}/large") as file:
        for start in (5, 1000, 90_000):
            file.seek(start)
            assert file.read(300) == pattern[start : start + 300].tobytes()
        assert requests == [2**18]
        buffer = bytearray(3 * 2**20)
        file.seek(1_500_000)
        expected = pattern[1_500_000:]
        assert file.readinto(buffer) == len(expected)
        assert bytes(buffer[: len(expected)]) == expected.tobytes()
        assert requests == [2**18, len(expected)]
        # A small read may cross from one block to the next, and end with the object.
        file.seek(2**19 - 100)
        assert file.read(200) == pattern[2**19 - 100 : 2**19 + 100].tobytes()
        file.seek(-3, 2)
        assert file.read() == bytes([253, 254, 255])
        assert file.read() == b""


def test_objects_that_are_there_and_not(bucket: str) -> None:
    assert object_exists(f"{bucket}/a.h5")
    assert not object_exists(f"{bucket}/b.h5")
    assert obstore.head(open_store(bucket), "a.h5")["size"] > 1000


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("b.h5", "b.h5: no such object, and no Zarr array or group of this name"),
        ("words.h5", "words.h5: not an HDF5 file"),
        ("short.h5", "short.h5: the file is truncated"),
        ("b.zarr", "b.zarr: no such object, and no Zarr array or group of this name"),
    ],
)
def test_mistakes(bucket: str, name: str, expected: str) -> None:
    with pytest.raises(UserError) as error:
        open_scan(f"{bucket}/{name}")
    assert str(error.value).startswith(f"{bucket}/{expected}")
    assert "\n" not in str(error.value)


def test_a_wrong_dataset_path_names_the_url(bucket: str) -> None:
    with pytest.raises(UserError, match=f"^{bucket}/a.h5: no dataset /nothing"):
        open_scan(f"{bucket}/a.h5", DatasetSettings(flats="/nothing"))


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A user of AWS itself: keys, a profile with a Region, and no end point."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").write_text("[default]\nregion = us-west-2\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    return monkeypatch


def test_without_an_end_point_a_store_is_at_aws(user: pytest.MonkeyPatch) -> None:
    store = open_store("s3://lab-data/scans")
    assert dict(store.config) == {"bucket": "lab-data", "region": "us-west-2"}
    assert store.prefix == "scans"


def test_the_region_is_that_of_every_other_client(user: pytest.MonkeyPatch) -> None:
    user.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert open_store("s3://lab-data").config["region"] == "eu-west-1"
    user.setenv("AWS_REGION", "eu-central-1")
    assert open_store("s3://lab-data").config["region"] == "eu-central-1"


def test_the_region_comes_before_that_of_a_profile_with_credentials(
    user: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        user.delenv(name)
    keys = "[default]\naws_access_key_id = a\naws_secret_access_key = b\n"
    (tmp_path / "credentials").write_text(keys, encoding="utf-8")
    user.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    user.setenv("AWS_REGION", "eu-central-1")
    assert open_store("s3://lab-data").config["region"] == "eu-central-1"


def test_no_region_anywhere(user: pytest.MonkeyPatch, tmp_path: Path) -> None:
    user.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"^s3://lab-data: No AWS Region is known: set AWS_REGION"):
        open_store("s3://lab-data")


def test_no_bucket_in_the_url() -> None:
    with pytest.raises(UserError, match=r"^s3://: names no bucket; an object is s3://bucket/key"):
        open_store("s3://")


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, bucket: str) -> None:
    # Nothing listens on the discard port of this machine.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UserError) as error:
        open_scan(f"{bucket}/a.h5")
    assert str(error.value).startswith(f"{bucket}/a.h5: ")
    assert "\n" not in str(error.value)


def test_no_credentials_anywhere(
    monkeypatch: pytest.MonkeyPatch, bucket: str, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"no AWS credentials found; set AWS_PROFILE or AWS_ACC"):
        open_scan(f"{bucket}/a.h5")


def test_inspect_reads_from_s3_too(bucket: str) -> None:
    inspection = inspect(f"{bucket}/a.h5")
    assert inspection.facts["format"] == "APS Data Exchange"
    assert inspection.problems == ()


@pytest.mark.parametrize("write", [stacks.write_data_exchange, stacks.write_zarr])
def test_a_scan_is_known_by_the_same_figures_wherever_it_lies(bucket, tmp_path, write):
    name = "a.h5" if write is stacks.write_data_exchange else "a.zarr"
    here = write(tmp_path / name, *(() if name == "a.h5" else (3,)))
    identities = []
    for place in (str(here), f"{bucket}/{name}"):
        with open_scan(place) as scan:
            identities.append(identify(scan))
    assert identities[0] == identities[1]
    assert identities[0].size_bytes > 1000


@pytest.mark.parametrize(
    ("asked", "first", "length"),
    [(None, 0, 2**22), ("bytes=5-8", 5, 4), ("bytes=-3", 2**22 - 3, 3)],
)
def test_files_of_a_volume_are_handed_on_by_range(bucket, asked, first, length):
    piece = read_piece(bucket, "large", asked)
    assert (piece.first, piece.total) == (first, 2**22)
    assert piece.content == (bytes(range(256)) * 2**14)[first : first + length]
    with pytest.raises(LookupError):
        read_piece(bucket, "larger", asked)
