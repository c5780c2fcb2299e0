"""The same volume whatever the chunk sizes: the scripts run one after the other, as jobs would."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr
from scripts.average_references import main as average_references
from scripts.calibrate import main as calibrate
from scripts.choose_stripes import main as choose_stripes
from scripts.lay_out_array import main as lay_out_array
from scripts.lay_out_volume import main as lay_out_volume
from scripts.preprocess import main as preprocess
from scripts.process import main as process
from scripts.reconstruct import main as reconstruct

from tomobatch.config.schema import load_config
from tomobatch.phantom.write import write_phantom
from tomobatch.plan_scan import plan_scan
from tomobatch.scan.open import open_scan


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.h5"
    write_phantom(path, size=64, n_rows=36, n_angles=80, n_flats=4, n_darks=4)
    with h5py.File(path, "r+") as file:
        # A blank picture, and one that was written twice: they are bridged in all chunks alike.
        file["exchange/data"][30] = 0
        file["exchange/data"][40] = file["exchange/data"][39]
    return path


def run_steps(scan: Path, folder: Path, projections: int, slices: int) -> np.ndarray:
    """Run every job of a scan and return its volume."""
    chunks = {"projections": projections, "slices": slices}
    config = load_config({"scans": {"scan": str(scan)}, "chunks": chunks})
    with open_scan(scan) as opened:
        plan = plan_scan(config, "scan", opened.header)
    settings = config.scans["scan"].model_dump(mode="json")
    at = {name: str(folder / name) for name in ("references.h5", "angles.json", "record.json")}
    average_references(
        str(scan),
        settings["datasets"],
        settings["normalise"],
        at["references.h5"],
        at["angles.json"],
        at["record.json"],
    )
    arrays = {}
    for name, layout in (
        ("projections", plan.projections_layout),
        ("sinograms", plan.sinograms_layout),
    ):
        arrays[name] = folder / f"{name}.zarr"
        lay_out_array(layout, str(arrays[name] / "zarr.json"))
    for i in range(plan.projections.n_chunks):
        preprocess(
            str(scan),
            at["references.h5"],
            i,
            settings["datasets"],
            settings["normalise"],
            plan.corrections,
            plan.projections_layout,
            str(arrays["projections"] / "c" / str(i) / "0" / "0"),
            at["record.json"],
        )
    projections_metadata, choice = str(arrays["projections"] / "zarr.json"), str(folder / "s.json")
    choose_stripes(
        projections_metadata, at["angles.json"], settings["stripes"], choice, at["record.json"]
    )
    evidence = [str(folder / "evidence" / f"{k}.json") for k in range(plan.slices.n_chunks)]
    for k in range(plan.slices.n_chunks):
        process(
            projections_metadata,
            at["angles.json"],
            choice,
            None,
            k,
            settings["stripes"],
            None,
            plan.sinograms_layout,
            str(arrays["sinograms"] / "c" / str(k) / "0" / "0"),
            evidence[k],
            at["record.json"],
        )
    calibration = str(folder / "calibration.json")
    calibrate(
        evidence,
        None,
        settings["calibrate"],
        plan.pixel_size_um,
        None,
        plan.merging,
        plan.header.columns,
        calibration,
        at["record.json"],
    )
    volume = folder / "volume.ome.zarr"
    levels = [volume / str(level) for level in range(plan.n_levels)]
    metadata = [str(level / "zarr.json") for level in levels]
    layout = plan.volume_layout
    lay_out_volume("scan", layout, calibration, str(volume / "zarr.json"), metadata)
    for k in range(plan.slices.n_chunks):
        reconstruct(
            str(arrays["sinograms"] / "zarr.json"),
            calibration,
            at["angles.json"],
            k,
            settings["reconstruct"],
            plan.whole_slice_px,
            layout,
            [str(level / "c" / str(k) / "0" / "0") for level in levels],
            at["record.json"],
        )
    return np.asarray(zarr.open_array(levels[0], mode="r")[:])


def test_the_volume_is_the_same_whatever_the_chunk_sizes(scan, tmp_path):
    reference = run_steps(scan, tmp_path / "all", 80, 36)
    tolerance = 1e-6 * float(np.ptp(reference))
    for projections, slices in ((10, 7), (64, 32), (80, 1)):
        volume = run_steps(scan, tmp_path / f"{projections}-{slices}", projections, slices)
        np.testing.assert_allclose(volume, reference, rtol=0, atol=tolerance)
