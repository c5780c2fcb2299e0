"""How many pictures a laboratory scan has, at which angles, and what their grey values mean."""

from pathlib import Path

import numpy as np
import pytest
from tests.scan.lab_scans import N_COLS, N_ROWS, nikon, pictures, skyscan, write_pictures, zeiss
from tests.scan.test_lab_formats import degrees, header, refusal

from tomobatch.normalise.normalise import normalise
from tomobatch.scan.inspection import inspect
from tomobatch.scan.open import open_scan
from tomobatch.scan.remarks import look_at
from tomobatch.scan.settings import DatasetSettings

STEP = 36.0


def names(scanner: str, numbers) -> list[str]:
    return [f"bone_{i + 1:04d}" if scanner == "nikon" else f"bone12{i:04d}" for i in numbers]


SCANNERS = {"nikon": nikon, "skyscan": skyscan}


@pytest.mark.parametrize("scanner", SCANNERS)
class TestCounts:
    """Both makers count their pictures by their names."""

    def test_missing_pictures_leave_the_others_their_angles(self, scanner, tmp_path):
        numbers = [0, 1, 2, 5, 6, 7, 8, 9]
        SCANNERS[scanner](tmp_path, pictures(10)[numbers], names(scanner, numbers))
        np.testing.assert_allclose(degrees(tmp_path), STEP * np.array(numbers))
        assert "2 of the 10 projections are missing (3, 4;" in " ".join(header(tmp_path).notes)

    def test_the_first_picture_may_be_missing(self, scanner, tmp_path):
        numbers = list(range(1, 10))
        SCANNERS[scanner](tmp_path, pictures(10)[1:], names(scanner, numbers))
        np.testing.assert_allclose(degrees(tmp_path), STEP * np.array(numbers))

    def test_pictures_beyond_the_scan_are_left_out(self, scanner, tmp_path):
        SCANNERS[scanner](tmp_path, pictures(12), names(scanner, range(12)))
        np.testing.assert_allclose(degrees(tmp_path), STEP * np.arange(10))
        assert "2 pictures after the 10 that bone" in " ".join(header(tmp_path).notes)

    def test_a_scan_that_was_ended_early(self, scanner, tmp_path):
        SCANNERS[scanner](tmp_path, pictures(7), names(scanner, range(7)))
        np.testing.assert_allclose(degrees(tmp_path), STEP * np.arange(7))
        assert "of 10 projections, and 7" in " ".join(header(tmp_path).notes).replace(
            "speaks of 10", "of 10"
        )

    def test_names_may_count_from_another_number(self, scanner, tmp_path):
        SCANNERS[scanner](tmp_path, pictures(10), names(scanner, range(4, 14)))
        np.testing.assert_allclose(degrees(tmp_path), STEP * np.arange(10))

    def test_the_configuration_s_angles_win(self, scanner, tmp_path):
        SCANNERS[scanner](tmp_path)
        np.testing.assert_allclose(degrees(tmp_path, angle_range_deg=(0, 90)), 10 * np.arange(10))

    def test_strangers_among_the_pictures(self, scanner, tmp_path):
        SCANNERS[scanner](tmp_path)
        write_pictures(tmp_path, ["bone12_spr", "preview"], pictures(2))
        assert header(tmp_path).n_projections == 10

    def test_pictures_of_another_size_than_stated(self, scanner, tmp_path):
        SCANNERS[scanner](tmp_path, pictures(10)[:, :, :7])
        assert f"says {N_COLS} x {N_ROWS} pixels, but its pictures have 7" in refusal(tmp_path)

    def test_pictures_binned_afterwards(self, scanner, tmp_path):
        SCANNERS[scanner](tmp_path)
        whole = header(tmp_path).beam
        other = tmp_path / "other"
        SCANNERS[scanner](other, pictures(10)[:, ::2, ::2])
        found = header(other)
        assert found.beam.voxel_um == pytest.approx(2 * whole.voxel_um)
        assert "they are taken as binned by 2" in " ".join(found.notes)


