"""One bad scan of many stops that scan alone, all bad ones are named at once, and a table has all.

Snakemake runs once: a good scan, two that cannot be read, and one whose report is red.
"""

import csv
import json

import h5py
import numpy as np
import pytest
from tests.workflow.conftest import make_tiny_scan
from tests.workflow.running import snakemake, write_config

WITHOUT_FLATS, EMPTY = "without-flats", "empty"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    for name in ("good", WITHOUT_FLATS, "red"):
        make_tiny_scan(folder / f"{name}.h5")
    with h5py.File(folder / f"{WITHOUT_FLATS}.h5", "r+") as file:
        del file["exchange/data_white"]
    with h5py.File(folder / "red.h5", "r+") as file:
        # A tenth of the columns is brighter than the detector counts.
        file["exchange/data"][:, :, ::10] = np.iinfo(np.uint16).max
    (folder / f"{EMPTY}.h5").write_bytes(b"")
    write_config(
        folder,
        scans={
            **{name: f"{name}.h5" for name in ("good", WITHOUT_FLATS, EMPTY)},
            "red": {"path": "red.h5", "calibrate": {"like": "good"}},
        },
        volume={"levels": 1, "check": "fail"},
        normalise={"saturation_counts": 65_535},
    )
    return folder, snakemake(folder, ok=False)


def test_all_bad_scans_are_named_before_anything_runs(run):
    said = run[1].splitlines()
    first_step = next(i for i, line in enumerate(said) if line.startswith("average_references"))
    for name in (WITHOUT_FLATS, EMPTY):
        at = next(i for i, line in enumerate(said) if line.startswith(f"error: scan '{name}': "))
        assert at < first_step


def test_the_others_are_reconstructed(run):
    results = run[0] / "results"
    for name in ("good", "red"):
        assert (results / name / "report.html").is_file()
    for name in (WITHOUT_FLATS, EMPTY):
        assert not (results / name / "volume.ome.zarr").exists()


def test_a_scan_has_the_calibration_of_the_one_that_it_names(run):
    good, red = (
        json.loads((run[0] / "results" / name / "calibration.json").read_text())
        for name in ("good", "red")
    )
    told = "axis and grey window are those of scan good, as calibrate.like says"
    assert red == {**good, "warnings": [told, *good["warnings"]]}
    assert told in (run[0] / "results/red/report.html").read_text()


def test_a_red_scan_fails_its_check_once_all_of_it_is_there(run):
    folder, said = run
    assert "scan 'red' is red, and volume.check is fail: saturation: " in said
    assert not (folder / "results/red/checked.json").exists()
    assert (folder / "results/good/checked.json").is_file()


def test_the_table_has_a_line_for_each(run):
    text = (run[0] / "results/summary.csv").read_text(encoding="utf-8-sig")
    rows = {row["scan"]: row for row in csv.DictReader(text.splitlines())}
    assert list(rows) == sorted(["good", WITHOUT_FLATS, EMPTY, "red"])
    assert rows["red"]["verdict"] == "red"
    assert "red saturation: " in rows["red"]["not_green"]
    assert rows["good"]["verdict"] in ("green", "amber")
    assert float(rows["good"]["cor_sigma_px"]) < 1
    assert abs(float(rows["good"]["cor_px"]) - 24) < 5
    for name in (WITHOUT_FLATS, EMPTY):
        assert rows[name]["verdict"] == "refused"
        assert rows[name]["warnings"]
