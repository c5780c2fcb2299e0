import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import h5py
import nrrd
import numpy as np
import tifffile
import zarr
from ome_zarr_models.v05.image import Image
from tests.cli.calling import tomobatch
from tests.workflow.running import command, planned_jobs, set_config, snakemake, write_config

STEPS = {
    "average_references": 1,
    "lay_out_projections": 1,
    "preprocess": 3,
    "lay_out_sinograms": 1,
    "choose_stripes": 1,
    "process": 2,
    "calibrate": 1,
    "lay_out_volume": 1,
    "reconstruct": 2,
    "report": 1,
    "remove_intermediates": 1,
}


def test_a_dry_run_of_many_fresh_scans_counts_every_job_in_a_few_lines(tmp_path, tiny_scan):
    """Of a line a scan, there would be too many already."""
    n_scans = 40
    rows = ["scan\tpath", *(f"scan-{number}\t{tiny_scan}" for number in range(n_scans))]
    (tmp_path / "scans.tsv").write_text("\n".join(rows))
    write_config(tmp_path, scans="scans.tsv", chunks={"projections": 25, "slices": 8})
    said = snakemake(tmp_path, "-n")
    assert len(said.splitlines()) < 40, said
    jobs = planned_jobs(said)
    expected = {rule: n_scans * count for rule, count in STEPS.items()}
    assert jobs == {**expected, "all": 1, "total": sum(expected.values()) + 1}


def test_the_volume_opens_as_ome_zarr_and_its_copies_are_equal(finished):
    results = finished / "results" / "tiny"
    image = Image.from_zarr(zarr.open_group(results / "volume.ome.zarr", mode="r"))
    assert len(image.ome_attributes.multiscales[0].datasets) == 2
    volume = zarr.open_array(results / "volume.ome.zarr" / "0", mode="r")[:]
    assert volume.shape == (12, 48, 48)
    assert np.isfinite(volume).all()
    assert volume.std() > 0
    np.testing.assert_array_equal(tifffile.imread(results / "volume.tif"), volume)
    with h5py.File(results / "volume.h5") as file:
        np.testing.assert_array_equal(file["volume"][:], volume)
        assert file["entry/reconstruction/settings/volume/levels"][()] == 2
    values, _ = nrrd.read(str(results / "volume.nrrd"))
    np.testing.assert_array_equal(values.transpose(2, 1, 0), volume)


def test_a_volume_is_made_again_from_itself_bit_by_bit(finished, monkeypatch):
    record = finished / "results" / "tiny" / "volume.ome.zarr" / "provenance" / "zarr.json"
    group = json.loads(record.read_text())
    told = group["attributes"]["tomobatch"]
    assert told["settings"]["chunks"]["slices"] == 8
    assert told["settings"]["volume"]["levels"] == 2
    assert told["scan"]["size_bytes"] == Path(told["scan"]["path"]).stat().st_size
    assert len(told["devices"]) == 1
    calibration = json.loads((finished / "results/tiny/calibration.json").read_text())
    assert told["found"]["cor_px"] == calibration["line"]["mid_px"]
    assert set(calibration["warnings"]) <= set(told["warnings"])
    # As if it had been made with an earlier library.
    told["versions"]["numpy"] = "1.0"
    record.write_text(json.dumps(group))
    monkeypatch.chdir(finished)
    said = tomobatch("rerun", "results/tiny")
    assert said.code == 0, said.out + said.err
    assert f'then | now: numpy: "1.0" | "{np.__version__}"' in said.out
    assert "voxels are equal, bit by bit" in said.out
    assert "settings" not in said.out
    assert (finished / "reruns/tiny/results/tiny/report.html").exists()


def test_the_report_needs_no_other_file(finished):
    page = (finished / "results" / "tiny" / "report.html").read_text()
    assert page.count('src="data:image/png;base64,') == 8
    assert page.count("data:image/jpeg;base64,") == 12
    assert not re.search(r"(src|href)=.(?!data:|#)|@import|url\((?!#)", page)
    for heading in ("Three slices", "Centre of rotation by row", "Grey values", "Time by step"):
        assert heading in page


def test_a_finished_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in snakemake(finished, "-n")


def test_a_reconstruction_setting_redoes_reconstruct_and_what_follows(finished):
    set_config(finished, "reconstruct", filter="hann")
    jobs = planned_jobs(snakemake(finished, "-n"))
    copies = {"export_tiff", "export_hdf5", "export_nrrd"}
    assert set(jobs) == {"reconstruct", "report", *copies, "all", "total"}


def test_snakemakes_own_report_shows_ours(finished):
    snakemake(finished, "--report", "snakemake-report.html")
    assert "xy.png" in (finished / "snakemake-report.html").read_text()


def test_a_given_centre_of_rotation_wins(finished):
    set_config(finished, "calibrate", cor_px=24.0, tilt_deg=0.5)
    snakemake(finished, "results/tiny/calibration.json")
    calibration = json.loads((finished / "results/tiny/calibration.json").read_text())
    assert calibration["line"]["mid_px"] == 24.0
    assert calibration["found"]["mid_px"] != 24.0


def test_killed_and_started_again_it_does_only_what_was_missing(tmp_path, tiny_scan):
    write_config(tmp_path, scans={"tiny": str(tiny_scan)}, chunks={"projections": 20, "slices": 6})
    done_first = tmp_path / "results/tiny/records/preprocess"
    with subprocess.Popen(
        command(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as run:
        deadline = time.monotonic() + 300
        while len(list(done_first.glob("*.json"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGKILL)
    before = {path: path.stat().st_mtime_ns for path in done_first.glob("*.json")}
    assert len(before) >= 2
    snakemake(tmp_path, "--unlock")
    snakemake(tmp_path)
    after = {path: path.stat().st_mtime_ns for path in done_first.glob("*.json")}
    kept = [path for path in before if after[path] == before[path]]
    # The job that was cut off in the middle is done again; those finished before are not.
    assert len(kept) >= len(before) - 1
    assert (tmp_path / "results/tiny/report.html").exists()


def test_scans_named_on_the_command_line_are_all_there_are(tmp_path, tiny_scan):
    write_config(tmp_path, scans={"one": str(tiny_scan), "two": str(tiny_scan)})
    jobs = planned_jobs(snakemake(tmp_path, "-n", "--config", f"scans={{three: {tiny_scan}}}"))
    assert jobs["calibrate"] == 1
