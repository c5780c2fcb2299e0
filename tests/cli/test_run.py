"""What `tomobatch run` sends and starts, and what it refuses."""

import os

import h5py
import numpy as np
import pytest
from tests.cli.calling import tomobatch
from tests.deployed import BUCKET

from aws_batch_emulator import Fault
from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.runs.sources import pack_sources, unpack_sources
from tomobatch.cli.shared.scans import find_scans, write_sheet
from tomobatch.cli.shared.uploading import check_before_upload, upload_beside
from tomobatch.config.sheet import read_sheet
from tomobatch.errors import UserError
from tomobatch.s3.transfer import upload_file
from tomobatch.scan.settings import DatasetSettings

PART_BYTES = 5 * 2**20
"""The least that S3 takes."""


@pytest.fixture
def large_file(tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(4 * PART_BYTES + 1234))
    return path


def read_object(url):
    bucket, key = url.removeprefix("s3://").split("/", 1)
    return make_client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def test_an_upload_that_broke_off_goes_on_where_it_was(emulator, large_file):
    url = f"s3://{BUCKET}/scans/large.bin"
    client = make_client("s3")
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="scans/large.bin", Metadata={})
    content = large_file.read_bytes()
    for number in (1, 3):
        client.upload_part(
            Bucket=BUCKET,
            Key="scans/large.bin",
            UploadId=upload["UploadId"],
            PartNumber=number,
            Body=content[(number - 1) * PART_BYTES : number * PART_BYTES],
        )
    emulator.reset_calls()
    seen = []
    assert upload_file(large_file, url, part_bytes=PART_BYTES, progress=seen.append)
    assert emulator.calls()["s3:UploadPart"] == 3
    assert sum(seen) == len(content)
    assert read_object(url) == content
    assert not client.list_multipart_uploads(Bucket=BUCKET).get("Uploads")


def test_a_network_that_fails_in_the_middle_of_an_upload(emulator, large_file):
    url = f"s3://{BUCKET}/scans/network.bin"
    emulator.inject(Fault("lost-reply", match="s3:UploadPart", count=None, origin="user"))
    with pytest.raises(UserError, match=r"broke off at \d+ % .*run the same command again"):
        upload_file(large_file, url, part_bytes=PART_BYTES)
    emulator.clear_faults()
    assert upload_file(large_file, url, part_bytes=PART_BYTES)
    assert read_object(url) == large_file.read_bytes()


def test_a_file_that_is_there_is_not_sent_again(emulator, large_file):
    url = f"s3://{BUCKET}/scans/again.bin"
    assert upload_file(large_file, url)
    emulator.reset_calls()
    assert not upload_file(large_file, url)
    assert emulator.calls() == {"s3:HeadObject": 1}


def test_another_file_is_replaced_only_when_told_to(emulator, large_file):
    url = f"s3://{BUCKET}/scans/other.bin"
    upload_file(large_file, url)
    large_file.write_bytes(b"short")
    with pytest.raises(UserError, match=r"holds another file .* add --replace"):
        upload_file(large_file, url, replace=False)
    upload_file(large_file, url, replace=True)
    assert read_object(url) == b"short"


def test_files_that_flats_are_read_from_go_along(emulator, tmp_path):
    scan = tmp_path / "scan.h5"
    (tmp_path / "beam").mkdir()
    for name in ("flats.h5", "beam/darks.h5"):
        (tmp_path / name).write_bytes(name.encode())
    datasets = DatasetSettings(
        flats=["flats.h5:/a", "flats.h5:/b[0:3]", "/in/the/scan"], darks="beam/darks.h5:/c"
    )
    upload_beside(str(scan), datasets, f"s3://{BUCKET}/scans", replace=False)
    for name in ("flats.h5", "beam/darks.h5"):
        assert read_object(f"s3://{BUCKET}/scans/{name}") == name.encode()


def virtual(folder):
    with h5py.File(folder / "camera.h5", "w") as file:
        file["pictures"] = np.zeros((4, 3, 2), np.uint16)
    layout = h5py.VirtualLayout((4, 3, 2), np.uint16)
    layout[:] = h5py.VirtualSource("camera.h5", "pictures", (4, 3, 2))
    with h5py.File(folder / "scan.h5", "w") as file:
        file.create_virtual_dataset("exchange/data", layout)


def linked(folder):
    virtual(folder)
    with h5py.File(folder / "scan.h5", "w") as file:
        file["exchange/data"] = h5py.ExternalLink("camera.h5", "/pictures")


def plain(folder):
    with h5py.File(folder / "scan.h5", "w") as file:
        file["exchange/data"] = np.zeros((4, 3, 2), np.uint16)


@pytest.mark.parametrize(
    ("write", "datasets", "told"),
    [
        (virtual, {}, r"lie in other files.*--local \(camera.h5\)"),
        (linked, {}, r"lie in other files.*--local \(camera.h5\)"),
        (plain, {"flats": "../flats.h5:/a"}, r"\.\./flats.h5 does not lie beside"),
        (plain, {"darks": "/data/flats.h5:/a"}, r"/data/flats.h5 does not lie beside"),
        (plain, {"angles": "angles.csv"}, "datasets.angles: angles.csv is not read on S3"),
        (lambda folder: (folder / "scan.h5").mkdir(), {}, "read HDF5 and Zarr alone"),
    ],
)
def test_what_jobs_could_not_read_is_refused_before_it_is_sent(tmp_path, write, datasets, told):
    write(tmp_path)
    with pytest.raises(UserError, match=told):
        check_before_upload(str(tmp_path / "scan.h5"), DatasetSettings(**datasets))


