"""Which part of a volume comes down."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import zarr
from PIL import Image
from tests.cli.calling import tomobatch
from tests.cli.test_runs import record
from tests.deployed import BUCKET

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.runs.parts import parse_slices
from tomobatch.aws.runs.place import find_place
from tomobatch.aws.runs.record import put_record
from tomobatch.cli.view import find_volume
from tomobatch.errors import UserError
from tomobatch.records.findings import Findings
from tomobatch.stores.volume import VolumeLayout
from tomobatch.view.volume import open_volume

RUN = "runs/fetched/tooth"


@pytest.fixture(scope="module")
def volume():
    """Return slices whose grey is their number."""
    return np.ones((10, 16, 16), np.float32) * np.arange(1, 11, dtype=np.float32)[:, None, None]


@pytest.fixture
def results(emulator, volume, tmp_path, monkeypatch):
    """A run with a volume of 10 slices in chunks of 4, two levels, and a report."""
    monkeypatch.chdir(tmp_path)
    layout = VolumeLayout(10, 16, 16, chunk_slices=4, n_levels=2)
    root = tmp_path / "made" / "volume.ome.zarr"
    for level in range(2):
        path = root / str(level) / "zarr.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(layout.array(level).metadata())
    (root / "zarr.json").write_bytes(layout.group_metadata("tooth", (0.0, 1.0)))
    for chunk in range(3):
        for level, slices in layout.pyramid(volume[4 * chunk : 4 * chunk + 4]):
            array = layout.array(level)
            array.write_shard(chunk, slices, root / str(level) / "c" / array.key(chunk))
    (tmp_path / "made" / "report.html").write_text("<p>A tooth</p>")
    (tmp_path / "made" / "sinograms.zarr").mkdir()
    (tmp_path / "made" / "sinograms.zarr" / "zarr.json").write_text("{}")
    client = make_client("s3")
    for path in (tmp_path / "made").rglob("*"):
        if path.is_file():
            key = f"{RUN}/{path.relative_to(tmp_path / 'made').as_posix()}"
            client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
    put_record(find_place(), record("fetched"))
    return tmp_path / "results-aws" / "fetched" / "tooth"


@pytest.mark.parametrize(("path", "code"), [("scans/tooth.h5", 1), ("s3://lab/tooth.h5", 0)])
def test_results_that_were_made_here_are_not_fetched_over(results, path, code):
    results.mkdir(parents=True)
    (results / "report.html").write_text("<p>Mine</p>")
    made_with = {"version": "0.2.0", "settings": {"path": path}}
    (results / "settings.json").write_text(json.dumps(made_with))

    said = tomobatch("fetch", "fetched")

    assert said.code == code, said.err
    assert ("was made on this machine" in said.err) == bool(code)
    assert ("Mine" in (results / "report.html").read_text()) == bool(code)


def test_a_volume_on_s3_is_looked_at_where_it_lies(results, volume, emulator):
    opened = open_volume(find_volume("fetched"))
    emulator.reset_calls()
    np.testing.assert_array_equal(opened.plane(0, "z", 5), volume[5])
    np.testing.assert_array_equal(opened.plane(0, "x", 3), volume[:, :, 3])
    assert set(emulator.calls()) == {"s3:GetObject"}
    with pytest.raises(UserError, match="run fetched has no scan bone; it has tooth"):
        find_volume("fetched/bone")


def read(results, level):
    return zarr.open_array(results / "volume.ome.zarr" / str(level), mode="r")[:]


def test_all_of_it(results, volume):
    said = tomobatch("fetch", "fetched")
    assert said.code == 0, said.err
    np.testing.assert_array_equal(read(results, 0), volume)
    assert (results / "report.html").read_text() == "<p>A tooth</p>"
    assert not (results / "sinograms.zarr").exists()
    assert "0 are new" in tomobatch("fetch", "fetched").out


def test_some_slices_of_one_level(results, volume):
    assert tomobatch("fetch", "fetched", "--slices", "5:9", "--level", "0").code == 0
    expected = volume.copy()
    expected[:4] = 0
    np.testing.assert_array_equal(read(results, 0), expected)
    assert not read(results, 1).any()


def test_the_same_slices_of_a_coarse_level(results, volume):
    assert tomobatch("fetch", "fetched", "--slices", ":4", "--level", "1").code == 0
    np.testing.assert_array_equal(read(results, 1)[:, 0, 0], [1.5, 3.5, 0, 0, 0])
    assert not read(results, 0).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--level", "2"], "--level 2: the volume has the levels 0 to 1"),
        (["--slices", "10:"], "the volume has 10 slices"),
        (["--slices", "4:4"], "holds no slice"),
        (["--slices", "4-6"], "write first:end"),
    ],
)
def test_parts_that_are_not_there(results, options, message):
    said = tomobatch("fetch", "fetched", *options)
    assert said.code == 1
    assert message in said.err


@pytest.mark.parametrize(
    ("text", "expected"), [("3:7", (3, 7)), (":7", (0, 7)), ("3:", (3, None)), (None, None)]
)
def test_slices_are_read(text, expected):
    assert parse_slices(text) == expected


@pytest.mark.parametrize("text", ["", "3", "-1:4", "a:b", "7:3"])
def test_other_slices_are_refused(text):
    with pytest.raises(UserError):
        parse_slices(text)


def test_open_without_a_display_prints_the_path(results, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    said = tomobatch("open", "fetched")
    assert said.out.strip() == "results-aws/fetched/tooth/report.html"
    assert (results / "report.html").exists()


def test_open_with_a_display_opens_the_browser(results, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    tomobatch("open", "fetched")
    assert opened == [(results / "report.html").resolve().as_uri()]


def test_open_of_a_run_of_two_scans_brings_the_page_with_a_slice_of_each(results, tmp_path):
    """Of the volumes, no more comes down than how large they are; one scan has nothing yet."""
    picture = io.BytesIO()
    Image.fromarray(np.full((300, 300), 90, np.uint8)).save(picture, "png")
    findings = Findings("tooth", (), ("flats: only two",)).to_json()
    for name, body in (("preview/xy.png", picture.getvalue()), ("findings.json", findings)):
        make_client("s3").put_object(Bucket=BUCKET, Key=f"{RUN}/{name}", Body=body)
    one = record("fetched")
    bone = {"bone": {"path": "s3://elsewhere/bone.h5"}}
    put_record(find_place(), replace(one, scans={**one.scans, **bone}))

    said = tomobatch("open", "fetched")

    page = tmp_path / "results-aws" / "fetched" / "scans.html"
    assert said.out.strip() == "results-aws/fetched/scans.html", said.err
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/") == 1
    assert "flats: only two" in text
    brought = {each.name for each in (page.parent / "tooth").rglob("*") if each.is_file()}
    assert brought == {"xy.png", "findings.json", "report.html", "zarr.json"}


def test_open_before_there_is_a_report(emulator, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put_record(find_place(), record("early"))
    said = tomobatch("open", "early")
    assert said.code == 1
    assert "has no report of tooth yet" in said.err
