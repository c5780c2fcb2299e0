"""The two scans whose answer is known: the demo scan, and a real tooth."""

import json
import re

import numpy as np
import pytest
import zarr
from tests.workflow.running import REPOSITORY, snakemake, write_config

from tomobatch.phantom.write import write_phantom


def read_calibration(results):
    return json.loads((results / "calibration.json").read_text())


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Reconstruct the demo scan as it comes, and return its results and its truth."""
    folder = tmp_path_factory.mktemp("demo")
    truth = write_phantom(folder / "scans" / "demo.h5")
    (folder / "config.yaml").write_text((REPOSITORY / "config.yaml").read_text())
    snakemake(folder)
    return folder / "results" / "demo", truth


def test_the_demo_scans_axis_is_found(demo):
    results, truth = demo
    line = read_calibration(results)["line"]
    assert line["mid_px"] == pytest.approx(truth.cor_px, abs=0.1)
    assert np.rad2deg(np.arctan(line["slope"])) == pytest.approx(truth.tilt_deg, abs=0.02)


def test_the_demo_scans_attenuation_is_right(demo):
    results, truth = demo
    volume = zarr.open_array(results / "volume.ome.zarr" / "0", mode="r")[:]
    group = json.loads((results / "volume.ome.zarr" / "zarr.json").read_text())
    transform = group["attributes"]["ome"]["multiscales"][0]["datasets"][0]
    pixel_size_um = transform["coordinateTransformations"][0]["scale"][0]
    found_per_px = volume[truth.uniform_mask()].mean() * pixel_size_um / 1e4
    assert found_per_px == pytest.approx(truth.uniform.attenuation_per_px, rel=0.01)


def test_the_tooth_is_reconstructed_with_no_setting_but_its_path(tmp_path, real_scan):
    write_config(tmp_path, scans={"tooth": str(real_scan)})
    snakemake(tmp_path)
    results = tmp_path / "results" / "tooth"
    assert read_calibration(results)["line"]["mid_px"] == pytest.approx(295.5, abs=0.25)
    assert re.match(r"angles 0\.\.180", json.loads((results / "angles.json").read_text())["reason"])
    slices = zarr.open_array(results / "volume.ome.zarr" / "0", mode="r")[:]
    assert_enamel_dentine_and_canal_stand_apart(slices[0])


def assert_enamel_dentine_and_canal_stand_apart(image):
    """Ask for three greys: air in and around the tooth, dentine, and enamel half as dense again."""
    counts, edges = np.histogram(image, bins=200, range=(-0.002, 0.011))
    values = (edges[1:] + edges[:-1]) / 2

    def peak(low, high):
        inside = (values >= low) & (values < high)
        return values[inside][np.argmax(counts[inside])], counts[inside].max()

    def valley(low, high):
        return counts[(values > low) & (values < high)].min()

    air, _ = peak(-0.001, 0.002)
    dentine, n_dentine = peak(0.003, 0.006)
    enamel, n_enamel = peak(0.006, 0.010)
    assert abs(air) < 0.0005
    assert enamel / dentine > 1.3
    assert valley(air, dentine) < n_dentine / 3
    assert valley(dentine, enamel) < min(n_dentine, n_enamel) / 2