def test_the_step_and_the_first_angle_are_the_file_s(tmp_path):
    nikon(tmp_path, InitialAngle=12.5, AngularStep=-0.5)
    np.testing.assert_allclose(degrees(tmp_path), 12.5 - 0.5 * np.arange(10))


def test_skyscan_s_last_picture_may_be_the_first_one_again(tmp_path):
    """Of 3979 files of a 1172, 3978 are projections: the stage had turned back by then."""
    short = {"Use 360 Rotation": "NO", "Rotation Step (deg)": 20.0, "Number of Files": 11}
    stack = np.concatenate([pictures(10), pictures(1)])
    skyscan(tmp_path, stack, **short)
    assert header(tmp_path).n_projections == 10
    assert "the last picture is more like the first" in " ".join(header(tmp_path).notes)
    # And of the 319 of a 1272 all are.
    skyscan(tmp_path / "other", pictures(11), **short)
    assert header(tmp_path / "other").n_projections == 11


def test_a_full_circle_that_ends_where_it_began_counts_both_ends_by_half(tmp_path):
    from tomobatch.reconstruct.cone.geometry import make_cone_geometry

    found = header(nikon(tmp_path, pictures(11), AngularStep=36, Projections=11))
    assert np.rad2deg(found.angles_rad)[-1] == 360
    geometry = make_cone_geometry(found.beam, found.angles_rad, N_ROWS, N_COLS)
    weights = geometry.slices.angle_weights
    assert geometry.span_rad is None
    assert weights[0] + weights[-1] == pytest.approx(weights[5])


def test_zeiss_s_pictures_that_were_never_written_take_their_angles_along(tmp_path):
    path = zeiss(tmp_path / "a.txrm", **{"ImageData1/Image4": None, "ImageData1/Image10": None})
    np.testing.assert_allclose(degrees(path), STEP * np.array([0, 1, 2, 4, 5, 6, 7, 8]), rtol=1e-6)


