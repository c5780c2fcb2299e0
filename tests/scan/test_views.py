"""Pictures seen otherwise than they are stored, in every format, and what is then known."""

import dataclasses

import numpy as np
import pytest
from tests.scan import stacks

from tomobatch.beam import ConeBeam
from tomobatch.errors import UserError
from tomobatch.phantom.write_cone import write_cone_phantom
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.views import binned

WRITERS = [
    lambda folder: stacks.write_data_exchange(folder / "a.h5"),
    lambda folder: stacks.write_nxtomo(folder / "a.nx"),
    lambda folder: stacks.write_zarr(folder / "a.zarr", 3),
    lambda folder: stacks.write_tiff_folders(folder / "tiffs"),
]


def blocks(pictures, binning):
    """Average blocks the plain way, in float64."""
    n, n_rows, n_cols = pictures.shape
    high, wide = n_rows // binning, n_cols // binning
    whole = pictures[:, : high * binning, : wide * binning].astype(np.float64)
    return whole.reshape(n, high, binning, wide, binning).mean(axis=(2, 4))


@pytest.mark.parametrize("write", WRITERS, ids=["data exchange", "nxtomo", "zarr", "tiff"])
@pytest.mark.parametrize(
    ("datasets", "expected"),
    [
        ({"quarter_turn": "clockwise"}, lambda p: np.rot90(p, -1, axes=(1, 2))),
        ({"quarter_turn": "counter-clockwise"}, lambda p: np.rot90(p, 1, axes=(1, 2))),
        ({"columns": "1-4"}, lambda p: p[:, :, 1:5]),
        ({"binning": 2}, lambda p: blocks(p, 2)),
        ({"binning": 4}, lambda p: blocks(p, 4)),
        (
            {"quarter_turn": "clockwise", "rows": "1-6", "columns": "0-2", "binning": 2},
            lambda p: blocks(np.rot90(p, -1, axes=(1, 2))[:, 1:7, :3], 2),
        ),
    ],
    ids=["clockwise", "counter-clockwise", "columns", "2 x 2", "4 x 4", "all of it"],
)
def test_every_format_is_read_so(write, datasets, expected, tmp_path):
    with open_scan(write(tmp_path), DatasetSettings(**datasets)) as scan:
        header, projections = scan.header, expected(stacks.PROJECTIONS)
        assert (header.n_rows, header.n_cols) == projections.shape[1:]
        np.testing.assert_array_equal(
            scan.read_projections(2, 9), projections[2:9].astype(header.dtype)
        )
        rows = slice(0, header.n_rows, 2)
        np.testing.assert_array_equal(
            scan.read_projections(3, 5, rows), projections[3:5, rows].astype(header.dtype)
        )
        first = scan.flat_series()[0].frames
        np.testing.assert_array_equal(first, expected(stacks.FLATS_BEFORE).astype(header.dtype))
        np.testing.assert_array_equal(
            scan.darks()[: stacks.N_DARKS], expected(stacks.DARKS).astype(header.dtype)
        )


def test_columns_do_not_read_more_than_a_block_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("tomobatch.scan.views._BLOCK_BYTES", 3 * 5 * 7 * 2)
    with open_scan(WRITERS[0](tmp_path), DatasetSettings(columns="2-3")) as scan:
        np.testing.assert_array_equal(scan.read_projections(0, 11), stacks.PROJECTIONS[:11, :, 2:4])


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "u4", "f4"])
def test_means_of_blocks_are_exact(dtype):
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 250, (3, 8, 12)).astype(dtype)
    for binning in (2, 4):
        np.testing.assert_array_equal(binned(counts, binning), blocks(counts, binning))


def test_a_block_with_a_saturated_pixel_is_saturated():
    counts = np.full((1, 4, 4), 100, np.uint16)
    counts[0, 0, 1] = 65_535
    np.testing.assert_array_equal(binned(counts, 2)[0], [[65_535, 100], [100, 100]])


def test_saturation_is_told_of_binned_pictures_as_well(tmp_path):
    from tomobatch.scan.remarks import look_at

    projections = np.full((12, 40, 40), 20_000, np.uint16)
    projections[:, 10:14, ::2] = 65_535
    changes = {
        "data": projections + np.arange(12, dtype=np.uint16)[:, None, None] * (projections < 3e4),
        "data_white": np.random.default_rng(0).poisson(3e4, (6, 40, 40)).astype(np.uint16),
        "data_dark": np.zeros((4, 40, 40), np.uint16),
    }
    path = stacks.write_data_exchange(tmp_path / "a.h5", **changes)
    with open_scan(path, DatasetSettings(binning=2)) as scan:
        warnings = look_at(scan, scan.flats(), scan.darks()).warnings
    (told,) = [line for line in warnings if "saturated" in line]
    assert told.startswith("10.00% of the pixels of the projections are saturated at 65535")


