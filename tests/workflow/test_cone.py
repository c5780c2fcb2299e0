"""A cone-beam scan goes the same way as any other, and its chunks do not show."""

import json
import math

import numpy as np
import pytest
import zarr
from tests.workflow.running import snakemake, write_config

from tomobatch.phantom.write_cone import demo_beam, write_cone_phantom


def read_volume(folder):
    return zarr.open_array(folder / "results" / "cone" / "volume.ome.zarr" / "0", mode="r")[:]


def test_a_cone_beam_scan_is_reconstructed_and_its_chunks_do_not_show(tmp_path):
    size = 96
    truth = write_cone_phantom(tmp_path / "scans" / "cone.nx", size=size)
    write_config(tmp_path, scans={"cone": "scans/cone.nx"})
    snakemake(tmp_path)
    results = tmp_path / "results" / "cone"
    beam = json.loads((results / "volume.ome.zarr" / "zarr.json").read_text())["attributes"][
        "tomobatch"
    ]["beam"]
    drawn = demo_beam(size)
    assert beam["axis_shift_px"] == pytest.approx(drawn.axis_shift_px, abs=0.25)
    assert beam["roll_deg"] == pytest.approx(drawn.roll_deg, abs=0.1)
    whole = read_volume(tmp_path)
    # The frame of a cone is that of a clockwise turn, and the volume shows the specimen as it is.
    per_voxel = whole[:, ::-1][truth.uniform_mask()].mean() * drawn.voxel_um / 1e4
    assert per_voxel == pytest.approx(truth.uniform.attenuation_per_px, rel=0.01)
    assert "beam" in (results / "report.html").read_text().lower()

    other = tmp_path / "other"
    other.mkdir()
    # The axis that was found is given to both, so that only the chunks differ.
    line = json.loads((results / "calibration.json").read_text())["line"]
    calibrate = {"cor_px": line["mid_px"], "tilt_deg": math.degrees(math.atan(line["slope"]))}
    for folder, slices in ((tmp_path, 31), (other, 7)):
        write_config(
            folder,
            scans={"cone": str(tmp_path / "scans" / "cone.nx")},
            chunks={"slices": slices},
            calibrate=calibrate,
        )
        snakemake(folder, "--forceall", "--config", "replace_results=true")
    first, second = read_volume(tmp_path), read_volume(other)
    assert np.abs(first - second).max() <= 1e-6 * np.abs(first).max()
