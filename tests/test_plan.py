"""What cannot be reconstructed is refused when a scan is planned, not hours later."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tomobatch.cli.shared.disk import foretell_disk
from tomobatch.config.schema import load_config
from tomobatch.errors import UserError
from tomobatch.plan import plan_scan
from tomobatch.scan.header import AngleSource, ScanHeader


def planned(span_deg=180.0, cor_px=None, **reconstruct):
    """Plan a scan of 16 rows x 20 columns."""
    header = ScanHeader(
        path="tooth.h5",
        format="HDF5",
        n_projections=30,
        n_rows=16,
        n_cols=20,
        dtype=np.dtype(np.uint16),
        angles_rad=np.deg2rad(np.linspace(0, span_deg, 30, endpoint=False)),
        angle_source=AngleSource.FILE,
        pixel_size_um=None,
        energy_kev=None,
        n_flats=10,
        n_darks=10,
        known_axis=None,
    )
    sections = {"reconstruct": reconstruct, "calibrate": {"cor_px": cor_px}}
    config = load_config({"scans": {"tooth": "tooth.h5"}, **sections})
    return plan_scan(config, "tooth", header)


@pytest.mark.parametrize(
    ("reconstruct", "message"),
    [
        ({"roi_px": [0, 0, 21, 20]}, r"roi_px: \[0, 0, 21, 20\] is not inside a slice of 20 x 20"),
        ({"size_px": 10, "roi_px": [0, 0, 20, 20]}, "is not inside a slice of 10 x 10"),
        ({"binning": 21}, "binning: 21 does not fit"),
        ({"half_acquisition": True}, "half acquisition needs projections all around"),
    ],
)
def test_slices_that_do_not_fit_the_scan_are_refused(reconstruct, message):
    with pytest.raises(UserError, match=message):
        planned(**reconstruct)


@pytest.mark.parametrize("cor_px", [-0.5, 19.5, 1023.5])
def test_an_axis_outside_the_detector_is_refused(cor_px):
    with pytest.raises(UserError, match=r"cor_px is .*, outside the detector, .* 0 to 19"):
        planned(cor_px=cor_px)


@pytest.mark.parametrize("cor_px", [0, 9.5, 19])
def test_an_axis_on_the_detector_is_taken(cor_px):
    assert planned(cor_px=cor_px).config.calibrate.cor_px == cor_px


def test_a_run_that_the_disk_can_not_take_is_refused_before_it_starts(tmp_path, capsys):
    plan = planned()
    with pytest.raises(UserError, match=r"are needed in .*/results, .* are free: free some"):
        foretell_disk(
            {"a": replace(plan, header=replace(plan.header, n_rows=10**13))}, tmp_path / "results"
        )
    foretell_disk({"a": plan}, tmp_path / "results")
    assert capsys.readouterr().out.startswith("Up to 0.1 MB are needed in ")


@pytest.mark.parametrize(
    ("reconstruct", "shape_px"),
    [
        ({}, (20, 20)),
        ({"size_px": 30}, (30, 30)),
        ({"roi_px": [2, 3, 8, 6], "binning": 2}, (3, 4)),
        ({"half_acquisition": True}, (40, 40)),
        ({"half_acquisition": True, "roi_px": [0, 0, 40, 8]}, (8, 40)),
    ],
)
def test_slices_that_fit_have_the_shape_asked_for(reconstruct, shape_px):
    assert planned(360.0, **reconstruct).slice_shape_px == shape_px


def test_the_pixels_of_a_binned_region_are_told_in_those_of_the_detector():
    layout = planned(roi_px=[2, 3, 8, 6], binning=2).volume_layout
    group = json.loads(layout.group_metadata("tooth", (0.0, 1.0)))
    scale, translation = group["attributes"]["ome"]["multiscales"][0]["datasets"][0][
        "coordinateTransformations"
    ]
    assert scale["scale"] == [1, 2, 2]
    assert translation["translation"] == [0, 3.5, 2.5]
