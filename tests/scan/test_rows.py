"""Rows of the detector that a scan is restricted to: what is read, and where its slices lie."""

import numpy as np
import pytest
from tests.in_process import reconstruct
from tests.scan import stacks

from tomobatch.errors import UserError
from tomobatch.phantom.write import write_phantom
from tomobatch.phantom.write_cone import write_cone_phantom
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings


@pytest.mark.parametrize("write", [stacks.write_data_exchange, stacks.write_nxtomo])
@pytest.mark.parametrize("asked", ["1-3", "1..3", " 1 - 3 "])
def test_every_picture_is_read_as_if_the_detector_had_these_rows_alone(write, asked, tmp_path):
    with open_scan(write(tmp_path / "a.h5"), DatasetSettings(rows=asked)) as scan:
        header = scan.header
        assert (header.n_rows, header.first_row) == (3, 1)
        found = scan.read_projections(2, 5)
        np.testing.assert_array_equal(found, stacks.PROJECTIONS[2:5, 1:4])
        np.testing.assert_array_equal(
            scan.read_projections(2, 5, slice(1, 2)), stacks.PROJECTIONS[2:5, 2:3]
        )
        np.testing.assert_array_equal(scan.flat_series()[0].frames, stacks.FLATS_BEFORE[:, 1:4])
        np.testing.assert_array_equal(scan.darks(), stacks.DARKS[:, 1:4])
        assert header.notes == ("rows 1-3 of 0-4 are taken, as the config says",)


def test_all_rows_are_no_restriction(tmp_path):
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    with open_scan(path, DatasetSettings(rows="0-4")) as scan:
        assert (scan.header.n_rows, scan.header.notes) == (5, ())


@pytest.mark.parametrize("rows", ["5", "0-5", "3-1", "a-b", "", "-1-3", "1:3"])
def test_what_is_no_range_of_rows_is_named(rows, tmp_path):
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    with pytest.raises(UserError, match=r"^datasets\.rows: "):
        open_scan(path, DatasetSettings(rows=rows))


def test_a_run_of_some_rows_and_projections_gives_the_slices_of_the_whole_one(tmp_path):
    path = tmp_path / "scan.h5"
    write_phantom(path, size=64, n_rows=60, n_angles=90, n_flats=6, n_darks=6, tilt_deg=0.6)
    with open_scan(path) as scan:
        truth = scan.header.known_axis
    every_second = {"include": "every 2"}
    given = {"cor_px": truth.cor_px, "tilt_deg": truth.tilt_deg}
    shared = {"stripes": {"method": "none"}}
    whole = reconstruct(
        tmp_path / "whole", path, {**shared, "datasets": every_second, "calibrate": given}
    )
    datasets = {**every_second, "rows": "10-39"}
    with open_scan(path, DatasetSettings(**datasets)) as scan:
        known = scan.header.known_axis
    given = {"cor_px": known.cor_px, "tilt_deg": known.tilt_deg}
    part = reconstruct(
        tmp_path / "part", path, {**shared, "datasets": datasets, "calibrate": given}
    )
    assert part.plan.header.n_projections == 45
    # Half a count hangs on the noise of the flats that are read; pixels near the ends of the rows
    # are mended from those that are there.
    inner, expected = part.volume[6:-6], whole.volume[16:34]
    assert np.abs(inner - expected).max() <= 1e-4 * np.abs(expected).max()
    (place,) = part.attributes["ome"]["multiscales"][0]["datasets"][:1]
    scale, translation = place["coordinateTransformations"]
    assert translation["translation"][0] == pytest.approx(10 * scale["scale"][0])
    assert part.plan.settings["datasets"]["rows"] == "10-39"
    assert any("rows 10-39 of 0-59 are taken" in line for line in part.warnings)


def test_the_axis_is_found_in_the_middle_of_the_rows_taken(tmp_path):
    path = tmp_path / "scan.h5"
    write_phantom(path, size=64, n_rows=60, n_angles=90, tilt_deg=1.0)
    run = reconstruct(tmp_path / "run", path, {"datasets": {"rows": "35-59"}})
    known = run.plan.header.known_axis
    assert run.calibration.line.mid_px == pytest.approx(known.cor_px, abs=0.15)


def test_slices_of_a_cone_are_those_of_the_whole_detector(tmp_path):
    path = tmp_path / "cone.nx"
    write_cone_phantom(path, size=48, n_rows=48, n_angles=72)
    sections = {"stripes": {"method": "none"}, "normalise": {"zinger_threshold": None}}
    with open_scan(path) as scan:
        beam = scan.header.beam
    axis = {"cor_px": beam.cor_px(48), "tilt_deg": beam.roll_deg}
    whole = reconstruct(tmp_path / "whole", path, {**sections, "calibrate": axis})
    part = reconstruct(
        tmp_path / "part", path, {**sections, "calibrate": axis, "datasets": {"rows": "4-43"}}
    )
    cut = part.plan.header.beam
    assert cut.principal_px(40, 48)[1] + 4 == pytest.approx(beam.principal_px(48, 48)[1])
    # Slices that need no row beyond those taken, nor a pixel mended from one.
    first, stop = part.plan.header.beam.whole_slices(40, 48)
    first, stop = first + 8, stop - 8
    inner, expected = part.volume[first:stop], whole.volume[first + 4 : stop + 4]
    assert stop - first >= 8
    assert np.abs(inner - expected).max() <= 1e-4 * np.abs(expected).max()