def test_pixel_size_and_bytes_are_those_of_the_pictures_seen(tmp_path):
    path = WRITERS[0](tmp_path)
    with open_scan(path) as scan:
        plain = scan.header
    with open_scan(path, DatasetSettings(binning=2, rows="1-4")) as scan:
        header = scan.header
    assert header.pixel_size_um == 2 * plain.pixel_size_um
    # The middle of rows 1 and 2 of the detector, in rows twice as high.
    assert (header.first_row, header.binning) == (0.75, 2)
    assert header.picture_mb == pytest.approx(plain.picture_mb * 4 / 5)
    assert header.notes[0] == "rows 1-4 of 0-4 are taken, as the config says"
    assert header.notes[1].startswith(
        "2 x 2 pixels are averaged to one, as the config says: 2 rows"
    )


def test_a_given_pixel_size_is_that_of_the_detector(tmp_path):
    datasets = DatasetSettings(binning=4, pixel_size_um=3.0)
    with open_scan(WRITERS[0](tmp_path), datasets) as scan:
        assert scan.header.pixel_size_um == 12.0


def places(beam: ConeBeam, points, first=(0, 0), binning=1, shape=(48, 40)):
    """Where points (x, y, z) in mm at angle 0 are seen on the whole detector, column and row."""
    x, y, z = np.asarray(points).T
    magnified = beam.source_to_detector_mm / (beam.source_to_axis_mm + y)
    offset_mm = beam.axis_shift_px * beam.pixel_mm / beam.magnification
    column, row = beam.principal_px(*shape)
    column = column + magnified * (x + offset_mm) / beam.pixel_mm
    row = row + magnified * z / beam.row_pitch_mm
    seen = np.stack([column, row], axis=1)
    return binning * seen + (binning - 1) / 2 + np.asarray(first)


def test_a_cone_sees_every_point_at_the_same_place_of_the_detector(tmp_path):
    path = tmp_path / "cone.nx"
    write_cone_phantom(path, size=40, n_rows=48, n_angles=24)
    cone = {"shift_u_px": 1.5, "shift_v_px": -2.5, "axis_shift_px": 0.75}
    cone["drift_px"] = [(0, 0.0, 0.0), (23, 2.0, 4.0)]
    points = np.random.default_rng(5).normal(0, 0.2, (20, 3))
    with open_scan(path, DatasetSettings(cone=cone)) as scan:
        whole = scan.header.beam
    datasets = DatasetSettings(cone=cone, rows="5-40", columns="4-31", binning=2)
    with open_scan(path, datasets) as scan:
        header = scan.header
    part = header.beam
    seen = places(part, points, (4, 5), 2, (header.n_rows, header.n_cols))
    np.testing.assert_allclose(seen, places(whole, points), atol=1e-9)
    assert part.voxel_um == pytest.approx(2 * whole.voxel_um)
    assert header.pixel_size_um == pytest.approx(2 * whole.voxel_um)
    np.testing.assert_allclose(2 * part.drifts(24), whole.drifts(24))


@pytest.mark.parametrize("turn", ["clockwise", "counter-clockwise"])
def test_a_turned_cone_has_its_principal_point_turned(turn, tmp_path):
    from tomobatch.scan.cone import FoundCone
    from tomobatch.scan.upright import with_upright_axis

    with open_scan(WRITERS[0](tmp_path)) as scan:
        cone = FoundCone(pixel_mm=0.1, row_pitch_mm=0.2, shift_u_px=1.0, shift_v_px=0.5)
        parts = dataclasses.replace(scan.parts, cone=cone, rotation="clockwise")
        turned = with_upright_axis("a.h5", parts, DatasetSettings(quarter_turn=turn))
        # A picture that is bright where its principal point is: column 4, row 2.5 of 7 x 5.
        picture = np.zeros((5, 7))
        picture[2:4, 4] = 1
        seen = np.rot90(picture, -1 if turn == "clockwise" else 1)
        rows, columns = np.nonzero(seen)
        assert turned.cone.shift_u_px == columns.mean() - 2
        assert turned.cone.shift_v_px == rows.mean() - 3
        assert (turned.cone.pixel_mm, turned.cone.row_pitch_mm) == (0.2, 0.1)
        assert turned.rotation is None


@pytest.mark.parametrize(
    ("datasets", "told"),
    [
        ({"columns": "0-7"}, r"^datasets\.columns: 0-7 is not within columns 0 to 6$"),
        ({"columns": "all"}, r"^datasets\.columns: 'all' is no range of columns; write 100-899$"),
        ({"rows": "1-3", "binning": 4}, r"^datasets\.binning: 4, but there are only 3 rows"),
    ],
)
def test_what_cannot_be_taken_is_named(datasets, told, tmp_path):
    with pytest.raises(UserError, match=told):
        open_scan(WRITERS[0](tmp_path), DatasetSettings(**datasets))
