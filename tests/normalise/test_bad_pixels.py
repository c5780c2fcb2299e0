import numpy as np
import pytest
from tests.normalise.scans import make_scan

from tomobatch.normalise.bad_pixels import find_bad_pixels


def flat_field(shape=(64, 96), seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    beam = 10_000 * np.exp(-(((x - 60) / 80) ** 2)) * (1 + 0.1 * np.sin(y / 3))
    flats = np.stack([beam, 0.9 * beam]) * rng.normal(1, 0.02, shape) + 100
    dark = rng.normal(100, 2, shape)
    return flats.astype(np.float32), dark.astype(np.float32), np.sqrt(beam).astype(np.float32)


def positions(mask):
    return list(zip(*np.nonzero(mask), strict=True))


def test_a_sound_detector_has_none():
    flats, dark, scatter = flat_field()
    assert not find_bad_pixels(flats, dark, scatter, 10).mask.any()


@pytest.mark.parametrize("place", [(0, 0), (30, 40), (63, 95)])
def test_each_kind_is_told_apart(place):
    flats, dark, scatter = flat_field()
    for counts in (100.0, 0.0, 300.0, 6e4, np.nan, np.inf):
        changed = flats.copy()
        changed[1][place] = counts
        found = find_bad_pixels(changed, dark, scatter, 10)
        assert positions(found.dead) == [place], counts
        assert not found.hot.any()
    changed = dark.copy()
    changed[place] = 3000
    found = find_bad_pixels(flats, changed, scatter, 10)
    assert positions(found.hot) == [place]
    assert positions(found.mask) == [place]
    changed = scatter.copy()
    changed[place] *= 10
    found = find_bad_pixels(flats, dark, changed, 10)
    assert positions(found.noisy) == [place]
    assert not find_bad_pixels(flats, dark, changed, 4).mask.any(), "too few flats to tell"


def test_a_dim_spot_of_the_scintillator_is_good():
    flats, dark, scatter = flat_field()
    flats[:, 20:26, 30:36] = 100 + 0.5 * (flats[:, 20:26, 30:36] - 100)
    assert not find_bad_pixels(flats, dark, scatter, 10).mask.any()


def test_where_no_light_falls_every_pixel_is_bad():
    flats, dark, scatter = flat_field()
    flats[:, :10] = dark[:10]
    found = find_bad_pixels(flats, dark, scatter, 10)
    assert found.dead[:10].all()
    assert not found.dead[10:].any()


@pytest.mark.parametrize("seed", range(3))
def test_all_of_a_scan_are_found_and_no_others(seed):
    scan = make_scan((2, 150, 200), seed=seed)
    found = scan.references().bad_pixels
    assert np.array_equal(found, scan.bad)


def test_where_hardly_any_light_falls_transmission_means_nothing():
    flats, dark, scatter = flat_field()
    flats[:, :10] = dark[:10] + 0.01 * (flats[:, :10] - dark[:10])
    found = find_bad_pixels(flats, dark, scatter, 10)
    assert found.dead[:10].all()
    assert not found.dead[10:].any()


def test_a_pixel_that_always_reads_the_same_is_hot_and_not_dead():
    flats, dark, scatter = flat_field()
    flats[:, 30, 40] = dark[30, 40] = 65535
    found = find_bad_pixels(flats, dark, scatter, 10)
    assert positions(found.hot) == [(30, 40)]
    assert not found.dead.any()


def test_a_dark_count_that_is_little_beside_the_light_is_not_hot():
    flats, dark, scatter = flat_field()
    dark[30, 40] += 80  # forty standard deviations of the dark, a hundredth of the light
    assert not find_bad_pixels(flats, dark, scatter, 10).hot.any()


@pytest.mark.parametrize("shape", [(4, 4), (5, 9), (2, 300), (200, 3), (27, 28)])
@pytest.mark.parametrize("place", [(0, 0), (1, 2)])
def test_one_bad_pixel_spoils_no_small_detector(shape, place):
    """The level around a pixel never rests on a single one."""
    rng = np.random.default_rng(1)
    flats = (rng.normal(10_000, 100, (1, *shape)) + 100).astype(np.float32)
    dark = rng.normal(100, 2, shape).astype(np.float32)
    dark[place] = flats[0][place] = 65_535
    found = find_bad_pixels(flats, dark, np.full(shape, 100, np.float32), 10)
    assert positions(found.mask) == [place]
