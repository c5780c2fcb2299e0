"""Chunks of a cone-beam scan do not show; that it goes the same way as any other: test_aws.py."""

import numpy as np
import pytest
import zarr
from tests.workflow.running import snakemake, write_config

from tomobatch.phantom.write_cone import demo_beam, write_cone_phantom


def read_volume(folder):
    return zarr.open_array(folder / "results" / "cone" / "volume.ome.zarr" / "0", mode="r")[:]


def test_a_cone_beam_scan_is_reconstructed_and_its_chunks_do_not_show(tmp_path):
    size = 96
    truth = write_cone_phantom(tmp_path / "cone.nx", size=size)
    drawn = demo_beam(size)
    # The axis is given to both, so that only the chunks differ.
    calibrate = {"cor_px": truth.cor_px, "tilt_deg": drawn.roll_deg}
    volumes = []
    for slices in (31, 7):
        folder = tmp_path / str(slices)
        folder.mkdir()
        write_config(
            folder,
            scans={"cone": str(tmp_path / "cone.nx")},
            chunks={"slices": slices},
            calibrate=calibrate,
        )
        snakemake(folder)
        volumes.append(read_volume(folder))
    first, second = volumes
    assert np.abs(first - second).max() <= 1e-6 * np.abs(first).max()
    # The frame of a cone is that of a clockwise turn, and the volume shows the specimen as it is.
    per_voxel = first[:, ::-1][truth.uniform_mask()].mean() * drawn.voxel_um / 1e4
    assert per_voxel == pytest.approx(truth.uniform.attenuation_per_px, rel=0.01)
    assert "beam" in (folder / "results" / "cone" / "report.html").read_text().lower()