def test_a_scan_that_jobs_can_read_is_not_refused(tmp_path):
    plain(tmp_path)
    named = DatasetSettings(flats=["flats.h5:/a", "s3://bucket/flats.h5:/b"])
    check_before_upload(str(tmp_path / "scan.h5"), named)
    check_before_upload("s3://bucket/scan.h5", DatasetSettings(flats="../flats.h5:/a"))


def test_no_partial_object_is_seen(emulator, large_file):
    url = f"s3://{BUCKET}/scans/partial.bin"
    emulator.inject(Fault("lost-reply", match="s3:UploadPart", count=None))
    with pytest.raises(UserError):
        upload_file(large_file, url, part_bytes=PART_BYTES)
    keys = make_client("s3").list_objects_v2(Bucket=BUCKET, Prefix="scans/partial")
    assert keys["KeyCount"] == 0


def test_a_scan_is_given_by_path_or_by_its_name_in_the_configuration(workplace, monkeypatch):
    monkeypatch.chdir(workplace.folder)
    config = {"scans": {"tooth": {"path": "scans/tiny.h5", "calibrate": {"cor_px": 24.5}}}}
    assert find_scans(["scans/tiny.h5"], {}) == {"tiny": {"path": "scans/tiny.h5"}}
    here = str(workplace.folder / "scans" / "tiny.h5")
    for asked in (["tooth"], ["scans/tiny.h5"], ["./scans/tiny.h5"], [here], ["tooth", here]):
        assert find_scans(asked, config) == config["scans"], "with what is set for it"
    assert find_scans([], config) == config["scans"]
    with pytest.raises(UserError, match=r"fang: no such file or folder, nor a scan .*\(tooth\)"):
        find_scans(["fang"], config)


def test_a_scan_given_twice_is_one_and_two_files_of_one_name_are_two(workplace, monkeypatch):
    monkeypatch.chdir(workplace.folder)
    twice = ["scans/tiny.h5", "./scans/tiny.h5", str(workplace.folder / "scans" / "tiny.h5")]
    assert find_scans(twice, {}) == {"tiny": {"path": "scans/tiny.h5"}}
    remote = ["s3://lab/one/tiny.zarr", "s3://lab/two/tiny.zarr", "s3://lab/one/tiny.zarr/"]
    assert find_scans(remote, {}) == {
        "tiny": {"path": "s3://lab/one/tiny.zarr"},
        "two-tiny": {"path": "s3://lab/two/tiny.zarr"},
    }


def test_a_sheet_keeps_what_a_scan_has_of_its_own(tmp_path):
    scans = {"a": {"path": "s3://b/a.h5", "calibrate": {"cor_px": 24.5}}, "b": {"path": "b.h5"}}
    write_sheet(tmp_path / "run.tsv", scans)
    assert read_sheet(tmp_path / "run.tsv") == {
        "a": {"path": "s3://b/a.h5", "calibrate": {"cor_px": "24.5"}},
        "b": {"path": "b.h5"},
    }
    with pytest.raises(UserError, match=r"scans\.a\.calibrate\.grey_window .* move it"):
        write_sheet(
            tmp_path / "run.tsv", {"a": {"path": "a", "calibrate": {"grey_window": [0, 1]}}}
        )


def test_equal_sources_make_equal_archives_that_unpack(workplace, tmp_path):
    archive = pack_sources(workplace.folder)
    assert archive == pack_sources(workplace.folder)
    unpack_sources(archive, tmp_path / "there")
    for name in ("Snakefile", "config.yaml", "rules/common.smk", "profiles/aws/config.yaml"):
        assert (tmp_path / "there" / name).read_bytes() == (workplace.folder / name).read_bytes()
    assert not (tmp_path / "there" / "scans").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.h5"], "nowhere.h5: no such file or folder"),
        ([], "no scan given, and none in config.yaml"),
        (["scans/tiny.h5", "--name", "a b"], "--name a b: may hold up to 40 letters"),
        (["scans/tiny.h5", "--local", "--detach"], "--local and --detach exclude each other"),
        (["scans/tiny.h5", "--local", "--budget", "1"], "--local and --budget exclude each other"),
        (["scans/tiny.h5", "--machines", "9", "--pilots", "9"], "--machines and --pilots exclude"),
        (["scans/tiny.h5", "--deadline", "1m", "--pilots", "1"], "no way to run keeps 1 minutes"),
        (["scans/tiny.h5", "--profile", "profiles/nowhere"], "holds no config.yaml"),
    ],
)
def test_refused(emulator, workplace, monkeypatch, arguments, message):
    monkeypatch.chdir(workplace.folder)
    said = tomobatch("run", *arguments)
    assert said.code == 1
    assert message in said.err
    assert "s3:PutObject" not in emulator.calls()


def test_away_from_the_workflow_it_says_where_to_go(emulator, tmp_path, tiny_scan, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = tomobatch("run", str(tiny_scan))
    assert said.code == 1
    assert "no Snakefile in" in said.err
