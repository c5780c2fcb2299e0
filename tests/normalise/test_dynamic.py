"""A pattern of the beam that moves is followed where that helps, and nothing else is touched."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage, optimize
from tests.normalise.moving_beam import Beam, MovingScan, take

from tomobatch.normalise.normalise import normalise
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.scan.open import open_scan
from tomobatch.scan.remarks import Look, look_at
from tomobatch.stores.references import load_references, save_references


def normalised(scan: MovingScan, **settings: object) -> tuple[Look, np.ndarray]:
    chosen = NormaliseSettings(**settings)
    with open_scan(scan.path) as opened:
        look = look_at(opened, opened.flats(), opened.darks(), chosen)
        counts = opened.read_projections(0, opened.header.n_projections)
    return look, normalise(counts, 0, look.references, chosen).line_integrals


def told(look: Look) -> list[str]:
    return [line for line in look.warnings if "the pattern of the beam moves" in line]


# The least share of the error of the rows' means that goes, as a factor.
@pytest.mark.parametrize(
    ("beam", "least"),
    [
        (Beam(), 4.0),
        (Beam(amplitude=0.01), 1.5),
        (Beam(photons=2000), 2.0),
    ],
    ids=["strong", "weak", "noisy"],
)
def test_bands_that_move_are_followed(beam: Beam, least: float, tmp_path: Path) -> None:
    scan = take(tmp_path / "a.nx", beam)
    look, followed = normalised(scan)
    off, unmended = normalised(scan, dynamic_flats=False)
    assert told(look) and not told(off)
    assert scan.band_error(followed) < scan.band_error(unmended) / least


def test_a_speckle_that_moves_is_followed(tmp_path: Path) -> None:
    scan = take(tmp_path / "a.nx", Beam(bands=False))
    _, followed = normalised(scan)
    _, unmended = normalised(scan, dynamic_flats=False)
    # Photons alone are 0.011 here.
    assert scan.error(followed) < 0.015 < 0.02 < scan.error(unmended)


@pytest.mark.parametrize("layered", [False, True])
@pytest.mark.parametrize(
    "beam",
    [Beam(moves=0.0), Beam(in_projections=False), Beam(moves=0.0, bands=False), Beam(n_flats=6)],
    ids=["still", "flats alone move", "still speckle", "few flats"],
)
def test_a_scan_that_needs_none_is_not_harmed(beam: Beam, layered: bool, tmp_path: Path) -> None:
    scan = take(tmp_path / "a.nx", beam, layered=layered)
    look, line_integrals = normalised(scan)
    _, unmended = normalised(scan, dynamic_flats=False)
    if not told(look):
        np.testing.assert_array_equal(line_integrals, unmended)
    assert scan.error(line_integrals) <= 1.01 * scan.error(unmended)


def test_layers_of_the_object_stay_where_the_beam_moves(tmp_path: Path) -> None:
    scan = take(tmp_path / "a.nx", Beam(), layered=True)
    look, followed = normalised(scan)
    _, unmended = normalised(scan, dynamic_flats=False)
    assert told(look)
    assert scan.band_error(followed) < scan.band_error(unmended) / 1.8


def test_what_comes_out_does_not_depend_on_chunks_nor_on_the_file(tmp_path: Path) -> None:
    scan = take(tmp_path / "a.nx", Beam())
    look, whole = normalised(scan)
    save_references(tmp_path / "references.h5", look.references)
    references = load_references(tmp_path / "references.h5")
    with open_scan(scan.path) as opened:
        part = opened.read_projections(20, 31)
    np.testing.assert_array_equal(normalise(part, 20, references).line_integrals, whole[20:31])


def test_a_user_who_knows_better_has_it_followed_anyway(tmp_path: Path) -> None:
    look, _ = normalised(take(tmp_path / "a.nx", Beam(in_projections=False)), dynamic_flats=True)
    assert look.references.modes is not None


def eigen_flats(scan: MovingScan, n_modes: int, numbers: list[int]) -> np.ndarray:
    """Return line integrals by the published method, step by step.

    V. Van Nieuwenhove et al., Optics Express 23 (2015) 27975: principal components of the flats,
    and weights by which the normalised projection has the least total variation.
    """
    with open_scan(scan.path) as opened:
        dark = np.mean(opened.darks(), axis=0)
        flats = np.concatenate([one.frames for one in opened.flat_series()]) - dark
        counts = np.stack([opened.read_projections(i, i + 1)[0] for i in numbers]) - dark
    mean = flats.mean(axis=0)
    _, _, parts = np.linalg.svd((flats - mean).reshape(len(flats), -1), full_matrices=False)
    modes = parts[:n_modes].reshape(n_modes, *mean.shape) * np.std(flats - mean)
    modes *= np.sqrt(mean.size)

    def divided(projection: np.ndarray, weights: np.ndarray) -> np.ndarray:
        beam = mean + np.tensordot(weights, modes, 1)
        return projection / beam * (beam.mean() / mean.mean())  # or a brighter beam flattens all

    def variation(weights: np.ndarray, projection: np.ndarray) -> float:
        smooth = ndimage.gaussian_filter(divided(projection, weights), 1)
        return float(np.hypot(*np.gradient(smooth)).sum())

    found = []
    for projection in counts:
        best = optimize.minimize(variation, np.zeros(n_modes), (projection,), "Nelder-Mead")
        found.append(-np.log(np.maximum(divided(projection, best.x), 1e-6)))
    return np.stack(found)


def test_as_good_as_the_published_method(tmp_path: Path) -> None:
    scan = take(tmp_path / "a.nx", Beam())
    numbers = [0, 8, 24, 40]
    look, ours = normalised(scan)
    theirs = eigen_flats(scan, len(look.references.modes), numbers)
    some = MovingScan(scan.path, scan.exact[numbers])
    _, unmended = normalised(scan, dynamic_flats=False)
    assert some.band_error(theirs) < some.band_error(unmended[numbers]) / 2
    assert some.band_error(ours[numbers]) < 1.1 * some.band_error(theirs)
