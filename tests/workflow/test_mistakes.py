"""Bad input gets one clear line, a non-zero exit code, and leaves nothing that looks finished."""

import json
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
from tests.leaving_out import leave_out
from tests.workflow.running import set_config, snakemake, write_config

from tomobatch.stores.read import open_array


def run_bad(folder, *arguments, **options):
    """Run the workflow, which must fail without a traceback, and return what it printed."""
    output = snakemake(folder, *arguments, ok=False, **options)
    assert "Traceback" not in output
    return output


def edited(scan, folder, edit):
    """Copy a scan and change its file."""
    path = folder / "edited.h5"
    shutil.copy(scan, path)
    with h5py.File(path, "r+") as file:
        edit(file)
    return path


def without_flats(file):
    del file["exchange/data_white"]


def with_missing_angles(file):
    theta = file["exchange/theta"][:-5]
    del file["exchange/theta"]
    file["exchange/theta"] = theta


@pytest.mark.parametrize(
    ("edit", "message"),
    [(without_flats, "flats"), (with_missing_angles, "55 angles")],
)
def test_a_scan_that_lacks_something_is_refused_before_anything_runs(
    tmp_path, tiny_scan, edit, message
):
    write_config(tmp_path, scans={"bad": str(edited(tiny_scan, tmp_path, edit))})
    assert message in run_bad(tmp_path)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), (b"no scan at all", "not"), ("cut", "truncated")],
)
def test_a_file_that_is_no_scan_is_refused(tmp_path, tiny_scan, content, message):
    path = tmp_path / "bad.h5"
    if content == "cut":
        content = tiny_scan.read_bytes()[:-20_000]
    if content is not None:
        path.write_bytes(content)
    write_config(tmp_path, scans={"bad": str(path)})
    output = run_bad(tmp_path)
    assert str(path) in output
    assert message in output


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"datasets": {"projections": "/exchange/dat"}}, "/exchange/data"),
        ({"reconstruct": {"fitler": "hann"}}, "did you mean 'filter'?"),
        ({"chunks": {"slices": -1}}, "chunks.slices: should be greater than or equal to 1"),
    ],
)
def test_a_mistake_in_the_configuration_names_the_key(tmp_path, tiny_scan, sections, message):
    write_config(tmp_path, scans={"tiny": str(tiny_scan)}, **sections)
    assert message in run_bad(tmp_path)


def test_a_key_that_stands_there_twice_is_refused(tmp_path, tiny_scan):
    write_config(tmp_path, scans={"tiny": str(tiny_scan)}, calibrate={"cor_px": 24})
    with (tmp_path / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("calibrate: {tilt_deg: 0}\n")
    assert "config.yaml: line 5: 'calibrate' stands here again, after line 1" in run_bad(tmp_path)


def test_pixels_and_a_frame_of_nan_are_told_and_leave_no_nan(tmp_path, tiny_scan):
    def with_nan(file):
        counts = file["exchange/data"][:].astype(np.float32)
        counts[7, 3, 4] = np.nan
        counts[9] = np.nan
        del file["exchange/data"]
        file["exchange/data"] = counts

    scan = edited(tiny_scan, tmp_path, with_nan)
    write_config(tmp_path, scans={"spoilt": str(scan)}, chunks={"projections": 25})
    said = snakemake(tmp_path)
    assert "warning: spoilt: 1 pixel of projections 0 to 24 without a number" in said
    told = json.loads((tmp_path / "results/spoilt/findings.json").read_text())["warnings"]
    assert any("1 pixel of projections 0 to 24 without a number" in line for line in told)
    assert any(
        "1 projection without a picture of its own" in line and ": 9 (" in line for line in told
    )
    assert np.isfinite(open_array(str(tmp_path / "results/spoilt/volume.ome.zarr/0"))[:]).all()


def test_a_centre_of_rotation_outside_the_detector_is_refused(finished):
    calibration = finished / "results/tiny/calibration.json"
    before = calibration.read_bytes(), calibration.stat().st_mtime_ns
    set_config(finished, "calibrate", cor_px=480)
    output = run_bad(finished)
    assert "cor_px is 480, outside the detector" in output
    # Nothing ran: what the run before has found is still there, as it was.
    assert (calibration.read_bytes(), calibration.stat().st_mtime_ns) == before


def test_without_an_opencl_device_reconstruct_says_so(finished):
    set_config(finished, "reconstruct", device="gpu")
    output = run_bad(finished, "results/tiny/records/reconstruct/0.json")
    assert "error: " in output
    assert "GPU" in output
    assert not (finished / "results/tiny/volume.ome.zarr/0/c/0/0/0").exists()


FULL_DISK_JOB = """
from pathlib import Path
import sys

import numpy as np

from tomobatch.records.job import reported
from tomobatch.stores.layout import sinograms_layout

disk = Path(sys.argv[1])
values = np.random.default_rng(0).normal(size=(8, 200, 300)).astype("float32")
with reported(str(disk / "job.log")):
    sinograms_layout(200, 8, 300, 8).write_shard(0, values, disk / "c/0/0/0")
"""


def test_a_full_disk_leaves_no_half_written_shard(tmp_path):
    own_space = ("unshare", "--user", "--map-root-user", "--mount")
    if shutil.which("unshare") is None or subprocess.run([*own_space, "true"]).returncode:
        leave_out("a full disk is left out: this user may not make a name space (unshare)")
    # A disk of 1 MB, in a name space of its own: mounting it needs no rights.
    on_small_disk = (
        'mount -t tmpfs -o size=1m tmpfs "$1" && cd "$1" || exit 99;'
        '"$2" -c "$3" "$1"; code=$?; find "$1" -type f; exit $code'
    )
    done = subprocess.run(
        [
            *own_space,
            *("sh", "-c", on_small_disk, "sh", str(tmp_path), sys.executable, FULL_DISK_JOB),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "error: no space left on the disk" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.split() == [str(tmp_path / "job.log")]
