"""Figures of files in the units they are used in, and those that cannot be."""

import numpy as np
import pytest

from tomobatch.scan.angles import n_with_angles, to_radians, unwrapped, widest_gap_rad
from tomobatch.scan.beam_geometry import BeamGeometry
from tomobatch.scan.units import distance_mm, energy_kev, pixel_um


@pytest.mark.parametrize(
    ("value", "unit", "usual", "expected", "doubted"),
    [
        (6.5e-6, "", "m", 6.5, False),
        (6.5, "um", "m", 6.5, False),
        (0.0065, "mm", "m", 6.5, False),
        (650, "nm", "m", 0.65, False),
        (6.5, "m", "m", 6.5, True),
        (6.5, "", "m", 6.5, True),
        (0.0065, "", "m", 6.5, True),
        (6.5e-6, "um", "um", 6.5, True),
        (6.5, "pixel", "m", 6.5, True),
        (1e9, "m", "m", None, True),
    ],
)
def test_pixel_sizes(
    value: float, unit: str, usual: str, expected: float | None, doubted: bool
) -> None:
    found = pixel_um(value, unit, usual)
    assert found.value == pytest.approx(expected)
    assert (found.note is not None) == doubted
    if doubted:
        assert "datasets.pixel_size_um" in str(found.note)


@pytest.mark.parametrize(
    ("value", "unit", "expected", "doubted"),
    [
        (27.4, "", 27.4, False),
        (27.4, "keV", 27.4, False),
        (27_400, "eV", 27.4, False),
        (27_400, "", 27.4, True),
        (27_400, "keV", 27.4, True),
        (0.1, "MeV", 100, False),
        (25, "meV", 25e-6, False),
        (1e12, "eV", None, True),
    ],
)
def test_energies(value: float, unit: str, expected: float | None, doubted: bool) -> None:
    found = energy_kev(value, unit)
    assert found.value == pytest.approx(expected)
    assert (found.note is not None) == doubted


@pytest.mark.parametrize(
    ("value", "unit", "usual", "expected", "doubted"),
    [
        (145, "m", "mm", 145_000, False),
        (60, "", "mm", 60, False),
        (5, "cm", "m", 50, False),
        (60_000, "", "m", 60_000, True),
        (145_000, "m", "m", 145_000, True),
        (60_000, "counts", "m", 60_000, True),
        (60, "counts", "m", None, True),
        (1e-9, "m", "m", None, True),
        (1e12, "mm", "m", None, True),
        (60, "", "", None, True),
    ],
)
def test_distances(
    value: float, unit: str, usual: str, expected: float | None, doubted: bool
) -> None:
    found = distance_mm("a distance of the source", value, unit, usual, "datasets.key")
    assert found.value == pytest.approx(expected)
    assert (found.note is not None) == doubted
    if doubted:
        assert f"a distance of the source of {value:g}" in str(found.note)
        assert "datasets.key" in str(found.note)


HALF = np.linspace(0, 180, 200, endpoint=False)
FULL = np.linspace(0, 360, 401)


@pytest.mark.parametrize(
    ("values", "unit", "degrees", "doubted"),
    [
        (HALF, "deg", HALF, False),
        (np.deg2rad(HALF), "rad", HALF, False),
        (np.deg2rad(HALF), "degrees", HALF, True),
        (np.deg2rad(FULL), "deg", FULL, True),
        (-np.deg2rad(HALF), "degree", -HALF, True),
        (HALF, "rad", HALF, True),
        (FULL, "radians", FULL, True),
        (np.deg2rad(HALF) * 1e3, "mrad", HALF, False),
        (HALF * 1e3, "mdeg", HALF, False),
        (FULL / 360, "turns", FULL, False),
        (HALF, "counts", HALF, True),
        (np.deg2rad(FULL), "", FULL, False),
        # A tilt series really spans little, and says so; three angles prove nothing.
        (np.linspace(-30, 30, 61), "deg", np.linspace(-30, 30, 61), False),
        (np.array([0, 1.57, 3.14]), "deg", np.array([0, 1.57, 3.14]), False),
    ],
)
def test_units_of_angles(values: np.ndarray, unit: str, degrees: np.ndarray, doubted: bool) -> None:
    found = to_radians(values, unit, "theta")
    np.testing.assert_allclose(np.rad2deg(found.angles_rad), degrees, atol=1e-9)
    assert bool(found.notes) == doubted