def test_zeiss_s_list_of_angles_with_one_too_many(tmp_path):
    angles = (STEP * np.arange(11)).astype("<f4").tobytes()
    found = degrees(zeiss(tmp_path / "a.txrm", **{"ImageInfo/Angles": angles}))
    np.testing.assert_allclose(found, STEP * np.arange(10), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_zeiss_of_both_types(dtype, tmp_path):
    stack = pictures(10, dtype)
    with open_scan(zeiss(tmp_path / "a.txrm", stack)) as scan:
        assert scan.header.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(scan.read_projections(0, 10), stack)


# White levels: what a pixel that sees no sample is, where there are no flats.


def line_integrals(path: Path, **values: object) -> np.ndarray:
    with open_scan(path, DatasetSettings.model_validate(values)) as scan:
        look = look_at(scan, scan.flats(), scan.darks())
        counts = scan.read_projections(0, scan.header.n_projections)
        return normalise(counts, 0, look.references).line_integrals


def stack_of(dtype: str, white: float) -> np.ndarray:
    return pictures(10, dtype, top=white)


@pytest.mark.parametrize(
    ("write", "dtype", "keys", "white"),
    [
        (nikon, "u2", {"WhiteLevel": 59_999}, 59_999),
        (nikon, "u1", {"WhiteLevel": 240}, 240),
        (nikon, "f4", {"WhiteLevel": 0.75}, 0.75),
        (skyscan, "u2", {"Reference Intensity": 57_000}, 57_000),
        (skyscan, "u2", {}, 65_535),
        (skyscan, "u1", {"Depth (bits)": 8}, 255),
        (skyscan, "u1", {"Depth (bits)": None}, 255),
    ],
)
def test_an_open_beam_has_no_attenuation(write, dtype, keys, white, tmp_path):
    stack = stack_of(dtype, white)
    write(tmp_path, stack, **keys)
    assert header(tmp_path).white_level == white
    found = line_integrals(tmp_path)
    exact = np.log(white / stack.astype(float))
    # The zinger filter may replace a pixel by its neighbours: look at those it does not.
    assert np.median(np.abs(found - exact)) < 1e-5
    assert np.abs(found[:, :, 0]).max() < 0.01


@pytest.mark.parametrize(
    ("write", "keys"),
    [(nikon, {"WhiteLevel": 60_000}), (skyscan, {"Depth (bits)": 16})],
)
def test_a_white_level_beyond_the_pictures_type_is_refused(write, keys, tmp_path):
    write(tmp_path, pictures(10, "u1", 250), **keys)
    assert "which holds 255 at most; give the right one as datasets.white_level" in refusal(
        tmp_path
    )
    assert header(tmp_path, white_level=250).white_level == 250


def test_flats_beside_divided_pictures_are_not_used_unasked(tmp_path):
    nikon(tmp_path)
    write_pictures(tmp_path / "flats", ["flat_0", "flat_1"], pictures(2) * 0 + 30_000)
    found = header(tmp_path)
    assert (found.n_flats, found.white_level) == (0, 60_000)
    assert "they are not used" in " ".join(found.notes)
    named = header(tmp_path, flats="flats")
    assert (named.n_flats, named.white_level) == (2, None)
    assert "choose one" in refusal(tmp_path, flats="flats", white_level=6e4)


def test_without_a_white_level_flats_are_asked_for(tmp_path):
    skyscan(tmp_path, **{"Flat Field Correction": "OFF"})
    assert header(tmp_path).white_level is None
    assert "datasets.white_level" in " ".join(inspect(tmp_path).problems)


def test_nothing_is_said_of_air_that_is_as_bright_as_the_type_holds(tmp_path):
    stack = np.minimum(pictures(10, "f8", 65_600), 65_535).astype("u2")
    told = "\n".join(inspect(skyscan(tmp_path, stack)).oddities)
    assert "saturated" not in told
    assert "no darks" not in told
    assert "open beam at 65535" in inspect(tmp_path).facts["flats"]


def test_a_wrong_white_level_shows(tmp_path):
    told = "\n".join(inspect(nikon(tmp_path, WhiteLevel=30_000)).oddities)
    assert "as bright as the flats" in told


# Generic: TIFFs and the configuration.

CONE = {"source_to_axis_mm": 100, "source_to_detector_mm": 400, "detector_pixel_um": 200}


@pytest.mark.parametrize(("dtype", "white"), [("u1", 250), ("u2", 60_000)])
def test_pictures_and_the_configuration(dtype, white, tmp_path):
    write_pictures(tmp_path, [f"p_{i:03d}" for i in range(10)], stack_of(dtype, white))
    found = header(tmp_path, cone=CONE, white_level=white, angle_range_deg=(0, 324))
    assert found.beam.voxel_um == pytest.approx(50)
    np.testing.assert_allclose(np.rad2deg(found.angles_rad), STEP * np.arange(10))
    told = refusal(tmp_path, cone=CONE, white_level=white)
    assert "a cone beam without angles" in told
    settings = DatasetSettings.model_validate({"cone": CONE, "white_level": white})
    assert any("without angles" in one for one in inspect(tmp_path, settings).problems)


def test_generic_angles_with_one_too_many_and_a_missing_picture(tmp_path):
    numbers = [i for i in range(20) if i != 7]
    write_pictures(tmp_path, [f"p_{i:03d}" for i in numbers], pictures(20)[numbers])
    np.savetxt(tmp_path / "angles.txt", 18.0 * np.arange(20))
    found = degrees(tmp_path, cone=CONE, white_level=6e4)
    np.testing.assert_allclose(found, 18.0 * np.array(numbers))
    np.savetxt(tmp_path / "angles.txt", 18.0 * np.arange(21))
    with_more = header(tmp_path, cone=CONE, white_level=6e4)
    assert "21 angles for 19 projections" in " ".join(with_more.notes)


def test_a_generic_voxel_that_contradicts_the_pixel_stops(tmp_path):
    write_pictures(tmp_path, [f"p_{i:03d}" for i in range(10)], pictures(10))
    stated = {k: v for k, v in CONE.items() if k != "detector_pixel_um"}
    given = {"white_level": 6e4, "angle_range_deg": (0, 324)}
    assert header(tmp_path, cone=stated, pixel_size_um=50, **given).beam.pixel_mm == 0.2
    told = refusal(tmp_path, cone=CONE, pixel_size_um=51, **given)
    assert "a voxel of 51 um is stated" in told