@pytest.mark.parametrize("first", [0, 20, 200, 359, -170])
@pytest.mark.parametrize("span", [180, -180, 360, -360, 720])
@pytest.mark.parametrize("low", [0, -180])
def test_angles_written_modulo_a_turn_go_on(first: float, span: float, low: float) -> None:
    true = np.deg2rad(first + np.linspace(0, span, 100, endpoint=False))
    written = np.mod(true - np.deg2rad(low), 2 * np.pi) + np.deg2rad(low)
    found = unwrapped(written)
    np.testing.assert_allclose(found - found[0], true - true[0], atol=1e-9)


def test_angles_that_go_no_way_are_left_as_they_are() -> None:
    golden = np.mod(np.arange(200) * 111.24611797, 180)
    np.testing.assert_array_equal(unwrapped(golden), golden)
    coarse = np.deg2rad([0, 200, 400])
    np.testing.assert_array_equal(unwrapped(coarse), coarse)


@pytest.mark.parametrize(
    ("degrees", "gap"),
    [
        (HALF, 0.9),
        (np.mod(200 + HALF, 360), 0.9),
        (FULL, 0.9),
        (np.mod(np.arange(200) * 111.24611797, 180), None),
        (np.linspace(0, 120, 121), 60),
        (np.concatenate([np.arange(0, 60), np.arange(100, 180)]), 41),
        # Two thirds of a turn each way: nothing is unseen.
        (np.arange(0, 270), 1),
    ],
)
def test_gaps_are_counted_on_the_circle(degrees: np.ndarray, gap: float | None) -> None:
    widest, typical = np.rad2deg(widest_gap_rad(np.deg2rad(degrees)))
    if gap is None:
        assert widest < 2.5 * typical
    else:
        assert widest == pytest.approx(gap)


@pytest.mark.parametrize(
    ("angles", "n"),
    [
        ([0, 1, 2, 3, 0, 0, 0], 4),
        ([5, 6, np.nan, np.nan], 2),
        ([0, 1, 2, 3], 4),
        ([3, 2, 1, 0], 4),
        ([0, 0, 0, 0], 4),
    ],
)
def test_angles_that_were_never_written(angles: list[float], n: int) -> None:
    assert n_with_angles(np.array(angles, float)) == n


@pytest.mark.parametrize(
    ("beam", "pixel", "is_cone"),
    [
        # Beamlines: a source many metres away magnifies a little, and is parallel all the same.
        (BeamGeometry(source_mm=50_000, detector_mm=300), 1.0, False),
        (BeamGeometry(source_mm=145_000, detector_mm=10_000), 6.5, False),
        (BeamGeometry(), 6.5, False),
        (BeamGeometry(detector_mm=300), 6.5, False),
        # Laboratories.
        (BeamGeometry(source_mm=50, detector_mm=450), 5.0, True),
        (BeamGeometry(source_mm=50, detector_mm=450), None, True),
        (BeamGeometry(magnification=10.0), None, True),
        (BeamGeometry(magnification=1.01), None, False),
        (BeamGeometry(kind="cone"), 5.0, True),
        (BeamGeometry(kind="Fan beam"), 5.0, True),
        (BeamGeometry(kind="parallel"), 5.0, False),
    ],
)
def test_a_cone_beam_is_told_from_a_parallel_one(
    beam: BeamGeometry, pixel: float | None, is_cone: bool
) -> None:
    assert (beam.diverging(2048, pixel) is not None) == is_cone
